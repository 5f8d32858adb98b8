/* The guest's standard streams: the request's body, the response, the log. */
#include <string.h>

#include "log.h"
#include "request.h"
#include "runtime/runtime.h"

/* ---- standard input: the request's body ---- */

bool request_denied(struct request *r)
{
    const char *rule;
    int status = http_exchange_refusal(r->exchange, &rule);
    if (!status) return false;
    r->status = status;
    error_set(&r->error, ST_INVALID, "%s", rule);
    return true;
}

static enum status input_fetch(struct request *r, void *bytes, size_t size, size_t *ret)
{
    if (r->input_ended || !r->exchange) return ST_CLOSED;
    if (http_exchange_reads_directly(r->exchange, size) && !instance_unseal(r->instance))
        return ST_IO;
    enum status st = http_exchange_read(r->exchange, bytes, size, ret);
    r->input_blocked = st == ST_WOULD_BLOCK;
    r->request_bytes += *ret;
    if (st == ST_CLOSED && r->outcome == EDGE_OUTCOME_OK && request_denied(r))
        r->outcome = EDGE_OUTCOME_DENIED;
    if (st == ST_OK && *ret == 0) {
        r->input_ended = true;
        return ST_CLOSED;
    }
    return st == ST_CLOSED ? ST_IO : st; /* broken, which must not look like its end */
}

static enum status input_read(void *context, void *bytes, size_t size, size_t *ret)
{
    struct request *r = context;
    size_t held = r->input_end - r->input_start;
    if (!held) return size ? input_fetch(r, bytes, size, ret) : ST_OK;
    *ret = held < size ? held : size;
    memcpy(bytes, r->input + r->input_start, *ret);
    r->input_start += *ret;
    /* What is there behind the look ahead comes along; what is not, or has failed, comes next. */
    size_t more = 0;
    if (*ret < size && input_fetch(r, (char *)bytes + *ret, size - *ret, &more) == ST_OK)
        *ret += more;
    return ST_OK;
}

static enum status input_ready(void *context, enum wasi_direction direction, uint64_t *ret)
{
    struct request *r = context;
    if (direction != WASI_READ) return ST_CLOSED;
    if (r->input_start == r->input_end) {
        size_t got = 0;
        enum status st = input_fetch(r, r->input, sizeof r->input, &got);
        if (st) return st == ST_WOULD_BLOCK ? st : ST_CLOSED;
        r->input_start = 0;
        r->input_end = got;
    }
    *ret = r->input_end - r->input_start;
    return ST_OK;
}

/* ---- standard output: head, then body of the response ---- */

static enum status bad_head(struct request *r, size_t *ret, size_t size)
{
    r->head_bad = true;
    *ret = size;
    return ST_CLOSED;
}

static uint64_t body_bytes_max(const struct request *r)
{
    return r->edge->config.limits.response_body_bytes_max;
}

/* The guest sees a stream that is closed. */
static enum status bad_body(struct request *r, const char *why)
{
    r->outcome = EDGE_OUTCOME_BAD_RESPONSE;
    error_set(&r->error, ST_LIMIT, "%s", why);
    return ST_CLOSED;
}

static enum status body_too_large(struct request *r)
{
    return bad_body(r, "its body is larger than the limit");
}

enum status request_limit_response(struct request *r)
{
    return http_respond_missing(r->exchange) > body_bytes_max(r) ? body_too_large(r) : ST_OK;
}

enum status request_write_body(struct request *r, const void *bytes, size_t size, size_t *ret)
{
    *ret = 0;
    if (!r->exchange || r->outcome != EDGE_OUTCOME_OK) return ST_CLOSED;
    if (size > body_bytes_max(r) - r->response_bytes) return body_too_large(r);
    enum status st = http_respond_body(r->exchange, bytes, size, ret);
    r->response_bytes += *ret;
    r->output_blocked = *ret < size;
    if (st == ST_INVALID) return bad_body(r, "its body is longer than its Content-Length");
    if (st) return ST_CLOSED;
    return *ret || !size ? ST_OK : ST_WOULD_BLOCK;
}

static enum status output_head(struct request *r, const char *bytes, size_t size, size_t *ret)
{
    struct cgi_head *h = &r->head;
    enum status st = cgi_head_feed(h, bytes, size, ret, &r->error);
    if (st == ST_WOULD_BLOCK) return ST_OK;
    if (!st) st = http_respond_head(r->exchange, h->status, h->fields, h->fields_count, &r->error);
    if (st == ST_CLOSED) return st;
    if (st) return bad_head(r, ret, size);
    r->head_sent = true;
    r->status = h->status;
    return request_limit_response(r);
}

