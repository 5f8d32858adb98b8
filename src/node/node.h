/* A node: one supervisor, and a worker process for each core.
 *
 *   mayfly serve ── supervisor     looks at the apps, compiles, starts again what died
 *                  ├─ worker × N    answers; own loop, own listening socket, no file system
 *                  └─ mayfly-compile, one a job
 *
 * The supervisor opens the listening sockets and keeps them: what has connected to a worker that
 * died waits for the one that follows it. Workers get artifacts as descriptors, when they need
 * them. When the supervisor is killed, workers go on with the apps that they have loaded; other
 * apps get 503, nothing is compiled or started again, and each worker ends at SIGTERM.
 *
 * Signals to the supervisor: SIGHUP looks at the apps again, SIGUSR1 prints what each app has used,
 * SIGINT and SIGTERM let requests finish and end the node, a second one ends it at once. */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge/edge.h"
#include "http/http.h"
#include "node/compiler.h"

#define NODE_WORKERS_MAX          256u
#define NODE_DRAIN_GRACE_MS       10000u /* then requests are cut */
#define NODE_KILL_GRACE_MS        2000u  /* and so long after that workers are killed */
#define NODE_QUICK_DEATH_MS       1000u  /* a worker that lived shorter is started again later … */
#define NODE_RESTART_DELAY_MS     50u    /* … by this, doubled every time … */
#define NODE_RESTART_DELAY_MS_MAX 5000u  /* … up to this */

struct node_config {
    const char *path; /* a program, or a folder of programs */
    struct http_listen listen;
    uint32_t workers_count; /* 1 to NODE_WORKERS_MAX */
    char *const *arguments; /* a worker is this executable with WORKER_ARGUMENT, its number … */
    const char *verb;       /* … behind this verb, and these arguments (NULL-terminated) */
    const char *worker_argument;
    struct compiler_options compile;
    bool two_levels; /* compile at the fast level first; compile.level in the background */
    struct edge_limits limits;
    struct edge_outbound outbound;
    const char *const *env;
    size_t env_count;
    const char *const *values; /* "KEY=value" */
    size_t values_count;
    const char *server_software;
    bool access_log;
};

/* Runs the supervisor to its end. Returns an exit code, 0 or 1 after a message. */
int node_supervise(const struct node_config *config);

/* Runs worker `number`, with descriptors that the supervisor left open for it. Returns an exit
 * code.
 */
int node_work(const struct node_config *config, uint32_t number);

#endif
