/* Compile jobs of a supervisor: at most one a core at a time, those that somebody waits for first.
 * Private to node. */
#ifndef NODE_JOB_H
#define NODE_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "node/compiler.h"
#include "os/loop.h"

/* Jobs are bounded by the number of apps, each of which waits for one at most. */
#define JOB_MESSAGE_BYTES_MAX 4096u /* of what a job printed */
#define JOB_BACKGROUND_NICE   10u

struct job {
    struct job *next;
    struct jobs *owner;
    char *in, *out;
    struct compiler_options options;
    char digest[SHA256_HEX];
    bool background;
    uint32_t users; /* apps that wait for it */
    pid_t pid;      /* 0: not started */
    int message_fd;
    struct loop_watch ended;
    uint64_t start_ns;
};

struct jobs {
    struct loop *loop;
    struct job *first, *last;
    uint32_t running, running_max;
    /* A job is over: `st` as compiler_outcome(), `message` what it printed. The job is gone
     * afterwards. */
    void (*done)(void *context, struct job *job, enum status st, const char *message);
    void *context;
};

void jobs_init(struct jobs *jobs, struct loop *loop, uint32_t running_max,
               void (*done)(void *, struct job *, enum status, const char *), void *context);
void jobs_done(struct jobs *jobs); /* ends what runs */

/* A job from `in` to `out`, or the one that makes `out` already. The caller is one of its users.
 * NULL: out of memory. */
struct job *job_get(struct jobs *jobs, const char *in, const char *out,
                    const struct compiler_options *options, bool background);

/* Starts what may run now. To be called after job_get(), outside of callbacks that go through apps:
 * a job that cannot be started is done at once. */
void jobs_start(struct jobs *jobs);

/* A user has no more interest; without users a job ends. */
void job_release(struct job *job);

#endif
