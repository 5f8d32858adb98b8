/* Offsets into struct guest_interrupt, shared by C and assembly. */
#ifndef OS_X86_64_INTERRUPT_OFFSETS_H
#define OS_X86_64_INTERRUPT_OFFSETS_H

#define INTERRUPT_RAX     0
#define INTERRUPT_RBX     8
#define INTERRUPT_RCX     16
#define INTERRUPT_RDX     24
#define INTERRUPT_RSI     32
#define INTERRUPT_RDI     40
#define INTERRUPT_RBP     48
#define INTERRUPT_R8      56
#define INTERRUPT_R9      64
#define INTERRUPT_R10     72
#define INTERRUPT_R11     80
#define INTERRUPT_R12     88
#define INTERRUPT_R13     96
#define INTERRUPT_R14     104
#define INTERRUPT_R15     112
#define INTERRUPT_XSAVE   120 /* 1: vectors are in XSAVE format, 0: in FXSAVE format */
#define INTERRUPT_IRET    128 /* RIP, CS, RFLAGS, RSP, SS: what iretq takes */
#define INTERRUPT_VECTORS 192

/* x87, SSE and AVX: all that generated code may use (XCR0 bits). */
#define INTERRUPT_FEATURES 7

#endif
