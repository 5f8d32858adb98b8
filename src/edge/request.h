/* One request and the instance that answers it. Private to edge.
 *
 *   idle ── begin ──▶ running ◀──▶ waiting (suspended in wait()) ──▶ done ──▶ idle or freed
 *
 * The guest runs inside begin() or inside the callback that ends its wait. It may be waiting for
 * its client (http_* events) and for a time at once; whichever comes first resumes it. */
#ifndef EDGE_REQUEST_H
#define EDGE_REQUEST_H

#include "app.h"
#include "base/buffer.h"
#include "cgi_env.h"
#include "cgi_head.h"
#include "edge/edge.h"
#include "http/http.h"
#include "os/loop.h"
#include "wasi/wasi.h"

enum outcome {
    OUTCOME_OK,
    OUTCOME_TRAP,
    OUTCOME_WALL_LIMIT,
    OUTCOME_OVERLOADED,
    OUTCOME_CANCELED,
    OUTCOME_BAD_RESPONSE,
};

struct edge {
    struct edge_config config;
    struct app_table apps;
    uint32_t running; /* requests of all apps */
    uint64_t next_request_id;
    struct buffer line; /* of the log */
};

struct request {
    struct edge *edge;
    struct app *app;
    struct request *next_idle;
    struct http_exchange *exchange; /* NULL once the client is gone or answered */
    struct instance *instance;
    struct wasi_context context;
    struct cgi_env env;
    struct cgi_head head;
    struct buffer log_line; /* of the guest's standard error, until its newline */
    uint64_t id, start_ns;
    uint64_t log_bytes, body_bytes;
    uint32_t log_dropped; /* lines */
    int status;           /* that was answered, 0: none yet */
    bool head_sent, head_bad, started, suspended;
    bool input_ended, input_blocked, output_blocked;
    uint8_t input[EDGE_BODY_LOOKAHEAD_BYTES]; /* read to learn whether something is there */
    size_t input_start, input_end;
    enum outcome outcome;
    struct error error; /* why the head is bad */
    struct loop_timer wait_timer, wall_timer;
    struct loop_task yield_task;
};

/* Answers `x` with a fresh instance of route->app. */
void request_begin(struct edge *e, struct http_exchange *x, const struct route *route);

/* The http_handler's events for a request that was begun. */
void request_readable(struct request *r);
void request_writable(struct request *r);
void request_aborted(struct request *r, enum http_abort reason);

/* Frees an idle request and its instance. */
void request_free(struct request *r);

/* request_streams.c: what the guest sees as standard input, output and error, and how it waits. */
struct wasi_stream request_stream(struct request *r, int fd);
struct wasi_waiter request_waiter(struct request *r);
void request_log_flush(struct request *r);

/* Goes on with a guest whose wait is over. */
void request_resume(struct request *r);

#endif
