/* Requests to components: wasi:http's view of an exchange, and the call of "handle". */
#include <assert.h>
#include <string.h>

#include "artifact/artifact.h"
#include "outbound.h"
#include "request.h"
#include "wasi/wasi_http.h"

#define CLOCK_CALLS_HELD 16u /* a hello in JavaScript asks for the time 18 times */

bool component_find_handler(const struct artifact *a, uint32_t *ret_lift)
{
    const struct artifact_component_export *handle =
        canonical_find_export(a, "wasi:http/incoming-handler", "0.2.0", "handle");
    if (handle) *ret_lift = handle->lift;
    return handle;
}

/* ---- the request ---- */

static struct wasi_http_text text_of(struct http_slice slice)
{
    return (struct wasi_http_text){slice.data, slice.size};
}

/* Path and query stand one behind the other in the request's target. */
static void exchange_head(void *context, struct wasi_http_request_head *ret)
{
    const struct http_exchange *x = ((struct request *)context)->exchange;
    struct http_slice path = http_request_path(x), query;
    if (http_request_query(x, &query)) {
        if (path.data + path.size + 1 == query.data)
            path.size += 1 + query.size;
        else /* no path, as in "http://host?query": what is not sent cannot be pointed at */
            path = (struct http_slice){"/", 1};
    }
    *ret = (struct wasi_http_request_head){
        .method = text_of(http_request_method(x)),
        .path_with_query = text_of(path),
        .authority = text_of(http_request_host(x)),
    };
}

static size_t fields_count(void *context)
{
    return http_request_field_count(((struct request *)context)->exchange);
}

static struct wasi_http_field field_of(struct http_field f)
{
    return (struct wasi_http_field){text_of(f.name), text_of(f.value)};
}

static struct wasi_http_field fields_get(void *context, size_t index)
{
    return field_of(http_request_field(((struct request *)context)->exchange, index));
}

static size_t trailers_count(void *context)
{
    return http_request_trailer_count(((struct request *)context)->exchange);
}

static struct wasi_http_field trailers_get(void *context, size_t index)
{
    return field_of(http_request_trailer(((struct request *)context)->exchange, index));
}

/* ---- the response ---- */

size_t request_fields_to_http(const struct wasi_http_field *from, size_t count,
                              struct http_field to[HTTP_RESPONSE_FIELDS_MAX])
{
    size_t kept = count < HTTP_RESPONSE_FIELDS_MAX ? count : HTTP_RESPONSE_FIELDS_MAX;
    for (size_t i = 0; i < kept; i++)
        to[i] = (struct http_field){{from[i].name.data, from[i].name.size_bytes},
                                    {from[i].value.data, from[i].value.size_bytes}};
    return kept;
}

static enum status exchange_respond(void *context, int status, const struct wasi_http_field *fields,
                                    size_t count)
{
    struct request *r = context;
    struct http_field sent[HTTP_RESPONSE_FIELDS_MAX];
    if (!r->exchange) return ST_CLOSED;
    r->component.answered = true;
    enum status st =
        count > HTTP_RESPONSE_FIELDS_MAX
            ? error_set(&r->error, ST_LIMIT, "its head has more than %d fields",
                        HTTP_RESPONSE_FIELDS_MAX)
            : http_respond_head(r->exchange, status, sent,
                                request_fields_to_http(fields, count, sent), &r->error);
    if (st == ST_CLOSED) return st;
    if (st) {
        r->head_bad = true;
        return st;
    }
    r->head_sent = true;
    r->status = status;
    return request_limit_response(r);
}

static enum status body_write(void *context, const void *bytes, size_t size, size_t *ret)
{
    return request_write_body(context, bytes, size, ret);
}

static enum status body_ready(void *context, UNUSED enum wasi_direction direction, uint64_t *ret)
{
    const struct request *r = context;
    *ret = HTTP_OUT_LOW_BYTES;
    if (!r->exchange) return ST_CLOSED;
    return r->output_blocked ? ST_WOULD_BLOCK : ST_OK;
}

/* A body that is shorter than its length is cut, as one that was dropped. */
static enum status exchange_finish(void *context, const struct wasi_http_field *trailers,
                                   size_t count)
{
    struct request *r = context;
    struct http_field sent[HTTP_RESPONSE_FIELDS_MAX];
    if (!r->exchange || r->outcome != EDGE_OUTCOME_OK) return ST_CLOSED;
    enum status st =
        http_respond_finish(r->exchange, sent, request_fields_to_http(trailers, count, sent));
    r->component.finished = st == ST_OK;
    return st;
}

static void exchange_cut(void *context)
{
    struct request *r = context;
    r->component.cut = true;
}

static void exchange_refuse(void *context, const char *error_code)
{
    struct request *r = context;
    r->component.answered = true;
    r->component.error_code = error_code;
}

/* ---- waiting ---- */

/* Whatever happens to the request resumes the guest, which looks again. What it waits for was not
 * ready when it looked last, and nothing has happened since. */
