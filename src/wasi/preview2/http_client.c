/* wasi:http/outgoing-handler; and of wasi:http/types what comes back: future-incoming-response,
 * incoming-response, http-error-code. */
#include "http_client.h"

void http_call_unref(struct wasi_preview2 *p, struct http_call *call)
{
    if (!call || --call->references) return;
    call->ops->end(call->call);
    io_pool_give(&p->pool, call, sizeof *call);
}

/* ---- what comes back ---- */

struct http_future {
    struct io_object object;
    struct http_call *call;
    bool taken;
};

struct http_incoming_response {
    struct io_object object;
    struct http_call *call;
    int status;
    bool consumed;
};

static void future_done(struct wasi_preview2 *p, struct io_object *o)
{
    http_call_unref(p, ((struct http_future *)o)->call);
}

static void response_done(struct wasi_preview2 *p, struct io_object *o)
{
    http_call_unref(p, ((struct http_incoming_response *)o)->call);
}

const struct io_class future_incoming_response_class =
    IO_CLASS("future-incoming-response", future_done);
const struct io_class incoming_response_class = IO_CLASS("incoming-response", response_done);

/* ---- outgoing-handler ---- */

static void body_unref(struct wasi_preview2 *p, void *context)
{
    http_call_unref(p, context);
}

static enum status sink_finish(void *context, const struct wasi_http_field *trailers, size_t count)
{
    struct http_call *call = context;
    return call->ops->finish(call->call, trailers, count);
}

static void sink_cut(void *context)
{
    struct http_call *call = context;
    call->ops->cut(call->call);
}

/* The head as the client gets it; texts are the request's. */
static bool describe(struct http_outgoing_request *r, const struct http_request_options *options,
                     struct wasi_http_field fields[WASI_HTTP_SENT_FIELDS_MAX],
                     struct wasi_http_outgoing_head *ret)
{
    *ret = (struct wasi_http_outgoing_head){
        .method = {r->method.data ? r->method.data : "GET",
                   r->method.data ? r->method.size_bytes : 3},
        .scheme = {r->scheme.data ? r->scheme.data : "https",
                   r->scheme.data ? r->scheme.size_bytes : 5},
        .authority = {r->authority.data ? r->authority.data : "", r->authority.size_bytes},
        .path_with_query = {r->path_with_query.data ? r->path_with_query.data : "/",
                            r->path_with_query.data ? r->path_with_query.size_bytes : 1},
        .fields = fields,
        .connect_ns = options ? options->ns[HTTP_TIMEOUT_CONNECT] : 0,
        .first_byte_ns = options ? options->ns[HTTP_TIMEOUT_FIRST_BYTE] : 0,
        .between_bytes_ns = options ? options->ns[HTTP_TIMEOUT_BETWEEN_BYTES] : 0,
        .has_body = r->out && !(r->out->finished && r->out->held_at == r->out->held_end),
    };
    return fields_gather(r->fields, fields, &ret->fields_count);
}

/* Sends the head. NULL: *ret_error says why not, or HOST_TRAP with the text set. */
static struct http_call *send_head(struct canonical_call *c, struct http_outgoing_request *r,
                                   const struct http_request_options *options,
                                   enum wasi_http_error *ret_error)
{
    static const struct wasi_http_client nobody;
    struct wasi_preview2 *p = call_state(c);
    const struct wasi_http_client *client = p->http ? &p->http->client : &nobody;
    struct wasi_http_field fields[WASI_HTTP_SENT_FIELDS_MAX];
    struct wasi_http_outgoing_head head;
    *ret_error = WASI_HTTP_REQUEST_DENIED;
    if (!client->ops) return NULL;
    *ret_error = WASI_HTTP_REQUEST_HEADER_SECTION_SIZE;
    if (!describe(r, options, fields, &head)) return NULL;
    struct http_call *call = io_pool_take(&p->pool, sizeof *call);
    *ret_error = WASI_HTTP_CONNECTION_LIMIT_REACHED;
    if (!call) return NULL;
    *call = (struct http_call){.references = 1, .ops = client->ops};
    if (client->ops->send(client->context, &head, &call->call, ret_error)) return call;
    io_pool_give(&p->pool, call, sizeof *call);
    return NULL;
}

