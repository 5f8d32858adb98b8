#include "edge/edge.h"

#include <stdlib.h>
#include <string.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "http/client.h"
#include "log.h"
#include "outbound.h"
#include "request.h"
#include "runtime/runtime.h"

#define LOG_BUFFER_BYTES (4u * EDGE_LOG_LINE_BYTES_MAX + 4096u)

void edge_limits_init(struct edge_limits *limits)
{
    *limits = (struct edge_limits){
        .instances_max = 1024,
        .cpu_ms = 50,
        .wall_ms = 30000,
        .log_bytes_max = 64u << 10,
        .request_body_bytes_max = 100u << 20,
        .response_body_bytes_max = 1u << 30,
        .subrequests_max = 50,
    };
}

enum status edge_check_grant(const char *text, struct error *err)
{
    struct outbound_grant ignored;
    return outbound_grant_parse(text, &ignored, err);
}

static enum status open_outbound(struct edge *e, struct error *err)
{
    const struct edge_outbound *outbound = &e->config.outbound;
    if (!outbound->grants_count) return ST_OK;
    if (outbound->grants_count > EDGE_GRANTS_MAX)
        return error_set(err, ST_LIMIT, "more than %u grants of hosts", EDGE_GRANTS_MAX);
    e->grants = calloc(outbound->grants_count, sizeof *e->grants);
    if (!e->grants) return error_set(err, ST_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < outbound->grants_count; i++) {
        enum status st = outbound_grant_parse(outbound->grants[i].text, &e->grants[i], err);
        if (st) return st;
        e->grants[i].is_private = outbound->grants[i].is_private;
    }
    e->grants_count = outbound->grants_count;
    const struct http_client_config client = {outbound->ca_file, outbound->resolver};
    return http_client_new(e->config.loop, &client, &e->client, err);
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
    log_sink_init(&e->log, e->config.log_fd);
    loaded_init(e);
    loop_task_init(&e->run_task, request_run_next, e);
    starting_init(e);
    enum status st = open_outbound(e, err);
    if (st) {
        edge_free(e);
        return st;
    }
    *ret = e;
    return ST_OK;
}

void edge_free(struct edge *e)
{
    if (!e) return;
    loop_task_cancel(&e->run_task);
    starting_done(e);
    request_shrink_all(e);
    loaded_done(e);
    app_table_done(&e->apps);
    http_client_free(e->client);
    free(e->grants);
    buffer_done(&e->line);
    free(e);
}

/* ---- apps ---- */

void edge_ask(struct edge *e, struct app *app)
{
    if (!e->config.need || e->frozen || app->asked == app->generation) return;
    app->asked = app->generation;
    e->config.need(e->config.need_context, app->id, app->generation);
}

enum status edge_put_app(struct edge *e, uint32_t id, const char *name, uint32_t generation,
                         struct error *err)
{
    struct app *app = app_table_get(&e->apps, id);
    if (app && strcmp(app->name, name))
        return error_set(err, ST_EXISTS, "app %u is \"%s\"", id, app->name);
    enum status st = app ? ST_OK : app_table_add(&e->apps, id, name, &app, err);
    if (st) return st;
    app->generation = generation;
    if (app->current || app->waiting) edge_ask(e, app);
    return ST_OK;
}

void edge_remove_app(struct edge *e, uint32_t id)
{
    struct app *app = app_table_get(&e->apps, id);
    if (!app) return;
    app_table_remove(&e->apps, app);
    waiting_refuse(e, app, "this app was removed");
    app->removed = true;
    loaded_drop(e, app);
}

enum status edge_supply(struct edge *e, uint32_t id, uint32_t generation,
                        struct artifact *take_artifact, struct error *err)
{
    struct app *app = app_table_get(&e->apps, id);
    enum status st = ST_OK;
    if (!app)
        st = error_set(err, ST_NOT_FOUND, "no app %u", id);
    else if (generation < app->generation ||
             (app->current && app->current->generation >= generation))
        st = error_set(err, ST_EXISTS, "version %u of %s is outdated", generation, app->name);
    if (st) {
        artifact_close(take_artifact);
        return st;
    }
    struct app_version *v;
    st = app_version_new(take_artifact, e->config.limits.memory_bytes_max, &v, err);
    if (st) {
        edge_fail(e, id, generation, err ? err->text : "this app cannot be loaded");
        return st;
    }
    if (app->asked == generation) app->asked = 0;
    v->generation = generation;
    loaded_put(e, app, v);
    waiting_go(e, app);
    return ST_OK;
}

void edge_fail(struct edge *e, uint32_t id, uint32_t generation, const char *why)
{
    struct app *app = app_table_get(&e->apps, id);
    if (!app || app->asked != generation) return;
    app->asked = 0;
    if (!app->current) waiting_refuse(e, app, why);
}

void edge_freeze(struct edge *e)
{
    e->frozen = true;
    loop_timer_stop(e->config.loop, &e->sweep_timer);
    for (size_t i = 0; i < e->apps.ids_count; i++)
        if (e->apps.by_id[i]) waiting_refuse(e, e->apps.by_id[i], "this app is not ready");
}

enum status edge_set_default(struct edge *e, uint32_t id, struct error *err)
{
    struct app *app = app_table_get(&e->apps, id);
    if (!app) return error_set(err, ST_NOT_FOUND, "there is no app %u", id);
    e->apps.fallback = app;
    return ST_OK;
}

/* ---- http_handler ---- */

static void on_request(void *context, struct http_exchange *x)
{
    struct edge *e = context;
    struct route route;
    if (!app_table_route(&e->apps, http_request_host_name(x), http_request_path(x), &route)) {
        usage_count(e, NULL, EDGE_OUTCOME_DENIED);
        http_respond_text(x, 404, "no app answers at this address (denied)\n");
    } else if (route.app->current)
        request_begin(e, x, &route);
    else
        waiting_begin(e, x, &route);
}

static void on_body_readable(UNUSED void *context, struct http_exchange *x)
{
    struct request *r = exchange_user(x, 0);
    if (r) request_readable(r);
}

static void on_writable(UNUSED void *context, struct http_exchange *x)
{
    struct request *r = exchange_user(x, 0);
    if (r) request_writable(r);
}

static void on_abort(UNUSED void *context, struct http_exchange *x, enum http_abort reason)
{
    struct waiting *w = exchange_user(x, EXCHANGE_WAITING);
    struct starting *s = exchange_user(x, EXCHANGE_STARTING);
    struct request *r = exchange_user(x, 0);
    if (w)
        waiting_aborted(w);
    else if (s)
        starting_aborted(s);
    else if (r)
        request_aborted(r, reason);
}

static void on_refused(void *context, UNUSED const struct sockaddr *peer, int status,
                       const char *rule, bool begun)
{
    struct edge *e = context;
    if (!begun) usage_count(e, NULL, EDGE_OUTCOME_DENIED);
    if (!e->config.access_log) return;
    log_begin(&e->line, "refused", NULL, 0);
    log_field_text(&e->line, "outcome", edge_outcome_name(EDGE_OUTCOME_DENIED));
    log_field_number(&e->line, "status", (uint64_t)status);
    log_field_text(&e->line, "rule", rule);
    log_end(&e->line, &e->log);
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