static bool wait_suspended(void *context, struct instance *instance,
                           UNUSED const struct wasi_wait *waits, UNUSED size_t count,
                           uint64_t deadline_ns)
{
    struct request *r = context;
    struct loop *loop = r->edge->config.loop;
    if (deadline_ns == 0)
        loop_defer_next(loop, &r->yield_task);
    else if (deadline_ns != WASI_WAIT_FOREVER)
        loop_timer_start(loop, &r->wait_timer, deadline_ns);
    r->suspended = true;
    bool go_on = instance_suspend(instance);
    loop_timer_stop(loop, &r->wait_timer);
    loop_task_cancel(&r->yield_task);
    return go_on;
}

/* ---- life ---- */

enum status request_component_new(struct request *r, struct error *err)
{
    size_t count;
    const struct canonical_interface *const *interfaces = wasi_component_interfaces(&count);
    static const struct wasi_preview2_config nothing;
    enum status st = wasi_preview2_new(&nothing, &r->component.wasi, err);
    if (!st)
        st = canonical_new(r->version->module, interfaces, count, r->component.wasi,
                           &r->component.canonical, err);
    return st;
}

void request_component_free(struct request *r)
{
    canonical_free(r->component.canonical);
    wasi_preview2_free(r->component.wasi);
}

void request_component_clear(struct request *r)
{
    struct request_component *c = &r->component;
    if (!c->canonical) return;
    canonical_clear(c->canonical, c->wasi);
    wasi_preview2_clear(c->wasi);
    c->answered = c->finished = c->cut = c->returned = false;
    c->error_code = NULL;
    c->subrequests_count = 0;
}

static enum status give_objects(struct request *r, struct error *err)
{
    static const struct wasi_http_exchange_ops ops = {
        .head = exchange_head,
        .fields = {fields_count, fields_get},
        .trailers = {trailers_count, trailers_get},
        .respond = exchange_respond,
        .finish = exchange_finish,
        .cut = exchange_cut,
        .refuse = exchange_refuse,
    };
    static const struct wasi_stream_ops body_ops = {.write = body_write, .ready = body_ready};
    struct request_component *c = &r->component;
    struct wasi_http_exchange x = {
        .ops = &ops,
        .context = r,
        .request_body = request_stream(r, 0),
        .response_body = {&body_ops, r, -1, WASI_FILETYPE_UNKNOWN},
    };
    void *request, *outparam;
    uint32_t lift = r->version->lift;
    enum status st = wasi_http_begin(c->wasi, &x, &request, &outparam, err);
    if (!st) st = outbound_grant_request(r, err);
    if (!st)
        st = canonical_give(c->canonical, lift, wasi_http_incoming_request(), request,
                            &r->component.values[0].i32, err);
    if (!st)
        st = canonical_give(c->canonical, lift, wasi_http_response_outparam(), outparam,
                            &r->component.values[1].i32, err);
    return st;
}

/* wasi:logging goes where standard error goes, in lines that begin with the level. */
static void log_message(void *context, enum wasi_log_level level, const char *topic,
                        size_t topic_bytes, const char *message, size_t message_bytes)
{
    static const char *const names[] = {"trace", "debug", "info", "warn", "error", "critical"};
    const struct wasi_stream log = request_stream(context, 2);
    const struct wasi_http_text pieces[] = {
        {names[level], strlen(names[level])},
        {": ", 2},
        {topic, topic_bytes},
        {": ", topic_bytes ? 2 : 0},
        {message, message_bytes},
        {"\n", 1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        size_t taken;
        (void)log.ops->write(log.context, pieces[i].data, pieces[i].size_bytes, &taken);
    }
}

enum status request_component_prepare(struct request *r, struct error *err)
{
    const struct edge_config *config = &r->edge->config;
    struct wasi_stream log = request_stream(r, 2);
    r->args[0] = r->app->name;
    struct wasi_preview2_config wasi = {
        .args = r->args,
        .args_count = ARRAY_COUNT(r->args),
        .env = config->env,
        .env_count = config->env_count,
        .values = config->values,
        .values_count = config->values_count,
        .stdio = {{.fd = -1}, log, log},
        .clock = loop_clock(config->loop),
        .random = random_system(),
        .waiter = {wait_suspended, r},
        .clock_calls_held = CLOCK_CALLS_HELD,
        .log = {log_message, r},
    };
    enum status st = wasi_preview2_reuse(r->component.wasi, &wasi, err);
    if (!st) st = give_objects(r, err);
    return st;
}

enum call_result request_component_call(struct request *r)
{
    return canonical_call_lift(r->instance, r->version->lift, r->component.values);
}

enum call_result request_component_returned(struct request *r)
{
    r->component.returned = true;
    return canonical_returned(r->instance, r->version->lift, r->component.values);
}

/* ---- judging ---- */

enum edge_outcome request_component_judge(struct request *r)
{
    const struct request_component *c = &r->component;
    if (c->finished) return EDGE_OUTCOME_OK;
    if (c->error_code)
        error_set(&r->error, ST_INVALID, "it answered with the error %s", c->error_code);
    else if (!c->answered)
        error_set(&r->error, ST_INVALID, "it ended without setting a response");
    else if (!r->head_bad && r->head_sent && http_respond_missing(r->exchange))
        error_set(&r->error, ST_INVALID, "its body is shorter than its Content-Length");
    else if (!r->head_bad)
        error_set(&r->error, ST_INVALID, "it dropped the body of its response half-way");
    return EDGE_OUTCOME_BAD_RESPONSE;
}
