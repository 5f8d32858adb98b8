/* The table of apps, and how it follows the folder. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "deploy.h"
#include "say.h"

/* The name in `path` without its folders and its ".wasm" or ".mfa"; false when it has neither. */
static bool app_name(const char *path, char *name, size_t size_bytes)
{
    static const char *const suffixes[] = {".wasm", ".mfa"};
    const char *slash = strrchr(path, '/');
    snprintf(name, size_bytes, "%s", slash ? slash + 1 : path);
    size_t length = strlen(name);
    for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
        size_t suffix = strlen(suffixes[i]);
        if (length <= suffix || strcmp(name + length - suffix, suffixes[i])) continue;
        name[length - suffix] = '\0';
        return true;
    }
    return false;
}

static int is_app(const struct dirent *entry)
{
    char name[NAME_MAX + 1];
    return entry->d_name[0] != '.' && app_name(entry->d_name, name, sizeof name);
}

/* ---- the table ---- */

static void free_app(struct deploy_app *app)
{
    free(app->name);
    free(app->path);
    free(app->artifact);
    free(app->fast_artifact);
    free(app);
}

void deploy_done(struct deploy *d)
{
    jobs_done(&d->jobs);
    for (size_t i = 0; i < d->count; i++) free_app(d->apps[i]);
    free(d->apps);
    free(d->by_id);
    free(d->free_ids);
    *d = (struct deploy){0};
}

uint32_t deploy_live_count(const struct deploy *d)
{
    uint32_t count = 0;
    for (size_t i = 0; i < d->count; i++) count += d->apps[i]->artifact != NULL;
    return count;
}

struct deploy_app *deploy_get(const struct deploy *d, uint32_t id)
{
    return id < d->next_id ? d->by_id[id] : NULL;
}

static int by_name(const void *left, const void *right)
{
    const struct deploy_app *const *a = left, *const *b = right;
    int order = strcasecmp((*a)->name, (*b)->name);
    return order ? order : strcmp((*a)->path, (*b)->path);
}

/* Among the first `count`, which are sorted. */
static struct deploy_app *find(const struct deploy *d, size_t count, const char *name)
{
    size_t first = 0;
    while (count) {
        size_t half = count / 2;
        int order = strcasecmp(d->apps[first + half]->name, name);
        if (!order) return d->apps[first + half];
        if (order < 0) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return NULL;
}

static bool grow(struct deploy *d)
{
    if (d->count < d->capacity) return true;
    size_t capacity = d->capacity ? 2 * d->capacity : 64;
    struct deploy_app **apps = realloc(d->apps, capacity * sizeof(struct deploy_app *));
    if (apps) d->apps = apps;
    struct deploy_app **by_id = realloc(d->by_id, capacity * sizeof(struct deploy_app *));
    if (by_id) d->by_id = by_id;
    uint32_t *free_ids = realloc(d->free_ids, capacity * sizeof(uint32_t));
    if (free_ids) d->free_ids = free_ids;
    if (!apps || !by_id || !free_ids) return false;
    d->capacity = capacity;
    return true;
}

/* Appends an app that has no version yet. */
static struct deploy_app *add(struct deploy *d, const char *name, const char *path,
                              struct error *err)
{
    if (edge_check_name(name, err)) return NULL;
    if (d->count >= EDGE_APPS_MAX) {
        error_set(err, ST_LIMIT, "more than %u apps", EDGE_APPS_MAX);
        return NULL;
    }
    struct deploy_app *app = grow(d) ? calloc(1, sizeof *app) : NULL;
    if (!app || !deploy_set_string(&app->name, name) || !deploy_set_string(&app->path, path)) {
        if (app) free_app(app);
        error_set(err, ST_NO_MEMORY, "out of memory");
        return NULL;
    }
    app->id = d->free_ids_count ? d->free_ids[--d->free_ids_count] : d->next_id++;
    d->by_id[app->id] = app;
    d->apps[d->count++] = app;
    return app;
}

static void remove_app(struct deploy *d, struct deploy_app *app)
{
    deploy_stop_waiting(d, app);
    d->by_id[app->id] = NULL;
    d->free_ids[d->free_ids_count++] = app->id;
    if (app->artifact) d->removed(d->context, app->id);
    free_app(app);
}

/* ---- the scan ---- */

/* `known` apps were there before and are sorted. */
static void look_at(struct deploy *d, size_t known, const char *path, const char *name)
{
    struct stat info;
    struct error err;
    if (stat(path, &info)) {
        node_say("%s: %s", path, strerror(errno));
        return;
    }
    struct file_identity identity = deploy_identity(&info);
    struct deploy_app *app = find(d, known, name);
    if (app && app->seen) {
        node_say("%s: there is an app named \"%s\" already", path, app->name);
        return;
    }
    bool changed = !app || strcmp(app->path, path) || !deploy_same_file(&app->source, &identity);
    if (!app) app = add(d, name, path, &err);
    if (!app) {
        node_say("%s: %s", path, err.text);
        return;
    }
    app->seen = true;
    if (!changed || !deploy_set_string(&app->path, path)) return;
    app->source = identity;
    deploy_begin(d, app);
}

static enum status look_at_folder(struct deploy *d, size_t known, const char *path,
                                  struct error *err)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_app, alphasort);
    if (count < 0) return error_set_errno(err, errno, "%s", path);
    for (int i = 0; i < count; i++) {
        char file[PATH_MAX], name[NAME_MAX + 1];
        int used = snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (used > 0 && (size_t)used < sizeof file &&
            app_name(entries[i]->d_name, name, sizeof name))
            look_at(d, known, file, name);
        free(entries[i]);
    }
    free(entries);
    return ST_OK;
}

/* Apps that were not seen go; so do two new ones of one name, but the first. */
static void sort_and_sweep(struct deploy *d)
{
    size_t kept = 0;
    if (d->count) qsort(d->apps, d->count, sizeof(struct deploy_app *), by_name);
    for (size_t i = 0; i < d->count; i++) {
        struct deploy_app *app = d->apps[i];
        bool twin = kept && !strcasecmp(d->apps[kept - 1]->name, app->name);
        if (twin) node_say("%s: there is an app named \"%s\" already", app->path, app->name);
        if (app->seen && !twin)
            d->apps[kept++] = app;
        else
            remove_app(d, app);
    }
    d->count = kept;
}

enum status deploy_scan(struct deploy *d, struct error *err)
{
    struct stat info;
    const char *path = d->config->path;
    if (stat(path, &info)) return error_set_errno(err, errno, "%s", path);
    d->single = !S_ISDIR(info.st_mode);
    for (size_t i = 0; i < d->count; i++) d->apps[i]->seen = false;
    enum status st = ST_OK;
    if (d->single) {
        char name[NAME_MAX + 1];
        app_name(path, name, sizeof name);
        look_at(d, d->count, path, name);
    } else {
        st = look_at_folder(d, d->count, path, err);
    }
    if (st) return st;
    sort_and_sweep(d);
    jobs_start(&d->jobs);
    if (!d->waited_jobs) d->settled(d->context);
    return ST_OK;
}
