#include "request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "runtime/runtime.h"

/* ---- making and keeping ---- */

static struct request *request_new(struct edge *e, struct app_version *v, struct error *err)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r) {
        error_set(err, ST_NO_MEMORY, "out of memory");
        return NULL;
    }
    r->version = v;
    if (v->is_component && request_component_new(r, err)) {
        request_component_free(r);
        free(r);
        return NULL;
    }
    struct instance_config config = {
        .memory_bytes_max = e->config.limits.memory_bytes_max,
        .stack_bytes = e->config.limits.stack_bytes,
        .slice_ns = (uint64_t)EDGE_SLICE_US * 1000u,
        .cpu_ns_max = (uint64_t)e->config.limits.cpu_ms * 1000000u,
        .context = &r->context,
        .canonical = r->component.canonical,
        .sealable = true,
    };
    if (instance_new(v->module, &config, &r->instance, err)) {
        request_component_free(r);
        free(r);
        return NULL;
    }
    r->edge = e;
    r->app = v->app;
    r->context.embedder = r;
    cgi_env_init(&r->env);
    cgi_head_init(&r->head);
    buffer_init(&r->log_line, EDGE_LOG_LINE_BYTES_MAX);
    loop_timer_init(&r->wait_timer, request_wait_over, r);
    loop_timer_init(&r->wall_timer, request_wall_limit, r);
    loop_task_init(&r->yield_task, request_wait_over, r);
    return r;
}

void request_free(struct request *r)
{
    request_component_free(r);
    instance_free(r->instance);
    wasi_preview1_free(r->context.preview1);
    cgi_env_done(&r->env);
    cgi_head_done(&r->head);
    buffer_done(&r->log_line);
    free(r);
}

static struct request *take_idle(struct edge *e, struct app_version *v)
{
    struct request *r = v->idle;
    if (!r) return NULL;
    v->idle = r->next_idle;
    v->idle_count--;
    e->idle_count--;
    return r;
}

/* An idle instance, or a new one, for which others' idle ones may have to go. */
static struct request *obtain(struct edge *e, struct app_version *v, struct error *err)
{
    struct request *r = take_idle(e, v);
    if (!r) r = request_new(e, v, err);
    while (!r && err->status == ST_NO_MEMORY && loaded_make_room(e)) r = request_new(e, v, err);
    return r;
}

void request_recycle(struct request *r)
{
    struct edge *e = r->edge;
    struct app_version *v = r->version;
    struct error err;
    if (r->context.preview1) wasi_preview1_clear(r->context.preview1);
    request_component_clear(r);
    if (v->app->current != v || v->idle_count >= EDGE_IDLE_INSTANCES_MAX ||
        e->idle_count >= EDGE_IDLE_INSTANCES_ALL_MAX ||
        instance_reset(r->instance, &r->context, &err)) {
        request_free(r);
        return;
    }
    cgi_head_clear(&r->head);
    buffer_clear(&r->log_line);
    r->exchange = NULL;
    r->log_bytes = r->log_dropped_bytes = 0;
    r->request_bytes = r->response_bytes = 0;
    r->status = 0;
    r->head_sent = r->head_bad = r->started = r->suspended = r->queued = false;
    r->input_ended = r->input_blocked = r->output_blocked = false;
    r->input_start = r->input_end = 0;
    r->outcome = EDGE_OUTCOME_OK;
    r->next_idle = v->idle;
    v->idle = r;
    v->idle_count++;
    e->idle_count++;
}

static enum status make_env(void *context, struct wasi_env *ret)
{
    struct request *r = context;
    struct error err;
    enum status st = r->exchange ? cgi_env_build(&r->env, &err) : ST_CLOSED;
    if (!st) *ret = (struct wasi_env){r->env.pointers, r->env.count, r->env.bytes.size_bytes};
    return st;
}

static enum status prepare(struct request *r, struct http_exchange *x, const struct route *route,
                           struct error *err)
{
    const struct edge_config *config = &r->edge->config;
    if (r->version->is_component) return request_component_prepare(r, err);
    struct cgi_env_source source = {x, *route, config->server_software, config->env,
                                    config->env_count};
    enum status st = cgi_env_begin(&r->env, &source, err);
    if (st) return st;
    r->args[0] = r->app->name;
    struct wasi_preview1_config wasi = {
        .args = r->args,
        .args_count = ARRAY_COUNT(r->args),
        .env_make = make_env,
        .env_make_context = r,
        .stdio = {request_stream(r, 0), request_stream(r, 1), request_stream(r, 2)},
        .clock = loop_clock(config->loop),
        .random = random_system(),
        .waiter = request_waiter(r),
    };
    if (r->context.preview1) return wasi_preview1_reuse(r->context.preview1, &wasi, err);
    return wasi_preview1_new(&wasi, &r->context.preview1, err);
}

