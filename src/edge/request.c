#include "request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact.h"
#include "log.h"
#include "runtime/runtime.h"

static const char *const outcome_names[] = {
    "ok", "trap", "wall-limit", "overloaded", "canceled", "bad-response",
};

static void on_wait_over(void *context)
{
    request_resume(context);
}

static void on_wall_limit(void *context);

/* ---- making and keeping ---- */

static struct request *request_new(struct edge *e, struct app_version *v, struct error *err)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r) {
        error_set(err, ST_NO_MEMORY, "out of memory");
        return NULL;
    }
    struct instance_config config = {
        .memory_bytes_max = e->config.limits.memory_bytes_max,
        .stack_bytes = e->config.limits.stack_bytes,
        .context = &r->context,
    };
    if (instance_new(v->module, &config, &r->instance, err)) {
        free(r);
        return NULL;
    }
    r->edge = e;
    r->app = v->app;
    r->version = v;
    r->context.embedder = r;
    cgi_env_init(&r->env);
    cgi_head_init(&r->head);
    buffer_init(&r->log_line, EDGE_LOG_LINE_BYTES_MAX);
    loop_timer_init(&r->wait_timer, on_wait_over, r);
    loop_timer_init(&r->wall_timer, on_wall_limit, r);
    loop_task_init(&r->yield_task, on_wait_over, r);
    return r;
}

