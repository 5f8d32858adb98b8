/* sock_*, on the sockets that the embedder granted and those accepted from them. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "state.h"
#include "stream.h"

struct message {
    uint32_t count;
    struct guest_iovec list[WASI_IOVECS_MAX];
};

/* ---- a socket as a stream ---- */

static enum status status_of_socket(ssize_t result, size_t *ret_bytes)
{
    if (result > 0) {
        *ret_bytes = (size_t)result;
        return ST_OK;
    }
    if (result == 0 || errno == EPIPE || errno == ECONNRESET) return ST_CLOSED;
    return errno == EAGAIN || errno == EINTR ? ST_WOULD_BLOCK : ST_IO;
}

static enum status socket_read(void *context, void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    int fd = (int)(intptr_t)context;
    return status_of_socket(recv(fd, bytes, size_bytes, MSG_DONTWAIT), ret_bytes);
}

static enum status socket_write(void *context, const void *bytes, size_t size_bytes,
                                size_t *ret_bytes)
{
    int fd = (int)(intptr_t)context;
    return status_of_socket(send(fd, bytes, size_bytes, MSG_DONTWAIT | MSG_NOSIGNAL), ret_bytes);
}

struct wasi_stream socket_stream(int fd, enum wasi_filetype filetype)
{
    static const struct wasi_stream_ops ops = {socket_read, socket_write, stream_fd_ready};
    return (struct wasi_stream){&ops, (void *)(intptr_t)fd, fd, filetype};
}

/* ---- the functions ---- */

static enum wasi_errno socket_get(const struct call *c, uint32_t fd, uint64_t rights,
                                  struct wasi_fd **ret)
{
    enum wasi_errno e = fd_get(c, fd, 0, ret);
    if (e) return e;
    if ((*ret)->kind != FD_SOCKET) return WASI_ENOTSOCK;
    return fd_get(c, fd, rights, ret);
}

/* After a call of the host failed: true when it is worth trying again. */
static bool wait_and_retry(struct call *c, const struct wasi_fd *entry,
                           enum wasi_direction direction, enum wasi_errno *e)
{
    if (errno == EINTR) return true;
    *e = errno_now();
    if (*e != WASI_EAGAIN || (entry->flags & FDFLAG_NONBLOCK)) return false;
    return call_wait_stream(c, &entry->stream, direction);
}

static enum wasi_errno sock_accept(struct call *c)
{
    uint32_t flags = c->v[1].i32, ret = c->v[2].i32, fd;
    struct wasi_fd *entry;
    enum wasi_errno e = socket_get(c, c->v[0].i32, RIGHT_SOCK_ACCEPT, &entry);
    if (e) return e;
    if (flags & ~FDFLAG_NONBLOCK) return WASI_EINVAL;
    if (!call_can_put(c, ret, sizeof fd)) return WASI_EFAULT;
    int host;
    while ((host = accept4(entry->host, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0)
        if (!wait_and_retry(c, entry, WASI_READ, &e)) return e;
    struct wasi_fd accepted = {.kind = FD_SOCKET,
                               .filetype = entry->filetype,
                               .flags = flags,
                               .owned = true,
                               .host = host,
                               .list = -1,
                               .rights = entry->inheriting & RIGHTS_OF_SOCKET,
                               .inheriting = entry->inheriting,
                               .stream = socket_stream(host, entry->filetype)};
    e = fd_add(c->p, &accepted, &fd);
    if (e) {
        close(host);
        return e;
    }
    return call_put_u32(c, ret, fd);
}

/* One sendmsg(2) or recvmsg(2) over what the guest's iovecs hold beyond `skip` bytes. */
static enum wasi_errno message_step(struct call *c, const struct wasi_fd *entry,
                                    const struct message *m, uint64_t skip, int flags, bool sending,
                                    ssize_t *ret, int *ret_flags)
{
    struct iovec list[WASI_IOVECS_MAX];
    enum wasi_errno e = call_map_iovecs(c, m->list, m->count, list);
    if (e) return e;
    for (uint32_t k = 0; k < m->count && skip; k++) {
        size_t cut = skip < list[k].iov_len ? (size_t)skip : list[k].iov_len;
        list[k].iov_base = (uint8_t *)list[k].iov_base + cut;
        list[k].iov_len -= cut;
        skip -= cut;
    }
    struct msghdr header = {.msg_iov = list, .msg_iovlen = m->count};
    *ret = sending ? sendmsg(entry->host, &header, flags) : recvmsg(entry->host, &header, flags);
    *ret_flags = header.msg_flags;
    return WASI_OK;
}

static uint64_t message_bytes(const struct message *m)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < m->count; k++) sum += m->list[k].length;
    return sum;
}

