/* How a request ends: the answer that its outcome gets, and its line in the log. */
#include <inttypes.h>
#include <stdio.h>

#include "artifact/artifact.h"
#include "log.h"
#include "request.h"
#include "runtime/runtime.h"

/* How many requests count in the mean of what an app computes. */
#define CPU_MEAN_OF 8u

/* The stable names that answers, logs and documents share. */
static const struct {
    const char *name;
    int status;
    bool is_trap; /* there is a backtrace */
    const char *words;
} outcomes[] = {
    [OUTCOME_OK] = {"ok", 200, false, ""},
    [OUTCOME_TRAP] = {"trap", 500, true, "the program failed"},
    [OUTCOME_CPU_LIMIT] = {"cpu-limit", 503, true, "the program used up its CPU time"},
    [OUTCOME_WALL_LIMIT] = {"wall-limit", 504, false, "the program took too long"},
    [OUTCOME_MEMORY_LIMIT] = {"memory-limit", 503, true, "the program asked for too much memory"},
    [OUTCOME_CANCELED] = {"canceled", 499, false, "the client went away"},
    [OUTCOME_BAD_RESPONSE] = {"bad-response", 502, false, "the program's answer is not valid"},
};

static void answer_text(struct request *r, int status, const char *what)
{
    char text[256];
    snprintf(text, sizeof text, "%s (%s, request %016" PRIx64 ")\n", what,
             outcomes[r->outcome].name, r->id);
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
    if (!r->exchange) return;
    if (r->outcome == OUTCOME_OK)
        http_respond_end(r->exchange);
    else
        answer_failure(r, outcomes[r->outcome].status, outcomes[r->outcome].words);
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
    log_field_text(line, "outcome", outcomes[r->outcome].name);
    log_field_number(line, "status", (uint64_t)r->status);
    if (method.data) log_field(line, "method", method.data, method.size);
    if (path.data) log_field(line, "path", path.data, path.size);
    log_field_number(line, "body_bytes", r->body_bytes);
    log_field_number(line, "cpu_us", instance_cpu_ns(r->instance) / 1000u);
    log_field_number(line, "wall_us", (now_ns - r->start_ns) / 1000u);
    if (r->outcome == OUTCOME_BAD_RESPONSE) log_field_text(line, "reason", r->error.text);
    if (outcomes[r->outcome].is_trap) {
        log_field_text(line, "trap", trap_kind_text(instance_trap(r->instance)->kind));
        log_trap(r, line);
    }
    if (r->log_dropped) log_field_number(line, "log_dropped", r->log_dropped);
    log_end(line, r->edge->config.log_fd);
}

void request_finish(struct request *r)
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
        if (!r->status && r->exchange) r->status = outcomes[r->outcome].status;
        log_request(r, method, path);
    }
    answer(r);
    struct app_version *v = r->version;
    v->cpu_ns_mean += instance_cpu_ns(r->instance) / CPU_MEAN_OF - v->cpu_ns_mean / CPU_MEAN_OF;
    request_recycle(r);
    loaded_end(e, v);
}
