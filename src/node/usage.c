#include "usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "edge/edge.h"
#include "supervisor.h"

#define PRINT_BYTES (64u << 10) /* gathered for one write */
#define LINE_BYTES  1024u

/* The sum over all workers. */
struct totals {
    uint64_t cpu_ns, request_bytes, response_bytes, log_dropped_bytes, lost;
    uint64_t requests[EDGE_OUTCOMES];
    uint64_t running; /* now */
};

struct usage {
    const _Atomic uint32_t *counts;
    const char *workers;
    uint32_t workers_count;
    struct totals *bases[EDGE_APPS_MAX]; /* what the number's apps before had; NULL: nothing */
};

struct usage *usage_new(const void *segment, uint32_t workers_count)
{
    struct usage *u = calloc(1, sizeof *u);
    if (!u) return NULL;
    u->counts = segment;
    u->workers = (const char *)segment + COUNTS_BYTES(workers_count);
    u->workers_count = workers_count;
    return u;
}

void usage_free(struct usage *u)
{
    if (!u) return;
    for (uint32_t i = 0; i < EDGE_APPS_MAX; i++) free(u->bases[i]);
    free(u);
}

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static struct totals sum(const struct usage *u, uint32_t id)
{
    struct totals t = {0};
    for (uint32_t k = 0; k < u->workers_count; k++) {
        const struct edge_usage *of =
            (const struct edge_usage *)(const void *)(u->workers + k * USAGE_BYTES) + id;
        t.cpu_ns += get(&of->cpu_ns);
        t.request_bytes += get(&of->request_bytes);
        t.response_bytes += get(&of->response_bytes);
        t.log_dropped_bytes += get(&of->log_dropped_bytes);
        t.lost += get(&of->lost);
        if (id < EDGE_APPS_MAX) t.running += atomic_load(&u->counts[k * EDGE_APPS_MAX + id]);
        for (size_t i = 0; i < EDGE_OUTCOMES; i++) t.requests[i] += get(&of->requests[i]);
    }
    return t;
}

static void add(struct totals *to, const struct totals *t)
{
    to->cpu_ns += t->cpu_ns;
    to->request_bytes += t->request_bytes;
    to->response_bytes += t->response_bytes;
    to->log_dropped_bytes += t->log_dropped_bytes;
    to->lost += t->lost;
    to->running += t->running;
    for (size_t i = 0; i < EDGE_OUTCOMES; i++) to->requests[i] += t->requests[i];
}

static void subtract(struct totals *from, const struct totals *t)
{
    from->cpu_ns -= t->cpu_ns;
    from->request_bytes -= t->request_bytes;
    from->response_bytes -= t->response_bytes;
    from->log_dropped_bytes -= t->log_dropped_bytes;
    from->lost -= t->lost;
    for (size_t i = 0; i < EDGE_OUTCOMES; i++) from->requests[i] -= t->requests[i];
}

static bool is_zero(const struct totals *t)
{
    uint64_t all = t->lost | t->running;
    for (size_t i = 0; i < EDGE_OUTCOMES; i++) all |= t->requests[i];
    return !all;
}

void usage_forget(struct usage *u, uint32_t id)
{
    struct totals t = sum(u, id);
    if (is_zero(&t)) return;
    if (!u->bases[id]) u->bases[id] = malloc(sizeof t);
    if (u->bases[id]) *u->bases[id] = t; /* without memory, the next app looks busier than it was */
}

/* ---- printing ---- */

static void flush(struct buffer *b)
{
    ssize_t ignored = write(STDERR_FILENO, b->data, b->size_bytes);
    (void)ignored; /* as with all lines of the log */
    buffer_clear(b);
}

static void print(struct buffer *b, const char *name, const struct totals *t)
{
    if (b->size_bytes + LINE_BYTES > PRINT_BYTES) flush(b);
    buffer_printf(b, "mayfly: usage %s", name);
    for (size_t i = 0; i < EDGE_OUTCOMES; i++)
        buffer_printf(b, " %s=%" PRIu64, edge_outcome_name((enum edge_outcome)i), t->requests[i]);
    buffer_printf(b,
                  " lost=%" PRIu64 " running=%" PRIu64 " cpu_us=%" PRIu64 " request_bytes=%" PRIu64
                  " response_bytes=%" PRIu64 " log_dropped_bytes=%" PRIu64 "\n",
                  t->lost, t->running, t->cpu_ns / 1000u, t->request_bytes, t->response_bytes,
                  t->log_dropped_bytes);
}

void usage_print(const struct usage *u, const struct deploy *d)
{
    struct buffer b;
    struct totals all = sum(u, EDGE_APPS_MAX), none = all;
    buffer_init(&b, PRINT_BYTES);
    for (size_t i = 0; i < d->count; i++) {
        const struct deploy_app *app = d->apps[i];
        char name[EDGE_NAME_BYTES_MAX + 8];
        struct totals t = sum(u, app->id);
        if (u->bases[app->id]) subtract(&t, u->bases[app->id]);
        if (is_zero(&t)) continue;
        add(&all, &t);
        snprintf(name, sizeof name, "app=%s", app->name);
        print(&b, name, &t);
    }
    print(&b, "none", &none);
    print(&b, "all", &all);
    flush(&b);
    buffer_done(&b);
}
