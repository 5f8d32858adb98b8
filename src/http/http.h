/* The HTTP/1.1 server: listens, parses, answers, closes.
 *
 * It turns bytes of connections into exchanges (one request and its response) and hands each to a
 * handler. It knows nothing of what answers. The codec is strict: what two parsers could read in
 * two ways is refused with one 4xx or 5xx that names the rule, and the connection is closed (RFC
 * 9112 §2.2, §6.3, §11.2). Whoever answers is checked as well: a handler cannot split or
 * desynchronise a connection, whatever it passes.
 *
 * Threads: a server belongs to one loop, on whose thread every call here is made and every callback
 * runs. No callback runs inside a call to a function of this header except http_server_free() (it
 * calls on_abort), so a handler may make calls from a fiber that its callbacks would end.
 *
 * Ownership: the server owns connections and exchanges. An exchange lives from on_request until the
 * handler ends it (http_respond_end, http_respond_text or http_exchange_abort) or on_abort returns;
 * exactly one of the two happens. After that the pointer must not be used, and no callback is
 * called for it. Slices of the request stay valid, unmoved, for the same time.
 *
 * Backpressure: a request's body is read from the socket only as the handler asks for it, and a
 * response is taken only as far as its buffer has room. What a handler writes in one turn of the
 * loop leaves in one system call. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "base/error.h"

struct loop; /* os/loop.h */
struct http_server;
struct http_exchange;

/* Bytes that belong to someone else; `data` need not end in NUL and is never NULL. */
struct http_slice {
    const char *data;
    size_t size;
};

struct http_field {
    struct http_slice name;
    struct http_slice value;
};

/* ---- limits ---- */

/* Fixed: these size static tables and buffers. */
#define HTTP_FIELDS_HARD_MAX         256
#define HTTP_HEAD_BYTES_HARD_MAX     65535
#define HTTP_METHOD_BYTES_MAX        32
#define HTTP_LEADING_CRLF_MAX        1    /* empty lines before a request line, RFC 9112 §2.2 */
#define HTTP_CHUNK_DIGITS_MAX        16   /* hex digits of a chunk size */
#define HTTP_CHUNK_EXTENSION_MAX     256  /* bytes of one chunk's extensions */
#define HTTP_CHUNK_EXTENSIONS_MAX    4096 /* bytes of all extensions of a message */
#define HTTP_TRAILER_BYTES_MAX       4096
#define HTTP_TRAILER_FIELDS_MAX      32
#define HTTP_BODY_BUFFER_BYTES       16384 /* of a request's body, held for a handler */
#define HTTP_OUT_BUFFER_BYTES        65536 /* of responses, held for a socket */
#define HTTP_OUT_LOW_BYTES           16384 /* on_writable when no more than this is left */
#define HTTP_RESPONSE_HEAD_BYTES_MAX 32768
#define HTTP_RESPONSE_FIELDS_MAX     256
#define HTTP_REQUESTS_PER_TURN_MAX   32 /* of one connection, before others have their turn */
#define HTTP_ACCEPTS_PER_TURN_MAX    64
#define HTTP_HOLD_NS                 500000 /* an answer waits so long for others of its turn */
#define HTTP_DRAIN_DOOR_MS           50     /* while draining, for handshakes that have begun */
#define HTTP_DRAIN_FIRST_MS          250    /* while draining, of a connection without a request */
#define HTTP_LISTENERS_MAX           16
#define HTTP_BACKLOG_DEFAULT         1024 /* connections of a socket that nobody has accepted yet */
#define HTTP_BUFFERS_KEPT_MAX        64   /* free buffers of each kind that are kept */
#define HTTP_PEER_TEXT_MAX           64

