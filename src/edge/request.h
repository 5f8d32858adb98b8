/* One request and the instance that answers it. Private to edge.
 *
 *   idle ── enter ──▶ running ◀──▶ waiting (suspended in wait(), or for its next slice)
 *                        │
 *                        ▼
 *                       done ──▶ idle or freed
 *
 * The guest runs inside enter(), inside the callback that ends its wait, or in its turn. It may be
 * waiting for its client (http_* events) and for a time at once; whichever comes first resumes
 * it. */
#ifndef EDGE_REQUEST_H
#define EDGE_REQUEST_H

#include "app.h"
#include "artifact/artifact.h" /* struct value */
#include "base/buffer.h"
#include "canonical/canonical.h"
#include "cgi_env.h"
#include "cgi_head.h"
#include "edge/edge.h"
#include "http/http.h"
#include "log.h"
#include "os/loop.h"
#include "runtime/runtime.h"
#include "wasi/wasi.h"
#include "wasi/wasi_http.h"

/* Linked by next_runnable. */
struct run_queue {
    struct request *first, *last;
    uint32_t count;
};

#define EDGE_STARTING_KEPT_MAX 256u /* free ones */

struct starting_queue {
    struct starting *first, *last, *free;
    uint32_t count, free_count;
    struct loop_timer timer; /* when the first one is late */
};

/* What a turn of the loop has time for one of: see request_run.c. */
enum edge_turn { EDGE_TURN_START, EDGE_TURN_RESUME, EDGE_TURN_SHRINK, EDGE_TURNS };

struct edge {
    struct edge_config config;
    struct app_table apps;
    struct version_links loaded; /* ring head of the versions that are current */
    uint32_t loaded_count;
    uint32_t idle_count; /* instances, of all apps */
    uint32_t running;    /* requests of all apps */
    bool frozen;         /* nobody answers need() any more */
    struct loop_timer sweep_timer;
    struct starting_queue starting; /* requests of apps that compute for long */
    struct run_queue preempted;     /* those that have had a slice, in the order of their turns */
    struct loop_task run_task;
    struct run_queue shrinking; /* over, with memory that has to go back */
    unsigned turn;              /* enum edge_turn: whose the last one was */
    uint64_t next_request_id;
    struct buffer line; /* of the log */
    struct log_sink log;
    struct outbound_grant *grants;
    size_t grants_count;
    struct http_client *client; /* NULL: nothing is granted */
};

/* What a request to a component has beside. */
struct request_component {
    struct canonical *canonical; /* NULL: a command */
    struct wasi_preview2 *wasi;
    struct value values[2];         /* of the call of "handle" */
    bool answered, finished, cut;   /* the response: set, whole, dropped */
    bool returned;                  /* "handle" has */
    struct subrequest *subrequests; /* that it has sent and still knows */
    uint32_t subrequests_count;     /* that it has sent */
    const char *error_code;         /* that the guest answered with; or NULL */
};

struct request {
    struct edge *edge;
    struct app *app;
    struct app_version *version;
    struct request *next_idle, *next_runnable;
    struct http_exchange *exchange; /* NULL once the client is gone or answered */
    struct instance *instance;
    struct wasi_context context;
    struct request_component component;
    const char *args[1];
    struct cgi_env env;
    struct cgi_head head;
    struct buffer log_line; /* of the guest's standard error, until its newline */
    uint64_t id, start_ns;
    uint64_t log_bytes, log_dropped_bytes;
    uint64_t request_bytes, response_bytes; /* of bodies */
    int status;                             /* that was answered, 0: none yet */
    bool head_sent, head_bad, started;
    bool suspended; /* in wait() */
    bool queued;    /* for its next slice */
    bool input_ended, input_blocked, output_blocked;
    uint8_t input[EDGE_BODY_LOOKAHEAD_BYTES]; /* read to learn whether something is there */
    size_t input_start, input_end;
    enum edge_outcome outcome;
    struct error error; /* why the answer or the request is bad */
    struct loop_timer wait_timer, wall_timer;
    struct loop_task yield_task;
};

/* Admits a request to route->app, which is loaded: it is answered at once, or in its turn. */
void request_begin(struct edge *e, struct http_exchange *x, const struct route *route);

/* Answers an admitted request, which arrived at `arrived_ns`, with a fresh instance of `v`. */
void request_enter(struct edge *e, struct http_exchange *x, const struct route *route,
                   struct app_version *v, uint64_t arrived_ns);

/* The http_handler's events for a request that was begun. */
void request_readable(struct request *r);
void request_writable(struct request *r);
void request_aborted(struct request *r, enum http_abort reason);

/* Frees an idle request and its instance. */
void request_free(struct request *r);

/* Behind the answer: everything back to fresh, for the next request. */
void request_recycle(struct request *r);

/* request_end.c: answers as r->outcome says, logs, recycles. */
void request_finish(struct request *r);

/* Gives back a piece of the memory that the first of edge.shrinking left. */
void request_shrink_first(struct edge *e);

/* All of it, at the end of the edge. */
void request_shrink_all(struct edge *e);

/* ---- request_run.c ---- */

