/* The supervisor: from the first look at the apps to the end of the last worker. */
#include "supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "say.h"
#include "usage.h"

#define NS_PER_MS      UINT64_C(1000000)
#define HOST_BYTES_MAX 256u

/* ---- the end ---- */

static void stop(struct supervisor *s)
{
    s->phase = SUPERVISOR_DRAINS;
    pool_kill(s);
    if (!s->alive) loop_stop(s->loop);
}

static void fail(struct supervisor *s, const char *why)
{
    if (why) node_say("%s", why);
    s->failed = true;
    stop(s);
}

static void on_kill(void *context)
{
    pool_kill(context);
}

static void drain(struct supervisor *s)
{
    bool running = s->phase == SUPERVISOR_RUNS;
    if (!running) {
        stop(s); /* asked twice, or before anything listened: at once */
        return;
    }
    s->phase = SUPERVISOR_DRAINS;
    jobs_done(&s->deploy.jobs);
    for (size_t i = 0; i < s->deploy.count; i++) s->deploy.apps[i]->job = NULL;
    pool_drain(s);
    loop_timer_start(s->loop, &s->kill_timer,
                     loop_now_ns(s->loop) + (NODE_DRAIN_GRACE_MS + NODE_KILL_GRACE_MS) * NS_PER_MS);
    if (!s->alive) loop_stop(s->loop);
}

/* ---- apps ---- */

static void scan(struct supervisor *s)
{
    struct error err;
    s->scan_again = false;
    if (!deploy_scan(&s->deploy, &err)) return;
    if (s->phase == SUPERVISOR_DEPLOYS)
        fail(s, err.text);
    else
        node_say("%s; the apps stay as they are", err.text);
}

static void on_live(void *context, const struct deploy_app *app)
{
    pool_live(context, app);
}

static void on_removed(void *context, uint32_t id)
{
    struct supervisor *s = context;
    pool_removed(s, id);
    if (s->usage) usage_forget(s->usage, id);
}

static void on_settled(void *context)
{
    struct supervisor *s = context;
    struct error err;
    if (s->phase != SUPERVISOR_DEPLOYS) return;
    if (deploy_live_count(&s->deploy)) {
        s->phase = SUPERVISOR_STARTS;
        if (pool_start(s, &err)) fail(s, err.text);
    } else if (s->deploy.single) {
        fail(s, NULL); /* which was said */
    } else {
        char text[ERROR_TEXT_MAX];
        snprintf(text, sizeof text, "%s: %s", s->config->path,
                 s->deploy.count ? "no program in it could be served"
                                 : "holds no program: put NAME.wasm or NAME.mfa into it");
        fail(s, text);
    }
}

void supervisor_needs(struct supervisor *s, struct worker_process *w, uint32_t id)
{
    struct deploy_app *app = deploy_get(&s->deploy, id);
    struct error err;
    int fd = -1;
    if (!app) return; /* removed, as the worker will read soon */
    uint32_t generation = app->generation;
    if (!deploy_open(&s->deploy, app, &fd, &err))
        channel_send(&w->channel, CHANNEL_ARTIFACT, id, generation, 0, NULL, fd);
    else
        channel_send(&w->channel, CHANNEL_FAIL, id, generation, 0, err.text, -1);
}

/* ---- workers ---- */

static const char *kind_of(const struct deploy_app *app)
{
    bool as_it_is = !strcmp(app->artifact, app->path);
    if (app->kind == EDGE_COMPONENT) return as_it_is ? "component (artifact)" : "component";
    return as_it_is ? "command (artifact)" : "command";
}

static void announce(const struct supervisor *s)
{
    const char *host = *s->config->listen.host ? s->config->listen.host : "0.0.0.0";
    bool v6 = strchr(host, ':');
    char url[HOST_BYTES_MAX + 32];
    snprintf(url, sizeof url, "http://%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "", s->port);
    printf("listening on %s\n", url);
    for (size_t i = 0; i < s->deploy.count; i++) {
        const struct deploy_app *app = s->deploy.apps[i];
        if (!app->artifact) continue;
        if (s->deploy.single)
            printf("  %s  %s/  %s\n", app->name, url, kind_of(app));
        else
            printf("  %s  %s/%s/  http://%s.localhost:%u/  %s\n", app->name, url, app->name,
                   app->name, s->port, kind_of(app));
    }
    fflush(stdout);
}

void supervisor_worker_ready(struct supervisor *s)
{
    if (s->phase != SUPERVISOR_STARTS) return;
    for (uint32_t i = 0; i < s->config->workers_count; i++)
        if (!s->workers[i].ready) return;
    s->phase = SUPERVISOR_RUNS;
    announce(s);
    if (s->scan_again) scan(s);
}

void supervisor_worker_gone(struct supervisor *s, bool was_ready)
{
    if (s->phase == SUPERVISOR_STARTS) fail(s, was_ready ? "a worker ended at once" : NULL);
    if (s->phase == SUPERVISOR_DRAINS && !s->alive) loop_stop(s->loop);
}

/* ---- signals ---- */

static void on_signal(void *context, int number)
{
    struct supervisor *s = context;
    switch (number) {
    case SIGUSR1:
        if (s->usage) usage_print(s->usage, &s->deploy);
        break;
    case SIGHUP:
        if (s->phase == SUPERVISOR_RUNS)
            scan(s);
        else
            s->scan_again = true;
        break;
    default: drain(s);
    }
}

/* ---- the beginning ---- */

/* Artifacts, clients and instances take descriptors; the limit that processes begin with is for
 * those that use select(). */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void close_all(struct supervisor *s)
{
    loop_signals_close(&s->signals);
    loop_timer_stop(s->loop, &s->kill_timer);
    deploy_done(&s->deploy);
    for (uint32_t i = 0; i < NODE_WORKERS_MAX; i++)
        if (s->workers[i].listen_fd >= 0) close(s->workers[i].listen_fd);
    usage_free(s->usage);
    if (s->counts) munmap(s->counts, SEGMENT_BYTES(s->config->workers_count));
    if (s->counts_fd >= 0) close(s->counts_fd);
    loop_free(s->loop);
}

static enum status run(struct supervisor *s, struct error *err)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1};
    enum status st =
        loop_signals_open(s->loop, &s->signals, signals, ARRAY_COUNT(signals), on_signal, s, err);
    if (st) return st;
    loop_timer_init(&s->kill_timer, on_kill, s);
    deploy_init(&s->deploy, s->config, s->loop);
    s->deploy.live = on_live;
    s->deploy.removed = on_removed;
    s->deploy.settled = on_settled;
    s->deploy.context = s;
    scan(s);
    if (s->failed && !s->alive) return ST_OK;
    return loop_run(s->loop, err);
}

int node_supervise(const struct node_config *config)
{
    struct error err;
    struct supervisor *s = calloc(1, sizeof *s);
    if (!s) return 1;
    s->config = config;
    s->counts_fd = -1;
    for (uint32_t i = 0; i < NODE_WORKERS_MAX; i++) s->workers[i].listen_fd = -1;
    signal(SIGPIPE, SIG_IGN); /* whoever reads the log may go */
    raise_descriptors();
    enum status st = loop_new(clock_system(), &s->loop, &err);
    if (!st) st = run(s, &err);
    if (st) {
        node_say("%s", err.text);
        s->failed = true;
        pool_kill(s);
    }
    bool failed = s->failed;
    if (s->loop) close_all(s);
    free(s);
    return failed;
}
