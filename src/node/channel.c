#include "channel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct channel_packet {
    struct channel_packet *next;
    size_t size_bytes;
    int fd; /* -1: none */
    char bytes[CHANNEL_PACKET_BYTES];
};

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static size_t padded(size_t text_bytes)
{
    return (text_bytes + 3u) & ~(size_t)3;
}

/* ---- sending ---- */

static void drop_first(struct channel *c)
{
    struct channel_packet *p = c->first;
    c->first = p->next;
    if (!c->first) c->last = NULL;
    c->queued_bytes -= sizeof *p;
    if (p->fd >= 0) close(p->fd);
    free(p);
}

static void give_up(struct channel *c)
{
    if (c->broken) return;
    c->broken = true;
    while (c->first) drop_first(c);
    loop_watch_remove(c->loop, &c->watch);
    c->closed(c->context);
}

/* False with errno when the packet did not leave. */
static bool send_packet(const struct channel *c, const struct channel_packet *p)
{
    union control control = {0};
    struct iovec bytes = {(void *)(uintptr_t)p->bytes, p->size_bytes};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (p->fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &p->fd, sizeof(int));
    }
    return sendmsg(c->watch.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static void set_blocked(struct channel *c, bool blocked)
{
    if (c->blocked == blocked) return;
    c->blocked = blocked;
    unsigned events = LOOP_READ | (blocked ? LOOP_WRITE : 0u);
    if (loop_watch_change(c->loop, &c->watch, events, NULL)) give_up(c);
}

static void flush(void *context)
{
    struct channel *c = context;
    while (!c->broken && c->first) {
        if (send_packet(c, c->first)) {
            drop_first(c);
            continue;
        }
        if (errno == EINTR) continue;
        /* ENOBUFS, ETOOMANYREFS: the system holds too much that was not read. */
        if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)
            set_blocked(c, true);
        else
            give_up(c);
        return;
    }
    if (!c->broken) set_blocked(c, false);
}

/* A packet with room for `size_bytes` more and, with `fd`, none in it yet. */
static struct channel_packet *packet_for(struct channel *c, size_t size_bytes, int fd)
{
    struct channel_packet *p = c->last;
    if (p && p->size_bytes + size_bytes <= sizeof p->bytes && p->fd < 0 && fd < 0) return p;
    if (c->queued_bytes + sizeof *p > CHANNEL_QUEUE_BYTES_MAX) return NULL;
    p = malloc(sizeof *p);
    if (!p) return NULL;
    p->next = NULL;
    p->size_bytes = 0;
    p->fd = fd;
    if (c->last)
        c->last->next = p;
    else
        c->first = p;
    c->last = p;
    c->queued_bytes += sizeof *p;
    return p;
}

void channel_send(struct channel *c, enum channel_kind kind, uint32_t id, uint32_t generation,
                  uint32_t flags, const char *text, int take_fd)
{
    size_t text_bytes = text ? strnlen(text, CHANNEL_TEXT_BYTES_MAX) : 0;
    size_t size_bytes = sizeof(struct channel_record) + padded(text_bytes);
    struct channel_packet *p = c->broken ? NULL : packet_for(c, size_bytes, take_fd);
    if (!p) {
        if (take_fd >= 0) close(take_fd);
        if (!c->broken) shutdown(c->watch.fd, SHUT_RDWR); /* closed() follows, in a later turn */
        return;
    }
    struct channel_record record = {
        .kind = (uint16_t)kind,
        .text_bytes = (uint16_t)text_bytes,
        .id = id,
        .generation = generation,
        .flags = flags,
    };
    char *at = p->bytes + p->size_bytes;
    memset(at, 0, size_bytes);
    memcpy(at, &record, sizeof record);
    if (text_bytes) memcpy(at + sizeof record, text, text_bytes);
    p->size_bytes += size_bytes;
    if (!c->blocked) loop_defer(c->loop, &c->flush_task);
}

/* ---- receiving ---- */

static void deliver(struct channel *c, const char *bytes, size_t size_bytes, int fd)
{
    char text[CHANNEL_TEXT_BYTES_MAX + 1];
    struct channel_record record;
    while (size_bytes >= sizeof record && !c->broken) {
        memcpy(&record, bytes, sizeof record);
        size_t whole = sizeof record + padded(record.text_bytes);
        if (record.text_bytes > CHANNEL_TEXT_BYTES_MAX || whole > size_bytes) break;
        memcpy(text, bytes + sizeof record, record.text_bytes);
        text[record.text_bytes] = '\0';
        c->received(c->context, &record, text, fd);
        fd = -1; /* it came with the first record */
        bytes += whole;
        size_bytes -= whole;
    }
    if (fd >= 0) close(fd);
}

static int received_fd(struct msghdr *message)
{
    int fd = -1;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head))
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
            memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

/* False: nothing more for now. */
static bool receive(struct channel *c)
{
    static _Thread_local char bytes[CHANNEL_PACKET_BYTES];
    union control control;
    struct iovec place = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &place,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got = recvmsg(c->watch.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) return true;
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) {
        give_up(c);
        return false;
    }
    deliver(c, bytes, (size_t)got, received_fd(&message));
    return !c->broken;
}

static void on_ready(void *context, unsigned events)
{
    struct channel *c = context;
    if (events & LOOP_WRITE) flush(c);
    if (c->broken || !(events & ~(unsigned)LOOP_WRITE)) return;
    for (unsigned i = 0; i < CHANNEL_READS_PER_TURN; i++)
        if (!receive(c)) return;
}

void channel_receive_all(struct channel *c)
{
    while (c->loop && !c->broken && receive(c)) {
    }
}

enum status channel_open(struct channel *c, struct loop *loop, int take_fd,
                         void (*received)(void *, const struct channel_record *, const char *, int),
                         void (*closed)(void *), void *context, struct error *err)
{
    assert(received && closed);
    *c = (struct channel){.loop = loop, .received = received, .closed = closed, .context = context};
    loop_task_init(&c->flush_task, flush, c);
    enum status st = loop_watch_add(loop, &c->watch, take_fd, LOOP_READ, on_ready, c, err);
    if (st) {
        close(take_fd);
        c->loop = NULL;
    }
    return st;
}

void channel_close(struct channel *c)
{
    if (!c->loop) return;
    int fd = c->watch.fd;
    c->broken = true;
    while (c->first) drop_first(c);
    loop_task_cancel(&c->flush_task);
    loop_watch_remove(c->loop, &c->watch);
    if (fd >= 0) close(fd);
    c->loop = NULL;
}
