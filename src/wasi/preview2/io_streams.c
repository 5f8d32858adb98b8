/* wasi:io/streams: what its functions share, and input-stream. */
#include "io_streams.h"

#include <stdio.h>

static void input_done(struct wasi_preview2 *p, struct io_object *o)
{
    const struct io_input *in = (struct io_input *)o;
    if (in->extra && in->extra->done) in->extra->done(p, in->stream.context);
}

const struct io_class io_input_class = IO_CLASS("input-stream", input_done);

struct io_input *io_input_new(struct canonical_call *c, const struct wasi_stream *stream,
                              const struct io_stream_extra *extra, size_t size_bytes,
                              struct io_object *parent)
{
    struct io_input *in = io_call_new(c, &io_input_class, size_bytes, parent);
    if (!in) return NULL;
    in->stream = *stream;
    in->extra = extra;
    in->closed = !stream->ops || !stream->ops->read;
    return in;
}

/* ---- results ---- */

const struct stream_result stream_result_unit = {12, 4, 4}, stream_result_u64 = {16, 8, 8},
                           stream_result_list = {12, 4, 4};

enum host_result stream_ok(struct canonical_call *c, uint32_t at)
{
    return call_place(c, at, stream_result_unit.size_bytes, stream_result_unit.align_bytes)
               ? HOST_OK
               : HOST_TRAP;
}

enum host_result stream_ok_u64(struct canonical_call *c, uint32_t at, uint64_t value)
{
    uint8_t *ret = call_place(c, at, stream_result_u64.size_bytes, stream_result_u64.align_bytes);
    if (!ret) return HOST_TRAP;
    put_u64(ret + stream_result_u64.payload, value);
    return HOST_OK;
}

static enum host_result stream_ok_bytes(struct canonical_call *c, uint32_t at, const void *bytes,
                                        size_t size_bytes)
{
    struct call_list list;
    if (!call_put_bytes(c, bytes, size_bytes, &list)) return HOST_TRAP;
    uint8_t *ret = call_place(c, at, stream_result_list.size_bytes, stream_result_list.align_bytes);
    if (!ret) return HOST_TRAP;
    put_list(ret + stream_result_list.payload, &list);
    return HOST_OK;
}

static bool error_give(struct canonical_call *c, const struct wasi_stream *stream,
                       const struct io_stream_extra *extra, enum status st, uint32_t *ret)
{
    struct io_error *e = io_call_new(c, &io_error_class, sizeof *e, NULL);
    if (!e) return false;
    snprintf(e->failure.text, sizeof e->failure.text, "the stream has failed: %s", status_name(st));
    if (extra && extra->failure) extra->failure(stream->context, st, &e->failure);
    return io_call_own(c, e, ret);
}

enum host_result stream_fail(struct canonical_call *c, uint32_t at, const struct stream_result *as,
                             const struct wasi_stream *stream, const struct io_stream_extra *extra,
                             enum status st)
{
    uint32_t error = 0;
    if (st != ST_CLOSED && !error_give(c, stream, extra, st, &error)) return HOST_TRAP;
    uint8_t *ret = call_place(c, at, as->size_bytes, as->align_bytes);
    if (!ret) return HOST_TRAP;
    ret[0] = 1;
    ret[as->payload] = st == ST_CLOSED;
    put_u32(ret + as->payload + sizeof error, error);
    return HOST_OK;
}

/* ---- input-stream ---- */

enum status input_read(struct io_input *in, void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    *ret_bytes = 0;
    if (in->closed) return ST_CLOSED;
    enum status st = in->stream.ops->read(in->stream.context, bytes, size_bytes, ret_bytes);
    if (st == ST_OK && *ret_bytes == 0) return ST_WOULD_BLOCK;
    if (st != ST_OK && st != ST_WOULD_BLOCK) in->closed = true;
    return st;
}

enum status input_ready(const struct io_input *in)
{
    uint64_t bytes;
    if (in->closed || !in->stream.ops->ready) return ST_OK;
    enum status st = in->stream.ops->ready(in->stream.context, WASI_READ, &bytes);
    return st == ST_WOULD_BLOCK ? st : ST_OK;
}

static enum host_result input_wait(struct canonical_call *c, const struct io_input *in)
{
    return io_wait(c, &(struct io_wait){&in->stream, WASI_READ, WASI_WAIT_FOREVER});
}

/* What the four functions differ in. */
struct reading {
    struct io_input *in;
    uint64_t size_bytes;
    uint32_t at; /* of the result */
    bool skips;
};

static enum host_result read_answer(struct canonical_call *c, const struct reading *r,
                                    enum status st, const void *bytes, size_t got)
{
    const struct stream_result *as = r->skips ? &stream_result_u64 : &stream_result_list;
    if (st && st != ST_WOULD_BLOCK)
        return stream_fail(c, r->at, as, &r->in->stream, r->in->extra, st);
    return r->skips ? stream_ok_u64(c, r->at, got) : stream_ok_bytes(c, r->at, bytes, got);
}

