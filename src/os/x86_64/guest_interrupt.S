/* Putting an interrupted guest back, for x86-64. */
#include "callee_saved.h"
#include "interrupt_offsets.h"

    .text

/* void guest_interrupt_resume(void **save_sp, const struct guest_interrupt *save)
 *
 * Ends in iretq with the stack pointer at the frame that was saved, because the guest's own stack
 * may hold data below its stack pointer. Signal handlers of this process run on alternate stacks,
 * so one that comes in between does not write there. */
    .globl guest_interrupt_resume
    .type guest_interrupt_resume, @function
    .balign 16
guest_interrupt_resume:
    .cfi_startproc
    endbr64
    SAVE_CALLEE
    movq %rsp, (%rdi)
    cmpl $0, INTERRUPT_XSAVE(%rsi)
    je 1f
    movl $INTERRUPT_FEATURES, %eax
    xorl %edx, %edx
    xrstor64 INTERRUPT_VECTORS(%rsi)
    jmp 2f
1:
    fxrstor64 INTERRUPT_VECTORS(%rsi)
2:
    movq INTERRUPT_RAX(%rsi), %rax
    movq INTERRUPT_RBX(%rsi), %rbx
    movq INTERRUPT_RCX(%rsi), %rcx
    movq INTERRUPT_RDX(%rsi), %rdx
    movq INTERRUPT_RDI(%rsi), %rdi
    movq INTERRUPT_RBP(%rsi), %rbp
    movq INTERRUPT_R8(%rsi), %r8
    movq INTERRUPT_R9(%rsi), %r9
    movq INTERRUPT_R10(%rsi), %r10
    movq INTERRUPT_R11(%rsi), %r11
    movq INTERRUPT_R12(%rsi), %r12
    movq INTERRUPT_R13(%rsi), %r13
    movq INTERRUPT_R14(%rsi), %r14
    movq INTERRUPT_R15(%rsi), %r15
    leaq INTERRUPT_IRET(%rsi), %rsp
    .cfi_undefined %rip
    movq INTERRUPT_RSI(%rsi), %rsi
    iretq
    .cfi_endproc
    .size guest_interrupt_resume, . - guest_interrupt_resume

    .section .note.GNU-stack, "", @progbits
