/* proc_*, sched_yield, random_get. */
#include "state.h"

#define SIGNAL_MAX 30u /* the last of preview 1's signals, "sys" */

static enum wasi_errno proc_exit(struct call *c)
{
    instance_set_exit(c->instance, c->v[0].i32);
    c->result = HOST_EXIT;
    return WASI_OK;
}

/* A guest has no handlers, so a signal does what it does by default: nothing, stop (there is nobody
 * to continue it: refused), or end it, which is a trap. */
static enum wasi_errno proc_raise(struct call *c)
{
    uint32_t signal = c->v[0].i32;
    switch (signal) {
    case 0:  /* none */
    case 16: /* chld */
    case 17: /* cont */
    case 22: /* urg */
    case 27: /* winch */ return WASI_OK;
    case 18: /* stop */
    case 19: /* tstp */
    case 20: /* ttin */
    case 21: /* ttou */ return WASI_ENOTSUP;
    default: break;
    }
    if (signal > SIGNAL_MAX) return WASI_EINVAL;
    instance_set_trap_text(c->instance, "the guest raised signal %u", signal);
    c->result = HOST_TRAP;
    return WASI_OK;
}

static enum wasi_errno sched_yield(struct call *c)
{
    (void)!call_wait(c, NULL, 0, 0);
    return WASI_OK;
}

/* In chunks with a turn for others between them: a guest can ask for gigabytes, and host code is
 * not preempted. */
static enum wasi_errno random_get(struct call *c)
{
    uint32_t offset = c->v[0].i32, left = c->v[1].i32;
    if (!call_can_put(c, offset, left)) return WASI_EFAULT;
    while (left) {
        uint32_t size = left < WASI_RANDOM_CHUNK_BYTES ? left : WASI_RANDOM_CHUNK_BYTES;
        uint8_t *at;
        if (!call_slice(c, offset, size, &at)) return WASI_EFAULT;
        random_fill(c->p->config.random, at, size);
        offset += size;
        left -= size;
        if (left && !call_wait(c, NULL, 0, 0)) break;
    }
    return WASI_OK;
}

PREVIEW1_FUNCTION(proc_exit)
PREVIEW1_FUNCTION(proc_raise)
PREVIEW1_FUNCTION(sched_yield)
PREVIEW1_FUNCTION(random_get)

const struct host_function preview1_process_functions[] = {
    PREVIEW1_ENTRY(proc_exit, "i:"),
    PREVIEW1_ENTRY(proc_raise, "i:i"),
    PREVIEW1_ENTRY(sched_yield, ":i"),
    PREVIEW1_ENTRY(random_get, "ii:i"),
};
