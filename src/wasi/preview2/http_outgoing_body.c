/* wasi:http/types: outgoing-body. */
#include "http.h"

/* ---- what is held ---- */

struct http_outgoing_body {
    struct io_object object;
    struct http_outgoing *out;
    bool written; /* write() was called */
};

struct http_outgoing *outgoing_new(struct canonical_call *c)
{
    struct http_outgoing *o = io_pool_take(&call_state(c)->pool, sizeof *o);
    if (!o) {
        call_trap(c, "no room for a body");
        return NULL;
    }
    *o = (struct http_outgoing){.references = 1};
    return o;
}

static void drop_held(struct wasi_preview2 *p, struct http_outgoing *o)
{
    if (o->held) io_pool_give(&p->pool, o->held, WASI_HTTP_BODY_HELD_BYTES);
    o->held = NULL;
    o->held_at = o->held_end = 0;
}

void outgoing_unref(struct wasi_preview2 *p, struct http_outgoing *o)
{
    if (!o || --o->references) return;
    drop_held(p, o);
    io_object_end(p, o->trailers);
    if (o->sink.done) o->sink.done(p, o->sink.context);
    io_pool_give(&p->pool, o, sizeof *o);
}

/* What is held, as far as the sink takes it. ST_OK: nothing is left. */
static enum status push(struct wasi_preview2 *p, struct http_outgoing *o)
{
    if (o->closed) return ST_CLOSED;
    if (o->held_at == o->held_end) return ST_OK;
    if (!o->sink.stream.ops) return ST_WOULD_BLOCK;
    while (o->held_at < o->held_end) {
        size_t took = 0;
        enum status st = o->sink.stream.ops->write(o->sink.stream.context, o->held + o->held_at,
                                                   o->held_end - o->held_at, &took);
        if (st == ST_WOULD_BLOCK) return st;
        if (st) {
            o->closed = true;
            return st;
        }
        o->held_at += (uint32_t)took;
    }
    drop_held(p, o);
    return ST_OK;
}

/* Room for what a guest was permitted: `held` is used from its front again when it is empty. */
static uint32_t held_room(const struct http_outgoing *o)
{
    return WASI_HTTP_BODY_HELD_BYTES - o->held_end;
}

/* The output-stream of a body; its state comes behind it. */
struct body_output {
    struct io_output output;
    struct wasi_preview2 *p;
    struct http_outgoing *out;
};

static enum status hold(struct body_output *b, const uint8_t *bytes, size_t size_bytes, size_t *ret)
{
    struct http_outgoing *o = b->out;
    if (!o->held) o->held = io_pool_take(&b->p->pool, WASI_HTTP_BODY_HELD_BYTES);
    if (!o->held) return ST_NO_MEMORY;
    size_t room = held_room(o), take = size_bytes < room ? size_bytes : room;
    memcpy(o->held + o->held_end, bytes, take);
    o->held_end += (uint32_t)take;
    *ret += take;
    return take || !size_bytes ? ST_OK : ST_WOULD_BLOCK;
}

/* Straight to the sink while nothing waits before it. */
static enum status output_write(void *context, const void *bytes, size_t size_bytes, size_t *ret)
{
    struct body_output *b = context;
    struct http_outgoing *o = b->out;
    *ret = 0;
    enum status st = push(b->p, o);
    if (st == ST_OK && o->sink.stream.ops && size_bytes) {
        st = o->sink.stream.ops->write(o->sink.stream.context, bytes, size_bytes, ret);
        if (st && st != ST_WOULD_BLOCK) o->closed = true;
    }
    if (st && st != ST_WOULD_BLOCK) return st;
    if (*ret == size_bytes) return ST_OK;
    return hold(b, (const uint8_t *)bytes + *ret, size_bytes - *ret, ret);
}

static enum status output_ready(void *context, enum wasi_direction direction, uint64_t *ret_bytes)
{
    struct body_output *b = context;
    struct http_outgoing *o = b->out;
    (void)direction;
    *ret_bytes = WASI_HTTP_BODY_HELD_BYTES;
    if (!o->sink.stream.ops && !o->closed) {
        *ret_bytes = held_room(o);
        return *ret_bytes ? ST_OK : ST_WOULD_BLOCK;
    }
    enum status st = push(b->p, o);
    if (st) return st;
    return o->sink.stream.ops->ready
               ? o->sink.stream.ops->ready(o->sink.stream.context, WASI_WRITE, ret_bytes)
               : ST_OK;
}

/* Before there is a sink there is nothing that flushing could wait for. */
static enum status output_flush(void *context)
{
    struct body_output *b = context;
    return b->out->sink.stream.ops ? push(b->p, b->out) : ST_OK;
}

static uint64_t output_budget(void *context)
{
    struct http_outgoing *o = ((struct body_output *)context)->out;
    return held_room(o);
}

static void output_done(struct wasi_preview2 *p, void *context)
{
    struct body_output *b = context;
    outgoing_unref(p, b->out);
}

static const struct wasi_stream_ops output_ops = {.write = output_write, .ready = output_ready};
static const struct io_stream_extra output_extra = {
    .flush = output_flush, .budget = output_budget, .done = output_done};

/* ---- outgoing-body ---- */

static void end_sink(struct http_outgoing *o)
{
    if (o->sink.stream.ops && !o->finished) o->sink.cut(o->sink.context);
    o->dropped = !o->finished;
}

