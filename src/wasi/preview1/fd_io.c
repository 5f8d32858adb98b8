/* Reading, writing and seeking. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include "state.h"

_Static_assert(WASI_IOVECS_MAX <= IOV_MAX, "one call of the host for one of the guest");

/* Nearly all lists are as short as that. A longer one has a frame of its own, so that others leave
 * the deeper pages of the stack alone, which the reset of an instance would have to clear. */
#define IOVECS_FEW 16u

/* What the four functions work with: they differ in the direction and in where the offset is. */
struct transfer {
    struct wasi_fd *entry;
    enum wasi_direction direction;
    uint32_t count;
    uint32_t done; /* bytes */
    struct guest_iovec *list;
};

/* One step of at most `length` bytes at `offset` on a stream. */
static enum status stream_step(struct call *c, const struct transfer *t, uint32_t offset,
                               uint32_t length, size_t *ret_bytes)
{
    const struct wasi_stream *stream = &t->entry->stream;
    uint8_t *at;
    if (!call_slice(c, offset, length, &at)) return ST_INTERNAL;
    *ret_bytes = 0;
    if (t->direction == WASI_READ) return stream->ops->read(stream->context, at, length, ret_bytes);
    return stream->ops->write(stream->context, at, length, ret_bytes);
}

static enum wasi_errno stream_end(const struct transfer *t, enum status st)
{
    if (t->done) return WASI_OK; /* what was moved counts; the next call meets the end again */
    if (st == ST_CLOSED) return t->direction == WASI_READ ? WASI_OK : WASI_EPIPE;
    return WASI_EIO;
}

/* Reading ends with the first bytes that come; writing with the last, unless the guest asked not to
 * block. */
static enum wasi_errno stream_transfer(struct call *c, struct transfer *t)
{
    bool nonblock = t->entry->flags & FDFLAG_NONBLOCK;
    for (uint32_t k = 0; k < t->count; k++) {
        uint32_t offset = t->list[k].offset, left = t->list[k].length;
        while (left) {
            size_t moved;
            enum status st = stream_step(c, t, offset, left, &moved);
            if (!st && !moved) st = ST_WOULD_BLOCK; /* or a careless stream would spin us */
            if (st == ST_WOULD_BLOCK) {
                if (t->done && (nonblock || t->direction == WASI_READ)) return WASI_OK;
                if (nonblock) return WASI_EAGAIN;
                if (!call_wait_stream(c, &t->entry->stream, t->direction)) return WASI_ECANCELED;
                continue;
            }
            if (st) return stream_end(t, st);
            assert(moved <= left);
            t->done += (uint32_t)moved;
            offset += (uint32_t)moved;
            left -= (uint32_t)moved;
            if (left && t->direction == WASI_READ) return WASI_OK;
        }
    }
    return WASI_OK;
}

/* `offset` < 0: where the descriptor stands. */
static NOINLINE enum wasi_errno file_transfer(const struct call *c, struct transfer *t,
                                              int64_t offset)
{
    struct iovec list[WASI_IOVECS_MAX];
    enum wasi_errno e = call_map_iovecs(c, t->list, t->count, list);
    if (e) return e;
    int fd = t->entry->host, count = (int)t->count;
    ssize_t moved;
    do {
        if (t->direction == WASI_READ)
            moved = offset < 0 ? readv(fd, list, count) : preadv(fd, list, count, offset);
        else
            moved = offset < 0 ? writev(fd, list, count) : pwritev(fd, list, count, offset);
    } while (moved < 0 && errno == EINTR);
    if (moved < 0) return errno_now();
    t->done = (uint32_t)moved;
    return WASI_OK;
}

/* Parameters: fd, iovecs, their count, …, and at `ret_offset` the place for the bytes moved. */
static enum wasi_errno transfer_list(struct call *c, struct transfer *t, int64_t offset,
                                     uint32_t ret_offset)
{
    uint64_t rights = t->direction == WASI_READ ? RIGHT_FD_READ : RIGHT_FD_WRITE;
    enum wasi_errno e = fd_get(c, c->v[0].i32, rights, &t->entry);
    if (!e) e = call_take_iovecs(c, c->v[1].i32, t->count, t->list);
    if (e) return e;
    if (!call_can_put(c, ret_offset, sizeof t->done)) return WASI_EFAULT;
    switch (t->entry->kind) {
    case FD_FILE: e = file_transfer(c, t, offset); break;
    case FD_STREAM:
    case FD_SOCKET: e = offset < 0 ? stream_transfer(c, t) : WASI_ESPIPE; break;
    case FD_FOLDER: e = WASI_EISDIR; break;
    case FD_FREE: e = WASI_EBADF; break;
    }
    return e ? e : call_put_u32(c, ret_offset, t->done);
}

