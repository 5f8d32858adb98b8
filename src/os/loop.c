/* Turns, descriptors, deferred tasks and signals of the event loop. */
#include "os/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "loop_internal.h"

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

/* A timer nearer than this is worth reading the clock before the wait: the turn's own time would
 * make it late. */
#define LOOP_NEAR_NS (100 * NS_PER_MS)

static void ring_init(struct loop_task *head)
{
    head->next = head->previous = head;
}

static bool ring_empty(const struct loop_task *head)
{
    return head->next == head;
}

static void ring_append(struct loop_task *head, struct loop_task *t)
{
    t->previous = head->previous;
    t->next = head;
    head->previous->next = t;
    head->previous = t;
}

/* Moves all tasks of `from` behind those of `to`. */
static void ring_move(struct loop_task *to, struct loop_task *from)
{
    if (ring_empty(from)) return;
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    ring_init(from);
}

enum status loop_new(const struct clock *clock, struct loop **ret, struct error *err)
{
    assert(clock && ret);
    struct loop *l = calloc(1, sizeof *l);
    if (!l) return error_set(err, ST_NO_MEMORY, "event loop");
    l->clock = clock;
    ring_init(&l->soon);
    ring_init(&l->due);
    ring_init(&l->later);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd < 0) {
        error_set_errno(err, errno, "epoll_create1");
        free(l);
        return ST_IO;
    }
    l->now_ns = clock_monotonic_ns(clock);
    *ret = l;
    return ST_OK;
}

void loop_free(struct loop *l)
{
    if (!l) return;
    loop_lookout_stop(l);
    close(l->epoll_fd);
    free(l);
}

uint64_t loop_now_ns(const struct loop *l)
{
    return l->now_ns;
}

uint64_t loop_refresh_now(struct loop *l)
{
    l->now_ns = clock_monotonic_ns(l->clock);
    return l->now_ns;
}

const struct clock *loop_clock(const struct loop *l)
{
    return l->clock;
}

void loop_stop(struct loop *l)
{
    l->stopped = true;
}

/* ---- descriptors ---- */

static uint32_t epoll_mask(unsigned events)
{
    return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
           (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0) |
           (events & LOOP_HALF_CLOSED ? (uint32_t)EPOLLRDHUP : 0) |
           (events & LOOP_EDGE ? (uint32_t)EPOLLET : 0);
}

static unsigned loop_mask(uint32_t events)
{
    return (events & EPOLLIN ? LOOP_READ : 0U) | (events & EPOLLOUT ? LOOP_WRITE : 0U) |
           (events & EPOLLRDHUP ? LOOP_HALF_CLOSED : 0U) |
           (events & (EPOLLERR | EPOLLHUP) ? LOOP_BROKEN : 0U);
}

enum status loop_watch_add(struct loop *l, struct loop_watch *w, int fd, unsigned events,
                           void (*ready)(void *context, unsigned events), void *context,
                           struct error *err)
{
    assert(w && ready && fd >= 0);
    *w = (struct loop_watch){.fd = fd, .ready = ready, .context = context};
    struct epoll_event event = {.events = epoll_mask(events), .data.ptr = w};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        w->ready = NULL;
        return error_set_errno(err, errno, "cannot watch descriptor %d", fd);
    }
    return ST_OK;
}

enum status loop_watch_change(struct loop *l, struct loop_watch *w, unsigned events,
                              struct error *err)
{
    assert(w->ready);
    struct epoll_event event = {.events = epoll_mask(events), .data.ptr = w};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &event) < 0)
        return error_set_errno(err, errno, "cannot watch descriptor %d", w->fd);
    return ST_OK;
}

/* What this batch still holds for `w` is not delivered. */
static void watch_forget(struct loop *l, struct loop_watch *w)
{
    for (int i = l->ready_next; i < l->ready_count; i++)
        if (l->ready[i].data.ptr == w) l->ready[i].data.ptr = NULL;
    w->ready = NULL;
}

void loop_watch_remove(struct loop *l, struct loop_watch *w)
{
    if (!w->ready) return;
    watch_forget(l, w);
    struct epoll_event ignored = {0};
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, &ignored);
}

void loop_watch_close(struct loop *l, struct loop_watch *w)
{
    if (!w->ready) return;
    watch_forget(l, w);
    close(w->fd);
    w->fd = -1;
}

/* ---- deferred tasks ---- */

void loop_task_init(struct loop_task *t, void (*run)(void *context), void *context)
{
    assert(t && run);
    *t = (struct loop_task){.run = run, .context = context};
}

void loop_defer(struct loop *l, struct loop_task *t)
{
    assert(t->run);
    if (!loop_task_queued(t)) ring_append(&l->soon, t);
}

void loop_defer_next(struct loop *l, struct loop_task *t)
{
    assert(t->run);
    if (!loop_task_queued(t)) ring_append(&l->later, t);
}

