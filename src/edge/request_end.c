/* How a request ends: the answer that its outcome gets, and its line in the log. */
#include <inttypes.h>
#include <stdio.h>

#include "artifact/artifact.h"
#include "log.h"
#include "outbound.h"
#include "request.h"
#include "runtime/runtime.h"

/* How many requests count in the mean of what an app computes. */
#define CPU_MEAN_OF 8u

static const struct {
    const char *name;
    int status;
    bool is_trap; /* there is a backtrace */
    const char *words;
} outcomes[] = {
    [EDGE_OUTCOME_OK] = {"ok", 200, false, ""},
    [EDGE_OUTCOME_TRAP] = {"trap", 500, true, "the program failed"},
    [EDGE_OUTCOME_CPU_LIMIT] = {"cpu-limit", 503, true, "the program used up its CPU time"},
    [EDGE_OUTCOME_WALL_LIMIT] = {"wall-limit", 504, false, "the program took too long"},
    [EDGE_OUTCOME_MEMORY_LIMIT] = {"memory-limit", 503, true,
                                   "the program asked for too much memory"},
    [EDGE_OUTCOME_OVERLOADED] = {"overloaded", 503, false, ""}, /* no guest ran */
    [EDGE_OUTCOME_CANCELED] = {"canceled", 499, false, "the client went away"},
    [EDGE_OUTCOME_BAD_RESPONSE] = {"bad-response", 502, false, "the program's answer is not valid"},
    [EDGE_OUTCOME_DENIED] = {"denied", 400, false, "the request is refused"},
};

const char *edge_outcome_name(enum edge_outcome outcome)
{
    return outcomes[outcome].name;
}

/* Whether the client can be told how the request failed: nothing of a response has left. */
static bool can_answer(struct request *r)
{
    return !http_exchange_responded(r->exchange) || http_respond_retract(r->exchange);
}

/* A command is a gateway's other side, which a component is not. */
static int status_of_failure(const struct request *r)
{
    bool is_component = r->version->is_component;
    return is_component && r->outcome == EDGE_OUTCOME_BAD_RESPONSE ? 500
                                                                   : outcomes[r->outcome].status;
}

/* A response that was begun and cannot be completed is cut, so that the client sees it. */
static void answer_failure(struct request *r)
{
    char text[256];
    if (http_exchange_responded(r->exchange)) {
        http_exchange_abort(r->exchange);
        return;
    }
    snprintf(text, sizeof text, "%s (%s, request %016" PRIx64 ")\n", outcomes[r->outcome].words,
             outcomes[r->outcome].name, r->id);
    http_respond_text(r->exchange, r->status, text);
}

static void answer(struct request *r)
{
    if (!r->exchange) return;
    if (r->outcome == EDGE_OUTCOME_OK || r->component.finished)
        http_respond_end(r->exchange);
    else
        answer_failure(r);
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
    bool failed = r->outcome != EDGE_OUTCOME_OK;
    struct buffer *line = &r->edge->line;
    uint64_t now_ns = clock_monotonic_ns(loop_clock(r->edge->config.loop));
    log_begin(line, failed ? "error" : "access", r->app->name, r->id);
    log_field_text(line, "outcome", outcomes[r->outcome].name);
    log_field_number(line, "status", (uint64_t)r->status);
    if (method.data) log_field(line, "method", method.data, method.size);
    if (path.data) log_field(line, "path", path.data, path.size);
    log_field_number(line, "body_bytes", r->response_bytes);
    log_field_number(line, "cpu_us", instance_cpu_ns(r->instance) / 1000u);
    log_field_number(line, "wall_us", (now_ns - r->start_ns) / 1000u);
    if (r->outcome == EDGE_OUTCOME_BAD_RESPONSE || r->outcome == EDGE_OUTCOME_DENIED)
        log_field_text(line, "reason", r->error.text);
    if (outcomes[r->outcome].is_trap) {
        log_field_text(line, "trap", trap_kind_text(instance_trap(r->instance)->kind));
        log_trap(r, line);
    }
    log_end(line, &r->edge->log);
}

/* Before the answer, whose end takes the request's bytes away. */
static void log_outcome(struct request *r)
{
    struct http_slice method = {0}, path = {0};
    if (r->exchange) {
        method = http_request_method(r->exchange);
        path = http_request_path(r->exchange);
    }
    log_request(r, method, path);
}

/* ---- what the guest leaves ---- */

static void put_back(struct request *r)
{
    struct edge *e = r->edge;
    struct app_version *v = r->version;
    request_recycle(r);
    loaded_end(e, v);
}

static void put_back_first(struct edge *e)
{
    struct request *r = e->shrinking.first;
    e->shrinking.first = r->next_runnable;
    e->shrinking.count--;
    put_back(r);
}

void request_shrink_first(struct edge *e)
{
    if (instance_shrink(e->shrinking.first->instance)) put_back_first(e);
}

void request_shrink_all(struct edge *e)
{
    while (e->shrinking.first) put_back_first(e);
}

/* An instance that had grown is not available until its memory has gone back, of which each turn of
 * the loop does a piece: milliseconds at once would be its neighbours'. */
static void leave(struct request *r)
{
    struct run_queue *q = &r->edge->shrinking;
    if (instance_shrink(r->instance)) {
        put_back(r);
        return;
    }
    r->next_runnable = NULL;
    if (q->first)
        q->last->next_runnable = r;
    else
        q->first = r;
    q->last = r;
    q->count++;
    loop_defer_next(r->edge->config.loop, &r->edge->run_task);
}

void request_finish(struct request *r)
{
    struct edge *e = r->edge;
    bool failed = r->outcome != EDGE_OUTCOME_OK;
    loop_timer_stop(e->config.loop, &r->wall_timer);
    if (r->component.subrequests) outbound_cut(r);
    request_log_end(r);
    if (failed && r->exchange && r->outcome != EDGE_OUTCOME_DENIED && can_answer(r))
        r->status = status_of_failure(r);
    if (failed || e->config.access_log) log_outcome(r);
    usage_count_request(r);
    answer(r);
    struct app_version *v = r->version;
    v->cpu_ns_mean += instance_cpu_ns(r->instance) / CPU_MEAN_OF - v->cpu_ns_mean / CPU_MEAN_OF;
    leave(r);
}
