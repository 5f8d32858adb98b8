/* Fibers: functions that run on a stack of their own and can be left and entered again.
 *
 * A fiber belongs to the thread that started it. Sanitizers are told of every switch. */
#ifndef OS_FIBER_H
#define OS_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct guest_interrupt;

struct fiber {
    uint8_t *stack_low;
    size_t stack_bytes;
    void (*run)(void *argument);
    void *argument;
    void *fiber_sp; /* while it is left */
    void *host_sp;  /* while it runs: where fiber_start() or fiber_resume() was called */
    bool finished;
    const struct guest_interrupt *interrupted; /* left by fiber_interrupt(), or NULL */

    /* The sanitizers' view; unused in other builds. */
    void *fiber_fake_stack, *host_fake_stack;
    const void *host_stack_low;
    size_t host_stack_bytes;
    void *fiber_shadow, *host_shadow;
};

/* The stack stays the caller's, with its guards, for the fiber's whole life. Aligned to pages. */
void fiber_init(struct fiber *f, void *stack_low, size_t stack_bytes);

/* Not while it is left half-way: what stands on its stack would never be freed. */
void fiber_done(struct fiber *f);

/* Runs run(argument) on the fiber's stack until it returns (true) or leaves (false). */
NODISCARD bool fiber_start(struct fiber *f, void (*run)(void *argument), void *argument);

/* Goes on where fiber_leave() was called. */
NODISCARD bool fiber_resume(struct fiber *f);

/* In a signal handler that interrupted generated code on the fiber: keeps its state in *save and
 * makes the handler return to who started or resumed the fiber, as if by fiber_leave(). False:
 * nothing done. `save` stays in use until the fiber is resumed. Async-signal-safe. */
NODISCARD bool fiber_interrupt(struct fiber *f, struct guest_interrupt *save, void *ucontext);

/* On the fiber: returns to who started or resumed it; comes back with fiber_resume(). */
void fiber_leave(struct fiber *f);

#endif
