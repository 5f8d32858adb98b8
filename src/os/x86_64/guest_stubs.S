/* Entry stubs of helpers: what the pointers on a slot's host page point at.
 *
 * A stub finds the running guest through thread-local storage, sees to it that C code will have
 * stack, and calls the helper with the parameters as they came. Only rax is touched before the
 * call. GUEST_STUB_BYTES apart, so that an address is computed. */
#include "guest_offsets.h"

    .text

.macro GUEST_STATE register
    movq guest_current@GOTTPOFF(%rip), \register
    movq %fs:(\register), \register
.endm

/* The frame that is kept here makes helpers visible to debuggers that follow frame pointers. */
.macro STUB number, traps
    .balign GUEST_STUB_BYTES
    .cfi_startproc
    endbr64
    GUEST_STATE %rax
    cmpq GUEST_STACK_LIMIT(%rax), %rsp
    jb guest_stub_overflow
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq GUEST_HELPERS(%rax), %rax
    call *8*\number(%rax)
    popq %rbp
    .cfi_def_cfa %rsp, 8
    .if \traps
    testl %eax, %eax
    jnz guest_stub_trapped
    .endif
    ret
    .cfi_endproc
.endm

    .globl guest_stubs_value
    .type guest_stubs_value, @function
    .balign GUEST_STUB_BYTES
guest_stubs_value:
    .set number, 0
    .rept 32
    STUB number, 0
    .set number, number + 1
    .endr
    .balign GUEST_STUB_BYTES
    .size guest_stubs_value, . - guest_stubs_value

    .globl guest_stubs_traps
    .type guest_stubs_traps, @function
guest_stubs_traps:
    .set number, 0
    .rept 32
    STUB number, 1
    .set number, number + 1
    .endr
    .balign GUEST_STUB_BYTES
    .size guest_stubs_traps, . - guest_stubs_traps

/* Each of these three has the guest's return address at (%rsp) and its frame pointer in rbp. */

    .type guest_stub_overflow, @function
guest_stub_overflow:
    .cfi_startproc
    movq GUEST_OVERFLOW_CODE(%rax), %rdi
    jmp guest_stub_stop
    .cfi_endproc
    .size guest_stub_overflow, . - guest_stub_overflow

    .type guest_stub_trapped, @function
guest_stub_trapped:
    .cfi_startproc
    movl %eax, %edi
    shlq $32, %rdi
    jmp guest_stub_stop
    .cfi_endproc
    .size guest_stub_trapped, . - guest_stub_trapped

    .globl guest_stub_stop
    .type guest_stub_stop, @function
    .balign 16
guest_stub_stop:
    .cfi_startproc
    endbr64
    GUEST_STATE %rax
    movq %rdi, GUEST_STOP_CODE(%rax)
    movq (%rsp), %rcx
    movq %rcx, GUEST_STOP_PC(%rax)
    movq %rbp, GUEST_STOP_FP(%rax)
    leaq 8(%rsp), %rcx
    movq %rcx, GUEST_STOP_SP(%rax)
    movl $0, GUEST_STOP_IS_FAULT(%rax)
    jmp guest_stop
    .cfi_endproc
    .size guest_stub_stop, . - guest_stub_stop

    .section .note.GNU-stack, "", @progbits
