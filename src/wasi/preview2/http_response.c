/* wasi:http/types: outgoing-response, response-outparam. */
#include "http.h"

#define STATUS_MIN 100u
#define STATUS_MAX 999u

struct http_outgoing_response {
    struct io_object object;
    struct http_fields *fields;
    struct http_outgoing *out; /* the guest has asked for the body */
    uint16_t status;
};

static void outgoing_response_done(struct wasi_preview2 *p, struct io_object *o)
{
    struct http_outgoing_response *r = (struct http_outgoing_response *)o;
    io_object_end(p, r->fields);
    outgoing_unref(p, r->out);
}

const struct io_class outgoing_response_class =
    IO_CLASS("outgoing-response", outgoing_response_done);

static struct http_outgoing_response *borrowed(struct canonical_call *c, uint32_t handle)
{
    return canonical_borrowed(c, &outgoing_response_class.resource, handle);
}

static enum host_result call_constructor(struct canonical_call *c, struct value *v)
{
    struct http_fields *f = http_taken(c, &http_fields_class, v[0].i32);
    if (!f) return HOST_TRAP;
    struct http_outgoing_response *r = io_call_new(c, &outgoing_response_class, sizeof *r, NULL);
    if (!r) {
        io_object_end(call_state(c), f);
        return HOST_TRAP;
    }
    f->immutable = true;
    r->fields = f;
    r->status = 200;
    return io_call_own(c, r, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result call_status_code(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_response *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    v[0].i32 = r->status;
    return HOST_OK;
}

static enum host_result call_set_status_code(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_response *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    uint32_t status = v[1].i32 & 0xffff;
    v[0].i32 = status < STATUS_MIN || status > STATUS_MAX;
    if (!v[0].i32) r->status = (uint16_t)status;
    return HOST_OK;
}

static enum host_result call_headers(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_response *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    struct http_fields *f = fields_alias(c, r->fields, &r->object);
    return f && io_call_own(c, f, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result call_body(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[1].i32, handle = 0;
    struct http_outgoing_response *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    if (r->out) return put_own_result(c, ret_at, true, 0);
    r->out = outgoing_new(c);
    if (!r->out || !outgoing_body_give(c, r->out, &handle)) return HOST_TRAP;
    return put_own_result(c, ret_at, false, handle);
}

/* ---- response-outparam ---- */

const struct io_class response_outparam_class = IO_CLASS("response-outparam", NULL);

const struct canonical_resource *wasi_http_response_outparam(void)
{
    return &response_outparam_class.resource;
}

static enum host_result respond(struct canonical_call *c, struct http_outgoing_response *r)
{
    const struct wasi_http_exchange *x = &call_state(c)->http->exchange;
    struct wasi_http_field fields[WASI_HTTP_SENT_FIELDS_MAX + 1];
    size_t count;
    /* One more than may be sent is refused by respond(). */
    if (!fields_gather(r->fields, fields, &count)) fields[count++] = fields[0];
    bool sent = !x->ops->respond(x->context, r->status, fields, count);
    struct http_sink sink = {x->response_body, x->context, x->ops->finish,
                             x->ops->cut,      NULL,       false};
    if (r->out) return outgoing_bind(c, r->out, sent ? &sink : NULL);
    if (sent && outgoing_empty(&sink)) sink.cut(sink.context);
    return HOST_OK;
}

static enum host_result call_set(struct canonical_call *c, struct value *v)
{
    const struct wasi_http_exchange *x = &call_state(c)->http->exchange;
    uint32_t is_error = v[1].i32, code_or_handle = v[2].i32;
    struct io_object *param = http_taken(c, &response_outparam_class, v[0].i32);
    if (!param) return HOST_TRAP;
    io_object_end(call_state(c), param);
    if (is_error > 1 || (is_error && code_or_handle >= WASI_HTTP_ERRORS))
        return call_trap(c, "a variant's discriminant is out of range");
    if (is_error) {
        x->ops->refuse(x->context, wasi_http_error_name((enum wasi_http_error)code_or_handle));
        return HOST_OK;
    }
    struct http_outgoing_response *r = http_taken(c, &outgoing_response_class, code_or_handle);
    if (!r) return HOST_TRAP;
    enum host_result result = respond(c, r);
    io_object_end(call_state(c), r);
    return result;
}

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[constructor]outgoing-response",
                       "func(headers: own<fields>) -> own<outgoing-response>", call_constructor),
    CANONICAL_FUNCTION("[method]outgoing-response.status-code",
                       "func(self: borrow<outgoing-response>) -> u16", call_status_code),
    CANONICAL_FUNCTION("[method]outgoing-response.set-status-code",
                       "func(self: borrow<outgoing-response>, status-code: u16) -> result",
                       call_set_status_code),
    CANONICAL_FUNCTION("[method]outgoing-response.headers",
                       "func(self: borrow<outgoing-response>) -> own<fields>", call_headers),
    CANONICAL_FUNCTION("[method]outgoing-response.body",
                       "func(self: borrow<outgoing-response>) -> result<own<outgoing-body>>",
                       call_body),
    CANONICAL_FUNCTION("[static]response-outparam.set",
                       "func(param: own<response-outparam>, response: "
                       "result<own<outgoing-response>, " TYPE_ERROR_CODE ">)",
                       call_set),
};

const struct http_functions http_response_functions = {functions, ARRAY_COUNT(functions)};