/* Receives once, or with `all` until the buffers are full or the stream has ended. */
static enum wasi_errno receive(struct call *c, const struct wasi_fd *entry, const struct message *m,
                               bool peek, bool all, uint32_t *ret_bytes, bool *ret_cut)
{
    uint64_t wanted = message_bytes(m), done = 0;
    do {
        ssize_t got;
        int flags;
        enum wasi_errno e = message_step(c, entry, m, done, MSG_DONTWAIT | (peek ? MSG_PEEK : 0),
                                         false, &got, &flags);
        if (e) return e;
        if (got < 0) {
            if (wait_and_retry(c, entry, WASI_READ, &e)) continue;
            if (c->result != HOST_OK || !done) return e;
            break;
        }
        done += (uint64_t)got;
        *ret_cut = flags & MSG_TRUNC;
        if (got == 0 || !all) break;
    } while (done < wanted);
    *ret_bytes = (uint32_t)done;
    return WASI_OK;
}

static enum wasi_errno sock_recv(struct call *c)
{
    uint32_t flags = c->v[3].i32, ret_bytes = c->v[4].i32, ret_flags = c->v[5].i32;
    struct wasi_fd *entry;
    struct message m;
    m.count = c->v[2].i32;
    enum wasi_errno e = socket_get(c, c->v[0].i32, RIGHT_FD_READ, &entry);
    if (!e) e = call_take_iovecs(c, c->v[1].i32, m.count, m.list);
    if (e) return e;
    if (flags & ~(RIFLAG_PEEK | RIFLAG_WAITALL)) return WASI_EINVAL;
    uint32_t got = 0;
    uint16_t out = 0;
    if (!call_can_put(c, ret_bytes, sizeof got)) return WASI_EFAULT;
    if (!call_can_put(c, ret_flags, sizeof out)) return WASI_EFAULT;
    bool cut = false, peek = flags & RIFLAG_PEEK;
    /* Peeking sees the same bytes each time, so it cannot add them up. */
    bool all = (flags & RIFLAG_WAITALL) && !peek && entry->filetype == WASI_FILETYPE_SOCKET_STREAM;
    e = receive(c, entry, &m, peek, all, &got, &cut);
    if (e) return e;
    if (cut) out = ROFLAG_DATA_TRUNCATED;
    e = call_put_u32(c, ret_bytes, got);
    return e ? e : call_put(c, ret_flags, &out, sizeof out);
}

static enum wasi_errno sock_send(struct call *c)
{
    uint32_t ret = c->v[4].i32;
    struct wasi_fd *entry;
    struct message m;
    m.count = c->v[2].i32;
    enum wasi_errno e = socket_get(c, c->v[0].i32, RIGHT_FD_WRITE, &entry);
    if (!e) e = call_take_iovecs(c, c->v[1].i32, m.count, m.list);
    if (e) return e;
    if (c->v[3].i32) return WASI_EINVAL; /* there are no flags yet */
    if (!call_can_put(c, ret, sizeof(uint32_t))) return WASI_EFAULT;
    ssize_t sent;
    int flags;
    for (;;) {
        e = message_step(c, entry, &m, 0, MSG_DONTWAIT | MSG_NOSIGNAL, true, &sent, &flags);
        if (e) return e;
        if (sent >= 0) break;
        if (!wait_and_retry(c, entry, WASI_WRITE, &e)) return e;
    }
    return call_put_u32(c, ret, (uint32_t)sent);
}

static enum wasi_errno sock_shutdown(struct call *c)
{
    static const int hows[] = {
        [SDFLAG_RD] = SHUT_RD, [SDFLAG_WR] = SHUT_WR, [SDFLAG_RD | SDFLAG_WR] = SHUT_RDWR};
    uint32_t how = c->v[1].i32;
    struct wasi_fd *entry;
    enum wasi_errno e = socket_get(c, c->v[0].i32, RIGHT_SOCK_SHUTDOWN, &entry);
    if (e) return e;
    if (how == 0 || how >= ARRAY_COUNT(hows)) return WASI_EINVAL;
    return shutdown(entry->host, hows[how]) ? errno_now() : WASI_OK;
}

PREVIEW1_FUNCTION(sock_accept)
PREVIEW1_FUNCTION(sock_recv)
PREVIEW1_FUNCTION(sock_send)
PREVIEW1_FUNCTION(sock_shutdown)

const struct host_function preview1_socket_functions[] = {
    PREVIEW1_ENTRY(sock_accept, "iii:i"),
    PREVIEW1_ENTRY(sock_recv, "iiiiii:i"),
    PREVIEW1_ENTRY(sock_send, "iiiii:i"),
    PREVIEW1_ENTRY(sock_shutdown, "ii:i"),
};
