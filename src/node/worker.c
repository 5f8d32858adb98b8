/* A worker: answers requests with what the supervisor hands to it. After its start it opens
 * nothing: a filter of system calls sees to that. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "channel.h"
#include "http/http.h"
#include "node/node.h"
#include "os/loop.h"
#include "os/seccomp.h"
#include "runtime/runtime.h"
#include "say.h"
#include "supervisor.h"

struct worker {
    const struct node_config *config;
    uint32_t number;
    struct loop *loop;
    struct edge *edge;
    struct http_server *server;
    struct channel channel;
    struct loop_signals signals;
    bool listening, draining, failed;
};

/* ---- ending ---- */

static void on_drained(void *context)
{
    struct worker *w = context;
    loop_stop(w->loop);
}

static void drain(struct worker *w)
{
    if (w->draining) return;
    w->draining = true;
    http_server_drain(w->server, NODE_DRAIN_GRACE_MS, on_drained, w);
}

static void fail(struct worker *w, const struct error *err)
{
    node_say("worker %u: %s", w->number, err->text);
    w->failed = true;
    loop_stop(w->loop);
}

static void on_signal(void *context, int number)
{
    (void)number;
    drain(context);
}

/* ---- the supervisor ---- */

static void on_need(void *context, uint32_t id, uint32_t generation)
{
    struct worker *w = context;
    channel_send(&w->channel, CHANNEL_NEED, id, generation, 0, NULL, -1);
}

static void on_app(struct worker *w, const struct channel_record *record, const char *name)
{
    struct error err;
    enum status st = edge_put_app(w->edge, record->id, name, record->generation, &err);
    if (!st && record->flags & CHANNEL_APP_DEFAULT)
        st = edge_set_default(w->edge, record->id, &err);
    if (st) node_say("worker %u: %s", w->number, err.text);
}

static void on_artifact(struct worker *w, const struct channel_record *record, int fd)
{
    struct artifact *artifact;
    struct error err;
    enum status st = fd < 0 ? error_set(&err, ST_IO, "an artifact without a descriptor")
                            : artifact_open_fd(fd, true, &artifact, &err);
    if (st) {
        edge_fail(w->edge, record->id, record->generation, err.text);
        return;
    }
    st = edge_supply(w->edge, record->id, record->generation, artifact, &err);
    if (st && st != ST_EXISTS && st != ST_NOT_FOUND) node_say("worker %u: %s", w->number, err.text);
}

static void start_listening(struct worker *w)
{
    struct error err;
    if (w->listening) return;
    if (http_server_listen_fd(w->server, WORKER_LISTEN_FD, &err)) {
        fail(w, &err);
        return;
    }
    w->listening = true;
    channel_send(&w->channel, CHANNEL_READY, 0, 0, 0, NULL, -1);
}

static void on_record(void *context, const struct channel_record *record, const char *text, int fd)
{
    struct worker *w = context;
    if (record->kind == CHANNEL_ARTIFACT) {
        on_artifact(w, record, fd);
        return;
    }
    if (fd >= 0) close(fd);
    switch (record->kind) {
    case CHANNEL_APP: on_app(w, record, text); break;
    case CHANNEL_REMOVE: edge_remove_app(w->edge, record->id); break;
    case CHANNEL_FAIL: edge_fail(w->edge, record->id, record->generation, text); break;
    case CHANNEL_LISTEN: start_listening(w); break;
    case CHANNEL_DRAIN: drain(w); break;
    default: break;
    }
}

static void on_orphaned(void *context)
{
    struct worker *w = context;
    channel_close(&w->channel);
    edge_freeze(w->edge);
    if (!w->listening) loop_stop(w->loop);
    if (!w->draining && w->listening)
        node_say("worker %u (pid %d): the supervisor is gone; the apps that are loaded are served "
                 "until SIGTERM",
                 w->number, (int)getpid());
}

