/* A request's way: route, admit, instance, answer, log.
 *
 * The edge is the handler of an http_server. It holds the apps of this process, each a module that
 * is a WASI preview 1 command, and answers every request with a fresh instance of one of them, as a
 * CGI program (RFC 3875, the WAGI convention): meta-variables as environment, the body on standard
 * input, head and body of the response on standard output, standard error to the log.
 *
 * Guests run on fibers of the loop's thread: one that waits for its client, or for a clock, is
 * suspended, and others go on. Everything here runs on that thread. */
#ifndef EDGE_EDGE_H
#define EDGE_EDGE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

struct artifact;
struct edge;
struct http_handler;
struct loop;

#define EDGE_APPS_MAX             100000u
#define EDGE_NAME_BYTES_MAX       63u /* of an app: a DNS label, besides '_' and '.' in paths */
#define EDGE_CGI_HEAD_BYTES_MAX   32768u
#define EDGE_CGI_FIELDS_MAX       200u
#define EDGE_ENVIRONMENT_MAX      512u         /* variables */
#define EDGE_ENVIRONMENT_BYTES    (256u << 10) /* all of them */
#define EDGE_IDLE_INSTANCES_MAX   64u          /* of an app, reset and ready */
#define EDGE_LOG_LINE_BYTES_MAX   8192u        /* longer lines of a guest are cut */
#define EDGE_BODY_LOOKAHEAD_BYTES 4096u
#define EDGE_BODY_KIB_MAX         (1u << 30) /* what bodies can be limited to */

/* Apps that nobody uses are entries only. */
#define EDGE_LOADED_MAX             2000u /* apps with code in memory; then those idle longest go */
#define EDGE_IDLE_INSTANCES_ALL_MAX 2048u /* of all apps; beyond, instances are not kept */
#define EDGE_UNLOAD_MS              60000u /* without a request, code goes */
#define EDGE_SWEEP_MS               10000u /* how often that is looked at */
#define EDGE_WAITING_MAX            256u /* requests of one app that wait for its code; then 503 */
#define EDGE_WAIT_MS                10000u /* how long one waits; then 503 */

/* How a request ended: the stable names that answers, logs, counters and documents share. */
enum edge_outcome {
    EDGE_OUTCOME_OK,
    EDGE_OUTCOME_TRAP,
    EDGE_OUTCOME_CPU_LIMIT,
    EDGE_OUTCOME_WALL_LIMIT,
    EDGE_OUTCOME_MEMORY_LIMIT,
    EDGE_OUTCOME_OVERLOADED,
    EDGE_OUTCOME_CANCELED,
    EDGE_OUTCOME_BAD_RESPONSE,
    EDGE_OUTCOME_DENIED,
    EDGE_OUTCOMES,
};

/* "ok", "trap", "cpu-limit", … Static storage. */
const char *edge_outcome_name(enum edge_outcome outcome);

/* What one worker has counted of one app since the node began. Only that worker writes it (and the
 * supervisor, when the worker is dead), each number in one store, so that it is never half-written,
 * whenever the worker dies. What an ok request changes is in the first cache line. */
struct edge_usage {
    alignas(64) _Atomic uint64_t cpu_ns;
    _Atomic uint64_t request_bytes, response_bytes; /* of bodies: read and written by the guest */
    _Atomic uint64_t log_dropped_bytes;
    _Atomic uint64_t requests[EDGE_OUTCOMES];
    _Atomic uint64_t lost; /* requests of workers that died */
};

/* A worker's, by the app's number; behind them, one for requests that no app answers. */
#define EDGE_USAGE_MAX (EDGE_APPS_MAX + 1u)

#define EDGE_GRANTS_MAX      256u /* of hosts that requests may go out to */
#define EDGE_GRANT_BYTES_MAX 512u

/* "[APP=]HOST[:PORT]", HOST being a name, an address, "*.NAME" or "*"; without a port it is that of
 * the scheme. What leads to private networks or to this machine is refused, unless is_private; an
 * address that is granted by itself, or "localhost", is meant. */
struct edge_grant {
    const char *text;
    bool is_private;
};

/* Where guests may send requests to. Without any grant, workers open no sockets. */
struct edge_outbound {
    const struct edge_grant *grants; /* outlive the edge */
    size_t grants_count;
    const char *ca_file, *resolver; /* as in struct http_client_config */
};

/* Errors: ST_USAGE. */
NODISCARD enum status edge_check_grant(const char *text, struct error *err);

