/* The way into generated code and out of it: all that has to be written in assembly, of which this
 * is the portable face (x86_64/ holds the rest).
 *
 * Generated code runs on the stack of the caller (a fiber, see fiber.h) with the base of its slot
 * in the pinned register. It leaves by returning, or by a stop: an entry stub of a helper, a fault
 * handler or the guest itself asks for one, and the innermost guest_enter() returns its kind. A
 * stop discards frames of generated code only; C functions are never jumped over.
 *
 *   guest_enter() ─ trampoline ─ guest function ─ stub ─ C helper ─ host function ─ guest_enter() …
 *         ^                            |            |
 *         └────────── stop ────────────┴────────────┘
 *
 * A state belongs to one thread and one fiber. */
#ifndef OS_GUEST_ENTRY_H
#define OS_GUEST_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define GUEST_STUBS_MAX 32u /* helpers that stubs can be had for */

/* What assembly knows of a running guest. x86_64/guest_offsets.h repeats the offsets. */
struct guest_state {
    const void *stack_limit;    /* a stub wants the stack pointer at this or above */
    const void *const *helpers; /* C functions by stub number */
    void *entry;                /* frame of the innermost guest_enter(); NULL outside */
    void *const *stop_stack;    /* where the stack pointer for stopped() stands: the host's */

    /* Called at a stop, before anything can overwrite the guest's frames, on the host's stack. May
     * only read; runs no instrumented code and calls nothing that sanitizers watch. */
    void (*stopped)(struct guest_state *state);

    /* Where and why the guest stopped. */
    uint64_t stop_code;     /* kind << 32 | detail; never 0 */
    uintptr_t stop_pc;      /* of the faulting instruction, or a return address: stop_is_fault */
    uintptr_t stop_fp;      /* frame pointer in that function */
    uintptr_t stop_sp;      /* stack pointer there, above the stub's return address */
    uint64_t overflow_code; /* the stop_code of a stub that found too little stack */
    uint32_t wide_vectors;  /* guests of this state may use 256-bit registers */
    uint32_t stop_is_fault;
};

/* The guest that runs on this thread, innermost first; NULL when none does. Initial-exec, so that
 * stubs and signal handlers may read it. */
extern _Thread_local struct guest_state *guest_current;

/* Calls trampoline(base, code, values) with a clean set of registers and the frame pointer 0 as the
 * bottom of the guest's chain. `state` is guest_current. Returns 0 when the guest returned, or the
 * kind of the stop, which is stop_code >> 32. */
NODISCARD uint32_t guest_enter(struct guest_state *state, const void *trampoline, void *base,
                               const void *code, void *values);

enum guest_stub_kind {
    GUEST_STUB_VALUE, /* gives the helper's result back */
    GUEST_STUB_TRAPS, /* the helper returns a stop's kind, 0 to go on */
    GUEST_STUB_STOP,  /* stops with the first parameter as its code; runs no C, needs no stack */
};

/* The stub that generated code calls to reach helpers[number]. */
const void *guest_stub(enum guest_stub_kind kind, uint32_t number);

/* ---- for fiber.c and fault.c ---- */

/* Saves the callee-saved registers and floating-point controls on this stack, its pointer in
 * *save_sp, and goes on where `to_sp` was saved. */
void guest_switch(void **save_sp, void *to_sp);

/* Builds the frame on a fresh stack from which guest_switch() calls entry(argument), which must not
 * return. `stack_high` is aligned to 16. */
void *guest_stack_prepare(void *stack_high, void (*entry)(void *), void *argument);

struct guest_registers {
    uintptr_t pc, sp, fp;
};
struct guest_registers guest_context_registers(const void *ucontext);

/* Makes the interrupted guest stop when the signal handler returns; the state's stop fields are
 * filled in by this. Async-signal-safe. */
void guest_context_stop(void *ucontext, struct guest_state *state, uint64_t stop_code);

/* True when this machine and its system keep 256-bit vector registers. */
bool guest_wide_vectors(void);

#endif
