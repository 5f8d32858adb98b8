/* wasi:http/types: outgoing-request. */
#include "http_client.h"

static void text_drop(struct wasi_preview2 *p, struct http_kept_text *text)
{
    if (text->data) io_pool_give(&p->pool, text->data, text->size_bytes + 1u);
    *text = (struct http_kept_text){0};
}

static void outgoing_request_done(struct wasi_preview2 *p, struct io_object *o)
{
    struct http_outgoing_request *r = (struct http_outgoing_request *)o;
    io_object_end(p, r->fields);
    outgoing_unref(p, r->out);
    text_drop(p, &r->method);
    text_drop(p, &r->path_with_query);
    text_drop(p, &r->scheme);
    text_drop(p, &r->authority);
}

const struct io_class outgoing_request_class = IO_CLASS("outgoing-request", outgoing_request_done);

static struct http_outgoing_request *borrowed(struct canonical_call *c, uint32_t handle)
{
    return canonical_borrowed(c, &outgoing_request_class.resource, handle);
}

static bool text_keep(struct canonical_call *c, struct http_kept_text *to, const char *data,
                      size_t size_bytes)
{
    struct wasi_preview2 *p = call_state(c);
    char *piece = io_pool_take(&p->pool, size_bytes + 1);
    if (!piece) return canonical_trap(c, "no room for a request");
    memcpy(piece, data, size_bytes);
    text_drop(p, to);
    *to = (struct http_kept_text){piece, (uint32_t)size_bytes};
    return true;
}

static struct wasi_http_text view(const struct http_kept_text *text)
{
    return (struct wasi_http_text){text->data ? text->data : "", text->size_bytes};
}

