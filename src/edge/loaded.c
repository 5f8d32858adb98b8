/* Which versions are there, and for how long. */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "request.h"

#define NS_PER_MS UINT64_C(1000000)

static void ring_remove(struct version_links *l)
{
    l->previous->next = l->next;
    l->next->previous = l->previous;
    l->next = l->previous = NULL;
}

static void ring_append(struct version_links *head, struct version_links *l)
{
    l->previous = head->previous;
    l->next = head;
    head->previous->next = l;
    head->previous = l;
}

static struct app_version *version_of(struct version_links *l)
{
    return (struct app_version *)(void *)((char *)l - offsetof(struct app_version, links));
}

static void free_idle(struct edge *e, struct app_version *v)
{
    while (v->idle) {
        struct request *r = v->idle;
        v->idle = r->next_idle;
        request_free(r);
    }
    e->idle_count -= v->idle_count;
    v->idle_count = 0;
}

/* An app that was removed goes with its last request. */
static void free_app_if_over(struct app *app)
{
    if (app->removed && !app->running && !app->current && !app->waiting) free(app);
}

void loaded_drop(struct edge *e, struct app *app)
{
    struct app_version *v = app->current;
    if (v) {
        ring_remove(&v->links);
        e->loaded_count--;
        app->current = NULL;
        free_idle(e, v);
        if (!v->running) app_version_free(v);
    }
    free_app_if_over(app);
}

/* ---- what was not used for a while ---- */

static bool is_resting(const struct app_version *v)
{
    return !v->running && !v->app->waiting;
}

bool loaded_make_room(struct edge *e)
{
    if (e->frozen) return false;
    for (struct version_links *l = e->loaded.next; l != &e->loaded; l = l->next) {
        struct app_version *v = version_of(l);
        if (!is_resting(v)) continue;
        loaded_drop(e, v->app);
        return true;
    }
    return false;
}

static void sweep_later(struct edge *e)
{
    if (loop_timer_armed(&e->sweep_timer) || e->frozen) return;
    loop_timer_start(e->config.loop, &e->sweep_timer,
                     loop_now_ns(e->config.loop) + EDGE_SWEEP_MS * NS_PER_MS);
}

static void on_sweep(void *context)
{
    struct edge *e = context;
    uint64_t now_ns = loop_now_ns(e->config.loop);
    if (e->frozen) return;
    struct version_links *next;
    for (struct version_links *l = e->loaded.next; l != &e->loaded; l = next) {
        struct app_version *v = version_of(l);
        next = l->next;
        if (v->used_ns + EDGE_UNLOAD_MS * NS_PER_MS > now_ns) break; /* as are those behind it */
        if (is_resting(v)) loaded_drop(e, v->app);
    }
    if (e->loaded_count) sweep_later(e);
}

void loaded_put(struct edge *e, struct app *app, struct app_version *take_version)
{
    assert(!app->removed);
    loaded_drop(e, app);
    while (e->loaded_count >= EDGE_LOADED_MAX && loaded_make_room(e)) {
    }
    take_version->app = app;
    take_version->used_ns = loop_now_ns(e->config.loop);
    app->current = take_version;
    ring_append(&e->loaded, &take_version->links);
    e->loaded_count++;
    if (e->config.need) sweep_later(e);
}

/* ---- counting ---- */

/* This worker's count of the app's requests, where others see it; NULL: nobody else looks. */
static _Atomic uint32_t *shared_count(const struct edge *e, uint32_t worker, uint32_t id)
{
    return e->config.counts ? &e->config.counts[(size_t)worker * EDGE_APPS_MAX + id] : NULL;
}

static void publish(const struct edge *e, const struct app *app, memory_order order)
{
    _Atomic uint32_t *count = shared_count(e, e->config.worker, app->id);
    if (count) atomic_store_explicit(count, app->running, order);
}

/* Of all workers. Each publishes its own count first and looks then, so that of two that come at
 * once at least one sees the other. */
static uint64_t running_everywhere(const struct edge *e, const struct app *app)
{
    uint64_t running = app->running;
    for (uint32_t k = 0; e->config.counts && k < e->config.workers_count; k++)
        if (k != e->config.worker) running += atomic_load(shared_count(e, k, app->id));
    return running;
}

bool loaded_begin(struct edge *e, struct app_version *v)
{
    v->running++;
    v->app->running++;
    e->running++;
    publish(e, v->app, e->config.workers_count > 1 ? memory_order_seq_cst : memory_order_relaxed);
    if (running_everywhere(e, v->app) > e->config.limits.instances_max) {
        loaded_end(e, v);
        return false;
    }
    v->used_ns = loop_now_ns(e->config.loop);
    if (v->links.next != &e->loaded) {
        ring_remove(&v->links);
        ring_append(&e->loaded, &v->links);
    }
    return true;
}

void loaded_end(struct edge *e, struct app_version *v)
{
    struct app *app = v->app;
    assert(v->running && app->running && e->running);
    v->running--;
    app->running--;
    e->running--;
    publish(e, app, memory_order_release);
    if (app->current == v || v->running) return;
    app_version_free(v);
    free_app_if_over(app);
}

void loaded_init(struct edge *e)
{
    e->loaded.next = e->loaded.previous = &e->loaded;
    loop_timer_init(&e->sweep_timer, on_sweep, e);
}

void loaded_done(struct edge *e)
{
    while (e->loaded.next != &e->loaded) loaded_drop(e, version_of(e->loaded.next)->app);
    loop_timer_stop(e->config.loop, &e->sweep_timer);
}
