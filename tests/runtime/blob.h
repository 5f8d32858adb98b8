/* An artifact of hand-written code (blob.S), for tests of the runtime without a compiler. */
#ifndef TESTS_RUNTIME_BLOB_H
#define TESTS_RUNTIME_BLOB_H

#include "artifact/artifact.h"
#include "blob_offsets.h"

/* Program functions, in this order. */
#define BLOB_FUNCTIONS(X)                                                                          \
    X(host, BLOB_II_I)                                                                             \
    X(add, BLOB_II_I)                                                                              \
    X(load, BLOB_II_I)                                                                             \
    X(store, BLOB_II_I)                                                                            \
    X(context, BLOB_II_I)                                                                          \
    X(set_context, BLOB_II_I)                                                                      \
    X(recurse, BLOB_VOID)                                                                          \
    X(recurse_host, BLOB_II_I)                                                                     \
    X(huge, BLOB_II_I)                                                                             \
    X(helper, BLOB_HELPER)                                                                         \
    X(trap_below, BLOB_II_I)                                                                       \
    X(illegal, BLOB_VOID)                                                                          \
    X(divide, BLOB_VOID)                                                                           \
    X(foreign, BLOB_VOID)                                                                          \
    X(low_stack, BLOB_II_I)                                                                        \
    X(fill_registers, BLOB_II_I)                                                                   \
    X(registers, BLOB_VOID)                                                                        \
    X(init, BLOB_VOID)

enum blob_function {
    BLOB_NULL,
#define X(name, type) BLOB_##name,
    BLOB_FUNCTIONS(X)
#undef X
        BLOB_FUNCTIONS_COUNT
};

enum blob_type { BLOB_VOID, BLOB_II_I, BLOB_HELPER, BLOB_TYPES_COUNT };

/* Context offsets. */
#define BLOB_MEMORY_SIZE_0 (-8)
#define BLOB_MEMORY_SIZE_1 (-16)
#define BLOB_TABLE_SIZE_0  (-20)
#define BLOB_TABLE_SIZE_1  (-24)
#define BLOB_GLOBAL_0      HOST_GLOBAL /* i32 */
#define BLOB_GLOBAL_1      (-40)       /* i64 */
#define BLOB_DATA_DROPPED  (-48)
#define BLOB_ELEM_DROPPED  (-52)
#define BLOB_TABLE_0       (-4096) /* capacity 100, min 10 */
#define BLOB_TABLE_1       (-6008) /* capacity 50, min 5 */
#define BLOB_ELEMENTS_1    (-7000) /* element segment 1: two references */
#define BLOB_CONTEXT_BYTES 8192

#define BLOB_DATA "0123456789" /* data segment 0 */

struct blob_import {
    const char *module, *field;
    uint32_t func;
};

struct blob_options {
    const struct blob_import *imports; /* NULL: "env" "host" alone */
    size_t imports_count;
    uint32_t memory_0_pages_min, memory_0_pages_max; /* 0: one, four */
    uint32_t cpu_level;                              /* 0: 2 */
};

/* BLOB_fill_registers: how it ends. */
enum blob_way { BLOB_WAY_RETURN, BLOB_WAY_FAULT, BLOB_WAY_HOST, BLOB_WAY_SPIN, BLOB_WAYS_COUNT };

/* BLOB_registers: what it leaves at BLOB_REGISTERS of memory 0. */
struct blob_registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t flags;
    uint32_t mxcsr;
    uint16_t x87_control, pad[25];
    uint64_t vectors[16][4];
};

/* Never fails: a test without its artifact is no test. */
struct artifact *blob_artifact(const struct blob_options *options);

/* The same with an image frozen elsewhere. */
struct buffer;
struct artifact *blob_with_image(const struct artifact *a, const struct buffer *extents,
                                 const struct buffer *image);

#endif