static enum host_result call_constructor(struct canonical_call *c, struct value *v)
{
    struct http_fields *f = http_taken(c, &http_fields_class, v[0].i32);
    if (!f) return HOST_TRAP;
    struct http_outgoing_request *r = io_call_new(c, &outgoing_request_class, sizeof *r, NULL);
    if (!r) {
        io_object_end(call_state(c), f);
        return HOST_TRAP;
    }
    f->immutable = true;
    r->fields = f;
    return io_call_own(c, r, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result call_body(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[1].i32, handle = 0;
    struct http_outgoing_request *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    if (r->out) return put_own_result(c, ret_at, true, 0);
    r->out = outgoing_new(c);
    if (!r->out || !outgoing_body_give(c, r->out, &handle)) return HOST_TRAP;
    return put_own_result(c, ret_at, false, handle);
}

static enum host_result call_headers(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_request *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    struct http_fields *f = fields_alias(c, r->fields, &r->object);
    return f && io_call_own(c, f, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

/* ---- rules: RFC 9110 §9.1, RFC 3986 §3 ---- */

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool consists_of(const char *text, size_t size_bytes, const char *others)
{
    for (size_t i = 0; i < size_bytes; i++)
        if (!is_alphanumeric(text[i]) && (!text[i] || !strchr(others, text[i]))) return false;
    return true;
}

static bool is_path(const char *text, size_t size_bytes)
{
    if (size_bytes == 1 && *text == '*') return true;
    return size_bytes && (*text == '/' || *text == '?') &&
           consists_of(text, size_bytes, "-._~!$&'()*+,;=:@%/?[]|^`{}\"<>\\");
}

static bool is_scheme(const char *text, size_t size_bytes)
{
    return size_bytes && consists_of(text, 1, "") && consists_of(text, size_bytes, "+-.");
}

/* A name or address and perhaps a port; no user. */
static bool is_authority(const char *text, size_t size_bytes)
{
    size_t host = 0;
    if (size_bytes && *text == '[') {
        const char *end = memchr(text, ']', size_bytes);
        if (!end) return false;
        host = (size_t)(end - text) + 1;
        if (!consists_of(text + 1, host - 2, ":.%")) return false;
    } else {
        while (host < size_bytes && text[host] != ':') host++;
        if (!host || !consists_of(text, host, "-._~!$&'()*+,;=%")) return false;
    }
    if (host == size_bytes) return true;
    unsigned port = 0;
    for (size_t i = host + 1; i < size_bytes; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        port = port * 10 + (unsigned)(text[i] - '0');
        if (port > 65535) return false;
    }
    return text[host] == ':' && size_bytes > host + 1;
}

/* ---- method ---- */

static const char *const methods[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                      "CONNECT", "OPTIONS", "TRACE", "PATCH"};

static enum host_result call_method(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_request *r = borrowed(c, v[0].i32);
    if (!r) return HOST_TRAP;
    struct wasi_http_text get = {"GET", 3};
    return put_method(c, v[1].i32, r->method.data ? view(&r->method) : get);
}

static enum host_result call_set_method(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_request *r = borrowed(c, v[0].i32);
    uint32_t which = v[1].i32;
    struct canonical_text text;
    if (!r) return HOST_TRAP;
    if (which > ARRAY_COUNT(methods))
        return call_trap(c, "a variant's discriminant is out of range");
    if (which < ARRAY_COUNT(methods))
        text = (struct canonical_text){methods[which], strlen(methods[which])};
    else if (!canonical_text(c, v[2].i32, v[3].i32, &text))
        return HOST_TRAP;
    v[0].i32 = text.size_bytes > 32 || !text_is_token(text.bytes, text.size_bytes);
    if (v[0].i32) return HOST_OK;
    return text_keep(c, &r->method, text.bytes, text.size_bytes) ? HOST_OK : HOST_TRAP;
}

/* ---- option<string> ---- */

static enum host_result set_option(struct canonical_call *c, struct value *v,
                                   struct http_kept_text *to,
                                   bool (*is_valid)(const char *text, size_t size_bytes))
{
    struct canonical_text text;
    if (v[1].i32 > 1) return call_trap(c, "an option's discriminant is neither 0 nor 1");
    if (!v[1].i32) {
        text_drop(call_state(c), to);
        v[0].i32 = 0;
        return HOST_OK;
    }
    if (!canonical_text(c, v[2].i32, v[3].i32, &text)) return HOST_TRAP;
    v[0].i32 = text.size_bytes > WASI_HTTP_TEXT_BYTES_MAX || !is_valid(text.bytes, text.size_bytes);
    if (v[0].i32) return HOST_OK;
    return text_keep(c, to, text.bytes, text.size_bytes) ? HOST_OK : HOST_TRAP;
}

static enum host_result call_path(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_request *r = borrowed(c, v[0].i32);
    return r ? put_text_option(c, v[1].i32, view(&r->path_with_query)) : HOST_TRAP;
}

static enum host_result call_set_path(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_request *r = borrowed(c, v[0].i32);
    return r ? set_option(c, v, &r->path_with_query, is_path) : HOST_TRAP;
}

static enum host_result call_authority(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_request *r = borrowed(c, v[0].i32);
    return r ? put_text_option(c, v[1].i32, view(&r->authority)) : HOST_TRAP;
}

static enum host_result call_set_authority(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_request *r = borrowed(c, v[0].i32);
    return r ? set_option(c, v, &r->authority, is_authority) : HOST_TRAP;
}

/* ---- scheme ---- */

static enum host_result call_scheme(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_request *r = borrowed(c, v[0].i32);
    return r ? put_scheme(c, v[1].i32, view(&r->scheme)) : HOST_TRAP;
}

static enum host_result call_set_scheme(struct canonical_call *c, struct value *v)
{
    struct http_outgoing_request *r = borrowed(c, v[0].i32);
    uint32_t is_some = v[1].i32, which = v[2].i32;
    struct canonical_text text = {"http", 4};
    if (!r) return HOST_TRAP;
    if (is_some > 1 || (is_some && which > 2))
        return call_trap(c, "a variant's discriminant is out of range");
    if (is_some && which == 2 && !canonical_text(c, v[3].i32, v[4].i32, &text)) return HOST_TRAP;
    if (is_some && which == 1) text = (struct canonical_text){"https", 5};
    v[0].i32 = text.size_bytes > 32 || !is_scheme(text.bytes, text.size_bytes);
    if (v[0].i32) return HOST_OK;
    if (!is_some) text_drop(call_state(c), &r->scheme);
    return !is_some || text_keep(c, &r->scheme, text.bytes, text.size_bytes) ? HOST_OK : HOST_TRAP;
}

#define TYPE_OPTION   "func(self: borrow<outgoing-request>) -> option<string>"
#define TYPE_SELF(to) "func(self: borrow<outgoing-request>" to

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[constructor]outgoing-request",
                       "func(headers: own<fields>) -> own<outgoing-request>", call_constructor),
    CANONICAL_FUNCTION("[method]outgoing-request.body",
                       TYPE_SELF(") -> result<own<outgoing-body>>"), call_body),
    CANONICAL_FUNCTION("[method]outgoing-request.method", TYPE_SELF(") -> " TYPE_METHOD),
                       call_method),
    CANONICAL_FUNCTION("[method]outgoing-request.set-method",
                       TYPE_SELF(", method: " TYPE_METHOD ") -> result"), call_set_method),
    CANONICAL_FUNCTION("[method]outgoing-request.path-with-query", TYPE_OPTION, call_path),
    CANONICAL_FUNCTION("[method]outgoing-request.set-path-with-query",
                       TYPE_SELF(", path-with-query: option<string>) -> result"), call_set_path),
    CANONICAL_FUNCTION("[method]outgoing-request.scheme", TYPE_SELF(") -> option<" TYPE_SCHEME ">"),
                       call_scheme),
    CANONICAL_FUNCTION("[method]outgoing-request.set-scheme",
                       TYPE_SELF(", scheme: option<" TYPE_SCHEME ">) -> result"), call_set_scheme),
    CANONICAL_FUNCTION("[method]outgoing-request.authority", TYPE_OPTION, call_authority),
    CANONICAL_FUNCTION("[method]outgoing-request.set-authority",
                       TYPE_SELF(", authority: option<string>) -> result"), call_set_authority),
    CANONICAL_FUNCTION("[method]outgoing-request.headers", TYPE_SELF(") -> own<fields>"),
                       call_headers),
};

const struct http_functions http_outgoing_functions = {functions, ARRAY_COUNT(functions)};
