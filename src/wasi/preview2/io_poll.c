/* wasi:io/poll, and waiting for all interfaces. */
#include <assert.h>

#include "state.h"

const struct io_class io_pollable_class = IO_CLASS("pollable", NULL);

/* ---- waiting ---- */

static enum host_result wait_for(struct canonical_call *c, const struct wasi_wait *waits,
                                 size_t count, uint64_t deadline_ns)
{
    struct wasi_preview2 *p = call_state(c);
    const struct wasi_waiter *waiter = &p->config.waiter;
    if (!waiter->wait) return call_trap(c, "there is nothing here that a guest may wait for");
    p->now_calls = 0;
    return waiter->wait(waiter->context, c->instance, waits, count, deadline_ns) ? HOST_OK
                                                                                 : HOST_CANCEL;
}

enum host_result io_wait(struct canonical_call *c, const struct io_wait *wait)
{
    struct wasi_wait stream = {wait->stream, wait->direction};
    return wait_for(c, &stream, wait->stream ? 1 : 0, wait->deadline_ns);
}

/* ---- pollables ---- */

bool io_pollable_give(struct canonical_call *c,
                      bool (*look)(struct wasi_preview2 *p, struct io_pollable *pollable,
                                   struct io_wait *wait),
                      uint64_t deadline_ns, struct io_object *parent, uint32_t *ret)
{
    struct io_pollable *pollable = io_call_new(c, &io_pollable_class, sizeof *pollable, parent);
    if (!pollable) return false;
    pollable->look = look;
    pollable->deadline_ns = deadline_ns;
    return io_call_own(c, pollable, ret);
}

bool io_look_ready(UNUSED struct wasi_preview2 *p, UNUSED struct io_pollable *pollable,
                   UNUSED struct io_wait *wait)
{
    return true;
}

static bool look(struct canonical_call *c, struct io_pollable *pollable, struct io_wait *wait)
{
    *wait = (struct io_wait){.deadline_ns = WASI_WAIT_FOREVER};
    return pollable->look(call_state(c), pollable, wait);
}

static enum host_result pollable_ready(struct canonical_call *c, struct value *v)
{
    struct io_pollable *pollable = canonical_borrowed(c, &io_pollable_class.resource, v[0].i32);
    struct io_wait wait;
    if (!pollable) return HOST_TRAP;
    v[0].i32 = look(c, pollable, &wait);
    return HOST_OK;
}

static enum host_result pollable_block(struct canonical_call *c, struct value *v)
{
    struct io_pollable *pollable = canonical_borrowed(c, &io_pollable_class.resource, v[0].i32);
    struct io_wait wait;
    if (!pollable) return HOST_TRAP;
    while (!look(c, pollable, &wait)) {
        enum host_result result = io_wait(c, &wait);
        if (result) return result;
    }
    return HOST_OK;
}

/* ---- poll ---- */

#define POLLABLES_FEW 16u /* nearly always enough; they need no piece of the pool */

struct poll {
    struct io_pollable **list;
    uint32_t count;
    uint32_t ready_count;
    uint64_t ready[IO_POLLABLES_MAX / 64];
    struct wasi_wait waits[WASI_SUBSCRIPTIONS_MAX];
    size_t waits_count;
    uint64_t deadline_ns;
};

/* Each handle is borrowed once, which keeps its pollable alive until the call has ended. */
static bool take_pollables(struct canonical_call *c, struct poll *p, uint32_t at)
{
    const uint8_t *in;
    if (!canonical_list(c, at, p->count, sizeof(uint32_t), sizeof(uint32_t), &in)) return false;
    for (uint32_t k = 0; k < p->count; k++) {
        uint32_t handle = take_u32(in + k * sizeof handle);
        p->list[k] = canonical_borrowed(c, &io_pollable_class.resource, handle);
        if (!p->list[k]) return false;
    }
    return true;
}