void loop_task_cancel(struct loop_task *t)
{
    if (!loop_task_queued(t)) return;
    t->previous->next = t->next;
    t->next->previous = t->previous;
    t->next = t->previous = NULL;
}

static void tasks_run(struct loop *l)
{
    for (int round = 0; round < LOOP_TASK_ROUNDS_MAX && !ring_empty(&l->soon); round++) {
        struct loop_task batch;
        ring_init(&batch);
        ring_move(&batch, &l->soon);
        l->batch = &batch;
        while (!ring_empty(&batch)) {
            struct loop_task *t = batch.next;
            loop_task_cancel(t);
            t->run(t->context);
        }
        l->batch = NULL;
    }
}

/* ---- turns ---- */

/* How long the wait may last, in ns; UINT64_MAX is for ever. */
static uint64_t wait_bound_ns(struct loop *l, uint64_t wait_max_ns)
{
    if (wait_max_ns == 0 || !ring_empty(&l->soon) || !ring_empty(&l->later)) return 0;
    if (!l->timers) return wait_max_ns;
    uint64_t deadline_ns = l->timers->deadline_ns;
    if (deadline_ns <= l->now_ns) return 0;
    if (deadline_ns - l->now_ns < LOOP_NEAR_NS && deadline_ns <= loop_refresh_now(l)) return 0;
    uint64_t until_ns = deadline_ns - l->now_ns;
    return until_ns < wait_max_ns ? until_ns : wait_max_ns;
}

static int wait_ms(struct loop *l, uint64_t wait_ns)
{
    uint64_t ms = wait_ns / NS_PER_MS + (wait_ns % NS_PER_MS != 0);
    int timeout = wait_ns == UINT64_MAX ? -1 : ms > INT_MAX ? INT_MAX : (int)ms;
    return epoll_wait(l->epoll_fd, l->ready, LOOP_EVENTS_PER_TURN_MAX, timeout);
}

static int wait_events(struct loop *l, uint64_t wait_ns)
{
    if (wait_ns == 0 || wait_ns == UINT64_MAX || l->no_pwait2) return wait_ms(l, wait_ns);
    struct timespec timeout = {
        .tv_sec = (time_t)(wait_ns / NS_PER_S),
        .tv_nsec = (long)(wait_ns % NS_PER_S),
    };
    int count = epoll_pwait2(l->epoll_fd, l->ready, LOOP_EVENTS_PER_TURN_MAX, &timeout, NULL);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    l->no_pwait2 = true;
    return wait_ms(l, wait_ns);
}

enum status loop_turn(struct loop *l, uint64_t wait_max_ns, struct error *err)
{
    loop_lookout_end(l);
    int count = wait_events(l, wait_bound_ns(l, wait_max_ns));
    if (count < 0) {
        if (errno != EINTR) return error_set_errno(err, errno, "epoll_wait");
        count = 0;
    }
    l->now_ns = clock_monotonic_ns(l->clock);
    ring_move(&l->due, &l->later);
    l->ready_count = count;
    for (l->ready_next = 0; l->ready_next < l->ready_count;) {
        const struct epoll_event *event = &l->ready[l->ready_next++];
        struct loop_watch *w = event->data.ptr;
        if (w) w->ready(w->context, loop_mask(event->events));
    }
    l->ready_count = l->ready_next = 0;
    loop_timers_expire(l);
    ring_move(&l->soon, &l->due);
    tasks_run(l);
    return ST_OK;
}

enum status loop_run(struct loop *l, struct error *err)
{
    l->stopped = false;
    while (!l->stopped) {
        enum status st = loop_turn(l, UINT64_MAX, err);
        if (st) return st;
    }
    return ST_OK;
}

/* ---- signals ---- */

static void signals_ready(void *context, unsigned events)
{
    struct loop_signals *s = context;
    (void)events;
    struct signalfd_siginfo info;
    while (s->watch.ready && read(s->watch.fd, &info, sizeof info) == (ssize_t)sizeof info)
        s->received(s->context, (int)info.ssi_signo);
}

enum status loop_signals_open(struct loop *l, struct loop_signals *s, const int *signals,
                              unsigned count, void (*received)(void *context, int signal_number),
                              void *context, struct error *err)
{
    assert(s && signals && received);
    *s = (struct loop_signals){.loop = l, .received = received, .context = context};
    if (count == 0 || count > LOOP_SIGNALS_MAX)
        return error_set(err, ST_USAGE, "%u signals", count);
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (failed) return error_set_errno(err, failed, "pthread_sigmask");
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return error_set_errno(err, errno, "signalfd");
    enum status st = loop_watch_add(l, &s->watch, fd, LOOP_READ, signals_ready, s, err);
    if (st) close(fd);
    return st;
}

void loop_signals_close(struct loop_signals *s)
{
    if (s->watch.ready) loop_watch_close(s->loop, &s->watch);
}
