/* Taking a guest off its processor at any instruction, and putting it back: preemption.
 *
 * A signal handler that finds generated code interrupted moves all of its registers into a
 * `struct guest_interrupt` and sends the thread back to the host's stack instead, as if the fiber
 * had been left. Nothing of the guest's stack is touched, not even below its stack pointer. */
#ifndef OS_GUEST_INTERRUPT_H
#define OS_GUEST_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct guest_state;

#define GUEST_VECTORS_BYTES 4096u /* of the processor's vector state, as the system saves it */

struct guest_interrupt {
    /* General registers and where to go on; their order is the platform's own. */
    uint64_t registers[24];
    uint8_t vectors[GUEST_VECTORS_BYTES] __attribute__((aligned(64)));
};

/* In a signal handler: keeps the interrupted state in *save and makes the handler return into
 * guest_switch() as called with `host_sp`. False, nothing done: the vector state is larger than is
 * kept. Async-signal-safe. */
NODISCARD bool guest_interrupt_take(struct guest_interrupt *save, void *ucontext, void *host_sp);

/* As guest_switch(save_sp, …), to the instruction that was interrupted. */
void guest_interrupt_resume(void **save_sp, const struct guest_interrupt *save);

/* Makes guest_interrupt_resume() a stop of the guest there (guest_entry.h) with `stop_code`. */
void guest_interrupt_stop(struct guest_interrupt *save, struct guest_state *state,
                          uint64_t stop_code);

#endif
