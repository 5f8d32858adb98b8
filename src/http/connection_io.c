/* Bytes between the socket and the blocks of a connection. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server.h"

/* ---- blocks ---- */

static bool take_input(struct http_connection *c)
{
    struct http_server *s = c->server;
    struct input_block *b = s->free_input;
    if (b) {
        s->free_input = b->next_free;
        s->free_input_count--;
    } else {
        b = malloc(sizeof *b + s->input_bytes);
        if (!b) return false;
    }
    h1_head_begin(&b->head);
    c->in = b;
    c->in_base = c->in_pos = c->in_end = 0;
    return true;
}

void connection_release_input(struct http_connection *c)
{
    struct http_server *s = c->server;
    if (!c->in) return;
    if (s->free_input_count < HTTP_BUFFERS_KEPT_MAX) {
        c->in->next_free = s->free_input;
        s->free_input = c->in;
        s->free_input_count++;
    } else {
        free(c->in);
    }
    c->in = NULL;
    c->in_base = c->in_pos = c->in_end = 0;
}

static bool take_output(struct http_connection *c)
{
    struct http_server *s = c->server;
    struct output_block *b = s->free_output;
    if (b) {
        s->free_output = b->next_free;
        s->free_output_count--;
    } else {
        b = malloc(sizeof *b);
        if (!b) return false;
    }
    c->out = b;
    c->out_start = c->out_end = 0;
    return true;
}

void connection_release_output(struct http_connection *c)
{
    struct http_server *s = c->server;
    if (!c->out) return;
    if (s->free_output_count < HTTP_BUFFERS_KEPT_MAX) {
        c->out->next_free = s->free_output;
        s->free_output = c->out;
        s->free_output_count++;
    } else {
        free(c->out);
    }
    c->out = NULL;
    c->out_start = c->out_end = 0;
}

/* ---- in ---- */

/* recv() and send() without the C library's points of cancellation, each of which costs 20 ns in a
 * process of several threads. */
static ssize_t receive(int fd, void *bytes, size_t size)
{
    return syscall(SYS_recvfrom, fd, bytes, size, 0, NULL, NULL);
}

static ssize_t transmit(int fd, const void *bytes, size_t size)
{
    return syscall(SYS_sendto, fd, bytes, size, MSG_NOSIGNAL, NULL, 0);
}

enum io_result connection_receive(struct http_connection *c, void *bytes, size_t capacity,
                                  size_t *size)
{
    assert(capacity > 0);
    if (!c->readable) return IO_BLOCKED;
    ssize_t got;
    do {
        got = receive(c->watch.fd, bytes, capacity);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        /* A short read has emptied the socket, and what comes later is reported anew; but an end
         * that was reported already is not, so then the next read must see it. */
        if ((size_t)got < capacity && !c->half_closed) c->readable = false;
        *size = (size_t)got;
        return IO_DONE;
    }
    if (got == 0) return IO_END;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
        c->socket_broken = true;
        return IO_BROKEN;
    }
    c->readable = false;
    return IO_BLOCKED;
}

/* Moves the unread bytes down when little room is left behind them. The head of a live exchange
 * stays where it is. */
static void input_compact(struct http_connection *c)
{
    bool head_lives = c->state == CONNECTION_EXCHANGE || c->state == CONNECTION_DISCARD;
    uint32_t from = head_lives ? c->in_pos : c->in_base;
    uint32_t to = head_lives ? c->in_base + c->in->head.line_start : 0;
    if (from == to ||
        (from < c->in_end && c->server->input_bytes - c->in_end >= HTTP_BODY_BUFFER_BYTES / 2))
        return;
    memmove(c->in->bytes + to, c->in->bytes + from, c->in_end - from);
    c->in_end -= from - to;
    if (!head_lives) c->in_base = 0;
    c->in_pos = to;
}

enum io_result connection_fill(struct http_connection *c)
{
    if (!c->readable) return IO_BLOCKED;
    if (!c->in && !take_input(c)) return IO_NO_MEMORY;
    input_compact(c);
    uint32_t room = c->server->input_bytes - c->in_end;
    assert(room > 0);
    size_t size;
    enum io_result r = connection_receive(c, c->in->bytes + c->in_end, room, &size);
    if (r == IO_DONE) c->in_end += (uint32_t)size;
    return r;
}

/* ---- out ---- */

bool connection_reserve(struct http_connection *c, size_t size)
{
    if (!c->out && !take_output(c)) return false;
    if (HTTP_OUT_BUFFER_BYTES - c->out_end >= size) return true;
    /* Offsets into an open response would move along; it is sealed by then, or none has begun. */
    if (c->out_start == 0 || c->x.gap_open || c->x.chunk_open) return false;
    if (c->x.framing != RESPONSE_NONE && !c->x.flushed) c->x.head_at -= c->out_start;
    memmove(c->out->bytes, c->out->bytes + c->out_start, connection_pending(c));
    c->out_end -= c->out_start;
    c->out_start = 0;
    return HTTP_OUT_BUFFER_BYTES - c->out_end >= size;
}

void connection_append(struct http_connection *c, const void *bytes, size_t size)
{
    assert(c->out && size <= HTTP_OUT_BUFFER_BYTES - c->out_end);
    memcpy(c->out->bytes + c->out_end, bytes, size);
    c->out_end += (uint32_t)size;
}

static void note_sent(struct http_connection *c, size_t size)
{
    struct http_server *s = c->server;
    c->out_start += (uint32_t)size;
    if (c->x.framing != RESPONSE_NONE) c->x.flushed = true;
    if (c->write_rate.waiting)
        rate_progress(&c->write_rate, server_now_ns(s), size, s->write_ns_per_byte,
                      MS_TO_NS(s->config.write_grace_ms));
}

enum io_result connection_flush(struct http_connection *c)
{
    if (connection_pending(c) == 0) return IO_DONE;
    response_seal(c);
    while (connection_pending(c) > 0) {
        if (c->socket_broken) return IO_BROKEN;
        ssize_t sent = -1;
        if (c->writable) {
            do {
                sent = transmit(c->watch.fd, c->out->bytes + c->out_start, connection_pending(c));
            } while (sent < 0 && errno == EINTR);
            if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
                c->socket_broken = true;
                return IO_BROKEN;
            }
        }
        if (sent < 0) {
            c->writable = false;
            rate_wait(&c->write_rate, server_now_ns(c->server));
            return IO_BLOCKED;
        }
        note_sent(c, (size_t)sent);
    }
    c->out_start = c->out_end = 0;
    return IO_DONE;
}
