#include "job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

void jobs_init(struct jobs *jobs, struct loop *loop, uint32_t running_max,
               void (*done)(void *, struct job *, enum status, const char *), void *context)
{
    *jobs =
        (struct jobs){.loop = loop, .running_max = running_max, .done = done, .context = context};
}

static void unlink_job(struct job *job)
{
    struct jobs *jobs = job->owner;
    struct job *previous = NULL;
    for (struct job *j = jobs->first; j != job; j = j->next) previous = j;
    if (previous)
        previous->next = job->next;
    else
        jobs->first = job->next;
    if (jobs->last == job) jobs->last = previous;
}

/* Also one that runs. */
static void free_job(struct job *job)
{
    struct jobs *jobs = job->owner;
    unlink_job(job);
    if (job->pid) {
        jobs->running--;
        kill(job->pid, SIGKILL);
        waitpid(job->pid, NULL, 0);
        loop_watch_close(jobs->loop, &job->ended);
    }
    if (job->message_fd >= 0) close(job->message_fd);
    free(job->in);
    free(job->out);
    free(job);
}

void jobs_done(struct jobs *jobs)
{
    while (jobs->first) free_job(jobs->first);
}

static void finish(struct job *job, enum status st, const char *message)
{
    struct jobs *jobs = job->owner;
    job->users++; /* those that release it inside done() do not free it */
    jobs->done(jobs->context, job, st, message);
    free_job(job);
}

/* The last lines that a job printed, without their newline. */
static void read_message(const struct job *job, char message[JOB_MESSAGE_BYTES_MAX])
{
    off_t size = lseek(job->message_fd, 0, SEEK_END);
    off_t start = size > (off_t)JOB_MESSAGE_BYTES_MAX ? size - (off_t)JOB_MESSAGE_BYTES_MAX + 1 : 0;
    ssize_t got = pread(job->message_fd, message, JOB_MESSAGE_BYTES_MAX - 1, start);
    if (got < 0) got = 0;
    while (got && message[got - 1] == '\n') got--;
    message[got] = '\0';
}

static void on_ended(void *context, unsigned events)
{
    struct job *job = context;
    struct jobs *jobs = job->owner;
    char message[JOB_MESSAGE_BYTES_MAX];
    struct error err = {0};
    int state;
    (void)events;
    if (waitpid(job->pid, &state, WNOHANG) != job->pid) return;
    job->pid = 0;
    jobs->running--;
    loop_watch_close(jobs->loop, &job->ended);
    read_message(job, message);
    enum status st = compiler_outcome(state, &err);
    finish(job, st, *message || !st ? message : err.text);
    jobs_start(jobs);
}

/* Those that somebody waits for go first; among them in the order they came. */
static struct job *next_job(const struct jobs *jobs)
{
    struct job *background = NULL;
    for (struct job *j = jobs->first; j; j = j->next) {
        if (j->pid) continue;
        if (!j->background) return j;
        if (!background) background = j;
    }
    return background;
}

static enum status start_job(struct job *job, struct error *err)
{
    struct jobs *jobs = job->owner;
    job->start_ns = clock_monotonic_ns(clock_system());
    job->message_fd = memfd_create("mayfly-job", MFD_CLOEXEC);
    if (job->message_fd < 0) return error_set_errno(err, errno, "memory file");
    enum status st =
        compiler_start(job->in, job->out, &job->options, job->message_fd, &job->pid, err);
    if (st) {
        job->pid = 0;
        return st;
    }
    int fd = (int)syscall(SYS_pidfd_open, job->pid, 0);
    if (fd < 0) st = error_set_errno(err, errno, "pidfd_open");
    if (!st) st = loop_watch_add(jobs->loop, &job->ended, fd, LOOP_READ, on_ended, job, err);
    if (!st) {
        jobs->running++;
        return ST_OK;
    }
    if (fd >= 0) close(fd);
    kill(job->pid, SIGKILL);
    waitpid(job->pid, NULL, 0);
    job->pid = 0;
    return st;
}

void jobs_start(struct jobs *jobs)
{
    while (jobs->running < jobs->running_max) {
        struct error err;
        struct job *job = next_job(jobs);
        if (!job) return;
        if (start_job(job, &err)) finish(job, ST_INTERNAL, err.text);
    }
}

static struct job *find(const struct jobs *jobs, const char *out)
{
    struct job *j = jobs->first;
    while (j && strcmp(j->out, out)) j = j->next;
    return j;
}

struct job *job_get(struct jobs *jobs, const char *in, const char *out,
                    const struct compiler_options *options, bool background)
{
    struct job *job = find(jobs, out);
    if (job) {
        job->users++;
        return job;
    }
    job = calloc(1, sizeof *job);
    if (!job) return NULL;
    *job = (struct job){.owner = jobs,
                        .in = strdup(in),
                        .out = strdup(out),
                        .options = *options,
                        .background = background,
                        .users = 1,
                        .message_fd = -1};
    if (!job->in || !job->out) {
        free(job->in);
        free(job->out);
        free(job);
        return NULL;
    }
    if (options->digest) {
        snprintf(job->digest, sizeof job->digest, "%s", options->digest);
        job->options.digest = job->digest;
    }
    if (background) {
        job->options.nice = JOB_BACKGROUND_NICE;
        job->options.threads = 1;
    }
    if (jobs->last)
        jobs->last->next = job;
    else
        jobs->first = job;
    jobs->last = job;
    return job;
}

void job_release(struct job *job)
{
    struct jobs *jobs = job->owner;
    if (--job->users) return;
    free_job(job);
    jobs_start(jobs);
}