/* The future's reference outlives the sink's use: a call that the guest dropped is cut first. */
static enum host_result bind_body(struct canonical_call *c, struct http_outgoing_request *r,
                                  struct http_call *call)
{
    struct http_sink sink = {
        call->ops->request_body(call->call), call, sink_finish, sink_cut, body_unref, true};
    call->references++;
    if (r->out) return outgoing_bind(c, r->out, &sink);
    (void)!outgoing_empty(&sink);
    http_call_unref(call_state(c), call);
    return HOST_OK;
}

static enum host_result put_handle_result(struct canonical_call *c, uint32_t at, bool is_error,
                                          enum wasi_http_error error, uint32_t handle)
{
    uint8_t *ret = call_place(c, at, 8 + ERROR_CODE_BYTES, 8);
    if (!ret) return HOST_TRAP;
    ret[0] = is_error;
    if (is_error)
        put_error_code(ret + 8, error);
    else
        put_u32(ret + 8, handle);
    return HOST_OK;
}

static enum host_result send(struct canonical_call *c, struct http_outgoing_request *r,
                             const struct http_request_options *options, uint32_t ret_at)
{
    enum wasi_http_error error;
    uint32_t handle = 0;
    struct http_call *call = send_head(c, r, options, &error);
    if (!call) {
        if (r->out) (void)!outgoing_bind(c, r->out, NULL);
        return put_handle_result(c, ret_at, true, error, 0);
    }
    struct http_future *f = io_call_new(c, &future_incoming_response_class, sizeof *f, NULL);
    if (!f) {
        http_call_unref(call_state(c), call);
        return HOST_TRAP;
    }
    f->call = call;
    if (!io_call_own(c, f, &handle)) return HOST_TRAP;
    enum host_result result = bind_body(c, r, call);
    return result ? result : put_handle_result(c, ret_at, false, error, handle);
}

static enum host_result call_handle(struct canonical_call *c, struct value *v)
{
    uint32_t has_options = v[1].i32, options_handle = v[2].i32, ret_at = v[3].i32;
    struct http_request_options *options = NULL;
    if (has_options > 1) return call_trap(c, "an option's discriminant is neither 0 nor 1");
    struct http_outgoing_request *r = http_taken(c, &outgoing_request_class, v[0].i32);
    if (!r) return HOST_TRAP;
    if (has_options) options = http_taken(c, &request_options_class, options_handle);
    enum host_result result = has_options && !options ? HOST_TRAP : send(c, r, options, ret_at);
    io_object_end(call_state(c), options);
    io_object_end(call_state(c), r);
    return result;
}

/* ---- future-incoming-response ---- */

static bool look_future(struct wasi_preview2 *p, struct io_pollable *pollable, struct io_wait *wait)
{
    struct http_future *f = (struct http_future *)pollable->object.parent;
    int status;
    enum wasi_http_error error;
    (void)p;
    if (f->taken || f->call->ops->response(f->call->call, &status, &error) != ST_WOULD_BLOCK)
        return true;
    (void)wait; /* any event of the call wakes who waits */
    return false;
}