/* Drives the guest from what its last call gave until it is done, waits, or was preempted. */
void request_go(struct request *r, enum call_result result);

/* A loop_task: what waits has one turn. `context` is the edge. */
void request_run_next(void *context);

/* Callbacks of a request's timers and task. */
void request_wait_over(void *context);
void request_wall_limit(void *context);

/* Answers and logs what no guest is asked. Of why a client is told only where it is denied. */
void request_refuse(struct edge *e, struct http_exchange *x, const struct app *app,
                    enum edge_outcome outcome, int status, const char *why);

/* The log's line alone, and the count; returns the request's number. */
uint64_t request_log_unserved(struct edge *e, const struct app *app, enum edge_outcome outcome,
                              int status, const char *why);

/* ---- starting.c: requests that wait for their turn, without an instance ---- */

/* Whether new requests to `v` have to. */
bool starting_has_to(const struct app_version *v);

/* Takes a request that was admitted to `v`. Errors: ST_NO_MEMORY. */
NODISCARD enum status starting_begin(struct edge *e, struct http_exchange *x,
                                     const struct route *route, struct app_version *v);
void starting_aborted(struct starting *s);

/* Starts the first ones, of which there is one at least. */
void starting_turn(struct edge *e);

void starting_init(struct edge *e);
void starting_done(struct edge *e);

/* ---- usage.c ---- */

/* A request of `app` (NULL: of none) that no guest has seen. */
void usage_count(struct edge *e, const struct app *app, enum edge_outcome outcome);

/* A request that a guest has answered, or not. */
void usage_count_request(const struct request *r);

/* ---- loaded.c: which versions are there, and for how long ---- */

/* Makes `v` the current version of `app`; the one before goes with its last request. */
void loaded_put(struct edge *e, struct app *app, struct app_version *take_version);

/* Drops the current version of `app`, if there is one. */
void loaded_drop(struct edge *e, struct app *app);

/* Admits a request to a current version; false: the app, in all workers, has as many as it may. */
NODISCARD bool loaded_begin(struct edge *e, struct app_version *v);

/* An admitted request has ended. May free the version and its app. */
void loaded_end(struct edge *e, struct app_version *v);

/* Drops what was not used for longest and does nothing now; false when there is nothing such. */
bool loaded_make_room(struct edge *e);

void loaded_init(struct edge *e);
void loaded_done(struct edge *e);

/* edge.c: asks for the artifact of `app`, unless that was done. */
void edge_ask(struct edge *e, struct app *app);

/* ---- waiting.c: requests of an app that is not loaded yet ---- */

void waiting_begin(struct edge *e, struct http_exchange *x, const struct route *route);

/* The client of a waiting request is gone. */
void waiting_aborted(struct waiting *w);

/* The app is loaded: its requests begin. */
void waiting_go(struct edge *e, struct app *app);

/* It will not be: they are refused. */
void waiting_refuse(struct edge *e, struct app *app, const char *why);

/* An exchange's user is a request, or one that waits, which has a mark in its address. */
#define EXCHANGE_WAITING  1u
#define EXCHANGE_STARTING 2u
#define EXCHANGE_MARKS    3u

static inline void *exchange_user(const struct http_exchange *x, unsigned mark)
{
    uintptr_t user = (uintptr_t)http_exchange_user(x);
    return (user & EXCHANGE_MARKS) == mark ? (void *)(user - mark) : NULL;
}

/* request_streams.c: what the guest sees as standard input, output and error, and how it waits. */
struct wasi_stream request_stream(struct request *r, int fd);
struct wasi_waiter request_waiter(struct request *r);

/* Of a response's body. ST_OK takes a part at least; ST_WOULD_BLOCK; ST_CLOSED when r->outcome says
 * why, or the client is gone. */
NODISCARD enum status request_write_body(struct request *r, const void *bytes, size_t size,
                                         size_t *ret);

/* Whether the Content-Length of the head that was sent is within the limit. */
NODISCARD enum status request_limit_response(struct request *r);

/* ---- request_component.c ---- */

/* In place of what a command needs: made, for each request, and between requests. */
NODISCARD enum status request_component_new(struct request *r, struct error *err);
NODISCARD enum status request_component_prepare(struct request *r, struct error *err);
void request_component_clear(struct request *r);
void request_component_free(struct request *r);

/* Calls "handle"; and when that has returned, what is to be called behind it. */
enum call_result request_component_call(struct request *r);
enum call_result request_component_returned(struct request *r);

/* For the http module; those above HTTP_RESPONSE_FIELDS_MAX are left out. */
size_t request_fields_to_http(const struct wasi_http_field *from, size_t count,
                              struct http_field to[HTTP_RESPONSE_FIELDS_MAX]);

/* How it ended, when "handle" has returned, and why in r->error. */
enum edge_outcome request_component_judge(struct request *r);

/* Behind the guest: what is left of its log, and how much was dropped. */
void request_log_end(struct request *r);

/* Whether the server has refused the request's body; then r->status and r->error say why. */
bool request_denied(struct request *r);

/* Goes on with a guest whose wait is over. */
void request_resume(struct request *r);

#endif
