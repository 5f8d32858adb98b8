/* Requests of apps that compute for long: they wait for their turn, in the order in which they
 * came, so that requests of quick apps go first. They have no instance meanwhile: however many
 * wait, the few instances that answer them stay in the processor's caches. */
#include <stdlib.h>

#include "request.h"

struct starting {
    struct starting *next, *previous;
    struct edge *edge;
    struct http_exchange *exchange;
    struct app_version *version; /* to which it was admitted */
    struct route route;
    uint64_t arrived_ns;
};

static uint64_t deadline_ns(const struct starting *s)
{
    return s->arrived_ns + (uint64_t)s->edge->config.limits.wall_ms * 1000000u;
}

static struct starting *take_free(struct edge *e)
{
    struct starting *s = e->starting.free;
    if (!s) return malloc(sizeof *s);
    e->starting.free = s->next;
    e->starting.free_count--;
    return s;
}

static void give_back(struct starting *s)
{
    struct edge *e = s->edge;
    if (e->starting.free_count == EDGE_STARTING_KEPT_MAX) {
        free(s);
        return;
    }
    s->next = e->starting.free;
    e->starting.free = s;
    e->starting.free_count++;
}

static void append(struct starting *s)
{
    struct starting_queue *q = &s->edge->starting;
    s->next = NULL;
    s->previous = q->last;
    if (q->last)
        q->last->next = s;
    else
        q->first = s;
    q->last = s;
    q->count++;
    s->version->starting++;
    http_exchange_set_user(s->exchange, (void *)((uintptr_t)s | EXCHANGE_STARTING));
}

static void take_out(struct starting *s)
{
    struct starting_queue *q = &s->edge->starting;
    if (s->previous)
        s->previous->next = s->next;
    else
        q->first = s->next;
    if (s->next)
        s->next->previous = s->previous;
    else
        q->last = s->previous;
    q->count--;
    s->version->starting--;
    http_exchange_set_user(s->exchange, NULL);
}

bool starting_has_to(const struct app_version *v)
{
    return v->starting || v->cpu_ns_mean > EDGE_HEAVY_US * UINT64_C(1000);
}

enum status starting_begin(struct edge *e, struct http_exchange *x, const struct route *route,
                           struct app_version *v)
{
    struct starting *s = take_free(e);
    if (!s) return ST_NO_MEMORY;
    *s = (struct starting){.edge = e, .exchange = x, .version = v, .route = *route};
    s->arrived_ns = loop_now_ns(e->config.loop);
    append(s);
    if (!loop_timer_armed(&e->starting.timer))
        loop_timer_start(e->config.loop, &e->starting.timer, deadline_ns(s));
    loop_defer_next(e->config.loop, &e->run_task);
    return ST_OK;
}

void starting_aborted(struct starting *s)
{
    struct edge *e = s->edge;
    struct app_version *v = s->version;
    request_log_unserved(e, v->app, EDGE_OUTCOME_CANCELED, 0, "the client went away");
    take_out(s);
    give_back(s);
    loaded_end(e, v);
}

/* All have the same limit, so they are late in the order in which they came. */
static void on_late(void *context)
{
    struct edge *e = context;
    const uint64_t now_ns = loop_now_ns(e->config.loop);
    struct starting *s;
    while ((s = e->starting.first) && deadline_ns(s) <= now_ns) {
        struct http_exchange *x = s->exchange;
        struct app_version *v = s->version;
        take_out(s);
        give_back(s);
        request_refuse(e, x, v->app, EDGE_OUTCOME_WALL_LIMIT, 504, "its turn did not come in time");
        loaded_end(e, v);
    }
    if (s) loop_timer_start(e->config.loop, &e->starting.timer, deadline_ns(s));
}

static void start_first(struct edge *e)
{
    struct starting *s = e->starting.first;
    const struct starting copy = *s;
    take_out(s);
    give_back(s);
    request_enter(e, copy.exchange, &copy.route, copy.version, copy.arrived_ns);
}

/* At least one; further ones while they are likely to end within the turn. */
void starting_turn(struct edge *e)
{
    const struct clock *clock = loop_clock(e->config.loop);
    const uint64_t begin_ns = clock_monotonic_ns(clock);
    do {
        start_first(e);
    } while (e->starting.first &&
             clock_monotonic_ns(clock) - begin_ns + e->starting.first->version->cpu_ns_mean <=
                 EDGE_STARTS_US * UINT64_C(1000));
}

void starting_init(struct edge *e)
{
    loop_timer_init(&e->starting.timer, on_late, e);
}

void starting_done(struct edge *e)
{
    loop_timer_stop(e->config.loop, &e->starting.timer);
    while (e->starting.free) {
        struct starting *s = e->starting.free;
        e->starting.free = s->next;
        free(s);
    }
}
