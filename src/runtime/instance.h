/* What an instance is made of; private to the runtime. */
#ifndef RUNTIME_INSTANCE_H
#define RUNTIME_INSTANCE_H

#include <assert.h>

#include "module.h"
#include "os/fault.h"
#include "os/fiber.h"
#include "os/guest_entry.h"
#include "preempt.h"
#include "slot.h"

enum instance_state {
    INSTANCE_IDLE, /* fresh, returned, trapped: a call may start */
    INSTANCE_RUNNING,
    INSTANCE_SUSPENDED,
};

struct instance {
    struct guest_state guest; /* first: running_instance() */
    const struct module *module;
    struct slot slot;
    struct fiber fiber;
    void *context;
    struct canonical *canonical;
    const struct module_import *import; /* that was called last */
    enum instance_state state;
    bool cancelled;            /* suspended calls end; host functions may not go on */
    uint32_t depth;            /* of guest_enter() */
    uint64_t memory_bytes;     /* current, all memories */
    uint64_t memory_bytes_max; /* of that */
    bool memory_refused;       /* a grow was refused for it */
    uint32_t exit_code;

    /* The outermost call's parameters, for the function at the fiber's bottom. */
    uint32_t call_func;
    struct value *call_values;
    uint32_t call_stop;

    bool initialising; /* the call that waits is of instance_init_all() */
    uint32_t init_step;

    struct preempt preempt;
    struct trap trap;
    bool trap_goes_on; /* the next stop is the last one's, seen by an outer call */
    /* Addresses gathered at a stop, innermost first; trap.c makes frames of them. */
    uintptr_t stop_pcs[TRAP_FRAMES_MAX];
    uint32_t stop_pcs_count;
    bool stop_pcs_cut;
    uintptr_t stop_top; /* the word that the stack pointer showed at a fault; 0: unreadable */
};

/* The instance whose guest runs on this thread; for helpers. */
static inline struct instance *running_instance(void)
{
    struct instance *i = (struct instance *)guest_current;
    assert(i);
    return i;
}

/* trap.c */
bool trap_on_fault(const struct fault *fault); /* a fault_handler */
void trap_stopped(struct guest_state *state);  /* guest_state.stopped */
/* Makes i->trap of what trap_stopped() gathered. */
void trap_describe(struct instance *i, uint32_t kind);
/* A trap without frames, which happened outside of guest code. */
void trap_set_plain(struct instance *i, uint32_t kind);

/* host_page.c */
extern const void *const host_page_helpers[GUEST_STUBS_MAX];
/* The page's file, made once a process; -1 before runtime_init(). */
int host_page_fd(void);
NODISCARD enum status host_page_init(struct error *err);

#endif