struct http_config {
    /* sizes */
    uint32_t head_bytes_max;    /* request line and fields; then 431 */
    uint32_t target_bytes_max;  /* then 414 */
    uint32_t fields_max;        /* then 431 */
    uint64_t body_bytes_max;    /* then 413 */
    uint64_t discard_bytes_max; /* unread body read away to keep a connection; then it is closed */
    uint64_t linger_bytes_max;  /* read away after a last response, so that it is not reset */
    uint32_t connections_max;   /* then the longest idle one goes, or new ones wait */
    uint32_t requests_max;      /* on one connection; then it is closed */
    /* waits, in ms */
    uint32_t first_byte_ms;  /* from accept to the first byte; then closed */
    uint32_t head_ms;        /* from a head's first byte to its end; then 408 */
    uint32_t body_grace_ms;  /* a body may fall this far behind body_rate; then 408 */
    uint32_t write_grace_ms; /* a reader may fall this far behind write_rate; then closed */
    uint32_t idle_ms;        /* between two requests; then closed */
    uint32_t linger_ms;
    uint32_t half_close_ms; /* how long a request goes on whose client has closed its side */
    /* rates, in bytes a second, counted only while the server waits for the client */
    uint32_t body_rate;
    uint32_t write_rate;
    const char *server_name; /* value of the Server field, or NULL for none; outlives the server */
};

/* head 16 KiB, target 8 KiB, 100 fields, body 4 GiB, discard 64 KiB, linger 1 MiB, 10,000
 * connections, 1,000,000 requests each; first byte 10 s, head 10 s, body 20 s behind 500 B/s, write
 * 30 s behind 500 B/s, idle 60 s, linger 2 s, half close 1 s; no Server field. */
void http_config_init(struct http_config *c);

/* ---- the handler ---- */

enum http_abort {
    HTTP_ABORT_CLIENT,   /* the client is gone, or stopped sending or reading */
    HTTP_ABORT_REQUEST,  /* its body broke the rules, was too large or too slow; it is told */
    HTTP_ABORT_RESPONSE, /* what the handler sent contradicts its own head */
    HTTP_ABORT_SHUTDOWN, /* the server ends */
    HTTP_ABORT_MEMORY,
};

/* The reason in lower case with hyphens. Static storage. */
const char *http_abort_name(enum http_abort reason);

/* `context` is the server's, from http_server_new(). */
struct http_handler {
    /* A request's head has arrived. May answer at once or later. */
    void (*on_request)(void *context, struct http_exchange *x);
    /* Once after a http_exchange_read() that would block: try again. May be early: then that call
     * would block again. May be NULL if the handler never reads. */
    void (*on_body_readable)(void *context, struct http_exchange *x);
    /* Once after a http_respond_body() that took less than all: try again. May be NULL if the
     * handler never writes more than HTTP_OUT_BUFFER_BYTES / 2. */
    void (*on_writable)(void *context, struct http_exchange *x);
    /* The exchange ended without the handler. */
    void (*on_abort)(void *context, struct http_exchange *x, enum http_abort reason);
    /* A request was refused before a handler had it or, `begun`, since. `rule` is the stable name
     * that the client was told, such as "host-missing". May be NULL. */
    void (*on_refused)(void *context, const struct sockaddr *peer, int status, const char *rule,
                       bool begun);
};

/* ---- the server ---- */

/* A server that does not listen yet. `config` is copied; `handler` and `loop` outlive the server.
 * Errors: ST_USAGE (a limit of 0 or above its hard maximum), ST_NO_MEMORY. */
NODISCARD enum status http_server_new(struct loop *loop, const struct http_config *config,
                                      const struct http_handler *handler, void *context,
                                      struct http_server **ret, struct error *err);

/* Closes everything at once; exchanges in flight get on_abort with HTTP_ABORT_SHUTDOWN. Not from a
 * callback of the handler. NULL is legal. */
void http_server_free(struct http_server *s);

struct http_listen {
    const char *host; /* numeric address, "localhost", or "" for every IPv4 address */
    uint16_t port;    /* 0: the system chooses */
    bool reuse_port;  /* share the port with other processes (SO_REUSEPORT) */
    int backlog;      /* 0: HTTP_BACKLOG_DEFAULT */
};

/* Splits "HOST:PORT", "[v6]:PORT", ":PORT" or "PORT"; copies the host into `host`.
 * Errors: ST_USAGE with one line that says what is wrong. */
NODISCARD enum status http_listen_parse(const char *text, char *host, size_t host_bytes,
                                        struct http_listen *ret, struct error *err);

/* Listens; *bound_port (may be NULL) is the port that it got.
 * Errors: ST_EXISTS (port in use), ST_DENIED, ST_USAGE (address), ST_LIMIT, ST_IO. */
