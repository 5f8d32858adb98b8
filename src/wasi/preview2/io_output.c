/* wasi:io/streams: output-stream. */
#include "io_streams.h"

/* ---- what is held ---- */

static void held_give(struct wasi_preview2 *p, struct io_output *o)
{
    io_pool_give(&p->pool, o->held, IO_WRITE_BYTES_MAX);
    o->held = NULL;
    o->held_at = o->held_end = 0;
}

static enum status step(struct io_output *o, const void *bytes, size_t size_bytes, size_t *ret)
{
    *ret = 0;
    enum status st = o->stream.ops->write(o->stream.context, bytes, size_bytes, ret);
    return st == ST_OK && *ret == 0 ? ST_WOULD_BLOCK : st;
}

static enum status push(struct wasi_preview2 *p, struct io_output *o)
{
    while (o->held_at < o->held_end) {
        size_t moved;
        enum status st = step(o, o->held + o->held_at, o->held_end - o->held_at, &moved);
        if (st) return st;
        o->held_at += (uint32_t)moved;
    }
    if (o->held) held_give(p, o);
    return ST_OK;
}

static bool hold(struct wasi_preview2 *p, struct io_output *o, const void *bytes, size_t size_bytes)
{
    if (!o->held) o->held = io_pool_take(&p->pool, IO_WRITE_BYTES_MAX);
    if (!o->held || size_bytes > IO_WRITE_BYTES_MAX - o->held_end) return false;
    memcpy(o->held + o->held_end, bytes, size_bytes);
    o->held_end += (uint32_t)size_bytes;
    return true;
}

/* ---- one end of life ---- */

static void output_done(struct wasi_preview2 *p, struct io_object *object)
{
    struct io_output *o = (struct io_output *)object;
    if (!o->closed) (void)push(p, o);
    held_give(p, o);
    if (o->extra && o->extra->done) o->extra->done(p, o->stream.context);
}

const struct io_class io_output_class = IO_CLASS("output-stream", output_done);

struct io_output *io_output_new(struct canonical_call *c, const struct wasi_stream *stream,
                                const struct io_stream_extra *extra, size_t size_bytes,
                                struct io_object *parent)
{
    struct io_output *o = io_call_new(c, &io_output_class, size_bytes, parent);
    if (!o) return NULL;
    o->stream = *stream;
    o->extra = extra;
    o->closed = !stream->ops || !stream->ops->write;
    return o;
}

static enum status close_by(struct wasi_preview2 *p, struct io_output *o, enum status st)
{
    if (st == ST_OK || st == ST_WOULD_BLOCK) return st;
    o->closed = true;
    o->flushing = false;
    held_give(p, o);
    return st;
}

/* ---- states ---- */

/* Gets done what was begun: held bytes, and a flush. */
static enum status settle(struct wasi_preview2 *p, struct io_output *o)
{
    enum status st = o->deferred;
    o->deferred = ST_OK;
    if (st) return st;
    if (o->closed) return ST_CLOSED;
    st = push(p, o);
    if (!st && o->flushing && o->extra && o->extra->flush) st = o->extra->flush(o->stream.context);
    if (!st) o->flushing = false;
    return close_by(p, o, st);
}

static enum status ready(struct wasi_preview2 *p, struct io_output *o)
{
    uint64_t bytes;
    if (!o->stream.ops->ready) return ST_OK;
    return close_by(p, o, o->stream.ops->ready(o->stream.context, WASI_WRITE, &bytes));
}

enum status output_check(struct wasi_preview2 *p, struct io_output *o, uint64_t *ret)
{
    *ret = o->permit = 0;
    enum status st = settle(p, o);
    if (!st) st = ready(p, o);
    if (st) return st;
    uint64_t budget = IO_WRITE_BYTES_MAX;
    if (o->extra && o->extra->budget) budget = o->extra->budget(o->stream.context);
    if (budget > IO_WRITE_BYTES_MAX) budget = IO_WRITE_BYTES_MAX;
    *ret = budget;
    o->permit = (uint32_t)budget;
    return budget ? ST_OK : ST_WOULD_BLOCK;
}

enum status output_put(struct wasi_preview2 *p, struct io_output *o, const void *bytes,
                       size_t size_bytes)
{
    const uint8_t *at = bytes;
    while (size_bytes) {
        size_t moved = 0;
        /* Behind what is held already, nothing may overtake. */
        enum status st = o->held ? ST_WOULD_BLOCK : step(o, at, size_bytes, &moved);
        if (st == ST_WOULD_BLOCK && hold(p, o, at, size_bytes)) return ST_OK;
        if (st) return close_by(p, o, st == ST_WOULD_BLOCK ? ST_NO_MEMORY : st);
        at += moved;
        size_bytes -= moved;
    }
    return ST_OK;
}

enum status io_output_flush(struct wasi_preview2 *p, struct io_output *o)
{
    o->flushing = true;
    return settle(p, o);
}