/* False: more streams than can be waited for. */
static bool look_at_all(struct canonical_call *c, struct poll *p)
{
    p->waits_count = 0;
    p->deadline_ns = WASI_WAIT_FOREVER;
    for (uint32_t k = 0; k < p->count; k++) {
        struct io_wait wait;
        if (look(c, p->list[k], &wait)) {
            p->ready[k / 64] |= UINT64_C(1) << k % 64;
            p->ready_count++;
            continue;
        }
        if (wait.deadline_ns < p->deadline_ns) p->deadline_ns = wait.deadline_ns;
        if (!wait.stream) continue;
        if (p->waits_count == ARRAY_COUNT(p->waits)) {
            canonical_trap(c, "poll: over %u pollables of streams", WASI_SUBSCRIPTIONS_MAX);
            return false;
        }
        p->waits[p->waits_count++] = (struct wasi_wait){wait.stream, wait.direction};
    }
    return true;
}

static enum host_result answer(struct canonical_call *c, const struct poll *p, uint32_t at)
{
    struct call_list list = {.count = p->ready_count};
    uint8_t *place;
    if (!canonical_allocate(c, list.count * (uint32_t)sizeof(uint32_t), sizeof(uint32_t), &list.at,
                            &place))
        return HOST_TRAP;
    for (uint32_t k = 0; k < p->count; k++) {
        if (!(p->ready[k / 64] >> k % 64 & 1)) continue;
        put_u32(place, k);
        place += sizeof(uint32_t);
    }
    place = call_place(c, at, 8, 4);
    if (!place) return HOST_TRAP;
    put_list(place, &list);
    return HOST_OK;
}

static enum host_result poll_run(struct canonical_call *c, struct poll *p, struct value *v)
{
    if (!take_pollables(c, p, v[0].i32)) return HOST_TRAP;
    for (uint32_t k = 0; k * 64 < p->count; k++) p->ready[k] = 0;
    p->ready_count = 0;
    for (;;) {
        if (!look_at_all(c, p)) return HOST_TRAP;
        if (p->ready_count) return answer(c, p, v[2].i32);
        enum host_result result = wait_for(c, p->waits, p->waits_count, p->deadline_ns);
        if (result) return result;
    }
}

static enum host_result poll(struct canonical_call *c, struct value *v)
{
    struct poll p; /* only what is used of it gets touched */
    struct io_pollable *few[POLLABLES_FEW];
    p.list = few;
    p.count = v[1].i32;
    if (!p.count) return call_trap(c, "poll: no pollables");
    if (p.count > IO_POLLABLES_MAX) {
        canonical_trap(c, "poll: over %u pollables", IO_POLLABLES_MAX);
        return HOST_TRAP;
    }
    if (p.count <= POLLABLES_FEW) return poll_run(c, &p, v);
    struct io_pool *pool = &call_state(c)->pool;
    size_t bytes = p.count * sizeof(struct io_pollable *);
    p.list = io_pool_take(pool, bytes);
    if (!p.list) return call_trap(c, "poll: no room for so many pollables");
    enum host_result result = poll_run(c, &p, v);
    io_pool_give(pool, p.list, bytes);
    return result;
}

_Static_assert(IO_POLLABLES_MAX * sizeof(void *) <= IO_PIECE_BYTES_MAX, "one piece of the pool");

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[method]pollable.ready", "func(self: borrow<pollable>) -> bool",
                       pollable_ready),
    CANONICAL_FUNCTION("[method]pollable.block", "func(self: borrow<pollable>)", pollable_block),
    CANONICAL_FUNCTION("poll", "func(in: list<borrow<pollable>>) -> list<u32>", poll),
};

static const struct canonical_resource *const resources[] = {&io_pollable_class.resource};

const struct canonical_interface io_poll_interface = {
    "wasi:io/poll",         PREVIEW2_VERSION, functions,
    ARRAY_COUNT(functions), resources,        ARRAY_COUNT(resources),
};
