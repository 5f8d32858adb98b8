/* A request's body: out of the input block, and the calls with which a handler asks for it. */
#include <assert.h>
#include <string.h>

#include "server.h"

/* From this size a read goes straight into the handler's memory. */
#define DIRECT_BYTES_MIN 4096

enum body_result body_take(struct http_connection *c, uint8_t *out, size_t capacity, size_t *size)
{
    struct http_exchange *x = &c->x;
    *size = 0;
    if (x->body_done) return BODY_END;
    const uint8_t *unread = c->in->bytes + c->in_pos;
    size_t there = c->in_end - c->in_pos;
    if (!c->in->head.chunked) {
        size_t take = there < capacity ? there : capacity;
        if (take > x->body_left) take = (size_t)x->body_left;
        if (take == 0) return BODY_EMPTY;
        if (out) memcpy(out, unread, take);
        c->in_pos += (uint32_t)take;
        x->body_left -= take;
        x->body_done = x->body_left == 0;
        *size = take;
        return BODY_BYTES;
    }
    size_t consumed;
    enum h1_chunked_state st =
        h1_chunked_decode(&x->chunked, unread, there, &consumed, out, capacity, size);
    c->in_pos += (uint32_t)consumed;
    x->body_done = st == H1_CHUNKED_DONE;
    if (*size > 0) return BODY_BYTES;
    if (st == H1_CHUNKED_REFUSED) return BODY_REFUSED;
    return x->body_done ? BODY_END : BODY_EMPTY;
}

static void body_progress(struct http_connection *c, size_t bytes)
{
    struct http_server *s = c->server;
    rate_progress(&c->body_rate, server_now_ns(s), bytes, s->body_ns_per_byte,
                  MS_TO_NS(s->config.body_grace_ms));
}

static bool is_direct(const struct http_connection *c, size_t capacity)
{
    return !c->in->head.chunked && capacity >= DIRECT_BYTES_MIN;
}

/* More of the body off the socket: into the handler's memory when that is worth it (*size > 0),
 * else into the input block. */
static enum io_result body_pull(struct http_connection *c, void *bytes, size_t capacity,
                                size_t *size)
{
    *size = 0;
    struct http_exchange *x = &c->x;
    if (!is_direct(c, capacity)) {
        uint32_t before = c->in_end - c->in_pos;
        enum io_result r = connection_fill(c);
        if (r == IO_DONE) body_progress(c, c->in_end - c->in_pos - before);
        return r;
    }
    if (capacity > x->body_left) capacity = (size_t)x->body_left;
    enum io_result r = connection_receive(c, bytes, capacity, size);
    if (r != IO_DONE) return r;
    body_progress(c, *size);
    x->body_left -= *size;
    x->body_done = x->body_left == 0;
    return IO_DONE;
}

/* RFC 9110 §10.1.1: the client may be waiting for this before it sends anything. */
static bool send_continue(struct http_connection *c)
{
    static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!c->x.expect_continue) return true;
    c->x.expect_continue = false;
    if (c->x.framing != RESPONSE_NONE) return true;
    if (!connection_reserve(c, sizeof answer - 1)) return false;
    connection_append(c, answer, sizeof answer - 1);
    return connection_flush(c) != IO_BROKEN;
}

static enum status body_failed(struct http_connection *c, enum io_result r)
{
    if (r == IO_END) {
        connection_fail(c, HTTP_ABORT_CLIENT, H1_RULE_BODY_TRUNCATED);
    } else {
        connection_fail(c, r == IO_NO_MEMORY ? HTTP_ABORT_MEMORY : HTTP_ABORT_CLIENT, H1_RULE_NONE);
    }
    return ST_CLOSED;
}

bool http_exchange_reads_directly(const struct http_exchange *x, size_t capacity)
{
    const struct http_connection *c = connection_of(x);
    bool from_socket = !x->failed && !x->body_done && c->in_end == c->in_pos && c->readable;
    return from_socket && is_direct(c, capacity);
}

enum status http_exchange_read(struct http_exchange *x, void *bytes, size_t capacity, size_t *size)
{
    assert(x->active && bytes && capacity > 0 && size);
    struct http_connection *c = connection_of(x);
    *size = 0;
    while (!x->failed) {
        switch (body_take(c, bytes, capacity, size)) {
        case BODY_BYTES:
        case BODY_END: return ST_OK;
        case BODY_REFUSED:
            connection_fail(c, HTTP_ABORT_REQUEST, x->chunked.rule);
            return ST_CLOSED;
        case BODY_EMPTY: break;
        }
        enum io_result r = body_pull(c, bytes, capacity, size);
        if (r == IO_DONE && *size > 0) return ST_OK;
        if (r == IO_DONE) continue;
        if (r != IO_BLOCKED) return body_failed(c, r);
        if (!send_continue(c)) return body_failed(c, IO_BROKEN);
        x->wants_body = true;
        rate_wait(&c->body_rate, server_now_ns(c->server));
        connection_arm(c);
        return ST_WOULD_BLOCK;
    }
    return ST_CLOSED;
}

enum status http_exchange_limit_body(struct http_exchange *x, uint64_t bytes_max)
{
    struct http_connection *c = connection_of(x);
    if (c->in->head.content_length > bytes_max) return ST_LIMIT;
    if (c->in->head.chunked && x->chunked.body_left > bytes_max) x->chunked.body_left = bytes_max;
    return ST_OK;
}

size_t http_request_trailer_count(const struct http_exchange *x)
{
    const struct http_connection *c = connection_of(x);
    return c->in->head.chunked && x->body_done && x->chunked.trailers ? x->chunked.trailer_fields
                                                                      : 0;
}

struct http_field http_request_trailer(const struct http_exchange *x, size_t index)
{
    struct http_field ret = {{"", 0}, {"", 0}};
    bool found = h1_chunked_trailer(&x->chunked, index, &ret);
    assert(found);
    (void)found;
    return ret;
}