NODISCARD enum status http_server_listen(struct http_server *s, const struct http_listen *listen,
                                         uint16_t *bound_port, struct error *err);

/* For several servers, each in a process of its own, on one address: opens `count` listening
 * sockets (at least 1) among which the system divides connections (SO_REUSEPORT). Errors, also when
 * another process has the port: as http_server_listen(). On failure none is open. */
NODISCARD enum status http_listen_open(const struct http_listen *listen, int *ret_fds, size_t count,
                                       uint16_t *bound_port, struct error *err);

/* Listens on a socket of http_listen_open(), which is the server's even on failure. */
NODISCARD enum status http_server_listen_fd(struct http_server *s, int take_fd, struct error *err);

/* Takes over a connected stream socket, as if it had been accepted. The descriptor is the server's
 * even on failure. Errors: ST_LIMIT, ST_NO_MEMORY, ST_IO. */
NODISCARD enum status http_server_adopt(struct http_server *s, int fd, struct error *err);

/* Lets nobody new connect, and closes listening sockets after HTTP_DRAIN_DOOR_MS, when handshakes
 * that had begun are over; closes idle connections, lets exchanges finish with Connection: close,
 * and aborts what is left after `grace_ms`; a connection that has had no request yet is idle after
 * HTTP_DRAIN_FIRST_MS. Then drained() is called once, at the end of a turn, never inside this call;
 * it may free the server. May be called once. */
void http_server_drain(struct http_server *s, uint32_t grace_ms, void (*drained)(void *context),
                       void *context);

struct http_counters {
    uint64_t connections_accepted;
    uint64_t connections_evicted; /* idle ones that made room */
    uint64_t accept_failures;
    uint64_t requests; /* handed to the handler */
    uint64_t refusals;
    uint64_t aborts;
    uint32_t connections_open;
};

const struct http_counters *http_server_counters(const struct http_server *s);

/* ---- the request ---- */

/* `user` is the handler's own, NULL at first. */
void http_exchange_set_user(struct http_exchange *x, void *user);
void *http_exchange_user(const struct http_exchange *x);

struct http_slice http_request_method(const struct http_exchange *x); /* as sent */

/* The path as sent, percent-encoding and dot segments untouched: begins with "/", or is "*". */
struct http_slice http_request_path(const struct http_exchange *x);

/* What follows the first "?", which may be empty; false when there is no "?". */
bool http_request_query(const struct http_exchange *x, struct http_slice *ret);

/* Of the Host field, name and port as sent; empty only in an HTTP/1.0 request without one. The name
 * is a DNS name, an IPv4 address or an IPv6 address in brackets. */
struct http_slice http_request_host(const struct http_exchange *x);
struct http_slice http_request_host_name(const struct http_exchange *x); /* without the port */

int http_request_version_minor(const struct http_exchange *x); /* of HTTP/1: 0 or 1 */

/* Fields in the order they came, `index` below the count. Names are tokens, values have neither
 * control characters (but tabs) nor white space at their ends. */
size_t http_request_field_count(const struct http_exchange *x);
struct http_field http_request_field(const struct http_exchange *x, size_t index);

/* The first field of that name, in any case; false when there is none. */
bool http_request_find(const struct http_exchange *x, const char *name, struct http_slice *ret);

enum http_body {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH,  /* Content-Length */
    HTTP_BODY_UNKNOWN, /* chunked */
};

/* *length_bytes is set for NONE (0) and LENGTH. */
enum http_body http_request_body(const struct http_exchange *x, uint64_t *length_bytes);

/* Lowers the body's limit for this request. ST_LIMIT when Content-Length is above it: answer 413.
 * With chunks, what reads past it gets ST_CLOSED, and the client 413. */
NODISCARD enum status http_exchange_limit_body(struct http_exchange *x, uint64_t bytes_max);

/* Moves body bytes out, at most `capacity` (above 0).
 *   ST_OK, *size > 0    that many bytes
 *   ST_OK, *size == 0   the body has ended
 *   ST_WOULD_BLOCK      on_body_readable will be called
 *   ST_CLOSED           broken; on_abort will be called unless the handler ends the exchange first
 * The first call that finds nothing sends "100 Continue" to a client that expects it. */
