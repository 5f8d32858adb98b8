/* The workers' processes: started, told about apps, started again. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/seccomp.h"
#include "say.h"
#include "supervisor.h"
#include "usage.h"

#define NS_PER_MS     UINT64_C(1000000)
#define ARGUMENTS_MAX 512u
#define FDS_FIRST     16 /* above what a worker's own are moved to */

extern char **environ;

/* ---- what workers are told ---- */

static void tell(struct worker_process *w, const struct deploy_app *app)
{
    uint32_t flags = w->supervisor->deploy.single ? CHANNEL_APP_DEFAULT : 0;
    channel_send(&w->channel, CHANNEL_APP, app->id, app->generation, flags, app->name, -1);
}

void pool_live(struct supervisor *s, const struct deploy_app *app)
{
    for (uint32_t i = 0; i < s->config->workers_count; i++)
        if (s->workers[i].pid) tell(&s->workers[i], app);
}

void pool_removed(struct supervisor *s, uint32_t id)
{
    for (uint32_t i = 0; i < s->config->workers_count; i++)
        if (s->workers[i].pid)
            channel_send(&s->workers[i].channel, CHANNEL_REMOVE, id, 0, 0, NULL, -1);
}

static void tell_all(struct worker_process *w)
{
    const struct deploy *d = &w->supervisor->deploy;
    for (size_t i = 0; i < d->count; i++)
        if (d->apps[i]->artifact) tell(w, d->apps[i]);
    channel_send(&w->channel, CHANNEL_LISTEN, 0, 0, 0, NULL, -1);
}

/* ---- what workers say ---- */

static void on_record(void *context, const struct channel_record *record, const char *text, int fd)
{
    struct worker_process *w = context;
    (void)text;
    if (fd >= 0) close(fd); /* workers have none to give */
    switch (record->kind) {
    case CHANNEL_READY:
        w->ready = true;
        supervisor_worker_ready(w->supervisor);
        break;
    case CHANNEL_NEED: supervisor_needs(w->supervisor, w, record->id); break;
    case CHANNEL_VIOLATION: {
        char name[SECCOMP_NAME_MAX];
        seccomp_call_name((int)record->id, name);
        node_say("worker %u (pid %d) made the system call %s, which is forbidden to it, and ends",
                 w->number, (int)w->pid, name);
        break;
    }
    default: break;
    }
}

/* It has ended, or does not read what it is told. */
static void on_channel_closed(void *context)
{
    struct worker_process *w = context;
    if (w->pid) kill(w->pid, SIGKILL);
}

/* ---- starting ---- */

static int spawn_with(struct worker_process *w, int channel_fd, char *const *argv, pid_t *ret)
{
    static const int defaults[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t set;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int number = posix_spawn_file_actions_adddup2(&actions, channel_fd, WORKER_CHANNEL_FD);
    if (!number)
        number = posix_spawn_file_actions_adddup2(&actions, w->listen_fd, WORKER_LISTEN_FD);
    if (!number)
        number =
            posix_spawn_file_actions_adddup2(&actions, w->supervisor->counts_fd, WORKER_COUNTS_FD);
    sigemptyset(&set);
    if (!number) number = posix_spawnattr_setsigmask(&attributes, &set);
    for (size_t i = 0; i < ARRAY_COUNT(defaults); i++) sigaddset(&set, defaults[i]);
    if (!number) number = posix_spawnattr_setsigdefault(&attributes, &set);
    if (!number)
        number =
            posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!number) number = posix_spawn(ret, "/proc/self/exe", &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return number;
}

/* The same command line, with the worker's number behind the verb. */
static int spawn(struct worker_process *w, int channel_fd, pid_t *ret)
{
    const struct node_config *config = w->supervisor->config;
    char number[16];
    const char *argv[ARGUMENTS_MAX] = {"mayfly", config->verb, config->worker_argument, number};
    snprintf(number, sizeof number, "%u", w->number);
    for (size_t i = 0; config->arguments[i]; i++) {
        if (i + 6 > ARRAY_COUNT(argv)) return E2BIG;
        argv[i + 4] = config->arguments[i];
    }
    return spawn_with(w, channel_fd, (char *const *)argv, ret);
}

static void on_ended(void *context, unsigned events);

/* Above the numbers that it gets in a worker, so that moving one there does not hit another. */
static int move_up(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FDS_FIRST);
    int number = errno;
    close(fd);
    errno = number;
    return moved;
}

