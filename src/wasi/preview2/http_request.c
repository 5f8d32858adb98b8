/* wasi:http/types: incoming-request. */
#include "http.h"

const struct io_class incoming_request_class = IO_CLASS("incoming-request", NULL);

const struct canonical_resource *wasi_http_incoming_request(void)
{
    return &incoming_request_class.resource;
}

static const struct wasi_http_exchange *exchange_of(const struct canonical_call *c)
{
    return &call_state(c)->http->exchange;
}

static struct http_incoming_request *borrowed(struct canonical_call *c, uint32_t handle)
{
    return canonical_borrowed(c, &incoming_request_class.resource, handle);
}

static void head_of(const struct canonical_call *c, struct wasi_http_request_head *ret)
{
    const struct wasi_http_exchange *x = exchange_of(c);
    x->ops->head(x->context, ret);
}

static enum host_result call_method(struct canonical_call *c, struct value *v)
{
    struct wasi_http_request_head head;
    if (!borrowed(c, v[0].i32)) return HOST_TRAP;
    head_of(c, &head);
    return put_method(c, v[1].i32, head.method);
}

static enum host_result call_path(struct canonical_call *c, struct value *v)
{
    struct wasi_http_request_head head;
    if (!borrowed(c, v[0].i32)) return HOST_TRAP;
    head_of(c, &head);
    return put_text_option(c, v[1].i32, head.path_with_query);
}

static enum host_result call_authority(struct canonical_call *c, struct value *v)
{
    struct wasi_http_request_head head;
    if (!borrowed(c, v[0].i32)) return HOST_TRAP;
    head_of(c, &head);
    return put_text_option(c, v[1].i32, head.authority);
}

static enum host_result call_scheme(struct canonical_call *c, struct value *v)
{
    static const struct wasi_http_text schemes[] = {{"http", 4}, {"https", 5}};
    struct wasi_http_request_head head;
    if (!borrowed(c, v[0].i32)) return HOST_TRAP;
    head_of(c, &head);
    return put_scheme(c, v[1].i32, schemes[head.is_https]);
}

static enum host_result call_headers(struct canonical_call *c, struct value *v)
{
    const struct wasi_http_exchange *x = exchange_of(c);
    struct http_incoming_request *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    struct http_fields *f = fields_view(c, &x->ops->fields, x->context, &r->object);
    return f && io_call_own(c, f, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result call_consume(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[1].i32, handle = 0;
    const struct wasi_http_exchange *x = exchange_of(c);
    struct http_incoming_request *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    if (r->consumed) return put_own_result(c, ret_at, true, 0);
    struct http_incoming_body *b = incoming_body_new(c);
    if (!b) return HOST_TRAP;
    b->stream = x->request_body;
    b->trailers = x->ops->trailers.count ? &x->ops->trailers : NULL;
    b->context = x->context;
    b->extra = &incoming_request_extra;
    r->consumed = true;
    if (!io_call_own(c, b, &handle)) return HOST_TRAP;
    return put_own_result(c, ret_at, false, handle);
}

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[method]incoming-request.method",
                       "func(self: borrow<incoming-request>) -> " TYPE_METHOD, call_method),
    CANONICAL_FUNCTION("[method]incoming-request.path-with-query",
                       "func(self: borrow<incoming-request>) -> option<string>", call_path),
    CANONICAL_FUNCTION("[method]incoming-request.scheme",
                       "func(self: borrow<incoming-request>) -> option<" TYPE_SCHEME ">",
                       call_scheme),
    CANONICAL_FUNCTION("[method]incoming-request.authority",
                       "func(self: borrow<incoming-request>) -> option<string>", call_authority),
    CANONICAL_FUNCTION("[method]incoming-request.headers",
                       "func(self: borrow<incoming-request>) -> own<fields>", call_headers),
    CANONICAL_FUNCTION("[method]incoming-request.consume",
                       "func(self: borrow<incoming-request>) -> result<own<incoming-body>>",
                       call_consume),
};

const struct http_functions http_request_functions = {functions, ARRAY_COUNT(functions)};