/* Of every app. */
struct edge_limits {
    uint32_t instances_max; /* at a time; then 503 with Retry-After, "overloaded" */
    uint32_t cpu_ms;        /* 0: no limit; then 503, "cpu-limit" */
    uint32_t wall_ms;       /* from head to end of the answer; then 504, "wall-limit" */
    uint64_t log_bytes_max; /* of a guest's standard error a request; the rest is dropped */
    uint64_t request_body_bytes_max;  /* then 413, "denied" */
    uint64_t response_body_bytes_max; /* then 502 or a cut answer, "bad-response" */
    uint32_t subrequests_max;         /* that a request may send; then the guest gets an error */
    uint32_t stack_bytes;             /* 0: runtime's default */
    uint64_t memory_bytes_max;        /* 0: runtime's default */
};

/* Requests of apps that take more CPU time than this on average wait for their turn; in one turn as
 * many of them are started as are likely to end within this time, and one at least. */
#define EDGE_HEAVY_US  50u
#define EDGE_STARTS_US 500u

#define EDGE_SLICE_US 1000u /* a guest's turn, when others want the processor too */

struct edge_config {
    struct loop *loop; /* outlives the edge */
    struct edge_limits limits;
    const char *server_software; /* SERVER_SOFTWARE */
    const char *const *env;      /* "NAME=value", for every guest; outlives the edge */
    size_t env_count;
    const char *const *values; /* "KEY=value", of wasi:config/store; likewise */
    size_t values_count;
    struct edge_outbound outbound;
    int log_fd;      /* one line a write; in non-blocking mode, if it is a pipe or a terminal */
    bool access_log; /* a line for every request, not only for what went wrong */

    /* Asks for version `generation` of app `id`, which edge_supply() or edge_fail() brings: not
     * inside this call. May be NULL: then artifacts are only those that were supplied unasked. */
    void (*need)(void *context, uint32_t id, uint32_t generation);
    void *need_context;

    /* Running requests of each app in each worker, [worker][EDGE_APPS_MAX], shared by all workers;
     * NULL: this is the only one. */
    _Atomic uint32_t *counts;
    uint32_t worker, workers_count;

    struct edge_usage *usage; /* [EDGE_USAGE_MAX], this worker's; NULL: nothing is counted */
};

/* 1,024 instances, 50 ms of CPU time, 30 s, bodies of 100 MiB in and 1 GiB out, 64 KiB of log, 50
 * subrequests, the runtime's stack and memory. */
void edge_limits_init(struct edge_limits *limits);

/* With grants it reads the system's name servers and certificates. Errors: ST_NO_MEMORY; ST_USAGE,
 * ST_LIMIT (grants), ST_IO. */
NODISCARD enum status edge_new(const struct edge_config *config, struct edge **ret,
                               struct error *err);
void edge_free(struct edge *e); /* the http_server is gone by then; NULL is legal */

enum edge_kind {
    EDGE_COMMAND,   /* WASI preview 1, "_start" */
    EDGE_COMPONENT, /* wasi:http/incoming-handler */
};

/* Whether an artifact could serve, and as what: memory within the limits, exports, imports. The
 * artifact is taken. Errors: ST_LIMIT, ST_INVALID (it exports nothing that could answer), and those
 * of module_new(): the imports that are not there. */
NODISCARD enum status edge_check(struct artifact *take_artifact, const struct edge_limits *limits,
                                 enum edge_kind *ret, struct error *err);

/* Whether an app may be called so: letters, digits, '-', '_', '.'. Errors: ST_USAGE. */
NODISCARD enum status edge_check_name(const char *name, struct error *err);

/* Makes app `id` (below EDGE_APPS_MAX) known, which answers at the path "/name/" and at the host
 * "name.localhost"; or says that a known app has a new version, `generation`, above the last. What
 * is loaded serves until the new version was supplied.
 * Errors: ST_USAGE (name), ST_EXISTS (the name, under another id), ST_LIMIT, ST_NO_MEMORY. */
NODISCARD enum status edge_put_app(struct edge *e, uint32_t id, const char *name,
                                   uint32_t generation, struct error *err);

/* Forgets an app; its running requests end as if nothing had happened. */
void edge_remove_app(struct edge *e, uint32_t id);

/* The artifact of a version. New requests run on it; those that run already end on the version they
 * began with. One that is older than what was put is not used. Taken in every case.
 * Errors: ST_NOT_FOUND (the app), ST_EXISTS (outdated), and those of edge_check(). */
NODISCARD enum status edge_supply(struct edge *e, uint32_t id, uint32_t generation,
                                  struct artifact *take_artifact, struct error *err);

/* The artifact cannot be had: requests that wait for it are refused with 503. */
void edge_fail(struct edge *e, uint32_t id, uint32_t generation, const char *why);

/* Nobody answers need() any more: what is loaded stays, what is not is refused with 503. */
void edge_freeze(struct edge *e);

/* The app answers every request that no other name claims. */
NODISCARD enum status edge_set_default(struct edge *e, uint32_t id, struct error *err);

/* The handler for http_server_new(), whose context is the edge. Static storage. */
const struct http_handler *edge_handler(void);

#endif
