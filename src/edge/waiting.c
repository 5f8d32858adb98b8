/* Requests of an app that is not loaded yet: the artifact was asked for, and they go on when it is
 * there. */
#include <stdlib.h>
#include <string.h>

#include "request.h"

struct waiting {
    struct edge *edge;
    struct waiting *next, *previous; /* of the same app */
    struct http_exchange *exchange;
    struct route route;
    struct loop_timer timer;
};

static void remove_from_app(struct waiting *w)
{
    struct app *app = w->route.app;
    if (w->previous)
        w->previous->next = w->next;
    else
        app->waiting = w->next;
    if (w->next) w->next->previous = w->previous;
    app->waiting_count--;
    loop_timer_stop(w->edge->config.loop, &w->timer);
}

static void refuse(struct waiting *w, const char *why)
{
    struct edge *e = w->edge;
    struct http_exchange *x = w->exchange;
    const struct app *app = w->route.app;
    remove_from_app(w);
    http_exchange_set_user(x, NULL);
    request_refuse(e, x, app, EDGE_OUTCOME_OVERLOADED, 503, why);
    free(w);
}

static void on_late(void *context)
{
    struct waiting *w = context;
    struct app *app = w->route.app;
    struct edge *e = w->edge;
    refuse(w, "this app is not ready");
    /* Whoever comes next asks anew. */
    if (!app->waiting) app->asked = 0;
    if (app->removed) loaded_drop(e, app);
}

void waiting_aborted(struct waiting *w)
{
    struct edge *e = w->edge;
    struct app *app = w->route.app;
    usage_count(e, app, EDGE_OUTCOME_CANCELED);
    remove_from_app(w);
    free(w);
    if (app->removed) loaded_drop(e, app);
}

static void append(struct app *app, struct waiting *w)
{
    struct waiting *last = app->waiting;
    while (last && last->next) last = last->next;
    w->previous = last;
    if (last)
        last->next = w;
    else
        app->waiting = w;
    app->waiting_count++;
}

void waiting_begin(struct edge *e, struct http_exchange *x, const struct route *route)
{
    struct app *app = route->app;
    struct waiting *w = NULL;
    if (e->config.need && !e->frozen && app->waiting_count < EDGE_WAITING_MAX)
        w = calloc(1, sizeof *w);
    if (!w) {
        request_refuse(e, x, app, EDGE_OUTCOME_OVERLOADED, 503, "this app is not ready");
        return;
    }
    *w = (struct waiting){.edge = e, .exchange = x, .route = *route};
    append(app, w);
    http_exchange_set_user(x, (void *)((uintptr_t)w | EXCHANGE_WAITING));
    loop_timer_init(&w->timer, on_late, w);
    loop_timer_start(e->config.loop, &w->timer,
                     loop_now_ns(e->config.loop) + EDGE_WAIT_MS * UINT64_C(1000000));
    edge_ask(e, app);
}

void waiting_go(struct edge *e, struct app *app)
{
    /* Only those that are there now; each ends up elsewhere. */
    while (app->waiting && app->current) {
        struct waiting *w = app->waiting;
        struct http_exchange *x = w->exchange;
        struct route route = w->route;
        remove_from_app(w);
        http_exchange_set_user(x, NULL);
        free(w);
        request_begin(e, x, &route);
    }
}

void waiting_refuse(struct edge *e, struct app *app, const char *why)
{
    (void)e;
    while (app->waiting) refuse(app->waiting, why);
}