static enum status watch_worker(struct worker_process *w, int channel_fd, struct error *err)
{
    struct supervisor *s = w->supervisor;
    enum status st =
        channel_open(&w->channel, s->loop, channel_fd, on_record, on_channel_closed, w, err);
    int fd = st ? -1 : (int)syscall(SYS_pidfd_open, w->pid, 0);
    if (!st && fd < 0) st = error_set_errno(err, errno, "pidfd_open");
    if (!st) st = loop_watch_add(s->loop, &w->ended, fd, LOOP_READ, on_ended, w, err);
    if (st && fd >= 0) close(fd);
    return st;
}

static enum status start_worker(struct worker_process *w, struct error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return error_set_errno(err, errno, "socketpair");
    ends[1] = move_up(ends[1]);
    w->ready = false;
    w->start_ns = loop_refresh_now(w->supervisor->loop);
    int number = ends[1] < 0 ? errno : spawn(w, ends[1], &w->pid);
    if (ends[1] >= 0) close(ends[1]);
    if (number) {
        w->pid = 0;
        close(ends[0]);
        return error_set_errno(err, number, "starting a worker");
    }
    enum status st = watch_worker(w, ends[0], err);
    if (st) {
        kill(w->pid, SIGKILL);
        waitpid(w->pid, NULL, 0);
        w->pid = 0;
        channel_close(&w->channel);
        return st;
    }
    w->supervisor->alive++;
    tell_all(w);
    return ST_OK;
}

/* ---- ending ---- */

static struct edge_usage *pool_usage(const struct supervisor *s, uint32_t worker)
{
    char *segment = (char *)s->counts + COUNTS_BYTES(s->config->workers_count);
    return (struct edge_usage *)(void *)(segment + worker * USAGE_BYTES);
}

static uint64_t restart_delay_ms(struct worker_process *w, uint64_t now_ns)
{
    if (now_ns - w->start_ns >= NODE_QUICK_DEATH_MS * NS_PER_MS) w->quick_deaths = 0;
    if (w->quick_deaths++ == 0) return 0;
    uint32_t doublings = w->quick_deaths - 2;
    if (doublings > 16) doublings = 16;
    uint64_t delay_ms = (uint64_t)NODE_RESTART_DELAY_MS << doublings;
    return delay_ms < NODE_RESTART_DELAY_MS_MAX ? delay_ms : NODE_RESTART_DELAY_MS_MAX;
}

static void restart(void *context)
{
    struct worker_process *w = context;
    struct supervisor *s = w->supervisor;
    struct error err;
    if (s->phase == SUPERVISOR_DRAINS || !start_worker(w, &err)) return;
    node_say("%s", err.text);
    loop_timer_start(s->loop, &w->restart_timer,
                     loop_now_ns(s->loop) + NODE_RESTART_DELAY_MS_MAX * NS_PER_MS);
}

static void say_end(const struct worker_process *w, pid_t pid, int state, uint64_t lost,
                    uint64_t delay_ms)
{
    char how[64], when[64] = "started again";
    if (WIFSIGNALED(state))
        snprintf(how, sizeof how, "was ended by signal %d (%s)", WTERMSIG(state),
                 strsignal(WTERMSIG(state)));
    else
        snprintf(how, sizeof how, "ended with exit code %d", WEXITSTATUS(state));
    if (delay_ms) snprintf(when, sizeof when, "to be started again in %u ms", (unsigned)delay_ms);
    node_say("worker %u (pid %d) %s, with %llu requests; %s", w->number, (int)pid, how,
             (unsigned long long)lost, when);
}