static enum host_result call_subscribe(struct canonical_call *c, struct value *v)
{
    struct http_future *f =
        canonical_borrowed(c, &future_incoming_response_class.resource, v[0].i32);
    return f && io_pollable_give(c, look_future, 0, &f->object, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static bool give_response(struct canonical_call *c, struct http_call *call, int status,
                          uint32_t *ret)
{
    struct http_incoming_response *r = io_call_new(c, &incoming_response_class, sizeof *r, NULL);
    if (!r) return false;
    r->call = call;
    r->status = status;
    call->references++;
    return io_call_own(c, r, ret);
}

/* option<result<result<own<incoming-response>, error-code>>> */
static enum host_result call_get(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[1].i32, handle = 0;
    int status = 0;
    enum wasi_http_error error = WASI_HTTP_INTERNAL_ERROR;
    struct http_future *f =
        canonical_borrowed(c, &future_incoming_response_class.resource, v[0].i32);
    if (!f) return HOST_TRAP;
    bool again = f->taken;
    enum status st = again ? ST_OK : f->call->ops->response(f->call->call, &status, &error);
    if (st != ST_WOULD_BLOCK) f->taken = true;
    if (!again && st == ST_OK && !give_response(c, f->call, status, &handle)) return HOST_TRAP;
    uint8_t *ret = call_place(c, ret_at, 56, 8);
    if (!ret) return HOST_TRAP;
    ret[0] = st != ST_WOULD_BLOCK;
    ret[8] = again;
    if (st == ST_WOULD_BLOCK || again) return HOST_OK;
    ret[16] = st != ST_OK;
    if (st)
        put_error_code(ret + 24, error);
    else
        put_u32(ret + 24, handle);
    return HOST_OK;
}

/* ---- incoming-response ---- */

static struct http_incoming_response *borrowed(struct canonical_call *c, uint32_t handle)
{
    return canonical_borrowed(c, &incoming_response_class.resource, handle);
}

static enum host_result call_status(struct canonical_call *c, struct value *v)
{
    struct http_incoming_response *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    v[0].i32 = (uint32_t)r->status;
    return HOST_OK;
}

static enum host_result call_headers(struct canonical_call *c, struct value *v)
{
    struct http_incoming_response *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    struct http_fields *f = fields_view(c, &r->call->ops->fields, r->call->call, &r->object);
    return f && io_call_own(c, f, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

/* The stream's context is the client's; the failure of reading is asked of the call. */
static enum host_result call_consume(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[1].i32, handle = 0;
    struct http_incoming_response *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    if (r->consumed) return put_own_result(c, ret_at, true, 0);
    struct http_incoming_body *b = incoming_body_new(c);
    if (!b) return HOST_TRAP;
    b->stream = r->call->ops->response_body(r->call->call);
    b->trailers = r->call->ops->trailers.count ? &r->call->ops->trailers : NULL;
    b->context = r->call->call;
    b->extra = &incoming_response_extra;
    b->owner = r->call;
    b->done = body_unref;
    r->call->references++;
    r->consumed = true;
    if (!io_call_own(c, b, &handle)) return HOST_TRAP;
    return put_own_result(c, ret_at, false, handle);
}

static enum host_result call_error_code(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[1].i32;
    struct io_error *e = canonical_borrowed(c, &io_error_class.resource, v[0].i32);
    uint8_t *ret = e ? call_place(c, ret_at, 8 + ERROR_CODE_BYTES, 8) : NULL;
    if (!ret) return HOST_TRAP;
    ret[0] = e->failure.domain == &io_domain_http;
    if (ret[0]) put_error_code(ret + 8, (enum wasi_http_error)e->failure.code);
    return HOST_OK;
}

#define TYPE_FUTURE_RESULT "option<result<result<own<incoming-response>, " TYPE_ERROR_CODE ">>>"

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[method]future-incoming-response.subscribe",
                       "func(self: borrow<future-incoming-response>) -> own<pollable>",
                       call_subscribe),
    CANONICAL_FUNCTION("[method]future-incoming-response.get",
                       "func(self: borrow<future-incoming-response>) -> " TYPE_FUTURE_RESULT,
                       call_get),
    CANONICAL_FUNCTION("[method]incoming-response.status",
                       "func(self: borrow<incoming-response>) -> u16", call_status),
    CANONICAL_FUNCTION("[method]incoming-response.headers",
                       "func(self: borrow<incoming-response>) -> own<fields>", call_headers),
    CANONICAL_FUNCTION("[method]incoming-response.consume",
                       "func(self: borrow<incoming-response>) -> result<own<incoming-body>>",
                       call_consume),
    CANONICAL_FUNCTION("http-error-code", "func(err: borrow<error>) -> option<" TYPE_ERROR_CODE ">",
                       call_error_code),
};

const struct http_functions http_client_functions = {functions, ARRAY_COUNT(functions)};

static const struct canonical_function handler_functions[] = {
    CANONICAL_FUNCTION("handle",
                       "func(request: own<outgoing-request>, options: option<own<request-options>>)"
                       " -> result<own<future-incoming-response>, " TYPE_ERROR_CODE ">",
                       call_handle),
};

const struct canonical_interface http_outgoing_handler = {"wasi:http/outgoing-handler",
                                                          PREVIEW2_VERSION,
                                                          handler_functions,
                                                          ARRAY_COUNT(handler_functions),
                                                          NULL,
                                                          0};
