/* A one-shot timer of a thread that interrupts it with a signal, wherever it is: the clock behind
 * preemption. Measures CLOCK_MONOTONIC, because timers of CPU clocks fire on the system's ticks
 * only. */
#ifndef OS_TICKER_H
#define OS_TICKER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/error.h"

/* Runs in the signal's handler, on the thread's alternate stack (fault.h). Async-signal-safe. */
typedef void ticker_handler(void *ucontext);

/* Installs the handler, once a process. Errors: ST_IO. */
NODISCARD enum status ticker_install(ticker_handler *handler, struct error *err);

/* Gives the calling thread its timer, freed when the thread ends. Again on the same thread:
 * nothing. Errors: ST_NO_MEMORY, ST_IO. */
NODISCARD enum status ticker_thread_init(struct error *err);

/* The calling thread's timer fires once, `delay_ns` from now; 0 stops it. Moves a running one.
 * Async-signal-safe. */
void ticker_start(uint64_t delay_ns);

/* A tick at once for another thread of this process, which has a timer. */
void ticker_poke(pid_t thread);

#endif
