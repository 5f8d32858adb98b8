/* Counting what requests use, where the supervisor can see it. */
#include "request.h"

#include "runtime/runtime.h"

/* There is one writer, so no addition has to be atomic, only the store. */
static void add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, before + n, memory_order_relaxed);
}

/* The number of an app that was removed may be another's already. */
static struct edge_usage *usage_of(const struct edge *e, const struct app *app)
{
    if (!e->config.usage) return NULL;
    return &e->config.usage[app && !app->removed ? app->id : EDGE_APPS_MAX];
}

void usage_count(struct edge *e, const struct app *app, enum edge_outcome outcome)
{
    struct edge_usage *u = usage_of(e, app);
    if (u) add(&u->requests[outcome], 1);
}

void usage_count_request(const struct request *r)
{
    struct edge_usage *u = usage_of(r->edge, r->app);
    if (!u) return;
    add(&u->requests[r->outcome], 1);
    add(&u->cpu_ns, instance_cpu_ns(r->instance));
    add(&u->request_bytes, r->request_bytes);
    add(&u->response_bytes, r->response_bytes);
    if (r->log_dropped_bytes) add(&u->log_dropped_bytes, r->log_dropped_bytes);
}
