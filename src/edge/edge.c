#include "edge/edge.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "log.h"
#include "request.h"
#include "runtime/runtime.h"

#define LOG_BUFFER_BYTES (4u * EDGE_LOG_LINE_BYTES_MAX + 4096u)

void edge_limits_init(struct edge_limits *limits)
{
    *limits = (struct edge_limits){
        .instances_max = 1024,
        .wall_ms = 30000,
        .log_bytes_max = 64u << 10,
    };
}

enum status edge_new(const struct edge_config *config, struct edge **ret, struct error *err)
{
    struct edge *e = calloc(1, sizeof *e);
    if (!e) return error_set(err, ST_NO_MEMORY, "out of memory");
    e->config = *config;
    if (!e->config.limits.memory_bytes_max)
        e->config.limits.memory_bytes_max = INSTANCE_MEMORY_BYTES_DEFAULT;
    /* Ids are unique across restarts without being kept: they begin at random. */
    random_fill(random_system(), &e->next_request_id, sizeof e->next_request_id);
    buffer_init(&e->line, LOG_BUFFER_BYTES);
    *ret = e;
    return ST_OK;
}

void edge_free(struct edge *e)
{
    if (!e) return;
    for (size_t i = 0; i < e->apps.count; i++) {
        struct request *r = e->apps.apps[i]->idle;
        while (r) {
            struct request *next = r->next_idle;
            request_free(r);
            r = next;
        }
    }
    app_table_done(&e->apps);
    buffer_done(&e->line);
    free(e);
}

enum status edge_add_app(struct edge *e, const char *name, struct artifact *take_artifact,
                         struct error *err)
{
    return app_table_add(&e->apps, name, e->config.limits.memory_bytes_max, take_artifact, err);
}

enum status edge_set_default(struct edge *e, const char *name, struct error *err)
{
    e->apps.fallback = app_table_find(&e->apps, name, strlen(name));
    return e->apps.fallback ? ST_OK : error_set(err, ST_NOT_FOUND, "there is no app \"%s\"", name);
}

/* ---- http_handler ---- */

static void on_request(void *context, struct http_exchange *x)
{
    struct edge *e = context;
    struct route route;
    if (app_table_route(&e->apps, http_request_host_name(x), http_request_path(x), &route))
        request_begin(e, x, &route);
    else
        http_respond_text(x, 404, "no app answers at this address\n");
}

static void on_body_readable(UNUSED void *context, struct http_exchange *x)
{
    struct request *r = http_exchange_user(x);
    if (r) request_readable(r);
}

static void on_writable(UNUSED void *context, struct http_exchange *x)
{
    struct request *r = http_exchange_user(x);
    if (r) request_writable(r);
}

static void on_abort(UNUSED void *context, struct http_exchange *x, enum http_abort reason)
{
    struct request *r = http_exchange_user(x);
    if (r) request_aborted(r, reason);
}

static void on_refused(void *context, UNUSED const struct sockaddr *peer, int status,
                       const char *rule)
{
    struct edge *e = context;
    if (!e->config.access_log) return;
    log_begin(&e->line, "refused", NULL, 0);
    log_field_number(&e->line, "status", (uint64_t)status);
    log_field_text(&e->line, "rule", rule);
    log_end(&e->line, e->config.log_fd);
}

const struct http_handler *edge_handler(void)
{
    static const struct http_handler handler = {
        .on_request = on_request,
        .on_body_readable = on_body_readable,
        .on_writable = on_writable,
        .on_abort = on_abort,
        .on_refused = on_refused,
    };
    return &handler;
}
