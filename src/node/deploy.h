/* The apps of a supervisor: what lies in the folder, compiled at the fast level first, then
 * optimised in the background. Private to node.
 *
 *   found ─▶ cached? ─▶ live (optimised)
 *              │ no
 *              ▼
 *            cached at the fast level? ─▶ live ─▶ job in the background ─▶ live (optimised)
 *              │ no                        ▲
 *              ▼                           │
 *            job ──────────────────────────┘
 *
 * Each time an app goes live its generation grows. A file that cannot be served is reported; if an
 * earlier version of it is live, that stays. */
#ifndef NODE_DEPLOY_H
#define NODE_DEPLOY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "edge/edge.h"
#include "job.h"
#include "node/node.h"

#define DEPLOY_AGAIN_MS 1000u /* an artifact that vanished is made anew so often at most */

/* Which bytes a path led to. */
struct file_identity {
    dev_t device;
    ino_t inode;
    off_t size_bytes;
    struct timespec changed;
};

struct deploy_app {
    char *name, *path;
    struct file_identity source;
    char *artifact; /* of the live version; NULL: none */
    struct file_identity artifact_identity;
    enum edge_kind kind;
    struct job *job;
    char *fast_artifact; /* to be removed when the optimised one is there */
    uint64_t begun_ns;
    uint32_t id, generation;
    bool seen; /* in this scan */
};

struct deploy {
    const struct node_config *config;
    struct jobs jobs;
    struct deploy_app **apps; /* sorted by name */
    size_t count, capacity;
    struct deploy_app **by_id;
    uint32_t *free_ids;
    size_t free_ids_count;
    uint32_t next_id;
    uint32_t waited_jobs; /* that apps without a live version wait for */
    uint32_t compiled;    /* since the cache was trimmed */
    bool single;
    /* An app is live, or has a new version. */
    void (*live)(void *context, const struct deploy_app *app);
    void (*removed)(void *context, uint32_t id);
    /* No app waits any more for its first version. */
    void (*settled)(void *context);
    void *context;
};

void deploy_init(struct deploy *d, const struct node_config *config, struct loop *loop);
void deploy_done(struct deploy *d);

/* Looks at the file or folder: new, changed and removed apps. settled() is called in any case,
 * perhaps inside. Errors: the path cannot be read. */
NODISCARD enum status deploy_scan(struct deploy *d, struct error *err);

struct deploy_app *deploy_get(const struct deploy *d, uint32_t id);
uint32_t deploy_live_count(const struct deploy *d);

/* Opens the artifact of the live version for a worker, verified. Errors: ST_NOT_FOUND (and it is
 * being made anew), and those of artifact_open(). */
NODISCARD enum status deploy_open(struct deploy *d, struct deploy_app *app, int *ret_fd,
                                  struct error *err);

/* ---- between deploy.c and deploy_scan.c ---- */

struct stat;
struct file_identity deploy_identity(const struct stat *info);
bool deploy_same_file(const struct file_identity *a, const struct file_identity *b);

/* Replaces a string by a copy of `text`, or by NULL; false: out of memory, it stays. */
bool deploy_set_string(char **place, const char *text);

/* A file is new, or has changed: makes it live, or submits a job that will. */
void deploy_begin(struct deploy *d, struct deploy_app *app);
void deploy_stop_waiting(struct deploy *d, struct deploy_app *app);

#endif
