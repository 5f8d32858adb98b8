/* Responses: framing, and the calls with which a handler answers. */
#include <assert.h>
#include <string.h>

#include "server.h"
#include "text.h"

/* Behind body bytes there is always room for this: CRLF of a chunk, and the last chunk. */
#define TAIL_BYTES_MAX (2 + H1_LAST_CHUNK_BYTES)

/* A response begins only when this much is free; the gate is in connection.c. */
#define HEAD_ROOM_BYTES (HTTP_RESPONSE_HEAD_BYTES_MAX + H1_FRAMING_BYTES_MAX + TAIL_BYTES_MAX)

_Static_assert(HTTP_OUT_BUFFER_BYTES - HTTP_OUT_LOW_BYTES - 512 >= HEAD_ROOM_BYTES,
               "a response's head fits behind the low-water mark");
_Static_assert(HTTP_OUT_BUFFER_BYTES - 1 <= H1_CHUNK_DATA_MAX,
               "a chunk of one output block has four digits");

/* Whether the connection can go on behind this response. Asked as late as possible: when the
 * framing is written. */
static bool response_keeps(const struct http_connection *c)
{
    const struct http_server *s = c->server;
    const struct http_exchange *x = &c->x;
    if (s->draining || !c->in->head.keep_alive) return false;
    if (c->requests >= s->config.requests_max) return false;
    if (x->body_done) return true;
    uint32_t there = c->in_end - c->in_pos;
    /* The client may send the body or not, now that it has an answer: RFC 9110 §10.1.1. */
    if (x->expect_continue && there == 0) return false;
    return c->in->head.chunked || x->body_left <= s->config.discard_bytes_max;
}

static size_t framing_write(struct http_connection *c, enum h1_framing_kind kind, uint64_t length)
{
    struct http_exchange *x = &c->x;
    x->keep = x->framing != RESPONSE_CLOSE && response_keeps(c);
    x->gap_open = false;
    enum h1_persist persist = H1_PERSIST_DEFAULT;
    if (!x->keep) {
        persist = H1_PERSIST_CLOSE;
    } else if (c->in->head.version_minor == 0) {
        persist = H1_PERSIST_KEEP_ALIVE;
    }
    return h1_framing_render(c->out->bytes + x->gap_at, kind, length, persist);
}

/* Joins the head, whose gap holds `filled` bytes now, and the body behind the gap, by moving the
 * smaller one; the head can move only when it is first in the block. */
static void gap_close(struct http_connection *c, size_t filled)
{
    struct http_exchange *x = &c->x;
    uint8_t *data = c->out->bytes;
    size_t slack = H1_FRAMING_BYTES_MAX - filled;
    size_t head_size = x->gap_at + filled - x->head_at;
    size_t body_at = x->gap_at + H1_FRAMING_BYTES_MAX;
    size_t body_size = c->out_end - body_at;
    if (x->head_at == c->out_start && head_size < body_size) {
        memmove(data + x->head_at + slack, data + x->head_at, head_size);
        c->out_start += (uint32_t)slack;
        x->head_at = c->out_start;
    } else {
        memmove(data + body_at - slack, data + body_at, body_size);
        c->out_end -= (uint32_t)slack;
    }
}

/* The response leaves before its end, so its length is not known: chunks, or until close. */
static void seal_open(struct http_connection *c)
{
    struct http_exchange *x = &c->x;
    size_t body_size = c->out_end - (x->gap_at + H1_FRAMING_BYTES_MAX);
    if (c->in->head.version_minor == 0) {
        x->framing = RESPONSE_CLOSE;
        gap_close(c, framing_write(c, H1_FRAMING_NONE, 0));
        return;
    }
    x->framing = RESPONSE_CHUNKED;
    size_t filled = framing_write(c, H1_FRAMING_CHUNKED, 0);
    if (body_size > 0) {
        h1_chunk_head_render(c->out->bytes + x->gap_at + filled, body_size);
        filled += H1_CHUNK_HEAD_BYTES;
    }
    gap_close(c, filled);
    if (body_size > 0) connection_append(c, "\r\n", 2);
}

