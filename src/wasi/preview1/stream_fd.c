/* Streams over file descriptors, and waiting for them by blocking the thread. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "state.h"
#include "stream.h"

#define NS_PER_S 1000000000ull

enum status stream_fd_ready(void *context, enum wasi_direction direction, uint64_t *ret_bytes)
{
    int fd = (int)(intptr_t)context;
    struct pollfd p = {.fd = fd, .events = direction == WASI_READ ? POLLIN : POLLOUT};
    int n = poll(&p, 1, 0);
    if (n < 0) return errno == EINTR ? ST_WOULD_BLOCK : ST_IO;
    if (n == 0) return ST_WOULD_BLOCK;
    if (p.revents & POLLNVAL) return ST_IO;
    if (direction == WASI_WRITE) {
        *ret_bytes = 1;
        return p.revents & (POLLERR | POLLHUP) ? ST_CLOSED : ST_OK;
    }
    int bytes = 0;
    if (ioctl(fd, FIONREAD, &bytes) || bytes < 0) bytes = 1;
    *ret_bytes = (uint64_t)bytes;
    /* What the peer sent before it went is still there. */
    return (p.revents & POLLHUP) && bytes == 0 ? ST_CLOSED : ST_OK;
}

/* Asks first, because the descriptor may be in blocking mode, and that mode belongs to others too.
 */
static enum status fd_stream_read(void *context, void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    int fd = (int)(intptr_t)context;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, 0) == 0) return ST_WOULD_BLOCK;
    ssize_t got = read(fd, bytes, size_bytes);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? ST_WOULD_BLOCK : ST_IO;
    if (got == 0) return ST_CLOSED;
    *ret_bytes = (size_t)got;
    return ST_OK;
}

static enum status fd_stream_write(void *context, const void *bytes, size_t size_bytes,
                                   size_t *ret_bytes)
{
    int fd = (int)(intptr_t)context;
    ssize_t put;
    do put = write(fd, bytes, size_bytes);
    while (put < 0 && errno == EINTR);
    if (put < 0 && (errno == EPIPE || errno == ECONNRESET)) return ST_CLOSED;
    if (put < 0) return errno == EAGAIN ? ST_WOULD_BLOCK : ST_IO;
    *ret_bytes = (size_t)put;
    return ST_OK;
}

static const struct wasi_stream_ops *ops_of_fd(int fd)
{
    static const struct wasi_stream_ops both = {fd_stream_read, fd_stream_write, stream_fd_ready};
    static const struct wasi_stream_ops in = {fd_stream_read, NULL, stream_fd_ready};
    static const struct wasi_stream_ops out = {NULL, fd_stream_write, stream_fd_ready};
    switch (fcntl(fd, F_GETFL) & O_ACCMODE) {
    case O_RDONLY: return &in;
    case O_WRONLY: return &out;
    default: return &both;
    }
}

struct wasi_stream wasi_stream_fd(int fd)
{
    struct stat st;
    if (fstat(fd, &st)) return (struct wasi_stream){.fd = -1}; /* the process was started without */
    return (struct wasi_stream){.ops = ops_of_fd(fd),
                                .context = (void *)(intptr_t)fd,
                                .fd = fd,
                                .filetype = filetype_of_mode(st.st_mode)};
}

uint64_t wasi_cpu_time_thread_ns(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static bool poll_wait(void *context, struct instance *instance, const struct wasi_wait *waits,
                      size_t count, uint64_t deadline_ns)
{
    (void)instance;
    const struct clock *clock = context;
    struct pollfd list[WASI_SUBSCRIPTIONS_MAX];
    assert(count <= ARRAY_COUNT(list));
    if (count == 0 && deadline_ns == 0) {
        sched_yield();
        return true;
    }
    for (size_t k = 0; k < count; k++) {
        if (waits[k].stream->fd < 0) return true;
        list[k] = (struct pollfd){.fd = waits[k].stream->fd,
                                  .events = waits[k].direction == WASI_READ ? POLLIN : POLLOUT};
    }
    struct timespec timeout, *limit = NULL;
    if (deadline_ns != WASI_WAIT_FOREVER) {
        uint64_t now_ns = clock_monotonic_ns(clock);
        uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        timeout.tv_sec = (time_t)(left_ns / NS_PER_S);
        timeout.tv_nsec = (long)(left_ns % NS_PER_S);
        limit = &timeout;
    }
    /* EINTR, or any failure: the caller looks again, and meets it where it can be told. */
    (void)!ppoll(list, (nfds_t)count, limit, NULL);
    return true;
}

struct wasi_waiter wasi_waiter_poll(const struct clock *clock)
{
    /* The context is a borrowed const clock; poll_wait() only reads it. */
    return (struct wasi_waiter){poll_wait, (void *)(uintptr_t)clock};
}
