/* Offsets in struct guest_state for the assembler; guest_context.c asserts each of them. */
#ifndef OS_X86_64_GUEST_OFFSETS_H
#define OS_X86_64_GUEST_OFFSETS_H

#define GUEST_STACK_LIMIT   0
#define GUEST_HELPERS       8
#define GUEST_ENTRY         16
#define GUEST_STOP_STACK    24
#define GUEST_STOPPED       32
#define GUEST_STOP_CODE     40
#define GUEST_STOP_PC       48
#define GUEST_STOP_FP       56
#define GUEST_STOP_SP       64
#define GUEST_OVERFLOW_CODE 72
#define GUEST_WIDE_VECTORS  80
#define GUEST_STOP_IS_FAULT 84

#define GUEST_STUB_BYTES 64

/* All exceptions masked, round to nearest, denormals kept; x87 likewise with 64-bit mantissas. */
#define GUEST_MXCSR 0x1f80
#define GUEST_FPUCW 0x037f

#endif