/* Through a piece of the pool, because room in the guest is made when the number is known. */
static enum host_result read_run(struct canonical_call *c, struct value *v, bool blocks, bool skips)
{
    struct reading r = {.size_bytes = v[1].i64, .at = v[2].i32, .skips = skips};
    r.in = canonical_borrowed(c, &io_input_class.resource, v[0].i32);
    if (!r.in) return HOST_TRAP;
    if (r.in->closed) return read_answer(c, &r, ST_CLOSED, NULL, 0);
    if (!r.size_bytes) return read_answer(c, &r, ST_OK, NULL, 0);
    size_t size = r.size_bytes < IO_READ_BYTES_MAX ? (size_t)r.size_bytes : IO_READ_BYTES_MAX;
    struct io_pool *pool = &call_state(c)->pool;
    uint8_t *bytes = io_pool_take(pool, size);
    if (!bytes) return call_trap(c, "there is no room to read");
    size_t got;
    enum host_result result = HOST_OK;
    enum status st = input_read(r.in, bytes, size, &got);
    while (st == ST_WOULD_BLOCK && blocks && result == HOST_OK) {
        result = input_wait(c, r.in);
        if (result == HOST_OK) st = input_read(r.in, bytes, size, &got);
    }
    if (result == HOST_OK) result = read_answer(c, &r, st, bytes, got);
    io_pool_give(pool, bytes, size);
    return result;
}

static enum host_result input_read_now(struct canonical_call *c, struct value *v)
{
    return read_run(c, v, false, false);
}

static enum host_result input_read_blocking(struct canonical_call *c, struct value *v)
{
    return read_run(c, v, true, false);
}

static enum host_result input_skip(struct canonical_call *c, struct value *v)
{
    return read_run(c, v, false, true);
}

static enum host_result input_skip_blocking(struct canonical_call *c, struct value *v)
{
    return read_run(c, v, true, true);
}

static bool look_at_input(UNUSED struct wasi_preview2 *p, struct io_pollable *pollable,
                          struct io_wait *wait)
{
    const struct io_input *in = (struct io_input *)pollable->object.parent;
    if (input_ready(in) == ST_OK) return true;
    wait->stream = &in->stream;
    wait->direction = WASI_READ;
    return false;
}

static enum host_result input_subscribe(struct canonical_call *c, struct value *v)
{
    struct io_input *in = canonical_borrowed(c, &io_input_class.resource, v[0].i32);
    if (!in) return HOST_TRAP;
    return io_pollable_give(c, look_at_input, 0, &in->object, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

/* ---- the interface ---- */

#define ERROR "variant{last-operation-failed(own<error>), closed}"
#define IN    "self: borrow<input-stream>"
#define OUT   "self: borrow<output-stream>"

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[method]input-stream.read",
                       "func(" IN ", len: u64) -> result<list<u8>, " ERROR ">", input_read_now),
    CANONICAL_FUNCTION("[method]input-stream.blocking-read",
                       "func(" IN ", len: u64) -> result<list<u8>, " ERROR ">",
                       input_read_blocking),
    CANONICAL_FUNCTION("[method]input-stream.skip",
                       "func(" IN ", len: u64) -> result<u64, " ERROR ">", input_skip),
    CANONICAL_FUNCTION("[method]input-stream.blocking-skip",
                       "func(" IN ", len: u64) -> result<u64, " ERROR ">", input_skip_blocking),
    CANONICAL_FUNCTION("[method]input-stream.subscribe", "func(" IN ") -> own<pollable>",
                       input_subscribe),
    CANONICAL_FUNCTION("[method]output-stream.check-write",
                       "func(" OUT ") -> result<u64, " ERROR ">", output_check_write),
    CANONICAL_FUNCTION("[method]output-stream.write",
                       "func(" OUT ", contents: list<u8>) -> result<_, " ERROR ">", output_write),
    CANONICAL_FUNCTION("[method]output-stream.blocking-write-and-flush",
                       "func(" OUT ", contents: list<u8>) -> result<_, " ERROR ">",
                       output_write_and_flush),
    CANONICAL_FUNCTION("[method]output-stream.flush", "func(" OUT ") -> result<_, " ERROR ">",
                       output_flush),
    CANONICAL_FUNCTION("[method]output-stream.blocking-flush",
                       "func(" OUT ") -> result<_, " ERROR ">", output_blocking_flush),
    CANONICAL_FUNCTION("[method]output-stream.subscribe", "func(" OUT ") -> own<pollable>",
                       output_subscribe),
    CANONICAL_FUNCTION("[method]output-stream.write-zeroes",
                       "func(" OUT ", len: u64) -> result<_, " ERROR ">", output_write_zeroes),
    CANONICAL_FUNCTION("[method]output-stream.blocking-write-zeroes-and-flush",
                       "func(" OUT ", len: u64) -> result<_, " ERROR ">",
                       output_write_zeroes_and_flush),
    CANONICAL_FUNCTION("[method]output-stream.splice",
                       "func(" OUT ", src: borrow<input-stream>, len: u64) -> result<u64, " ERROR
                       ">",
                       output_splice),
    CANONICAL_FUNCTION("[method]output-stream.blocking-splice",
                       "func(" OUT ", src: borrow<input-stream>, len: u64) -> result<u64, " ERROR
                       ">",
                       output_blocking_splice),
};

static const struct canonical_resource *const resources[] = {&io_input_class.resource,
                                                             &io_output_class.resource};

const struct canonical_interface io_streams_interface = {
    "wasi:io/streams",      PREVIEW2_VERSION, functions,
    ARRAY_COUNT(functions), resources,        ARRAY_COUNT(resources),
};
