/* Hand-written guest code, for tests of the runtime without a compiler. Every function keeps the
 * conventions of generated code: base in r13, frame pointers, C argument registers. */
#include "blob_offsets.h"

    .section .rodata
    .macro FUNCTION name
    .balign 16
    .globl blob_\name
    .type blob_\name, @function
blob_\name:
    .endm
    .macro END name
    .globl blob_\name\()_end
blob_\name\()_end:
    .size blob_\name, . - blob_\name
    .endm
    .macro FRAME
    pushq %rbp
    movq %rsp, %rbp
    .endm
    .macro LEAVE
    popq %rbp
    ret
    .endm

    .balign 16
    .globl blob_start
blob_start:
    ud2

/* Trampolines: (code rdi, values rsi). Values are 16 bytes apart. */
FUNCTION tramp_void /* ":" */
    FRAME
    call *%rdi
    LEAVE
END tramp_void

FUNCTION tramp_ii_i /* "ii:i" */
    FRAME
    pushq %rbx
    subq $8, %rsp
    movq %rsi, %rbx
    movq %rdi, %rax
    movl (%rbx), %edi
    movl 16(%rbx), %esi
    call *%rax
    movl %eax, (%rbx)
    addq $8, %rsp
    popq %rbx
    LEAVE
END tramp_ii_i

FUNCTION tramp_helper /* "illlll:l" */
    FRAME
    pushq %rbx
    subq $8, %rsp
    movq %rsi, %rbx
    movq %rdi, %rax
    movl (%rbx), %edi
    movq 16(%rbx), %rsi
    movq 32(%rbx), %rdx
    movq 48(%rbx), %rcx
    movq 64(%rbx), %r8
    movq 80(%rbx), %r9
    call *%rax
    movq %rax, (%rbx)
    addq $8, %rsp
    popq %rbx
    LEAVE
END tramp_helper

/* Function 1: the thunk of host import "env" "host" (ii:i). */
FUNCTION host
    FRAME
    subq $32, %rsp
    movl %edi, (%rsp)
    movl %esi, 16(%rsp)
    movl $1, %edi
    movq %rsp, %rsi
    movq HOST_PAGE + 8 * HELPER_IMPORT_CALL(%r13), %rax
    call *%rax
    movl (%rsp), %eax
    addq $32, %rsp
    LEAVE
END host

FUNCTION add
    FRAME
    leal (%rdi, %rsi), %eax
    LEAVE
END add

FUNCTION load /* (address, offset of 31 bits) */
    FRAME
    movl %edi, %eax
    movl %esi, %esi
    addq %r13, %rax
    movl (%rax, %rsi), %eax
    LEAVE
END load

FUNCTION store /* (address, value) */
    FRAME
    movl %edi, %eax
    movl %esi, (%r13, %rax)
    movl %esi, %eax
    LEAVE
END store

FUNCTION context /* (signed offset) */
    FRAME
    movslq %edi, %rax
    movl (%r13, %rax), %eax
    LEAVE
END context

FUNCTION set_context /* (signed offset, value) */
    FRAME
    movslq %edi, %rax
    movl %esi, (%r13, %rax)
    LEAVE
END set_context

FUNCTION recurse /* for ever */
    FRAME
    call blob_recurse
    LEAVE
END recurse

FUNCTION recurse_host /* (n, value): n deep, then host(n, value) */
    FRAME
    testl %edi, %edi
    jz 1f
    decl %edi
    call blob_recurse_host
    LEAVE
1:  call blob_host
    LEAVE
END recurse_host

FUNCTION huge /* a frame of (pages), probed from the top down */
    FRAME
    movl %edi, %eax
1:  subq $4096, %rsp
    movq $0, (%rsp)
    decl %eax
    jnz 1b
    movq %rbp, %rsp
    LEAVE
END huge

FUNCTION helper /* (number, five parameters) */
    FRAME
    movl %edi, %eax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %rcx
    movq %r9, %r8
    movq HOST_PAGE(%r13, %rax, 8), %rax
    call *%rax
    LEAVE
END helper

