/* Time slices and CPU time of instances; private to the runtime.
 *
 * The thread's ticker is started when a guest begins to run and none is under way, and again by its
 * own handler for as long as guests run. So a thread that answers many short requests pays for one
 * tick a slice, an idle one for nothing, and generated code never. */
#ifndef RUNTIME_PREEMPT_H
#define RUNTIME_PREEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "os/guest_interrupt.h"

struct instance;

struct preempt {
    uint64_t slice_ns;    /* 0: no ticks at all; UINT64_MAX: only for the limit */
    uint64_t cpu_ns_max;  /* UINT64_MAX: no limit */
    uint64_t cpu_ns;      /* of finished runs */
    uint64_t begin_ns;    /* of this run */
    uint64_t slice_at_ns; /* when its slice began, perhaps before */
    uint64_t start_ns;    /* as begin_ns, moved forward by time that the thread did not get */
    struct guest_interrupt *save;
    bool preempted;        /* the fiber was left because its slice was over */
    bool alone;            /* this run went on behind its slice, for nobody waited */
    volatile bool pending; /* a tick came while the host was at work: preempt_point() */
};

NODISCARD enum status preempt_init(struct preempt *p, uint64_t slice_ns, uint64_t cpu_ns_max,
                                   struct error *err);
void preempt_done(struct preempt *p);

/* Around each run of the fiber; the thread's current guest is the instance already: a tick that
 * came before would find nobody and not tick again. */
void preempt_enter(struct preempt *p);
void preempt_leave(struct preempt *p);

/* In C code on the fiber, where nothing is held that another guest might want: gives the processor
 * away when a tick asked for it. Returns TRAP_NONE, or the trap that ends the guest. Slices of
 * guest memory stay valid, for nobody else touches this instance. */
uint32_t preempt_point(struct instance *i);

/* An interrupted guest stops with trap `kind` when its fiber is resumed. */
void preempt_stop(struct instance *i, uint32_t kind);

/* A ticker_handler. */
void preempt_on_tick(void *ucontext);

#endif
