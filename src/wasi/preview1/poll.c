/* poll_oneoff: clocks and descriptors, mapped onto the embedder's waiter.
 *
 * Each round looks at every subscription; when none has an event the call waits for the first that
 * may have, and looks again. Waking too early is thus harmless, as is a realtime clock that is set
 * while the guest waits. */
#include <string.h>
#include <unistd.h>

#include "state.h"

struct item {
    uint64_t userdata;
    uint8_t type;
    enum wasi_errno error; /* an event by itself */
    bool realtime;
    uint64_t deadline_ns;  /* EVENT_CLOCK, on its clock */
    struct wasi_fd *entry; /* otherwise */
};

struct poll {
    struct item items[WASI_SUBSCRIPTIONS_MAX];
    struct wasi_event events[WASI_SUBSCRIPTIONS_MAX];
    struct wasi_wait waits[WASI_SUBSCRIPTIONS_MAX];
    uint32_t items_count, events_count, waits_count;
    uint64_t monotonic_ns, realtime_ns; /* now, in this round */
    uint64_t deadline_ns;               /* monotonic: of the earliest clock */
};

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static void read_clocks(const struct call *c, struct poll *p)
{
    p->monotonic_ns = clock_monotonic_ns(c->p->config.clock);
    p->realtime_ns = clock_realtime_ns(c->p->config.clock);
}

static void take_clock(const struct poll *p, const struct wasi_subscription *s, struct item *item)
{
    if (s->id > CLOCK_ID_MONOTONIC) {
        /* Nobody can wait for CPU time by not running. */
        item->error = s->id > CLOCK_ID_THREAD_CPU ? WASI_EINVAL : WASI_ENOTSUP;
        return;
    }
    item->realtime = s->id == CLOCK_ID_REALTIME;
    item->deadline_ns = s->timeout;
    if (!(s->flags & SUBCLOCKFLAG_ABSTIME))
        item->deadline_ns =
            add_saturating(item->realtime ? p->realtime_ns : p->monotonic_ns, s->timeout);
}

static void take_fd(const struct call *c, const struct wasi_subscription *s, struct item *item)
{
    item->error = fd_get(c, s->id, RIGHT_POLL_FD_READWRITE, &item->entry);
    if (item->error) return;
    uint64_t rights = s->type == EVENT_FD_READ ? RIGHT_FD_READ : RIGHT_FD_WRITE;
    if (!(item->entry->rights & rights)) item->error = WASI_ENOTCAPABLE;
}

static enum wasi_errno take_items(const struct call *c, uint32_t offset, struct poll *p)
{
    uint8_t *at;
    if (!call_slice(c, offset, (uint64_t)p->items_count * sizeof(struct wasi_subscription), &at))
        return WASI_EFAULT;
    for (uint32_t k = 0; k < p->items_count; k++) {
        struct wasi_subscription s;
        memcpy(&s, at + k * sizeof s, sizeof s);
        struct item *item = &p->items[k];
        *item = (struct item){.userdata = s.userdata, .type = s.type};
        if (s.type == EVENT_CLOCK)
            take_clock(p, &s, item);
        else if (s.type == EVENT_FD_READ || s.type == EVENT_FD_WRITE)
            take_fd(c, &s, item);
        else
            return WASI_EINVAL;
    }
    return WASI_OK;
}

static void add_event(struct poll *p, const struct item *item, enum wasi_errno error,
                      uint64_t bytes, uint16_t flags)
{
    p->events[p->events_count++] = (struct wasi_event){.userdata = item->userdata,
                                                       .error = (uint16_t)error,
                                                       .type = item->type,
                                                       .bytes = bytes,
                                                       .flags = flags};
}

static void look_at_clock(struct poll *p, const struct item *item)
{
    uint64_t now_ns = item->realtime ? p->realtime_ns : p->monotonic_ns;
    if (item->deadline_ns <= now_ns) {
        add_event(p, item, WASI_OK, 0, 0);
        return;
    }
    uint64_t deadline_ns = add_saturating(p->monotonic_ns, item->deadline_ns - now_ns);
    if (deadline_ns < p->deadline_ns) p->deadline_ns = deadline_ns;
}

/* A file never blocks; what there is to read is known. */
static void look_at_file(struct poll *p, const struct item *item)
{
    uint64_t bytes = 1;
    struct stat st;
    off_t at = lseek(item->entry->host, 0, SEEK_CUR);
    if (item->type == EVENT_FD_READ && at >= 0 && !fstat(item->entry->host, &st))
        bytes = st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
    add_event(p, item, WASI_OK, bytes, 0);
}

static void look_at_stream(struct poll *p, const struct item *item)
{
    const struct wasi_stream *stream = &item->entry->stream;
    enum wasi_direction direction = item->type == EVENT_FD_READ ? WASI_READ : WASI_WRITE;
    uint64_t bytes = 1;
    enum status st = ST_OK;
    if (stream->ops->ready) st = stream->ops->ready(stream->context, direction, &bytes);
    switch (st) {
    case ST_OK: add_event(p, item, WASI_OK, bytes, 0); break;
    case ST_CLOSED: add_event(p, item, WASI_OK, 0, EVENTRWFLAG_HANGUP); break;
    case ST_WOULD_BLOCK: p->waits[p->waits_count++] = (struct wasi_wait){stream, direction}; break;
    default: add_event(p, item, WASI_EIO, 0, 0); break;
    }
}

static void look(struct poll *p)
{
    p->events_count = p->waits_count = 0;
    p->deadline_ns = WASI_WAIT_FOREVER;
    for (uint32_t k = 0; k < p->items_count; k++) {
        const struct item *item = &p->items[k];
        if (item->error)
            add_event(p, item, item->error, 0, 0);
        else if (item->type == EVENT_CLOCK)
            look_at_clock(p, item);
        else if (item->entry->kind == FD_FILE)
            look_at_file(p, item);
        else
            look_at_stream(p, item);
    }
}

/* Returns with at least one event, or cancelled. */
static enum wasi_errno poll_run(struct call *c, struct poll *p)
{
    look(p);
    while (p->events_count == 0) {
        /* WASI_WAIT_FOREVER is also where a clock's deadline saturates: 584 years. */
        if (!call_wait(c, p->waits, p->waits_count, p->deadline_ns)) return WASI_ECANCELED;
        read_clocks(c, p);
        look(p);
    }
    return WASI_OK;
}

static enum wasi_errno poll_oneoff(struct call *c)
{
    uint32_t in = c->v[0].i32, out = c->v[1].i32, count = c->v[2].i32, ret = c->v[3].i32;
    if (count == 0 || count > WASI_SUBSCRIPTIONS_MAX) return WASI_EINVAL;
    if (!call_can_put(c, out, (uint64_t)count * sizeof(struct wasi_event))) return WASI_EFAULT;
    if (!call_can_put(c, ret, sizeof count)) return WASI_EFAULT;
    struct poll p; /* only what is used of it gets touched */
    p.items_count = count;
    read_clocks(c, &p);
    enum wasi_errno e = take_items(c, in, &p);
    if (!e) e = poll_run(c, &p);
    if (!e) e = call_put(c, out, p.events, p.events_count * sizeof *p.events);
    return e ? e : call_put_u32(c, ret, p.events_count);
}

PREVIEW1_FUNCTION(poll_oneoff)

const struct host_function preview1_poll_functions[] = {
    PREVIEW1_ENTRY(poll_oneoff, "iiii:i"),
};
