/* wasi:http/types: request-options. */
#include "http_client.h"

const struct io_class request_options_class = IO_CLASS("request-options", NULL);

static enum host_result call_constructor(struct canonical_call *c, struct value *v)
{
    void *o = io_call_new(c, &request_options_class, sizeof(struct http_request_options), NULL);
    return o && io_call_own(c, o, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

/* option<duration> */
static enum host_result get(struct canonical_call *c, struct value *v, enum http_timeout which)
{
    struct http_request_options *o =
        canonical_borrowed(c, &request_options_class.resource, v[0].i32);
    uint8_t *ret = o ? call_place(c, v[1].i32, 16, 8) : NULL;
    if (!ret) return HOST_TRAP;
    ret[0] = o->is_set[which];
    if (o->is_set[which]) put_u64(ret + 8, o->ns[which]);
    return HOST_OK;
}

static enum host_result set(struct canonical_call *c, struct value *v, enum http_timeout which)
{
    struct http_request_options *o =
        canonical_borrowed(c, &request_options_class.resource, v[0].i32);
    if (!o) return HOST_TRAP;
    if (v[1].i32 > 1) return call_trap(c, "an option's discriminant is neither 0 nor 1");
    o->is_set[which] = v[1].i32;
    o->ns[which] = v[1].i32 ? v[2].i64 : 0;
    v[0].i32 = 0;
    return HOST_OK;
}

#define ACCESSORS(name, which)                                                                     \
    static enum host_result call_##name(struct canonical_call *c, struct value *v)                 \
    {                                                                                              \
        return get(c, v, which);                                                                   \
    }                                                                                              \
    static enum host_result call_set_##name(struct canonical_call *c, struct value *v)             \
    {                                                                                              \
        return set(c, v, which);                                                                   \
    }

ACCESSORS(connect, HTTP_TIMEOUT_CONNECT)
ACCESSORS(first_byte, HTTP_TIMEOUT_FIRST_BYTE)
ACCESSORS(between_bytes, HTTP_TIMEOUT_BETWEEN_BYTES)

#define TYPE_GET "func(self: borrow<request-options>) -> option<u64>"
#define TYPE_SET "func(self: borrow<request-options>, duration: option<u64>) -> result"

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[constructor]request-options", "func() -> own<request-options>",
                       call_constructor),
    CANONICAL_FUNCTION("[method]request-options.connect-timeout", TYPE_GET, call_connect),
    CANONICAL_FUNCTION("[method]request-options.set-connect-timeout", TYPE_SET, call_set_connect),
    CANONICAL_FUNCTION("[method]request-options.first-byte-timeout", TYPE_GET, call_first_byte),
    CANONICAL_FUNCTION("[method]request-options.set-first-byte-timeout", TYPE_SET,
                       call_set_first_byte),
    CANONICAL_FUNCTION("[method]request-options.between-bytes-timeout", TYPE_GET,
                       call_between_bytes),
    CANONICAL_FUNCTION("[method]request-options.set-between-bytes-timeout", TYPE_SET,
                       call_set_between_bytes),
};

const struct http_functions http_options_functions = {functions, ARRAY_COUNT(functions)};