/* The answer to what cannot be served. */
static int status_of(enum status st)
{
    return st == ST_INVALID ? 400 : st == ST_LIMIT ? 431 : 503;
}

static void answer_refusal(struct http_exchange *x, int status, const char *text)
{
    static const struct http_field fields[] = {
        {{"Content-Type", 12}, {"text/plain; charset=utf-8", 25}}, {{"Retry-After", 11}, {"1", 1}}};
    size_t count = status == 503 ? 2 : 1, size = strlen(text), taken = 0;
    if (!http_respond_head(x, status, fields, count, NULL) &&
        !http_respond_body(x, text, size, &taken) && taken == size)
        http_respond_end(x);
    else
        http_exchange_abort(x);
}

uint64_t request_log_unserved(struct edge *e, const struct app *app, enum edge_outcome outcome,
                              int status, const char *why)
{
    uint64_t id = ++e->next_request_id;
    usage_count(e, app, outcome);
    log_begin(&e->line, "error", app->name, id);
    log_field_text(&e->line, "outcome", edge_outcome_name(outcome));
    log_field_number(&e->line, "status", (uint64_t)status);
    log_field_text(&e->line, "reason", why);
    log_end(&e->line, &e->log);
    return id;
}

void request_refuse(struct edge *e, struct http_exchange *x, const struct app *app,
                    enum edge_outcome outcome, int status, const char *why)
{
    static const char *const words[] = {
        [EDGE_OUTCOME_OVERLOADED] = "no room for this request now",
        [EDGE_OUTCOME_WALL_LIMIT] = "no room for this request in time",
    };
    uint64_t id = request_log_unserved(e, app, outcome, status, why);
    char text[ERROR_TEXT_MAX + 64];
    snprintf(text, sizeof text, "%s (%s, request %016" PRIx64 ")\n",
             outcome == EDGE_OUTCOME_DENIED ? why : words[outcome], edge_outcome_name(outcome), id);
    answer_refusal(x, status, text);
}

static void refuse_start(struct edge *e, struct http_exchange *x, const struct app *app,
                         enum status st, const char *why)
{
    int status = status_of(st);
    enum edge_outcome outcome = status == 503 ? EDGE_OUTCOME_OVERLOADED : EDGE_OUTCOME_DENIED;
    request_refuse(e, x, app, outcome, status, why);
}

void request_begin(struct edge *e, struct http_exchange *x, const struct route *route)
{
    struct app *app = route->app;
    struct app_version *v = app->current;
    if (http_exchange_limit_body(x, e->config.limits.request_body_bytes_max)) {
        request_refuse(e, x, app, EDGE_OUTCOME_DENIED, 413,
                       "the body is larger than this app takes");
        return;
    }
    if (!loaded_begin(e, v)) {
        request_refuse(e, x, app, EDGE_OUTCOME_OVERLOADED, 503,
                       "all instances of this app are busy");
        return;
    }
    if (!starting_has_to(v)) {
        request_enter(e, x, route, v, loop_now_ns(e->config.loop));
    } else if (starting_begin(e, x, route, v)) {
        refuse_start(e, x, app, ST_NO_MEMORY, "out of memory");
        loaded_end(e, v);
    }
}

void request_enter(struct edge *e, struct http_exchange *x, const struct route *route,
                   struct app_version *v, uint64_t arrived_ns)
{
    struct error err;
    struct request *r = obtain(e, v, &err);
    enum status st = r ? prepare(r, x, route, &err) : ST_NO_MEMORY;
    if (st) {
        refuse_start(e, x, v->app, st, err.text);
        if (r) request_recycle(r);
        loaded_end(e, v);
        return;
    }
    r->id = ++e->next_request_id;
    r->exchange = x;
    r->start_ns = arrived_ns;
    http_exchange_set_user(x, r);
    loop_timer_start(e->config.loop, &r->wall_timer,
                     arrived_ns + (uint64_t)e->config.limits.wall_ms * 1000000u);
    request_go(r, instance_init_all(r->instance));
}
