/* The supervisor's state, for supervisor.c and pool.c. Private to node. */
#ifndef NODE_SUPERVISOR_H
#define NODE_SUPERVISOR_H

#include <stdatomic.h>

#include "channel.h"
#include "deploy.h"
#include "os/loop.h"

/* Where a worker finds what the supervisor left open for it. */
enum worker_fd { WORKER_CHANNEL_FD = 3, WORKER_LISTEN_FD, WORKER_COUNTS_FD, WORKER_FDS_END };

struct usage;

struct worker_process {
    struct supervisor *supervisor;
    uint32_t number;
    pid_t pid; /* 0: none */
    struct loop_watch ended;
    struct channel channel;
    int listen_fd; /* the supervisor's own; -1 once the node drains */
    bool ready;
    uint64_t start_ns;
    uint32_t quick_deaths; /* in a row */
    struct loop_timer restart_timer;
};

enum supervisor_phase {
    SUPERVISOR_DEPLOYS, /* nothing listens yet */
    SUPERVISOR_STARTS,  /* workers are on their way */
    SUPERVISOR_RUNS,
    SUPERVISOR_DRAINS,
};

struct supervisor {
    const struct node_config *config;
    struct loop *loop;
    struct loop_signals signals;
    struct deploy deploy;
    struct worker_process workers[NODE_WORKERS_MAX];
    uint32_t alive;
    enum supervisor_phase phase;
    bool failed, scan_again;
    uint16_t port;
    int counts_fd;
    _Atomic uint32_t *counts; /* [worker][EDGE_APPS_MAX] running requests */
    struct usage *usage;
    struct loop_timer kill_timer;
};

/* The segment that the workers count in: running requests, then each worker's usage. Both begin at
 * a page. */
#define SEGMENT_ALIGN         4096u
#define SEGMENT_ALIGNED(size) (((size) + SEGMENT_ALIGN - 1) & ~(size_t)(SEGMENT_ALIGN - 1))
#define COUNTS_BYTES(workers)                                                                      \
    SEGMENT_ALIGNED((size_t)(workers) * EDGE_APPS_MAX * sizeof(_Atomic uint32_t))
#define USAGE_BYTES            SEGMENT_ALIGNED(EDGE_USAGE_MAX * sizeof(struct edge_usage))
#define SEGMENT_BYTES(workers) (COUNTS_BYTES(workers) + (workers) * USAGE_BYTES)

/* ---- pool.c: the workers' processes ---- */

/* Opens sockets and counters, and starts all workers. Errors: those of http_listen_open(), ST_IO.
 */
NODISCARD enum status pool_start(struct supervisor *s, struct error *err);

void pool_live(struct supervisor *s, const struct deploy_app *app);
void pool_removed(struct supervisor *s, uint32_t id);
void pool_drain(struct supervisor *s);
void pool_kill(struct supervisor *s);

/* ---- supervisor.c, for the pool ---- */

void supervisor_worker_ready(struct supervisor *s);
void supervisor_worker_gone(struct supervisor *s, bool was_ready);
void supervisor_needs(struct supervisor *s, struct worker_process *w, uint32_t id);

#endif
