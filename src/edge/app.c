#include "app.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "artifact/artifact.h"
#include "runtime/runtime.h"
#include "wasi/wasi.h"

#define EXPORT_FUNC 0u
#define PAGE_BYTES  65536u

static int compare(const char *name, const char *key, size_t size)
{
    int order = strncasecmp(name, key, size);
    return order ? order : name[size] != '\0';
}

/* The place of the first app whose name is not below `key`. */
static size_t lower_bound(const struct app_table *t, const char *key, size_t size)
{
    size_t first = 0, count = t->count;
    while (count) {
        size_t half = count / 2;
        if (compare(t->apps[first + half]->name, key, size) < 0) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

struct app *app_table_find(const struct app_table *t, const char *name, size_t size)
{
    if (!size || size > EDGE_NAME_BYTES_MAX) return NULL;
    size_t at = lower_bound(t, name, size);
    return at < t->count && !compare(t->apps[at]->name, name, size) ? t->apps[at] : NULL;
}

static enum status check_name(const char *name, struct error *err)
{
    size_t size = strlen(name);
    bool good = size > 0 && size <= EDGE_NAME_BYTES_MAX && *name != '.';
    for (size_t i = 0; i < size && good; i++) {
        char c = name[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    }
    if (good) return ST_OK;
    return error_set(err, ST_USAGE,
                     "\"%s\" is no name for an app: it takes 1 to %u letters, digits, '-', '_' "
                     "and '.', and does not begin with '.'",
                     name, EDGE_NAME_BYTES_MAX);
}

/* Said at once rather than at the first request. */
static enum status check_memory(const struct artifact *a, uint64_t bytes_max, struct error *err)
{
    size_t count;
    const struct artifact_memory *memories = artifact_section(a, ARTIFACT_MEMORIES, &count);
    uint64_t pages = 0;
    for (size_t i = 0; i < count; i++) pages += memories[i].pages_min;
    if (pages <= bytes_max / PAGE_BYTES) return ST_OK;
    return error_set(err, ST_LIMIT,
                     "memories of %llu MiB at the start are above the limit of %llu MiB "
                     "(--memory MIB allows more)",
                     (unsigned long long)(pages >> 4), (unsigned long long)(bytes_max >> 20));
}

static enum status link_app(struct app *app, struct artifact *take_artifact, struct error *err)
{
    const struct artifact_export *start =
        artifact_find_export(take_artifact, "_start", EXPORT_FUNC);
    if (!start)
        return error_set(err, ST_INVALID,
                         "exports no \"_start\": not a WASI command (a reactor or a library "
                         "cannot answer requests; build it with a main function)");
    app->start_func = start->index;
    size_t sets_count;
    const struct host_set *sets = wasi_preview1_sets(&sets_count);
    return module_new(take_artifact, sets, sets_count, &app->module, err);
}

static enum status make_room(struct app_table *t, struct error *err)
{
    if (t->count >= EDGE_APPS_MAX)
        return error_set(err, ST_LIMIT, "more than %u apps", EDGE_APPS_MAX);
    if (t->count < t->capacity) return ST_OK;
    size_t capacity = t->capacity ? 2 * t->capacity : 16;
    struct app **apps = realloc(t->apps, capacity * sizeof(struct app *));
    if (!apps) return error_set(err, ST_NO_MEMORY, "out of memory");
    t->apps = apps;
    t->capacity = capacity;
    return ST_OK;
}

enum status app_table_add(struct app_table *t, const char *name, uint64_t memory_bytes_max,
                          struct artifact *take_artifact, struct error *err)
{
    enum status st = check_name(name, err);
    if (!st) st = check_memory(take_artifact, memory_bytes_max, err);
    if (!st) st = make_room(t, err);
    if (st) return st;
    size_t size = strlen(name);
    if (app_table_find(t, name, size))
        return error_set(err, ST_EXISTS, "there is an app named \"%s\" already", name);
    struct app *app = calloc(1, sizeof *app);
    if (!app) return error_set(err, ST_NO_MEMORY, "out of memory");
    memcpy(app->name, name, size);
    st = link_app(app, take_artifact, err);
    if (st) {
        free(app);
        return st;
    }
    size_t at = lower_bound(t, name, size);
    memmove(t->apps + at + 1, t->apps + at, (t->count - at) * sizeof(struct app *));
    t->apps[at] = app;
    t->count++;
    return ST_OK;
}

void app_table_done(struct app_table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        module_free(t->apps[i]->module);
        free(t->apps[i]);
    }
    free(t->apps);
    *t = (struct app_table){0};
}

/* "name" of "name.localhost"; empty when the host is another. */
static struct http_slice host_label(struct http_slice host)
{
    static const char suffix[] = ".localhost";
    size_t length = sizeof suffix - 1;
    if (host.size <= length || strncasecmp(host.data + host.size - length, suffix, length))
        return (struct http_slice){host.data, 0};
    return (struct http_slice){host.data, host.size - length};
}

bool app_table_route(const struct app_table *t, struct http_slice host_name, struct http_slice path,
                     struct route *ret)
{
    struct http_slice label = host_label(host_name);
    struct route by_host = {app_table_find(t, label.data, label.size), {path.data, 0}, path};
    if (path.data[0] != '/') return false; /* "*" asks no app */
    if (by_host.app) {
        *ret = by_host;
        return true;
    }
    const char *end = memchr(path.data + 1, '/', path.size - 1);
    size_t size = end ? (size_t)(end - path.data) : path.size;
    struct app *app = app_table_find(t, path.data + 1, size - 1);
    if (app)
        *ret = (struct route){app, {path.data, size}, {path.data + size, path.size - size}};
    else
        *ret = (struct route){t->fallback, {path.data, 0}, path};
    return ret->app;
}