static enum host_result output_wait(struct canonical_call *c, const struct io_output *o)
{
    return io_wait(c, &(struct io_wait){&o->stream, WASI_WRITE, WASI_WAIT_FOREVER});
}

/* ---- answers ---- */

static struct io_output *take_output(struct canonical_call *c, const struct value *v)
{
    return canonical_borrowed(c, &io_output_class.resource, v[0].i32);
}

static enum host_result answer_unit(struct canonical_call *c, uint32_t at,
                                    const struct io_output *o, enum status st)
{
    if (st == ST_OK || st == ST_WOULD_BLOCK) return stream_ok(c, at);
    return stream_fail(c, at, &stream_result_unit, &o->stream, o->extra, st);
}

static enum host_result answer_u64(struct canonical_call *c, uint32_t at, const struct io_output *o,
                                   enum status st, uint64_t value)
{
    if (st == ST_OK || st == ST_WOULD_BLOCK) return stream_ok_u64(c, at, value);
    return stream_fail(c, at, &stream_result_u64, &o->stream, o->extra, st);
}

/* Waits until what was begun is done, then answers. */
static enum host_result finish(struct canonical_call *c, uint32_t at, struct io_output *o)
{
    enum status st;
    while ((st = settle(call_state(c), o)) == ST_WOULD_BLOCK) {
        enum host_result result = output_wait(c, o);
        if (result) return result;
    }
    return answer_unit(c, at, o, st);
}

/* ---- what does not wait ---- */

enum host_result output_check_write(struct canonical_call *c, struct value *v)
{
    struct io_output *o = take_output(c, v);
    if (!o) return HOST_TRAP;
    uint64_t bytes;
    enum status st = output_check(call_state(c), o, &bytes);
    return answer_u64(c, v[1].i32, o, st, bytes);
}

/* False: over the permit, which a check of now does not give either; the guest is trapped. */
static bool may_write(struct canonical_call *c, struct io_output *o, uint64_t size_bytes,
                      enum status *ret)
{
    uint64_t bytes;
    *ret = ST_OK;
    if (size_bytes > o->permit || o->deferred) *ret = output_check(call_state(c), o, &bytes);
    if (*ret != ST_OK && *ret != ST_WOULD_BLOCK) return true;
    if (size_bytes > o->permit) {
        call_trap(c, "a write is larger than what check-write permitted");
        return false;
    }
    *ret = ST_OK;
    o->permit -= (uint32_t)size_bytes;
    return true;
}

enum host_result output_write(struct canonical_call *c, struct value *v)
{
    struct io_output *o = take_output(c, v);
    uint32_t size = v[2].i32;
    uint8_t *bytes;
    enum status st;
    if (!o || !canonical_bytes(c, v[1].i32, size, &bytes)) return HOST_TRAP;
    if (o->closed && !o->deferred) return answer_unit(c, v[3].i32, o, ST_CLOSED);
    if (!may_write(c, o, size, &st)) return HOST_TRAP;
    if (!st) st = output_put(call_state(c), o, bytes, size);
    return answer_unit(c, v[3].i32, o, st);
}

static const uint8_t zeroes[4096];

enum host_result output_write_zeroes(struct canonical_call *c, struct value *v)
{
    struct io_output *o = take_output(c, v);
    uint64_t left = v[1].i64;
    enum status st;
    if (!o) return HOST_TRAP;
    if (o->closed && !o->deferred) return answer_unit(c, v[2].i32, o, ST_CLOSED);
    if (!may_write(c, o, left, &st)) return HOST_TRAP;
    while (!st && left) {
        size_t piece = left < sizeof zeroes ? (size_t)left : sizeof zeroes;
        st = output_put(call_state(c), o, zeroes, piece);
        left -= piece;
    }
    return answer_unit(c, v[2].i32, o, st);
}

enum host_result output_flush(struct canonical_call *c, struct value *v)
{
    struct io_output *o = take_output(c, v);
    if (!o) return HOST_TRAP;
    return answer_unit(c, v[1].i32, o, io_output_flush(call_state(c), o));
}

static bool look_at_output(struct wasi_preview2 *p, struct io_pollable *pollable,
                           struct io_wait *wait)
{
    struct io_output *o = (struct io_output *)pollable->object.parent;
    if (o->closed) return true;
    enum status st = settle(p, o);
    if (!st) st = ready(p, o);
    if (st != ST_WOULD_BLOCK) {
        if (st != ST_CLOSED) o->deferred = st;
        return true;
    }
    wait->stream = &o->stream;
    wait->direction = WASI_WRITE;
    return false;
}

