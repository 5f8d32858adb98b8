/* wasi:filesystem: what is in a file. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "filesystem.h"

static enum filesystem_error read_file(const struct filesystem_file *file, void *bytes,
                                       size_t size_bytes, uint64_t offset, size_t *ret)
{
    *ret = 0;
    if (offset > INT64_MAX) return FILESYSTEM_INVALID;
    ssize_t got;
    do got = pread(file->fd, bytes, size_bytes, (off_t)offset);
    while (got < 0 && errno == EINTR);
    if (got < 0) return filesystem_error_of(errno);
    *ret = (size_t)got;
    return FILESYSTEM_OK;
}

/* ---- read ---- */

#define READ_RESULT_BYTES 16u /* result<tuple<list<u8>, bool>, error-code> */

static enum host_result answer_bytes(struct canonical_call *c, uint32_t at, const void *bytes,
                                     size_t size_bytes, bool ended)
{
    struct call_list list;
    if (!call_put_bytes(c, bytes, size_bytes, &list)) return HOST_TRAP;
    uint8_t *ret = call_place(c, at, READ_RESULT_BYTES, 4);
    if (!ret) return HOST_TRAP;
    put_list(ret + 4, &list);
    ret[12] = ended;
    return HOST_OK;
}

enum host_result descriptor_read(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    uint64_t length = v[1].i64, offset = v[2].i64;
    uint32_t at = v[3].i32;
    if (!d) return HOST_TRAP;
    if (d->is_folder) return filesystem_fail(c, at, READ_RESULT_BYTES, 4, FILESYSTEM_IS_DIRECTORY);
    size_t size = length < IO_READ_BYTES_MAX ? (size_t)length : IO_READ_BYTES_MAX, got;
    struct io_pool *pool = &call_state(c)->pool;
    uint8_t *bytes = io_pool_take(pool, size);
    if (!bytes) return call_trap(c, "there is no room to read");
    enum filesystem_error e = read_file(d->file, bytes, size, offset, &got);
    enum host_result result = e == FILESYSTEM_OK ? answer_bytes(c, at, bytes, got, size && !got)
                                                 : filesystem_fail(c, at, READ_RESULT_BYTES, 4, e);
    io_pool_give(pool, bytes, size);
    return result;
}

/* ---- read-via-stream ---- */

struct file_stream {
    struct io_input in;
    struct filesystem_file *file;
    uint64_t offset;
    enum filesystem_error error;
};

static enum status stream_read(void *context, void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    struct file_stream *s = context;
    s->error = read_file(s->file, bytes, size_bytes, s->offset, ret_bytes);
    if (s->error != FILESYSTEM_OK) return ST_IO;
    s->offset += *ret_bytes;
    return *ret_bytes ? ST_OK : ST_CLOSED;
}

static void stream_failure(void *context, UNUSED enum status st, struct io_failure *ret)
{
    const struct file_stream *s = context;
    ret->domain = &io_domain_filesystem;
    ret->code = s->error;
    snprintf(ret->text, sizeof ret->text, "reading a file: %s", filesystem_error_name(s->error));
}

static void stream_done(struct wasi_preview2 *p, void *context)
{
    filesystem_file_unref(p, ((struct file_stream *)context)->file);
}

enum host_result descriptor_read_via_stream(struct canonical_call *c, struct value *v)
{
    static const struct wasi_stream_ops ops = {.read = stream_read};
    static const struct io_stream_extra extra = {.failure = stream_failure, .done = stream_done};
    const struct wasi_stream stream = {.ops = &ops, .fd = -1};
    struct filesystem_descriptor *d = filesystem_self(c, v);
    if (!d) return HOST_TRAP;
    if (d->is_folder) return filesystem_fail(c, v[2].i32, 8, 4, FILESYSTEM_IS_DIRECTORY);
    struct io_input *in = io_input_new(c, &stream, &extra, sizeof(struct file_stream), NULL);
    if (!in) return HOST_TRAP;
    struct file_stream *s = (struct file_stream *)in;
    in->stream.context = s;
    s->file = d->file;
    s->file->refs++;
    s->offset = v[1].i64;
    return filesystem_answer_own(c, v[2].i32, s);
}
