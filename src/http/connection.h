/* One connection, from accept to close, and the one exchange that it carries at a time.
 *
 *            first byte        head whole            response ended
 *   IDLE ─────────────▶ HEAD ───────────▶ EXCHANGE ────────────────▶ DISCARD (rest of the body)
 *    ▲ ▲                 │                   │                        │
 *    │ └─────────────────│───────────────────│──── keep alive ────────┤
 *    │                   │ refused           │ refused, broken        │ last response
 *    │                   ▼                   ▼                        ▼
 *   (eviction, idle)   CLOSING (what is left to send) ──▶ LINGER ──▶ gone
 *
 * connection_run() is the only place where states change and where a connection is freed; the loop
 * calls it for descriptors, timers and the deferred task. Calls of the handler only leave marks
 * (x.active, x.failed, wants_…) and defer the task, so no handler is ever entered from a handler.
 *
 * The input block holds the head, at `base`, unmoved as long as the exchange lives, and behind it
 * the bytes that were read ahead:
 *
 *   bytes:  …earlier | head of this request | body read away | [pos … end) unread | room
 *                    base                                      pos          end
 *
 * The output block holds what was not sent, [start, end). While a response may still be given its
 * length, its framing stands open as a gap behind the head; sealing closes the gap:
 *
 *   data:  … | status line and fields | gap (H1_FRAMING_BYTES_MAX) | body so far
 *              head_at                  gap_at                       end
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <netinet/in.h>

#include "h1_chunked.h"
#include "h1_head.h"
#include "http/http.h"
#include "os/loop.h"
#include "rate.h"

enum connection_state {
    CONNECTION_IDLE,
    CONNECTION_HEAD,
    CONNECTION_EXCHANGE,
    CONNECTION_DISCARD,
    CONNECTION_CLOSING,
    CONNECTION_LINGER,
};

enum response_framing {
    RESPONSE_NONE,    /* no head yet */
    RESPONSE_OPEN,    /* the gap is open: length or chunks, who knows */
    RESPONSE_LENGTH,  /* length_left says how much is to come */
    RESPONSE_CHUNKED, /* chunk by chunk */
    RESPONSE_CLOSE,   /* until the connection closes */
    RESPONSE_EMPTY,   /* HEAD, 204, 304: body bytes are counted and dropped */
};

struct http_exchange {
    void *user;
    bool active;  /* the handler has it */
    bool failed;  /* it must end without the handler; `reason`, `rule` */
    bool keep;    /* the connection goes on behind this response */
    bool flushed; /* bytes of the response may have left */
    bool wants_body;
    bool wants_write;
    bool finished; /* the response is whole */
    bool body_done;
    bool expect_continue; /* 100 is still owed */
    enum http_abort reason;
    enum h1_rule rule;

    uint64_t body_left; /* with Content-Length */
    uint64_t discarded_bytes;
    struct h1_chunked chunked;

    enum response_framing framing;
    int status;
    bool gap_open;
    bool chunk_open;
    uint32_t head_at;
    uint32_t gap_at;
    uint32_t chunk_at; /* of the open chunk's header */
    uint64_t length_left;
    uint64_t counted_bytes; /* of a body that is not sent */
};

struct input_block {
    struct input_block *next_free;
    struct h1_head head;
    uint8_t bytes[];
};

struct output_block {
    struct output_block *next_free;
    uint8_t bytes[HTTP_OUT_BUFFER_BYTES];
};

struct connection_links {
    struct connection_links *next;
    struct connection_links *previous;
};

struct http_connection {
    struct http_server *server;
    struct loop_watch watch;
    struct loop_timer timer; /* armed at or before the next deadline; moved only when it must */
    struct loop_task task;
    struct connection_links all;
    struct connection_links idle; /* in the server's list while it may be evicted */
    struct connection_links held; /* in the server's list while bytes wait for the turn's end */

    enum connection_state state;
    bool readable;    /* the socket may have bytes, or its end */
    bool writable;    /* the socket may have room */
    bool half_closed; /* the client sends no more */
    bool socket_broken;
    bool linger;  /* when all is sent, read away what the client still sends */
    bool running; /* inside connection_run() */
    uint32_t requests;

    struct input_block *in;
    uint32_t in_base;
    uint32_t in_pos;
    uint32_t in_end;
    struct output_block *out;
    uint32_t out_start;
    uint32_t out_end;

    uint64_t state_deadline_ns; /* IDLE, HEAD, LINGER */
    uint64_t half_closed_deadline_ns;
    uint64_t linger_bytes;
    struct rate body_rate;
    struct rate write_rate;

    struct http_exchange x;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
    uint16_t peer_port;
    char peer_text[HTTP_PEER_TEXT_MAX]; /* empty: nobody has asked yet */
};

/* ---- connection.c ---- */

/* Takes the descriptor in every case. */
NODISCARD enum status connection_open(struct http_server *s, int fd, const struct sockaddr *peer,
                                      struct error *err);

/* Ends an active exchange with `reason`, then closes and frees. */
void connection_kill(struct http_connection *c, enum http_abort reason);

/* The server drains: an idle connection looks for a last request, then closes; one that has had
 * none may be that of a client that connected just now, whose request is on its way. */
void connection_drain(struct http_connection *c);

/* Does all that can be done now; the connection may be gone afterwards. */
void connection_run(struct http_connection *c);

/* Sends what was held back in this turn. Connections may be gone afterwards. */
void connection_release_held(struct http_server *s);

/* Marks the exchange as failed, to be broken on the way back in the loop. With a rule the client is
 * told, if nothing of a response has left yet. */
void connection_fail(struct http_connection *c, enum http_abort reason, enum h1_rule rule);

/* A handler's call has left something to do. */
void connection_nudge(struct http_connection *c);

/* Starts the timer if the next deadline is before what it is set to. */
void connection_arm(struct http_connection *c);

struct http_connection *connection_of(const struct http_exchange *x);

/* ---- connection_io.c ---- */

enum io_result { IO_DONE, IO_BLOCKED, IO_END, IO_BROKEN, IO_NO_MEMORY };

/* Reads into the input block behind in_end. IO_BLOCKED without a call when nothing can be there. */
enum io_result connection_fill(struct http_connection *c);

/* Reads into the handler's memory. */
enum io_result connection_receive(struct http_connection *c, void *bytes, size_t capacity,
                                  size_t *size);

/* Sends what there is, after sealing an open response. IO_DONE: all of it. */
enum io_result connection_flush(struct http_connection *c);

/* Makes sure that there is an output block with room for `size` more bytes. */
bool connection_reserve(struct http_connection *c, size_t size);
void connection_append(struct http_connection *c, const void *bytes, size_t size);

static inline uint32_t connection_pending(const struct http_connection *c)
{
    return c->out_end - c->out_start;
}

/* Gives blocks back that hold nothing. */
void connection_release_input(struct http_connection *c);
void connection_release_output(struct http_connection *c);

/* ---- body.c ---- */

enum body_result { BODY_BYTES, BODY_END, BODY_EMPTY, BODY_REFUSED };

/* Moves body bytes from the input block to `out` (NULL: nowhere). BODY_EMPTY: more input is needed.
 * BODY_REFUSED: c->x.chunked.rule. */
enum body_result body_take(struct http_connection *c, uint8_t *out, size_t capacity, size_t *size);

/* ---- respond.c ---- */

/* Closes the framing of what stands in the output block so that it can leave. */
void response_seal(struct http_connection *c);

/* Appends the one answer of a refusal, which closes the connection. */
void response_refuse(struct http_connection *c, enum h1_rule rule);

#endif