enum host_result output_subscribe(struct canonical_call *c, struct value *v)
{
    struct io_output *o = take_output(c, v);
    if (!o) return HOST_TRAP;
    return io_pollable_give(c, look_at_output, 0, &o->object, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

/* ---- what waits ---- */

enum host_result output_blocking_flush(struct canonical_call *c, struct value *v)
{
    struct io_output *o = take_output(c, v);
    if (!o) return HOST_TRAP;
    o->flushing = true;
    return finish(c, v[1].i32, o);
}

/* Bytes of the guest, at `at`, or zeroes. */
struct blocking_write {
    struct io_output *o;
    uint32_t at, size_bytes, result_at;
    bool is_zeroes;
};

static enum host_result write_all(struct canonical_call *c, struct blocking_write *w)
{
    struct io_output *o = w->o;
    while (w->size_bytes) {
        uint8_t *bytes = NULL;
        size_t moved = 0;
        if (!w->is_zeroes && !canonical_bytes(c, w->at, w->size_bytes, &bytes)) return HOST_TRAP;
        enum status st = settle(call_state(c), o);
        if (!st)
            st = close_by(call_state(c), o,
                          step(o, w->is_zeroes ? zeroes : bytes, w->size_bytes, &moved));
        if (st == ST_WOULD_BLOCK) {
            enum host_result result = output_wait(c, o);
            if (result) return result;
        } else if (st) {
            return answer_unit(c, w->result_at, o, st);
        }
        w->at += (uint32_t)moved;
        w->size_bytes -= (uint32_t)moved;
    }
    o->flushing = true;
    return finish(c, w->result_at, o);
}

static enum host_result write_limit(struct canonical_call *c)
{
    canonical_trap(c, "a blocking write of more than %u bytes", IO_BLOCKING_BYTES_MAX);
    return HOST_TRAP;
}

enum host_result output_write_and_flush(struct canonical_call *c, struct value *v)
{
    struct blocking_write w = {take_output(c, v), v[1].i32, v[2].i32, v[3].i32, false};
    uint8_t *bytes;
    if (!w.o) return HOST_TRAP;
    if (w.size_bytes > IO_BLOCKING_BYTES_MAX) return write_limit(c);
    if (!canonical_bytes(c, w.at, w.size_bytes, &bytes)) return HOST_TRAP;
    return write_all(c, &w);
}

enum host_result output_write_zeroes_and_flush(struct canonical_call *c, struct value *v)
{
    struct blocking_write w = {take_output(c, v), 0, 0, v[2].i32, true};
    if (!w.o) return HOST_TRAP;
    if (v[1].i64 > IO_BLOCKING_BYTES_MAX) return write_limit(c);
    w.size_bytes = (uint32_t)v[1].i64;
    return write_all(c, &w);
}

_Static_assert(sizeof zeroes >= IO_BLOCKING_BYTES_MAX, "written in one step");

/* ---- splice ---- */

struct splice {
    struct io_output *o;
    struct io_input *in;
    uint64_t size_bytes;
    uint32_t at; /* of the result */
};

/* One attempt: ST_WOULD_BLOCK with *ret_in: the input is not ready, otherwise the output. */
static enum status splice_try(struct canonical_call *c, const struct splice *s, size_t *ret,
                              bool *ret_in)
{
    uint64_t room;
    *ret = 0;
    *ret_in = false;
    enum status st = output_check(call_state(c), s->o, &room);
    if (st) return st;
    size_t size = s->size_bytes < room ? (size_t)s->size_bytes : (size_t)room;
    if (!size) return ST_OK;
    *ret_in = true;
    struct io_pool *pool = &call_state(c)->pool;
    uint8_t *bytes = io_pool_take(pool, size);
    if (!bytes) return ST_NO_MEMORY;
    st = input_read(s->in, bytes, size, ret);
    if (!st) {
        *ret_in = false;
        s->o->permit -= (uint32_t)*ret;
        st = output_put(call_state(c), s->o, bytes, *ret);
    }
    io_pool_give(pool, bytes, size);
    return st;
}

static enum host_result splice_run(struct canonical_call *c, struct value *v, bool blocks)
{
    struct splice s = {.o = take_output(c, v), .size_bytes = v[2].i64, .at = v[3].i32};
    if (!s.o) return HOST_TRAP;
    s.in = canonical_borrowed(c, &io_input_class.resource, v[1].i32);
    if (!s.in) return HOST_TRAP;
    for (;;) {
        size_t moved;
        bool of_input;
        enum status st = splice_try(c, &s, &moved, &of_input);
        if (st == ST_WOULD_BLOCK && blocks) {
            enum host_result result =
                of_input
                    ? io_wait(c, &(struct io_wait){&s.in->stream, WASI_READ, WASI_WAIT_FOREVER})
                    : output_wait(c, s.o);
            if (result) return result;
            continue;
        }
        if (st && st != ST_WOULD_BLOCK && of_input)
            return stream_fail(c, s.at, &stream_result_u64, &s.in->stream, s.in->extra, st);
        return answer_u64(c, s.at, s.o, st, moved);
    }
}

enum host_result output_splice(struct canonical_call *c, struct value *v)
{
    return splice_run(c, v, false);
}

enum host_result output_blocking_splice(struct canonical_call *c, struct value *v)
{
    return splice_run(c, v, true);
}