static NOINLINE enum wasi_errno transfer_many(struct call *c, struct transfer *t, int64_t offset,
                                              uint32_t ret_offset)
{
    struct guest_iovec list[WASI_IOVECS_MAX];
    t->list = list;
    return transfer_list(c, t, offset, ret_offset);
}

static enum wasi_errno transfer(struct call *c, enum wasi_direction direction, int64_t offset,
                                uint32_t ret_offset)
{
    struct guest_iovec few[IOVECS_FEW];
    struct transfer t = {.direction = direction, .count = c->v[2].i32, .list = few};
    if (t.count > IOVECS_FEW) return transfer_many(c, &t, offset, ret_offset);
    return transfer_list(c, &t, offset, ret_offset);
}

static enum wasi_errno transfer_at(struct call *c, enum wasi_direction direction)
{
    uint64_t offset = c->v[3].i64;
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, 0, &entry);
    if (e) return e;
    if (entry->kind == FD_STREAM || entry->kind == FD_SOCKET) return WASI_ESPIPE;
    e = fd_get(c, c->v[0].i32, RIGHT_FD_SEEK, &entry);
    if (e) return e;
    if (offset > INT64_MAX) return WASI_EINVAL;
    return transfer(c, direction, (int64_t)offset, c->v[4].i32);
}

static enum wasi_errno fd_read(struct call *c)
{
    return transfer(c, WASI_READ, -1, c->v[3].i32);
}

static enum wasi_errno fd_write(struct call *c)
{
    return transfer(c, WASI_WRITE, -1, c->v[3].i32);
}

static enum wasi_errno fd_pread(struct call *c)
{
    return transfer_at(c, WASI_READ);
}

static enum wasi_errno fd_pwrite(struct call *c)
{
    return transfer_at(c, WASI_WRITE);
}

static enum wasi_errno seek(struct call *c, uint64_t rights, int64_t delta, int whence,
                            uint32_t ret_offset)
{
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, 0, &entry);
    if (e) return e;
    if (entry->kind == FD_STREAM || entry->kind == FD_SOCKET) return WASI_ESPIPE;
    e = fd_get(c, c->v[0].i32, rights, &entry);
    if (e) return e;
    if (!call_can_put(c, ret_offset, sizeof(uint64_t))) return WASI_EFAULT;
    off_t now = lseek(entry->host, delta, whence);
    if (now < 0) return errno_now();
    return call_put_u64(c, ret_offset, (uint64_t)now);
}

static enum wasi_errno fd_seek(struct call *c)
{
    int64_t delta = (int64_t)c->v[1].i64;
    uint32_t ret_offset = c->v[3].i32;
    switch (c->v[2].i32) {
    case WHENCE_SET: return seek(c, RIGHT_FD_SEEK, delta, SEEK_SET, ret_offset);
    case WHENCE_END: return seek(c, RIGHT_FD_SEEK, delta, SEEK_END, ret_offset);
    case WHENCE_CUR:
        return seek(c, delta ? RIGHT_FD_SEEK : RIGHT_FD_TELL, delta, SEEK_CUR, ret_offset);
    default: return WASI_EINVAL;
    }
}

static enum wasi_errno fd_tell(struct call *c)
{
    return seek(c, RIGHT_FD_TELL, 0, SEEK_CUR, c->v[1].i32);
}

PREVIEW1_FUNCTION(fd_read)
PREVIEW1_FUNCTION(fd_write)
PREVIEW1_FUNCTION(fd_pread)
PREVIEW1_FUNCTION(fd_pwrite)
PREVIEW1_FUNCTION(fd_seek)
PREVIEW1_FUNCTION(fd_tell)

const struct host_function preview1_fd_io_functions[] = {
    PREVIEW1_ENTRY(fd_read, "iiii:i"),   PREVIEW1_ENTRY(fd_write, "iiii:i"),
    PREVIEW1_ENTRY(fd_pread, "iiili:i"), PREVIEW1_ENTRY(fd_pwrite, "iiili:i"),
    PREVIEW1_ENTRY(fd_seek, "ilii:i"),   PREVIEW1_ENTRY(fd_tell, "ii:i"),
};