void response_seal(struct http_connection *c)
{
    struct http_exchange *x = &c->x;
    if (x->gap_open) {
        if (x->framing == RESPONSE_EMPTY) {
            gap_close(c, framing_write(c, H1_FRAMING_NONE, 0));
        } else {
            seal_open(c);
        }
    } else if (x->chunk_open) {
        h1_chunk_head_render(c->out->bytes + x->chunk_at,
                             c->out_end - x->chunk_at - H1_CHUNK_HEAD_BYTES);
        x->chunk_open = false;
        connection_append(c, "\r\n", 2);
    }
}

/* ---- the head ---- */

static void head_frame(struct http_connection *c, const struct h1_response_facts *facts)
{
    struct http_exchange *x = &c->x;
    x->gap_open = true;
    c->out_end += H1_FRAMING_BYTES_MAX;
    bool without_content = x->status == 204 || x->status == 304 || x->status == 205;
    if (c->in->head.is_head || without_content) {
        x->framing = RESPONSE_EMPTY;
        if (x->status == 205) {
            gap_close(c, framing_write(c, H1_FRAMING_LENGTH, 0));
        } else if (facts->has_length && x->status != 204) {
            gap_close(c, framing_write(c, H1_FRAMING_LENGTH, facts->length));
        }
    } else if (facts->has_length) {
        x->framing = RESPONSE_LENGTH;
        x->length_left = facts->length;
        gap_close(c, framing_write(c, H1_FRAMING_LENGTH, facts->length));
    } else {
        x->framing = RESPONSE_OPEN;
    }
}

enum status http_respond_head(struct http_exchange *x, int status, const struct http_field *fields,
                              size_t count, struct error *err)
{
    assert(x->active);
    struct http_connection *c = connection_of(x);
    if (x->failed) return error_set(err, ST_CLOSED, "the exchange is broken");
    if (x->framing != RESPONSE_NONE) return error_set(err, ST_USAGE, "a response has begun");
    if (!connection_reserve(c, HEAD_ROOM_BYTES)) {
        connection_fail(c, HTTP_ABORT_MEMORY, H1_RULE_NONE);
        return error_set(err, ST_CLOSED, "no memory for a response");
    }
    struct h1_response_extras extras = {server_date_line(c->server), c->server->config.server_name};
    struct h1_response_facts facts;
    size_t size;
    enum status st = h1_response_render(c->out->bytes + c->out_end, &size, status, fields, count,
                                        &extras, &facts, err);
    if (st) return st;
    x->status = status;
    x->flushed = false;
    x->head_at = c->out_end;
    c->out_end += (uint32_t)size;
    x->gap_at = c->out_end;
    head_frame(c, &facts);
    connection_nudge(c);
    return ST_OK;
}

bool http_exchange_responded(const struct http_exchange *x)
{
    return x->framing != RESPONSE_NONE;
}

uint64_t http_respond_missing(const struct http_exchange *x)
{
    return x->framing == RESPONSE_LENGTH ? x->length_left : 0;
}

static void take_back(struct http_connection *c)
{
    struct http_exchange *x = &c->x;
    if (x->framing != RESPONSE_NONE) c->out_end = x->head_at; /* none of it has left */
    x->framing = RESPONSE_NONE;
    x->gap_open = false;
    x->chunk_open = false;
}

bool http_respond_retract(struct http_exchange *x)
{
    assert(x->active);
    bool own_fault = x->failed && x->reason == HTTP_ABORT_RESPONSE;
    if (x->flushed || x->finished || (x->failed && !own_fault)) return false;
    take_back(connection_of(x));
    x->failed = false;
    x->wants_write = false;
    x->counted_bytes = 0;
    return true;
}

/* ---- the body ---- */