static enum status output_write(void *context, const void *bytes, size_t size, size_t *ret)
{
    struct request *r = context;
    *ret = 0;
    if (r->head_bad || !r->exchange || r->outcome != EDGE_OUTCOME_OK) return ST_CLOSED;
    if (!r->head_sent) {
        enum status st = output_head(r, bytes, size, ret);
        if (st || *ret == size) return st;
    }
    size_t taken = 0;
    enum status st = request_write_body(r, (const char *)bytes + *ret, size - *ret, &taken);
    *ret += taken;
    return st == ST_WOULD_BLOCK && *ret ? ST_OK : st;
}

static enum status output_ready(void *context, enum wasi_direction direction, uint64_t *ret)
{
    struct request *r = context;
    if (direction != WASI_WRITE || !r->exchange) return ST_CLOSED;
    *ret = 1;
    return r->output_blocked ? ST_WOULD_BLOCK : ST_OK;
}

/* ---- standard error: the log ---- */

static void log_guest_line(struct request *r, const char *text, size_t size)
{
    struct buffer *line = &r->edge->line;
    log_begin(line, "guest", r->app->name, r->id);
    log_field(line, "message", text, size);
    log_end(line, &r->edge->log);
}

static void log_flush(struct request *r)
{
    if (r->log_line.size_bytes)
        log_guest_line(r, (const char *)r->log_line.data, r->log_line.size_bytes);
    buffer_clear(&r->log_line);
}

void request_log_end(struct request *r)
{
    struct buffer *line = &r->edge->line;
    log_flush(r);
    if (!r->log_dropped_bytes) return;
    log_begin(line, "notice", r->app->name, r->id);
    log_field_text(line, "message", "the guest's log is cut");
    log_field_number(line, "dropped_bytes", r->log_dropped_bytes);
    log_end(line, &r->edge->log);
}

static void log_piece(struct request *r, const char *bytes, size_t size, bool ends)
{
    size_t room = EDGE_LOG_LINE_BYTES_MAX - r->log_line.size_bytes;
    buffer_append(&r->log_line, bytes, size < room ? size : room);
    if (!ends) return;
    if (r->log_line.size_bytes == 0) buffer_append(&r->log_line, " ", 1);
    log_flush(r);
}

static enum status log_write(void *context, const void *bytes, size_t size, size_t *ret)
{
    struct request *r = context;
    const char *text = bytes;
    uint64_t left = r->edge->config.limits.log_bytes_max - r->log_bytes;
    size_t kept = size < left ? size : (size_t)left;
    *ret = size; /* what is past the limit is dropped: a guest must not fail for what it logs */
    r->log_dropped_bytes += size - kept;
    r->log_bytes += kept;
    while (kept) {
        const char *newline = memchr(text, '\n', kept);
        size_t piece = newline ? (size_t)(newline - text) : kept;
        log_piece(r, text, piece, newline);
        text += piece + (newline ? 1 : 0);
        kept -= piece + (newline ? 1 : 0);
    }
    return ST_OK;
}

struct wasi_stream request_stream(struct request *r, int fd)
{
    static const struct wasi_stream_ops ops[] = {
        {.read = input_read, .ready = input_ready},
        {.write = output_write, .ready = output_ready},
        {.write = log_write},
    };
    return (struct wasi_stream){
        .ops = &ops[fd], .context = r, .fd = -1, .filetype = WASI_FILETYPE_UNKNOWN};
}

/* ---- waiting ---- */

/* A wait for input or output of a direction that did not block is over at once. */
static bool over_already(const struct request *r, const struct wasi_wait *waits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool blocked = waits[i].direction == WASI_READ ? r->input_blocked : r->output_blocked;
        if (!blocked) return true;
    }
    return false;
}

static bool wait_suspended(void *context, struct instance *instance, const struct wasi_wait *waits,
                           size_t count, uint64_t deadline_ns)
{
    struct request *r = context;
    struct loop *loop = r->edge->config.loop;
    if (deadline_ns == 0 || over_already(r, waits, count))
        loop_defer_next(loop, &r->yield_task);
    else if (deadline_ns != WASI_WAIT_FOREVER)
        loop_timer_start(loop, &r->wait_timer, deadline_ns);
    r->suspended = true;
    bool go_on = instance_suspend(instance);
    loop_timer_stop(loop, &r->wait_timer);
    loop_task_cancel(&r->yield_task);
    return go_on;
}

struct wasi_waiter request_waiter(struct request *r)
{
    return (struct wasi_waiter){.wait = wait_suspended, .context = r};
}