NODISCARD enum status http_exchange_read(struct http_exchange *x, void *bytes, size_t capacity,
                                         size_t *size);

/* Whether the system itself would store what http_exchange_read() gives. */
bool http_exchange_reads_directly(const struct http_exchange *x, size_t capacity);

/* Whether the exchange is broken, and why: unless it is ended first, on_abort will say so. */
bool http_exchange_broken(const struct http_exchange *x, enum http_abort *ret_reason);

/* Trailer fields, once the body has ended; as http_request_field(). */
size_t http_request_trailer_count(const struct http_exchange *x);
struct http_field http_request_trailer(const struct http_exchange *x, size_t index);

/* Once the exchange is broken, and in on_abort: the status with which the client is told why, if
 * nothing of a response has left, and the rule's name; 0 when it is not told. */
int http_exchange_refusal(const struct http_exchange *x, const char **ret_rule);

/* Who asks. The address lives as long as the exchange. */
const struct sockaddr *http_exchange_peer(const struct http_exchange *x);

/* "192.0.2.1", "2001:db8::1" or "unix"; *port is 0 for "unix". */
void http_exchange_peer_text(const struct http_exchange *x, char text[HTTP_PEER_TEXT_MAX],
                             uint16_t *port);

/* ---- the response ---- */

/* Begins the response. Names must be tokens and values free of control characters but tabs;
 * connection, keep-alive, proxy-connection, transfer-encoding, te, trailer and upgrade are left
 * out, for the server decides them. One Content-Length of digits is honoured; without one the
 * server adds it if the response ends before it was sent, and sends chunks otherwise. Date is added
 * unless given. To HEAD, and with 204 and 304, body bytes are counted and not sent. ST_INVALID (a
 * field, a status outside 200..599, or more than one length) and ST_LIMIT (head too large) leave
 * the exchange as it was: answer something else. ST_CLOSED as in http_exchange_read(). ST_USAGE: it
 * has begun already. */
NODISCARD enum status http_respond_head(struct http_exchange *x, int status,
                                        const struct http_field *fields, size_t count,
                                        struct error *err);

/* Takes *taken bytes of the body; when fewer than `size`, on_writable will be called.
 * ST_INVALID: more than the Content-Length; the exchange is broken as with ST_CLOSED. */
NODISCARD enum status http_respond_body(struct http_exchange *x, const void *bytes, size_t size,
                                        size_t *taken);

/* True when the response's head has been taken, so that another can no longer be sent. */
bool http_exchange_responded(const struct http_exchange *x);

/* How many bytes of the body the response's Content-Length promises beyond those that were taken. 0
 * without one, and when there is no body to send. */
uint64_t http_respond_missing(const struct http_exchange *x);

/* Takes the response back, so that another can be begun, even if the exchange is broken because of
 * it. False when some of it may have left, or the client broke the exchange: then nothing has
 * changed. */
bool http_respond_retract(struct http_exchange *x);

/* Ends the response, and lets the exchange go on until http_respond_end(): the client has its
 * answer while the handler still reads the request or does what nobody waits for. Trailers are sent
 * with a response that has no length, to HTTP/1.1; those that RFC 9110 §6.5.1 forbids, or that are
 * no fields, are left out. ST_INVALID: fewer bytes than the Content-Length, or no head; ST_LIMIT:
 * trailers above HTTP_TRAILER_BYTES_MAX; then the response is as it was. ST_CLOSED. */
NODISCARD enum status http_respond_finish(struct http_exchange *x,
                                          const struct http_field *trailers, size_t count);

/* Ends the response and the exchange. What the handler left of the request's body is discarded.
 * ST_INVALID: fewer bytes than the Content-Length, or no head; the connection is cut, so that the
 * client sees a truncated message. ST_CLOSED: it was broken already. The exchange is gone in every
 * case. */
enum status http_respond_end(struct http_exchange *x);

/* A whole response of `text` as text/plain, and its end. Results as http_respond_end(). */
enum status http_respond_text(struct http_exchange *x, int status, const char *text);

/* Cuts the connection, so that the client sees a truncated message, and ends the exchange. */
void http_exchange_abort(struct http_exchange *x);

/* The reason phrase, such as "Not Found"; "Unknown" for what has none. Static storage. */
const char *http_status_text(int status);

#endif