/* Its requests are over. Returns how many there were. */
static uint64_t lose_requests(const struct worker_process *w)
{
    struct supervisor *s = w->supervisor;
    _Atomic uint32_t *counts = s->counts + (size_t)w->number * EDGE_APPS_MAX;
    struct edge_usage *usage = pool_usage(s, w->number);
    uint64_t lost = 0;
    for (uint32_t i = 0; i < s->deploy.next_id; i++) {
        uint32_t running = atomic_exchange(&counts[i], 0);
        if (running) atomic_fetch_add(&usage[i].lost, running);
        lost += running;
    }
    return lost;
}

static void on_ended(void *context, unsigned events)
{
    struct worker_process *w = context;
    struct supervisor *s = w->supervisor;
    pid_t pid = w->pid;
    int state;
    (void)events;
    if (waitpid(pid, &state, WNOHANG) != pid) return;
    bool was_ready = w->ready;
    channel_receive_all(&w->channel);
    w->pid = 0;
    s->alive--;
    loop_watch_close(s->loop, &w->ended);
    channel_close(&w->channel);
    uint64_t lost = lose_requests(w);
    if (s->phase == SUPERVISOR_RUNS) {
        uint64_t delay_ms = restart_delay_ms(w, loop_now_ns(s->loop));
        say_end(w, pid, state, lost, delay_ms);
        if (delay_ms)
            loop_timer_start(s->loop, &w->restart_timer,
                             loop_now_ns(s->loop) + delay_ms * NS_PER_MS);
        else
            restart(w);
    }
    supervisor_worker_gone(s, was_ready);
}

void pool_drain(struct supervisor *s)
{
    /* First of all: what connects from now on finds nobody, rather than a socket that nobody
     * accepts from. */
    for (uint32_t i = 0; i < s->config->workers_count; i++) {
        struct worker_process *w = &s->workers[i];
        if (w->listen_fd >= 0) close(w->listen_fd);
        w->listen_fd = -1;
        loop_timer_stop(s->loop, &w->restart_timer);
        if (w->pid) channel_send(&w->channel, CHANNEL_DRAIN, 0, 0, 0, NULL, -1);
    }
}

void pool_kill(struct supervisor *s)
{
    for (uint32_t i = 0; i < s->config->workers_count; i++)
        if (s->workers[i].pid) kill(s->workers[i].pid, SIGKILL);
}

/* ---- the beginning ---- */

static enum status open_counts(struct supervisor *s, struct error *err)
{
    size_t bytes = SEGMENT_BYTES(s->config->workers_count);
    int fd = memfd_create("mayfly-counts", MFD_CLOEXEC);
    s->counts_fd = fd < 0 ? fd : move_up(fd);
    if (s->counts_fd < 0 || ftruncate(s->counts_fd, (off_t)bytes))
        return error_set_errno(err, errno, "counters");
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->counts_fd, 0);
    if (map == MAP_FAILED) return error_set_errno(err, errno, "counters");
    s->counts = map;
    s->usage = usage_new(map, s->config->workers_count);
    return s->usage ? ST_OK : error_set(err, ST_NO_MEMORY, "out of memory");
}

static enum status open_sockets(struct supervisor *s, struct error *err)
{
    int fds[NODE_WORKERS_MAX];
    uint32_t count = s->config->workers_count;
    enum status st = http_listen_open(&s->config->listen, fds, count, &s->port, err);
    for (uint32_t i = 0; !st && i < count; i++) {
        s->workers[i].listen_fd = move_up(fds[i]);
        if (s->workers[i].listen_fd < 0) st = error_set_errno(err, errno, "listening socket");
    }
    return st;
}

enum status pool_start(struct supervisor *s, struct error *err)
{
    enum status st = open_counts(s, err);
    if (!st) st = open_sockets(s, err);
    for (uint32_t i = 0; !st && i < s->config->workers_count; i++) {
        struct worker_process *w = &s->workers[i];
        w->supervisor = s;
        w->number = i;
        loop_timer_init(&w->restart_timer, restart, w);
        st = start_worker(w, err);
    }
    return st;
}
