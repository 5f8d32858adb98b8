/* wasi:http/types: incoming-body, future-trailers. */
#include <stdio.h>

#include "http.h"

#define DRAIN_PIECE_BYTES 4096u
#define DRAIN_PIECES_MAX  16u /* of one look; others want their turn */

/* ---- incoming-body ---- */

static void incoming_body_done(struct wasi_preview2 *p, struct io_object *o)
{
    struct http_incoming_body *b = (struct http_incoming_body *)o;
    if (b->done) b->done(p, b->owner);
}

const struct io_class incoming_body_class = IO_CLASS("incoming-body", incoming_body_done);

struct http_incoming_body *incoming_body_new(struct canonical_call *c)
{
    return io_call_new(c, &incoming_body_class, sizeof(struct http_incoming_body), NULL);
}

static void fail_as(struct io_failure *ret, enum wasi_http_error error)
{
    ret->domain = &io_domain_http;
    ret->code = (uint32_t)error;
    snprintf(ret->text, sizeof ret->text, "%s", wasi_http_error_name(error));
}

static void request_failure(UNUSED void *context, UNUSED enum status st, struct io_failure *ret)
{
    fail_as(ret, WASI_HTTP_CONNECTION_TERMINATED);
}

static void response_failure(UNUSED void *context, UNUSED enum status st, struct io_failure *ret)
{
    fail_as(ret, WASI_HTTP_RESPONSE_INCOMPLETE);
}

const struct io_stream_extra incoming_request_extra = {.failure = request_failure};
const struct io_stream_extra incoming_response_extra = {.failure = response_failure};

static enum host_result call_stream(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[1].i32, handle = 0;
    struct http_incoming_body *b = canonical_borrowed(c, &incoming_body_class.resource, v[0].i32);
    if (!b) return HOST_TRAP;
    if (b->streamed) return put_own_result(c, ret_at, true, 0);
    struct io_input *input =
        io_input_new(c, &b->stream, b->extra, sizeof(struct io_input), &b->object);
    if (!input || !io_call_own(c, input, &handle)) return HOST_TRAP;
    b->streamed = true;
    return put_own_result(c, ret_at, false, handle);
}

/* ---- future-trailers ---- */

struct http_future_trailers {
    struct io_object object;
    struct wasi_stream stream;
    const struct wasi_http_fields *trailers;
    void *context;
    void (*done)(struct wasi_preview2 *p, void *owner);
    void *owner;
    bool ended, broken, taken;
};

static void future_trailers_done(struct wasi_preview2 *p, struct io_object *o)
{
    struct http_future_trailers *t = (struct http_future_trailers *)o;
    if (t->done) t->done(p, t->owner);
}

const struct io_class future_trailers_class = IO_CLASS("future-trailers", future_trailers_done);

static enum host_result call_finish_incoming(struct canonical_call *c, struct value *v)
{
    struct http_incoming_body *b = http_taken(c, &incoming_body_class, v[0].i32);
    if (!b) return HOST_TRAP;
    struct http_future_trailers *t = io_call_new(c, &future_trailers_class, sizeof *t, NULL);
    if (t) {
        t->stream = b->stream;
        t->trailers = b->trailers;
        t->context = b->context;
        t->done = b->done;
        t->owner = b->owner;
        b->done = NULL;
    }
    io_object_end(call_state(c), b);
    return t && io_call_own(c, t, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

/* Trailers come behind the body: what the guest left of it is read away. */
static bool drain(struct http_future_trailers *t)
{
    uint8_t piece[DRAIN_PIECE_BYTES];
    for (uint32_t i = 0; i < DRAIN_PIECES_MAX && !t->ended; i++) {
        size_t got = 0;
        enum status st = t->stream.ops
                             ? t->stream.ops->read(t->stream.context, piece, sizeof piece, &got)
                             : ST_CLOSED;
        if (st == ST_WOULD_BLOCK) return false;
        t->ended = st != ST_OK;
        t->broken = st != ST_OK && st != ST_CLOSED;
    }
    return t->ended;
}

static bool look_trailers(struct wasi_preview2 *p, struct io_pollable *pollable,
                          struct io_wait *wait)
{
    struct http_future_trailers *t = (struct http_future_trailers *)pollable->object.parent;
    (void)p;
    if (drain(t)) return true;
    wait->stream = &t->stream;
    wait->direction = WASI_READ;
    return false;
}

static enum host_result call_trailers_subscribe(struct canonical_call *c, struct value *v)
{
    struct http_future_trailers *t =
        canonical_borrowed(c, &future_trailers_class.resource, v[0].i32);
    return t && io_pollable_give(c, look_trailers, 0, &t->object, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

/* option<result<result<option<own<trailers>>, error-code>>> */
static enum host_result call_trailers_get(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[1].i32, handle = 0;
    struct http_future_trailers *t =
        canonical_borrowed(c, &future_trailers_class.resource, v[0].i32);
    if (!t) return HOST_TRAP;
    bool ready = drain(t), again = t->taken;
    bool has_trailers =
        ready && !again && !t->broken && t->trailers && t->trailers->count(t->context) > 0;
    if (ready) t->taken = true;
    if (has_trailers) {
        struct http_fields *f = fields_view(c, t->trailers, t->context, &t->object);
        if (!f || !io_call_own(c, f, &handle)) return HOST_TRAP;
    }
    uint8_t *ret = call_place(c, ret_at, 56, 8);
    if (!ret) return HOST_TRAP;
    ret[0] = ready;
    ret[8] = again;
    if (!ready || again) return HOST_OK;
    ret[16] = t->broken;
    if (t->broken) {
        put_error_code(ret + 24, WASI_HTTP_CONNECTION_TERMINATED);
        return HOST_OK;
    }
    ret[24] = has_trailers;
    put_u32(ret + 28, handle);
    return HOST_OK;
}

#define TYPE_TRAILERS_RESULT "option<result<result<option<own<fields>>, " TYPE_ERROR_CODE ">>>"

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[method]incoming-body.stream",
                       "func(self: borrow<incoming-body>) -> result<own<input-stream>>",
                       call_stream),
    CANONICAL_FUNCTION("[static]incoming-body.finish",
                       "func(this: own<incoming-body>) -> own<future-trailers>",
                       call_finish_incoming),
    CANONICAL_FUNCTION("[method]future-trailers.subscribe",
                       "func(self: borrow<future-trailers>) -> own<pollable>",
                       call_trailers_subscribe),
    CANONICAL_FUNCTION("[method]future-trailers.get",
                       "func(self: borrow<future-trailers>) -> " TYPE_TRAILERS_RESULT,
                       call_trailers_get),
};

const struct http_functions http_body_functions = {functions, ARRAY_COUNT(functions)};
