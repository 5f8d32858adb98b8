/* What a connection does next in each of its states. */
#include "connection_steps.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

/* ---- ends ---- */

enum step connection_free(struct http_connection *c)
{
    struct http_server *s = c->server;
    assert(!c->x.active);
    links_remove(&c->all);
    links_remove(&c->idle);
    links_remove(&c->held);
    loop_timer_stop(s->loop, &c->timer);
    loop_task_cancel(&c->task);
    connection_release_input(c);
    connection_release_output(c);
    h1_chunked_done(&c->x.chunked);
    loop_watch_close(s->loop, &c->watch);
    s->counters.connections_open--;
    free(c);
    server_connection_gone(s);
    return STEP_GONE;
}

enum step connection_cut(struct http_connection *c)
{
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (c->x.framing == RESPONSE_CLOSE || c->x.framing == RESPONSE_EMPTY) {
        (void)setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    } else {
        (void)connection_flush(c);
    }
    return connection_free(c);
}

enum step connection_refuse(struct http_connection *c, enum h1_rule rule)
{
    struct http_server *s = c->server;
    bool begun = c->state == CONNECTION_EXCHANGE;
    s->counters.refusals++;
    links_remove(&c->idle);
    response_refuse(c, rule);
    c->state = CONNECTION_CLOSING;
    c->linger = true;
    if (s->handler->on_refused)
        s->handler->on_refused(s->context, &c->peer.any, h1_rule_status(rule), h1_rule_name(rule),
                               begun);
    return STEP_AGAIN;
}

/* The exchange has failed: the handler hears of it, then the client. */
static enum step connection_break(struct http_connection *c)
{
    struct http_server *s = c->server;
    struct http_exchange *x = &c->x;
    x->failed = false;
    if (x->active) {
        x->active = false;
        s->counters.aborts++;
        s->handler->on_abort(s->context, x, x->reason);
    }
    if (c->socket_broken || (x->reason == HTTP_ABORT_CLIENT && !x->rule)) return connection_free(c);
    if (x->rule && !x->flushed) return connection_refuse(c, x->rule);
    return connection_cut(c);
}

/* ---- steps ---- */

void connection_become_idle(struct http_connection *c)
{
    struct http_server *s = c->server;
    c->state = CONNECTION_IDLE;
    uint32_t wait_ms = c->requests == 0 ? s->config.first_byte_ms : s->config.idle_ms;
    c->state_deadline_ns = server_now_ns(s) + MS_TO_NS(wait_ms);
    links_append(&s->idle, &c->idle);
    if (s->accept_paused) server_room_made(s);
}

/* Behind a response whose request has been read to its end. */
static enum step next_request(struct http_connection *c)
{
    memset(&c->x, 0, offsetof(struct http_exchange, chunked));
    c->x.framing = RESPONSE_NONE;
    c->x.gap_open = c->x.chunk_open = false;
    c->in_base = c->in_pos;
    h1_head_begin(&c->in->head);
    if (c->in_pos == c->in_end) connection_release_input(c);
    connection_become_idle(c);
    return STEP_AGAIN;
}

static enum step begin_exchange(struct http_connection *c)
{
    struct http_server *s = c->server;
    struct http_exchange *x = &c->x;
    const struct h1_head *head = &c->in->head;
    bool has_body = head->chunked || head->content_length > 0;
    uint32_t body_at = c->in_base + head->line_start;
    if (has_body && c->in_base > 0 && s->input_bytes - body_at < HTTP_BODY_BUFFER_BYTES) {
        memmove(c->in->bytes, c->in->bytes + c->in_base, c->in_end - c->in_base);
        c->in_end -= c->in_base;
        body_at -= c->in_base;
        c->in_base = 0;
    }
    c->in_pos = body_at;
    links_remove(&c->idle);
    c->state = CONNECTION_EXCHANGE;
    c->requests++;
    s->counters.requests++;
    c->half_closed_deadline_ns = 0;
    x->active = true;
    x->expect_continue = head->expect_continue && has_body;
    x->body_done = !has_body;
    x->body_left = head->content_length;
    x->counted_bytes = 0;
    if (has_body) {
        x->discarded_bytes = 0;
        h1_chunked_done(&x->chunked);
        if (head->chunked) h1_chunked_begin(&x->chunked, s->config.body_bytes_max);
        x->chunked.keeps_trailers = head->chunked;
        rate_fill(&c->body_rate, MS_TO_NS(s->config.body_grace_ms));
    }
    s->handler->on_request(s->context, x);
    return STEP_AGAIN;
}

/* All that was asked has been answered. */
static enum step close_idle(struct http_connection *c)
{
    if (c->socket_broken || connection_pending(c) == 0) return connection_free(c);
    links_remove(&c->idle);
    c->state = CONNECTION_CLOSING;
    return STEP_AGAIN;
}

/* The socket has no more to give while a head is awaited. */
static enum step step_head_ended(struct http_connection *c)
{
    if (c->in && c->in_end > c->in_base && !c->socket_broken)
        return connection_refuse(c, H1_RULE_HEAD_TRUNCATED);
    return close_idle(c);
}