FUNCTION trap_below /* calls the trap helper (bytes) further down, with (kind) */
    FRAME
    movl %edi, %eax
    subq %rax, %rsp
    movl %esi, %edi
    shlq $32, %rdi
    orq $0x77, %rdi
    movq HOST_PAGE + 8 * HELPER_TRAP(%r13), %rax
    call *%rax
    ud2
END trap_below

FUNCTION illegal
    FRAME
    ud2
    LEAVE
END illegal

FUNCTION divide /* by zero */
    FRAME
    xorl %edx, %edx
    xorl %ecx, %ecx
    movl $1, %eax
    idivl %ecx
    LEAVE
END divide

FUNCTION foreign /* writes to address 8 of the process: a bug, not a trap */
    FRAME
    movl $8, %eax
    movl $1, (%rax)
    LEAVE
END foreign

FUNCTION low_stack /* fills (pages) of stack with (value) and returns */
    FRAME
    movl %edi, %eax
    shll $9, %eax
1:  pushq %rsi
    decl %eax
    jnz 1b
    movq %rbp, %rsp
    LEAVE
END low_stack

/* (way, wide): a mark in every register that generated code uses, and in the controls; then enum
 * blob_way. */
FUNCTION fill_registers
    FRAME
    pushq %rbx
    pushq %rdi
    pushq $0x7f80 /* exceptions masked, rounding towards zero */
    pushq $0
    ldmxcsr 8(%rsp)
    movabsq $BLOB_MARK, %rax
    .irp r, rbx, rcx, rdx, rdi, r8, r9, r10, r11, r12, r14, r15
    movq %rax, %\r
    .endr
    movq %rax, %xmm0
    punpcklqdq %xmm0, %xmm0
    testl %esi, %esi
    jz 1f
    vinsertf128 $1, %xmm0, %ymm0, %ymm0
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovaps %ymm0, %ymm\n
    .endr
    jmp 2f
1:
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movaps %xmm0, %xmm\n
    .endr
2:
    movq %rax, %rsi
    cmpl $1, -16(%rbp)
    je 3f
    cmpl $2, -16(%rbp)
    je 4f
    cmpl $3, -16(%rbp)
    je 5f
    movq -8(%rbp), %rbx
    movq %rbp, %rsp
    LEAVE
3:  movl $0xfffffff0, %eax
    movl (%r13, %rax), %eax
4:  call blob_host
5:  jmp 5b
END fill_registers

FUNCTION registers /* struct blob_registers, as they are at the entry */
    movq %rax, BLOB_REGISTERS(%r13)
    movq %rbx, BLOB_REGISTERS + 8(%r13)
    movq %rcx, BLOB_REGISTERS + 16(%r13)
    movq %rdx, BLOB_REGISTERS + 24(%r13)
    movq %rsi, BLOB_REGISTERS + 32(%r13)
    movq %rdi, BLOB_REGISTERS + 40(%r13)
    movq %rbp, BLOB_REGISTERS + 48(%r13)
    movq %rsp, BLOB_REGISTERS + 56(%r13)
    .irp n, 8, 9, 10, 11, 12, 13, 14, 15
    movq %r\n, BLOB_REGISTERS + 8 * \n(%r13)
    .endr
    pushfq
    popq BLOB_REGISTERS + BLOB_FLAGS(%r13)
    stmxcsr BLOB_REGISTERS + BLOB_CONTROLS(%r13)
    fnstcw BLOB_REGISTERS + BLOB_CONTROLS + 4(%r13)
    cmpl $0, BLOB_WIDE(%r13)
    jz 1f
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovdqu %ymm\n, BLOB_REGISTERS + BLOB_VECTORS + 32 * \n(%r13)
    .endr
    ret
1:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movdqu %xmm\n, BLOB_REGISTERS + BLOB_VECTORS + 32 * \n(%r13)
    .endr
    ret
END registers

FUNCTION init
    FRAME
    movl $0x1234, HOST_GLOBAL(%r13)
    movl $0x5678, 64(%r13)
    LEAVE
END init

    .globl blob_end
blob_end:
    .section .note.GNU-stack, "", @progbits
