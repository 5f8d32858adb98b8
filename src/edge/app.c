#include "app.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BUCKETS_MIN 64u

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* FNV-1a over the name in lower case. */
static uint64_t hash(const char *name, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) h = (h ^ (unsigned char)lower(name[i])) * 0x100000001b3u;
    return h ^ h >> 32;
}

static struct app **bucket(const struct app_table *t, const char *name, size_t size)
{
    return &t->buckets[hash(name, size) & (t->buckets_count - 1)];
}

struct app *app_table_find(const struct app_table *t, const char *name, size_t size)
{
    if (!size || size > EDGE_NAME_BYTES_MAX || !t->buckets_count) return NULL;
    struct app *app = *bucket(t, name, size);
    while (app && (strncasecmp(app->name, name, size) || app->name[size]))
        app = app->next_in_bucket;
    return app;
}

struct app *app_table_get(const struct app_table *t, uint32_t id)
{
    return id < t->ids_count ? t->by_id[id] : NULL;
}

enum status edge_check_name(const char *name, struct error *err)
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

static enum status grow_buckets(struct app_table *t, struct error *err)
{
    if (t->count < t->buckets_count) return ST_OK;
    size_t count = t->buckets_count ? 2 * t->buckets_count : BUCKETS_MIN;
    struct app **buckets = calloc(count, sizeof(struct app *));
    if (!buckets) return error_set(err, ST_NO_MEMORY, "out of memory");
    struct app_table grown = {.buckets = buckets, .buckets_count = count};
    for (size_t i = 0; i < t->buckets_count; i++) {
        struct app *next;
        for (struct app *app = t->buckets[i]; app; app = next) {
            next = app->next_in_bucket;
            struct app **place = bucket(&grown, app->name, strlen(app->name));
            app->next_in_bucket = *place;
            *place = app;
        }
    }
    free(t->buckets);
    t->buckets = buckets;
    t->buckets_count = count;
    return ST_OK;
}

static enum status grow_ids(struct app_table *t, uint32_t id, struct error *err)
{
    if (id < t->ids_count) return ST_OK;
    size_t count = t->ids_count ? t->ids_count : BUCKETS_MIN;
    while (count <= id) count *= 2;
    struct app **by_id = realloc(t->by_id, count * sizeof(struct app *));
    if (!by_id) return error_set(err, ST_NO_MEMORY, "out of memory");
    memset(by_id + t->ids_count, 0, (count - t->ids_count) * sizeof(struct app *));
    t->by_id = by_id;
    t->ids_count = count;
    return ST_OK;
}

enum status app_table_add(struct app_table *t, uint32_t id, const char *name, struct app **ret,
                          struct error *err)
{
    enum status st = edge_check_name(name, err);
    if (st) return st;
    if (id >= EDGE_APPS_MAX || t->count >= EDGE_APPS_MAX)
        return error_set(err, ST_LIMIT, "more than %u apps", EDGE_APPS_MAX);
    size_t size = strlen(name);
    if (app_table_get(t, id) || app_table_find(t, name, size))
        return error_set(err, ST_EXISTS, "there is an app named \"%s\" already", name);
    st = grow_buckets(t, err);
    if (!st) st = grow_ids(t, id, err);
    if (st) return st;
    struct app *app = calloc(1, sizeof *app);
    if (!app) return error_set(err, ST_NO_MEMORY, "out of memory");
    memcpy(app->name, name, size);
    app->id = id;
    struct app **place = bucket(t, name, size);
    app->next_in_bucket = *place;
    *place = app;
    t->by_id[id] = app;
    t->count++;
    *ret = app;
    return ST_OK;
}

void app_table_remove(struct app_table *t, struct app *app)
{
    struct app **place = bucket(t, app->name, strlen(app->name));
    assert(t->by_id[app->id] == app);
    while (*place != app) place = &(*place)->next_in_bucket;
    *place = app->next_in_bucket;
    app->next_in_bucket = NULL;
    t->by_id[app->id] = NULL;
    t->count--;
    if (t->fallback == app) t->fallback = NULL;
}

void app_table_done(struct app_table *t)
{
    for (size_t i = 0; i < t->ids_count; i++) free(t->by_id[i]);
    free(t->by_id);
    free(t->buckets);
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