/* Copies what fits behind what is there; opens a chunk when one is needed. */
static size_t body_copy(struct http_connection *c, const uint8_t *bytes, size_t size)
{
    struct http_exchange *x = &c->x;
    size_t overhead = TAIL_BYTES_MAX;
    bool new_chunk = x->framing == RESPONSE_CHUNKED && !x->chunk_open;
    if (new_chunk) overhead += H1_CHUNK_HEAD_BYTES;
    if (!connection_reserve(c, overhead + 1)) return 0;
    size_t room = HTTP_OUT_BUFFER_BYTES - c->out_end - overhead;
    size_t take = size < room ? size : room;
    if (new_chunk) {
        x->chunk_open = true;
        x->chunk_at = c->out_end;
        c->out_end += H1_CHUNK_HEAD_BYTES;
    }
    connection_append(c, bytes, take);
    return take;
}

enum status http_respond_body(struct http_exchange *x, const void *bytes, size_t size,
                              size_t *taken)
{
    assert(x->active && x->framing != RESPONSE_NONE && !x->finished);
    assert(taken && (bytes || size == 0));
    struct http_connection *c = connection_of(x);
    *taken = 0;
    if (x->failed) return ST_CLOSED;
    if (x->framing == RESPONSE_EMPTY) {
        x->counted_bytes += size;
        *taken = size;
        return ST_OK;
    }
    if (x->framing == RESPONSE_LENGTH && size > x->length_left) {
        connection_fail(c, HTTP_ABORT_RESPONSE, H1_RULE_NONE);
        return ST_INVALID;
    }
    while (*taken < size) {
        size_t copied = body_copy(c, (const uint8_t *)bytes + *taken, size - *taken);
        *taken += copied;
        if (*taken == size) break;
        if (!c->out) {
            connection_fail(c, HTTP_ABORT_MEMORY, H1_RULE_NONE);
            return ST_CLOSED;
        }
        if (connection_flush(c) == IO_BROKEN) {
            connection_fail(c, HTTP_ABORT_CLIENT, H1_RULE_NONE);
            return ST_CLOSED;
        }
        if (connection_pending(c) > HTTP_OUT_LOW_BYTES) {
            x->wants_write = true;
            break;
        }
    }
    if (x->framing == RESPONSE_LENGTH) x->length_left -= *taken;
    connection_nudge(c);
    return ST_OK;
}

/* ---- the end ---- */

static void end_open(struct http_connection *c)
{
    struct http_exchange *x = &c->x;
    uint64_t length = c->out_end - (x->gap_at + H1_FRAMING_BYTES_MAX);
    x->framing = RESPONSE_LENGTH;
    gap_close(c, framing_write(c, H1_FRAMING_LENGTH, length));
}

/* To HEAD the length that GET would have had, if the handler showed it by writing a body. */
static void end_empty(struct http_connection *c)
{
    struct http_exchange *x = &c->x;
    bool known =
        c->in->head.is_head && x->counted_bytes > 0 && x->status != 204 && x->status != 304;
    gap_close(c, framing_write(c, known ? H1_FRAMING_LENGTH : H1_FRAMING_NONE, x->counted_bytes));
}

/* RFC 9110 §6.5.1: what frames, routes or authenticates a message means nothing behind it. */
static bool trailer_is_sent(const struct http_field *f)
{
    return !h1_trailer_forbidden(f->name.data, f->name.size) && f->name.size > 0 &&
           text_all((const uint8_t *)f->name.data, f->name.size, TEXT_TOKEN) &&
           text_find_control((const uint8_t *)f->value.data, f->value.size) == f->value.size;
}

