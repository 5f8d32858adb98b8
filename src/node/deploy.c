#include "deploy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "node/cache_folder.h"
#include "node/program_file.h"
#include "say.h"

#define TRIM_EVERY 64u /* compilations */

struct file_identity deploy_identity(const struct stat *info)
{
    return (struct file_identity){
        .device = info->st_dev,
        .inode = info->st_ino,
        .size_bytes = info->st_size,
        .changed = info->st_mtim,
    };
}

bool deploy_same_file(const struct file_identity *a, const struct file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* ---- live ---- */

/* Verifies the artifact at `path` from its first byte and says which file that was, and what it is.
 * `*ret_servable` tells a good artifact that cannot be served from a bad one. */
static enum status check_artifact(const struct deploy *d, struct deploy_app *app, const char *path,
                                  struct file_identity *ret, bool *ret_servable, struct error *err)
{
    struct stat info;
    struct artifact *artifact;
    *ret_servable = true;
    enum status st = artifact_open(path, &artifact, err);
    if (st) return st;
    if (fstat(artifact_fd(artifact), &info)) {
        st = error_set_errno(err, errno, "%s", path);
        artifact_close(artifact);
        return st;
    }
    *ret = deploy_identity(&info);
    st = edge_check(artifact, &d->config->limits, &app->kind, err);
    *ret_servable = !st;
    return st;
}

bool deploy_set_string(char **place, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy) return false;
    free(*place);
    *place = copy;
    return true;
}

static void go_live(struct deploy *d, struct deploy_app *app, const char *artifact,
                    const struct file_identity *identity)
{
    if (!deploy_set_string(&app->artifact, artifact)) {
        node_say("%s: out of memory", app->path);
        return;
    }
    app->artifact_identity = *identity;
    app->generation++;
    d->live(d->context, app);
}

static void report(const struct deploy_app *app, const struct error *err)
{
    size_t length = strlen(app->path);
    /* Some errors name the file themselves. */
    if (!strncmp(err->text, app->path, length))
        node_say("%s", err->text);
    else
        node_say("%s: %s", app->path, err->text);
}

/* True: dealt with, live or reported. False: there is no such artifact, or none that is whole. */
static bool try_cached(struct deploy *d, struct deploy_app *app, const char *path)
{
    struct file_identity identity;
    struct error err;
    bool servable;
    if (!check_artifact(d, app, path, &identity, &servable, &err)) {
        cache_folder_touch(path);
        go_live(d, app, path, &identity);
        return true;
    }
    if (servable) return false;
    report(app, &err);
    return true;
}

/* ---- compiling ---- */

void deploy_stop_waiting(struct deploy *d, struct deploy_app *app)
{
    if (!app->job) return;
    if (!app->job->background) d->waited_jobs--;
    job_release(app->job);
    app->job = NULL;
}

static void wait_for(struct deploy *d, struct deploy_app *app, const char *hex, const char *out,
                     const char *level, bool background)
{
    struct compiler_options options = d->config->compile;
    options.level = level;
    options.digest = hex;
    app->job = job_get(&d->jobs, app->path, out, &options, background);
    if (!app->job) {
        node_say("%s: out of memory", app->path);
        return;
    }
    if (!app->job->background) d->waited_jobs++;
}

static enum status cached_path(const char *hex, const struct compiler_options *compile,
                               const char *level, char path[PATH_MAX], struct error *err)
{
    char name[COMPILER_CACHE_NAME_BYTES];
    struct compiler_options options = *compile;
    options.level = level;
    compiler_cache_name(hex, &options, name);
    return cache_folder_path(name, path, PATH_MAX, err);
}

static enum status begin_module(struct deploy *d, struct deploy_app *app, struct error *err)
{
    const struct node_config *config = d->config;
    char hex[SHA256_HEX], best[PATH_MAX], fast[PATH_MAX];
    enum status st = program_file_digest(app->path, hex, err);
    if (!st) st = cached_path(hex, &config->compile, config->compile.level, best, err);
    if (!st) st = cached_path(hex, &config->compile, "fast", fast, err);
    if (st || try_cached(d, app, best)) return st;
    if (!config->two_levels) {
        wait_for(d, app, hex, best, config->compile.level, false);
        return ST_OK;
    }
    uint32_t before = app->generation;
    if (!try_cached(d, app, fast)) {
        wait_for(d, app, hex, fast, "fast", false);
    } else if (app->generation != before && deploy_set_string(&app->fast_artifact, fast)) {
        wait_for(d, app, hex, best, config->compile.level, true);
    }
    return ST_OK;
}