void request_free(struct request *r)
{
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

/* Behind the answer: everything back to fresh, for the next request. */
static void recycle(struct request *r)
{
    struct edge *e = r->edge;
    struct app_version *v = r->version;
    struct error err;
    wasi_preview1_free(r->context.preview1);
    r->context.preview1 = NULL;
    if (v->app->current != v || v->idle_count >= EDGE_IDLE_INSTANCES_MAX ||
        e->idle_count >= EDGE_IDLE_INSTANCES_ALL_MAX ||
        instance_reset(r->instance, &r->context, &err)) {
        request_free(r);
        return;
    }
    cgi_head_clear(&r->head);
    buffer_clear(&r->log_line);
    r->exchange = NULL;
    r->log_bytes = r->body_bytes = 0;
    r->log_dropped = 0;
    r->status = 0;
    r->head_sent = r->head_bad = r->started = r->suspended = false;
    r->input_ended = r->input_blocked = r->output_blocked = false;
    r->input_start = r->input_end = 0;
    r->outcome = OUTCOME_OK;
    r->next_idle = v->idle;
    v->idle = r;
    v->idle_count++;
    e->idle_count++;
}

/* ---- ending ---- */

static void answer_text(struct request *r, int status, const char *what)
{
    char text[256];
    snprintf(text, sizeof text, "%s (%s, request %016" PRIx64 ")\n", what,
             outcome_names[r->outcome], r->id);
    r->status = status;
    http_respond_text(r->exchange, status, text);
}

/* A response that was begun and cannot be completed is cut, so that the client sees it. */
static void answer_failure(struct request *r, int status, const char *what)
{
    if (http_exchange_responded(r->exchange))
        http_exchange_abort(r->exchange);
    else
        answer_text(r, status, what);
}

static void answer(struct request *r)
{
    struct http_exchange *x = r->exchange;
    r->exchange = NULL;
    if (!x) return;
    r->exchange = x;
    switch (r->outcome) {
    case OUTCOME_OK: http_respond_end(x); break;
    case OUTCOME_BAD_RESPONSE: answer_failure(r, 502, "the program's answer is not valid"); break;
    case OUTCOME_WALL_LIMIT: answer_failure(r, 504, "the program took too long"); break;
    default: answer_failure(r, 500, "the program failed"); break;
    }
    r->exchange = NULL;
}

/* One line: the trap's text with its frames joined by " | ". */
static void log_trap(struct request *r, struct buffer *line)
{
    struct buffer text;
    buffer_init(&text, EDGE_LOG_LINE_BYTES_MAX);
    trap_print(r->instance, &text);
    while (text.size_bytes && text.data[text.size_bytes - 1] == '\n') text.size_bytes--;
    struct buffer joined;
    buffer_init(&joined, 2 * EDGE_LOG_LINE_BYTES_MAX);
    for (size_t i = 0; i < text.size_bytes; i++) {
        if (text.data[i] != '\n') {
            buffer_append(&joined, &text.data[i], 1);
            continue;
        }
        buffer_append_string(&joined, " |");
        while (i + 2 < text.size_bytes && text.data[i + 1] == ' ' && text.data[i + 2] == ' ') i++;
    }
    log_field(line, "backtrace", (const char *)joined.data, joined.size_bytes);
    buffer_done(&joined);
    buffer_done(&text);
}

static void log_request(struct request *r, struct http_slice method, struct http_slice path)
{
    bool failed = r->outcome != OUTCOME_OK;
    struct buffer *line = &r->edge->line;
    uint64_t now_ns = clock_monotonic_ns(loop_clock(r->edge->config.loop));
    log_begin(line, failed ? "error" : "access", r->app->name, r->id);
    log_field_text(line, "outcome", outcome_names[r->outcome]);
    log_field_number(line, "status", (uint64_t)r->status);
    if (method.data) log_field(line, "method", method.data, method.size);
    if (path.data) log_field(line, "path", path.data, path.size);
    log_field_number(line, "body_bytes", r->body_bytes);
    log_field_number(line, "wall_us", (now_ns - r->start_ns) / 1000u);
    if (r->outcome == OUTCOME_BAD_RESPONSE) log_field_text(line, "reason", r->error.text);
    if (r->outcome == OUTCOME_TRAP) {
        log_field_text(line, "trap", trap_kind_text(instance_trap(r->instance)->kind));
        log_trap(r, line);
    }
    if (r->log_dropped) log_field_number(line, "log_dropped", r->log_dropped);
    log_end(line, r->edge->config.log_fd);
}

static void finish(struct request *r)
{
    struct edge *e = r->edge;
    loop_timer_stop(e->config.loop, &r->wall_timer);
    request_log_flush(r);
    if (e->config.access_log || r->outcome != OUTCOME_OK) {
        struct http_slice method = {0}, path = {0};
        if (r->exchange) {
            method = http_request_method(r->exchange);
            path = http_request_path(r->exchange);
        }
        /* Logged before the answer, whose end would take the request's bytes away. */
        static const uint16_t statuses[] = {
            [OUTCOME_TRAP] = 500, [OUTCOME_WALL_LIMIT] = 504, [OUTCOME_BAD_RESPONSE] = 502};
        if (!r->status && r->exchange) r->status = statuses[r->outcome];
        log_request(r, method, path);
    }
    answer(r);
    struct app_version *v = r->version;
    recycle(r);
    loaded_end(e, v);
}

/* ---- running ---- */

static void judge(struct request *r, enum call_result result)
{
    if (r->outcome != OUTCOME_OK) return; /* said already: limit or client gone */
    if (result == CALL_TRAPPED)
        r->outcome = OUTCOME_TRAP;
    else if (!r->head_sent && r->exchange) {
        r->outcome = OUTCOME_BAD_RESPONSE;
        if (!r->head_bad)
            error_set(&r->error, ST_INVALID,
                      "it ended %s a blank line closed the head of its answer",
                      r->head.bytes.size_bytes ? "before" : "without output, before");
    }
}

/* Drives the guest until it is done or waits. */
static void go(struct request *r, enum call_result result)
{
    struct value none[1];
    if (result == CALL_RETURNED && !r->started) {
        r->started = true;
        result = instance_call(r->instance, r->version->start_func, none);
    }
    if (result == CALL_SUSPENDED) return;
    r->suspended = false;
    judge(r, result);
    finish(r);
}

void request_resume(struct request *r)
{
    if (!r->suspended) return;
    r->suspended = false;
    go(r, instance_resume(r->instance));
}

/* Ends a guest that waits. */
static void cancel(struct request *r, enum outcome outcome)
{
    r->outcome = outcome;
    r->suspended = false;
    instance_cancel(r->instance);
    finish(r);
}

static void on_wall_limit(void *context)
{
    cancel(context, OUTCOME_WALL_LIMIT);
}

void request_readable(struct request *r)
{
    r->input_blocked = false;
    request_resume(r);
}

void request_writable(struct request *r)
{
    r->output_blocked = false;
    request_resume(r);
}

void request_aborted(struct request *r, UNUSED enum http_abort reason)
{
    r->exchange = NULL;
    cancel(r, OUTCOME_CANCELED);
}

static enum status prepare(struct request *r, struct http_exchange *x, const struct route *route,
                           struct error *err)
{
    const struct edge_config *config = &r->edge->config;
    enum status st = cgi_env_build(&r->env, x, route, config->server_software, config->env,
                                   config->env_count, err);
    if (st) return st;
    const char *args[] = {r->app->name};
    struct wasi_preview1_config wasi = {
        .args = args,
        .args_count = 1,
        .env = r->env.pointers,
        .env_count = r->env.count,
        .stdio = {request_stream(r, 0), request_stream(r, 1), request_stream(r, 2)},
        .clock = loop_clock(config->loop),
        .random = random_system(),
        .waiter = request_waiter(r),
    };
    return wasi_preview1_new(&wasi, &r->context.preview1, err);
}

void request_refuse(struct edge *e, struct http_exchange *x, const struct app *app, enum status st,
                    const char *why)
{
    int status = st == ST_INVALID ? 400 : st == ST_LIMIT ? 431 : 503;
    char text[ERROR_TEXT_MAX + 2];
    log_begin(&e->line, "error", app->name, e->next_request_id);
    log_field_text(&e->line, "outcome", status == 503 ? "overloaded" : "denied");
    log_field_number(&e->line, "status", (uint64_t)status);
    log_field_text(&e->line, "reason", why);
    log_end(&e->line, e->config.log_fd);
    snprintf(text, sizeof text, "%s\n", why);
    if (status == 503) {
        struct http_field retry = {{"Retry-After", 11}, {"1", 1}};
        struct error err;
        size_t taken;
        if (!http_respond_head(x, status, &retry, 1, &err) &&
            !http_respond_body(x, "overloaded\n", 11, &taken))
            http_respond_end(x);
        else
            http_exchange_abort(x);
        return;
    }
    http_respond_text(x, status, text);
}

void request_begin(struct edge *e, struct http_exchange *x, const struct route *route)
{
    struct app *app = route->app;
    struct app_version *v = app->current;
    struct error err = {0};
    e->next_request_id++;
    if (!loaded_begin(e, v)) {
        request_refuse(e, x, app, ST_NO_MEMORY, "all instances of this app are busy");
        return;
    }
    struct request *r = obtain(e, v, &err);
    enum status st = r ? prepare(r, x, route, &err) : ST_NO_MEMORY;
    if (st) {
        request_refuse(e, x, app, st, err.text);
        if (r) recycle(r);
        loaded_end(e, v);
        return;
    }
    r->id = e->next_request_id;
    r->exchange = x;
    r->start_ns = loop_now_ns(e->config.loop);
    http_exchange_set_user(x, r);
    loop_timer_start(e->config.loop, &r->wall_timer,
                     r->start_ns + (uint64_t)e->config.limits.wall_ms * 1000000u);
    go(r, instance_init_all(r->instance));
}