static void outgoing_body_done(struct wasi_preview2 *p, struct io_object *object)
{
    struct http_outgoing_body *b = (struct http_outgoing_body *)object;
    if (!b->out) return;
    end_sink(b->out);
    outgoing_unref(p, b->out);
}

const struct io_class outgoing_body_class = IO_CLASS("outgoing-body", outgoing_body_done);

bool outgoing_body_give(struct canonical_call *c, struct http_outgoing *o, uint32_t *ret)
{
    struct http_outgoing_body *b = io_call_new(c, &outgoing_body_class, sizeof *b, NULL);
    if (!b) return false;
    b->out = o;
    o->references++;
    return io_call_own(c, b, ret);
}

static enum host_result call_write(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[1].i32, handle = 0;
    struct http_outgoing_body *b = canonical_borrowed(c, &outgoing_body_class.resource, v[0].i32);
    if (!b) return HOST_TRAP;
    if (b->written) return put_own_result(c, ret_at, true, 0);
    struct wasi_stream stream = {&output_ops, NULL, -1, WASI_FILETYPE_UNKNOWN};
    struct io_output *output =
        io_output_new(c, &stream, &output_extra, sizeof(struct body_output), &b->object);
    if (!output) return HOST_TRAP;
    struct body_output *body = (struct body_output *)output;
    output->stream.context = body;
    body->p = call_state(c);
    body->out = b->out;
    b->out->references++;
    b->written = true;
    if (!io_call_own(c, output, &handle)) return HOST_TRAP;
    return put_own_result(c, ret_at, false, handle);
}

/* Waits until everything held has left, then ends the body. */
static enum host_result complete(struct canonical_call *c, struct http_outgoing *o,
                                 enum status *ret)
{
    struct wasi_http_field fields[WASI_HTTP_SENT_FIELDS_MAX];
    size_t count = 0;
    while ((*ret = push(call_state(c), o)) == ST_WOULD_BLOCK) {
        struct io_wait wait = {&o->sink.stream, WASI_WRITE, WASI_WAIT_FOREVER};
        enum host_result waited = io_wait(c, &wait);
        if (waited) return waited;
    }
    if (*ret) return HOST_OK;
    if (o->trailers && !fields_gather(o->trailers, fields, &count)) *ret = ST_LIMIT;
    if (!*ret) *ret = o->sink.finish(o->sink.context, fields, count);
    return HOST_OK;
}

enum host_result outgoing_bind(struct canonical_call *c, struct http_outgoing *o,
                               const struct http_sink *sink)
{
    enum status st;
    if (!sink) {
        o->closed = true;
        return HOST_OK;
    }
    o->sink = *sink;
    if (o->finished) return complete(c, o, &st);
    if (o->dropped) o->sink.cut(o->sink.context);
    return HOST_OK;
}

enum status outgoing_empty(const struct http_sink *sink)
{
    return sink->finish(sink->context, NULL, 0);
}

/* The guest's part of the body is over; the message's may not have begun. */
static enum host_result finish(struct canonical_call *c, struct http_outgoing_body *b,
                               struct http_fields *trailers, enum status *ret)
{
    struct http_outgoing *o = b->out;
    *ret = ST_OK;
    o->finished = true;
    o->trailers = trailers;
    enum host_result result = HOST_OK;
    if (o->sink.stream.ops || o->closed) result = complete(c, o, ret);
    if (result == HOST_OK && *ret && o->sink.stream.ops) o->sink.cut(o->sink.context);
    return result;
}

static enum wasi_http_error error_of(enum status st, bool of_request)
{
    switch (st) {
    case ST_INVALID: return of_request ? WASI_HTTP_REQUEST_BODY_SIZE : WASI_HTTP_RESPONSE_BODY_SIZE;
    case ST_LIMIT:
        return of_request ? WASI_HTTP_REQUEST_TRAILER_SECTION_SIZE
                          : WASI_HTTP_RESPONSE_TRAILER_SECTION_SIZE;
    default: return WASI_HTTP_CONNECTION_TERMINATED;
    }
}

static enum host_result call_finish(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[3].i32;
    struct http_fields *trailers = NULL;
    enum status st;
    if (v[1].i32 > 1) return call_trap(c, "an option's discriminant is neither 0 nor 1");
    struct http_outgoing_body *b = http_taken(c, &outgoing_body_class, v[0].i32);
    if (!b) return HOST_TRAP;
    if (v[1].i32) {
        trailers = http_taken(c, &http_fields_class, v[2].i32);
        if (!trailers) {
            io_object_end(call_state(c), b);
            return HOST_TRAP;
        }
    }
    bool of_request = b->out->sink.of_request;
    enum host_result result = finish(c, b, trailers, &st);
    io_object_end(call_state(c), b);
    if (result) return result;
    uint8_t *ret = call_place(c, ret_at, 40, 8);
    if (!ret) return HOST_TRAP;
    ret[0] = st != ST_OK;
    if (st) put_error_code(ret + 8, error_of(st, of_request));
    return HOST_OK;
}

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[method]outgoing-body.write",
                       "func(self: borrow<outgoing-body>) -> result<own<output-stream>>",
                       call_write),
    CANONICAL_FUNCTION("[static]outgoing-body.finish",
                       "func(this: own<outgoing-body>, trailers: option<own<fields>>) -> "
                       "result<_, " TYPE_ERROR_CODE ">",
                       call_finish),
};

const struct http_functions http_outgoing_body_functions = {functions, ARRAY_COUNT(functions)};