void deploy_begin(struct deploy *d, struct deploy_app *app)
{
    enum program_file_kind kind;
    struct file_identity identity;
    struct error err;
    bool servable;
    deploy_stop_waiting(d, app);
    deploy_set_string(&app->fast_artifact, NULL);
    app->begun_ns = loop_now_ns(d->jobs.loop);
    enum status st = program_file_kind(app->path, &kind, &err);
    if (!st && kind != PROGRAM_FILE_ARTIFACT)
        st = begin_module(d, app, &err);
    else if (!st) {
        st = check_artifact(d, app, app->path, &identity, &servable, &err);
        if (!st) go_live(d, app, app->path, &identity);
    }
    if (st) report(app, &err);
}

static void trim_cache(struct deploy *d)
{
    if (++d->compiled < TRIM_EVERY && d->jobs.first != d->jobs.last) return;
    d->compiled = 0;
    cache_folder_trim(PROGRAM_CACHE_BYTES_MAX, PROGRAM_CACHE_FILES_MAX);
}

static void compiled_first(struct deploy *d, struct deploy_app *app, const struct job *job)
{
    uint32_t before = app->generation;
    if (!try_cached(d, app, job->out)) {
        node_say("%s: the compiled artifact is not there any more", app->path);
        return;
    }
    if (app->generation == before) return; /* cannot be served, which was said */
    node_say("compiled %s in %.1f s", app->path,
             (double)(clock_monotonic_ns(clock_system()) - job->start_ns) / 1e9);
    if (!d->config->two_levels) return;
    char hex[SHA256_HEX], best[PATH_MAX];
    struct error err;
    enum status st = program_file_digest(app->path, hex, &err);
    if (!st) st = cached_path(hex, &d->config->compile, d->config->compile.level, best, &err);
    if (!st && deploy_set_string(&app->fast_artifact, job->out))
        wait_for(d, app, hex, best, d->config->compile.level, true);
}

/* The fast code has done its duty; another node that wanted it would make it anew. */
static void compiled_best(struct deploy *d, struct deploy_app *app, const struct job *job)
{
    if (!try_cached(d, app, job->out) || !app->fast_artifact) return;
    if (strcmp(app->fast_artifact, app->artifact)) unlink(app->fast_artifact);
    deploy_set_string(&app->fast_artifact, NULL);
}

static void on_job_done(void *context, struct job *job, enum status st, const char *message)
{
    struct deploy *d = context;
    uint32_t waited = d->waited_jobs;
    bool said = false;
    for (size_t i = 0; i < d->count; i++) {
        struct deploy_app *app = d->apps[i];
        if (app->job != job) continue;
        deploy_stop_waiting(d, app);
        if (!st && job->background) {
            compiled_best(d, app, job);
        } else if (!st) {
            compiled_first(d, app, job);
        } else if (job->background) {
            const char *line = strrchr(message, '\n');
            node_say("%s is not optimised and stays as it is: %s", app->path,
                     line ? line + 1 : message);
        } else if (!said) {
            said = true; /* the compiler's own line, with its "mayfly: " and the file's name */
            if (!strncmp(message, "mayfly: ", 8)) message += 8;
            node_say("%s", message);
        }
    }
    trim_cache(d);
    if (waited && !d->waited_jobs) d->settled(d->context);
}

void deploy_init(struct deploy *d, const struct node_config *config, struct loop *loop)
{
    *d = (struct deploy){.config = config};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    jobs_init(&d->jobs, loop, cores > 0 ? (uint32_t)cores : 1, on_job_done, d);
}

/* ---- artifacts for workers ---- */

enum status deploy_open(struct deploy *d, struct deploy_app *app, int *ret_fd, struct error *err)
{
    if (!app->artifact) return error_set(err, ST_NOT_FOUND, "%s is not live", app->name);
    int fd = open(app->artifact, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    if (fd >= 0 && !fstat(fd, &info)) {
        struct file_identity identity = deploy_identity(&info);
        /* Files of the cache are replaced, never changed; their time says when they were used. */
        if (strcmp(app->artifact, app->path)) identity.changed = app->artifact_identity.changed;
        if (deploy_same_file(&identity, &app->artifact_identity)) {
            *ret_fd = fd;
            return ST_OK;
        }
    }
    if (fd >= 0) close(fd);
    /* It was removed or replaced behind our back: from the beginning, but not for every request. */
    if (loop_now_ns(d->jobs.loop) - app->begun_ns > DEPLOY_AGAIN_MS * UINT64_C(1000000)) {
        deploy_begin(d, app);
        jobs_start(&d->jobs);
    }
    return error_set(err, ST_NOT_FOUND, "the artifact is not there any more, and is made anew");
}
