/* Faults of the processor as signals: SIGSEGV, SIGBUS, SIGILL, SIGFPE.
 *
 * One handler of ours is asked first; what it does not know goes to whatever was installed before,
 * as if we were not there. */
#ifndef OS_FAULT_H
#define OS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define FAULT_STACK_BYTES (64u << 10) /* alternate signal stack of a thread, guard excluded */

struct fault {
    int signal;        /* SIGSEGV, SIGBUS, SIGILL or SIGFPE; raised by the processor, not by kill */
    uintptr_t address; /* that was accessed; of the instruction with SIGILL and SIGFPE */
    uintptr_t pc;
    void *ucontext; /* for guest_context_stop() */
};

/* True: dealt with, the thread goes on as `ucontext` now says. Async-signal-safe. */
typedef bool fault_handler(const struct fault *fault);

/* Installs the handlers, before other threads run guests. Again with the same handler: takes the
 * places back that others took meanwhile, who then are the previous ones. Errors: ST_IO. */
NODISCARD enum status fault_install(fault_handler *handler, struct error *err);

/* Gives the calling thread an alternate signal stack, on which the handlers run; it is freed when
 * the thread ends. Again on the same thread: nothing. Errors: ST_NO_MEMORY, ST_IO. */
NODISCARD enum status fault_thread_init(struct error *err);

#endif