/* Inside the handler of SIGSYS: one record, past the channel's queue. */
static void on_violation(int number)
{
    const struct channel_record record = {.kind = CHANNEL_VIOLATION, .id = (uint32_t)number};
    send(WORKER_CHANNEL_FD, &record, sizeof record, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- the beginning ---- */

/* The running requests of all workers, and what this one counts. */
static enum status map_counts(const struct worker *w, struct edge_config *edge, struct error *err)
{
    size_t counts_bytes = COUNTS_BYTES(w->config->workers_count);
    off_t usage_at = (off_t)(counts_bytes + w->number * USAGE_BYTES);
    void *counts =
        mmap(NULL, counts_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, WORKER_COUNTS_FD, 0);
    void *usage =
        mmap(NULL, USAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, WORKER_COUNTS_FD, usage_at);
    if (counts == MAP_FAILED || usage == MAP_FAILED) return error_set_errno(err, errno, "counters");
    edge->counts = counts;
    edge->usage = usage;
    return ST_OK;
}

/* Standard error, so that a reader who is slow holds up nobody: a pipe or terminal gets a
 * description of this process's own, in non-blocking mode, which the others that share it do not
 * notice. */
static int log_open(void)
{
    struct stat about;
    if (fstat(STDERR_FILENO, &about) || !(S_ISFIFO(about.st_mode) || S_ISCHR(about.st_mode)))
        return STDERR_FILENO;
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? STDERR_FILENO : fd;
}

static enum status set_up(struct worker *w, struct error *err)
{
    static const int ends[] = {SIGTERM};
    const struct node_config *config = w->config;
    struct http_config http;
    struct edge_config edge = {
        .limits = config->limits,
        .server_software = config->server_software,
        .env = config->env,
        .env_count = config->env_count,
        .values = config->values,
        .values_count = config->values_count,
        .outbound = config->outbound,
        .log_fd = log_open(),
        .access_log = config->access_log,
        .need = on_need,
        .need_context = w,
        .worker = w->number,
        .workers_count = config->workers_count,
    };
    http_config_init(&http);
    http.body_bytes_max = (uint64_t)EDGE_BODY_KIB_MAX << 10; /* the edge's limit says which app */
    enum status st = runtime_init(err);
    if (!st) st = runtime_thread_init(err);
    if (!st) st = map_counts(w, &edge, err);
    if (!st) st = loop_new(clock_system(), &w->loop, err);
    edge.loop = w->loop;
    if (!st) st = edge_new(&edge, &w->edge, err);
    if (!st) st = http_server_new(w->loop, &http, edge_handler(), w->edge, &w->server, err);
    if (!st)
        st = channel_open(&w->channel, w->loop, WORKER_CHANNEL_FD, on_record, on_orphaned, w, err);
    if (!st)
        st = loop_signals_open(w->loop, &w->signals, ends, ARRAY_COUNT(ends), on_signal, w, err);
    return st;
}

/* Sockets of its own are only for a worker whose guests may send requests. */
static enum seccomp_profile profile_of(const struct worker *w)
{
    return w->config->outbound.grants_count ? SECCOMP_CLIENT : SECCOMP_WORKER;
}

static bool confine_lookout(UNUSED void *context)
{
    struct error err;
    return !seccomp_apply(SECCOMP_WORKER, on_violation, &err);
}

static uint64_t loop_patience(void *context)
{
    return loop_patience_ns(context);
}

static enum status confine(struct worker *w, struct error *err)
{
    /* What libraries read from files the first time they are asked. */
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    enum status st = process_harden(err);
    if (!st) st = loop_lookout_start(w->loop, confine_lookout, NULL, err);
    if (!st) runtime_set_patience(loop_patience, w->loop);
    if (!st) st = seccomp_apply(profile_of(w), on_violation, err);
    return st;
}

static void close_all(struct worker *w)
{
    http_server_free(w->server);
    channel_close(&w->channel);
    loop_signals_close(&w->signals);
    edge_free(w->edge);
    if (w->loop) loop_free(w->loop);
}

int node_work(const struct node_config *config, uint32_t number)
{
    struct worker w = {.config = config, .number = number};
    struct error err;
    int type;
    socklen_t size = sizeof type;
    if (getsockopt(WORKER_CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &size) ||
        type != SOCK_SEQPACKET) {
        node_say("only a supervisor starts workers");
        return 2;
    }
    /* Terminals send these to a whole group; the supervisor says what they mean. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    enum status st = set_up(&w, &err);
    if (!st) st = confine(&w, &err);
    if (!st) st = loop_run(w.loop, &err);
    if (st) {
        node_say("worker %u: %s", number, err.text);
        w.failed = true;
    }
    close_all(&w);
    return w.failed;
}