static enum status end_chunked(struct http_connection *c, const struct http_field *trailers,
                               size_t count)
{
    size_t size = H1_LAST_CHUNK_BYTES;
    for (size_t i = 0; i < count; i++) size += trailers[i].name.size + trailers[i].value.size + 4;
    if (size > HTTP_TRAILER_BYTES_MAX) return ST_LIMIT;
    response_seal(c);
    if (!connection_reserve(c, size)) {
        connection_fail(c, HTTP_ABORT_MEMORY, H1_RULE_NONE);
        return ST_CLOSED;
    }
    connection_append(c, "0\r\n", 3);
    for (size_t i = 0; i < count; i++) {
        if (!trailer_is_sent(&trailers[i])) continue;
        connection_append(c, trailers[i].name.data, trailers[i].name.size);
        connection_append(c, ": ", 2);
        connection_append(c, trailers[i].value.data, trailers[i].value.size);
        connection_append(c, "\r\n", 2);
    }
    connection_append(c, "\r\n", 2);
    return ST_OK;
}

enum status http_respond_finish(struct http_exchange *x, const struct http_field *trailers,
                                size_t count)
{
    assert(x->active && !x->finished);
    struct http_connection *c = connection_of(x);
    if (x->failed) return ST_CLOSED;
    if (x->framing == RESPONSE_NONE || (x->framing == RESPONSE_LENGTH && x->length_left > 0))
        return ST_INVALID;
    if (count && x->gap_open && x->framing == RESPONSE_OPEN) seal_open(c);
    enum status st = ST_OK;
    if (x->gap_open) {
        if (x->framing == RESPONSE_EMPTY) {
            end_empty(c);
        } else {
            end_open(c);
        }
    } else if (x->framing == RESPONSE_CHUNKED) {
        st = end_chunked(c, trailers, count);
    }
    x->finished = st == ST_OK;
    connection_nudge(c);
    return st;
}

enum status http_respond_end(struct http_exchange *x)
{
    assert(x->active);
    struct http_connection *c = connection_of(x);
    enum status st = x->failed ? ST_CLOSED : ST_OK;
    if (!st && !x->finished) st = http_respond_finish(x, NULL, 0);
    x->active = false;
    connection_nudge(c);
    if (st == ST_INVALID) connection_fail(c, HTTP_ABORT_RESPONSE, H1_RULE_NONE);
    return st;
}

enum status http_respond_text(struct http_exchange *x, int status, const char *text)
{
    static const struct http_field field = {{"Content-Type", 12},
                                            {"text/plain; charset=utf-8", 25}};
    enum status st = http_respond_head(x, status, &field, 1, NULL);
    size_t taken = 0;
    if (st == ST_OK) st = http_respond_body(x, text, strlen(text), &taken);
    if (st == ST_OK && taken == strlen(text)) return http_respond_end(x);
    http_exchange_abort(x);
    return st ? st : ST_LIMIT;
}

void http_exchange_abort(struct http_exchange *x)
{
    assert(x->active);
    struct http_connection *c = connection_of(x);
    x->active = false;
    if (!x->failed) connection_fail(c, HTTP_ABORT_RESPONSE, H1_RULE_NONE);
}

void response_refuse(struct http_connection *c, enum h1_rule rule)
{
    struct http_server *s = c->server;
    take_back(c);
    if (!connection_reserve(c, HEAD_ROOM_BYTES)) return; /* then it is only closed */
    static const struct http_field field = {{"Content-Type", 12},
                                            {"text/plain; charset=utf-8", 25}};
    struct h1_response_extras extras = {server_date_line(s), s->config.server_name};
    struct h1_response_facts facts;
    size_t size;
    if (h1_response_render(c->out->bytes + c->out_end, &size, h1_rule_status(rule), &field, 1,
                           &extras, &facts, NULL))
        return;
    c->out_end += (uint32_t)size;
    const char *parts[] = {h1_rule_name(rule), ": ", h1_rule_text(rule), " (denied)\n"};
    size_t length = 0;
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) length += strlen(parts[i]);
    c->out_end += (uint32_t)h1_framing_render(c->out->bytes + c->out_end, H1_FRAMING_LENGTH, length,
                                              H1_PERSIST_CLOSE);
    if (c->in && c->in->head.is_head) return;
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        connection_append(c, parts[i], strlen(parts[i]));
}
