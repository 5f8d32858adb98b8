/* Attributes of the compilers that build Mayfly (gcc and clang). */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#define NODISCARD       __attribute__((warn_unused_result))
#define PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#define NORETURN        __attribute__((noreturn))
#define NOINLINE        __attribute__((noinline))
#define UNUSED          __attribute__((unused))

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