static enum step step_head(struct http_connection *c)
{
    struct http_server *s = c->server;
    /* Answers that wait for the client hold up the requests behind them. */
    if (connection_pending(c) > HTTP_OUT_LOW_BYTES) {
        if (connection_flush(c) == IO_BROKEN) return connection_free(c);
        if (connection_pending(c) > HTTP_OUT_LOW_BYTES) return STEP_WAIT;
    }
    for (;;) {
        if (c->in && c->in_end > c->in_base) {
            enum h1_state st = h1_head_parse(&c->in->head, &s->limits, c->in->bytes + c->in_base,
                                             c->in_end - c->in_base);
            if (st == H1_DONE) return begin_exchange(c);
            if (st == H1_REFUSED) return connection_refuse(c, c->in->head.rule);
            if (c->state == CONNECTION_IDLE) {
                c->state = CONNECTION_HEAD;
                c->state_deadline_ns = server_now_ns(s) + MS_TO_NS(s->config.head_ms);
                links_remove(&c->idle);
            }
        }
        enum io_result r = connection_fill(c);
        bool over = s->draining && c->state == CONNECTION_IDLE && c->requests > 0;
        if (r == IO_BLOCKED && over) return close_idle(c);
        if (r == IO_BLOCKED) return STEP_WAIT;
        if (r == IO_NO_MEMORY) return connection_free(c);
        if (r != IO_DONE) return step_head_ended(c);
    }
}

/* The handler has ended its exchange. */
static enum step step_responded(struct http_connection *c)
{
    struct http_exchange *x = &c->x;
    if (!x->keep) {
        c->state = CONNECTION_CLOSING;
        c->linger = !x->body_done || c->in_pos < c->in_end || c->readable;
        return STEP_AGAIN;
    }
    if (x->body_done) return next_request(c);
    c->state = CONNECTION_DISCARD;
    return STEP_AGAIN;
}

static enum step step_exchange(struct http_connection *c)
{
    struct http_server *s = c->server;
    struct http_exchange *x = &c->x;
    if (!x->active) return step_responded(c);
    if (c->socket_broken) {
        connection_fail(c, HTTP_ABORT_CLIENT, H1_RULE_NONE);
        return STEP_AGAIN;
    }
    if (x->wants_write) {
        if (connection_flush(c) == IO_BROKEN) return STEP_AGAIN;
        if (connection_pending(c) <= HTTP_OUT_LOW_BYTES) {
            x->wants_write = false;
            s->handler->on_writable(s->context, x);
            return STEP_AGAIN;
        }
    }
    if (x->wants_body && c->readable) {
        x->wants_body = false;
        rate_progress(&c->body_rate, server_now_ns(s), 0, 0, MS_TO_NS(s->config.body_grace_ms));
        s->handler->on_body_readable(s->context, x);
        return STEP_AGAIN;
    }
    return STEP_WAIT;
}

enum step connection_stop_discarding(struct http_connection *c)
{
    c->state = CONNECTION_CLOSING;
    c->linger = !c->socket_broken;
    return STEP_AGAIN;
}

/* Reads away what the handler left, so that the next request can be found. */
static enum step step_discard(struct http_connection *c)
{
    struct http_server *s = c->server;
    struct http_exchange *x = &c->x;
    for (;;) {
        size_t size;
        enum body_result r = body_take(c, NULL, SIZE_MAX, &size);
        x->discarded_bytes += size;
        if (r == BODY_REFUSED || x->discarded_bytes > s->config.discard_bytes_max)
            return connection_stop_discarding(c);
        if (x->body_done) return next_request(c);
        if (r == BODY_BYTES) continue;
        uint32_t before = c->in_end - c->in_pos;
        enum io_result io = connection_fill(c);
        if (io == IO_BLOCKED) {
            rate_wait(&c->body_rate, server_now_ns(s));
            return STEP_WAIT;
        }
        if (io != IO_DONE) return connection_stop_discarding(c);
        rate_progress(&c->body_rate, server_now_ns(s), c->in_end - c->in_pos - before,
                      s->body_ns_per_byte, MS_TO_NS(s->config.body_grace_ms));
    }
}

static enum step step_closing(struct http_connection *c)
{
    enum io_result r = connection_flush(c);
    if (r == IO_BLOCKED) return STEP_WAIT;
    if (r != IO_DONE || !c->linger) return connection_free(c);
    if (shutdown(c->watch.fd, SHUT_WR) < 0) return connection_free(c);
    c->state = CONNECTION_LINGER;
    c->state_deadline_ns = server_now_ns(c->server) + MS_TO_NS(c->server->config.linger_ms);
    return STEP_AGAIN;
}

/* Closing while the client still sends would reset the connection, and the client would lose the
 * answer that it has not read yet: RFC 9112 §9.6. */
static enum step step_linger(struct http_connection *c)
{
    uint8_t scratch[8192];
    while (c->linger_bytes <= c->server->config.linger_bytes_max) {
        size_t size;
        enum io_result r = connection_receive(c, scratch, sizeof scratch, &size);
        if (r == IO_BLOCKED) return STEP_WAIT;
        if (r != IO_DONE) break;
        c->linger_bytes += size;
    }
    return connection_free(c);
}

enum step connection_step(struct http_connection *c)
{
    if (c->x.failed) return connection_break(c);
    switch (c->state) {
    case CONNECTION_IDLE:
    case CONNECTION_HEAD: return step_head(c);
    case CONNECTION_EXCHANGE: return step_exchange(c);
    case CONNECTION_DISCARD: return step_discard(c);
    case CONNECTION_CLOSING: return step_closing(c);
    default: return step_linger(c);
    }
}
