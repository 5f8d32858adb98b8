/* Entry into generated code, stops, and switches of stacks, for x86-64 and the System V ABI. */
#include "callee_saved.h"
#include "guest_offsets.h"

    .section .rodata
    .balign 4
guest_controls:
    .long GUEST_MXCSR
    .short GUEST_FPUCW

    .text

/* uint32_t guest_enter(state, trampoline, base, code, values)
 *
 *   caller's frames | return address | callee-saved | outer entry | state | guest's frames …
 *                                                                 ^ state->entry
 * Every register is cleared: what the host or the last guest left there is none of this guest's
 * business. */
    .globl guest_enter
    .type guest_enter, @function
    .balign 16
guest_enter:
    .cfi_startproc
    endbr64
    SAVE_CALLEE
    pushq GUEST_ENTRY(%rdi)
    .cfi_adjust_cfa_offset 8
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    movq %rsp, GUEST_ENTRY(%rdi)
    cld
    ldmxcsr guest_controls(%rip)
    fldcw 4+guest_controls(%rip)
    movq %rsi, %rax
    movq %rdx, %r13
    movq %r8, %rsi
    cmpl $0, GUEST_WIDE_VECTORS(%rdi)
    movq %rcx, %rdi
    je 1f
    vzeroall
    jmp 2f
1:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    pxor %xmm\n, %xmm\n
    .endr
2:
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    call *%rax
    xorl %eax, %eax
.Lguest_leave:
    popq %rdi
    .cfi_adjust_cfa_offset -8
    popq GUEST_ENTRY(%rdi)
    .cfi_adjust_cfa_offset -8
    RESTORE_CALLEE
    ret
    .cfi_endproc
    .size guest_enter, . - guest_enter

/* Reached by a jump, with the stop's fields filled in and guest_current the state; no other
 * register matters. The frames of the guest are still there while stopped() looks at them from the
 * host's stack, below the place where that stack was left: nothing lives there, because
 * guest_switch() keeps no red zone. */
    .globl guest_stop
    .type guest_stop, @function
    .balign 16
guest_stop:
    .cfi_startproc
    .cfi_undefined %rip
    endbr64
    cld
    movq guest_current@GOTTPOFF(%rip), %rax
    movq %fs:(%rax), %rbx
    cmpl $0, GUEST_WIDE_VECTORS(%rbx)
    je 1f
    vzeroupper
1:
    ldmxcsr guest_controls(%rip)
    movq GUEST_STOP_STACK(%rbx), %rax
    movq (%rax), %rsp
    andq $-16, %rsp
    xorl %ebp, %ebp
    movq %rbx, %rdi
    call *GUEST_STOPPED(%rbx)
    movl 4+GUEST_STOP_CODE(%rbx), %eax
    movq GUEST_ENTRY(%rbx), %rsp
    jmp .Lguest_leave
    .cfi_endproc
    .size guest_stop, . - guest_stop

/* void guest_switch(void **save_sp, void *to_sp) */
    .globl guest_switch
    .type guest_switch, @function
    .balign 16
guest_switch:
    .cfi_startproc
    endbr64
    SAVE_CALLEE
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    .globl guest_switched /* where guest_interrupt_take() sends the thread */
guest_switched:
    RESTORE_CALLEE
    ret
    .cfi_endproc
    .size guest_switch, . - guest_switch

/* The bottom of a fiber: guest_stack_prepare() put the function into rbx, its argument into r12. */
    .globl guest_stack_bottom
    .type guest_stack_bottom, @function
    .balign 16
guest_stack_bottom:
    .cfi_startproc
    .cfi_undefined %rip
    endbr64
    movq %r12, %rdi
    xorl %ebp, %ebp
    call *%rbx
    ud2
    .cfi_endproc
    .size guest_stack_bottom, . - guest_stack_bottom

    .section .note.GNU-stack, "", @progbits
