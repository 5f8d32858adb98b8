/* The lookout of a loop: a thread that sleeps until something happens to the loop's descriptors
 * while the loop's own thread is inside of a callback that computes. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop_internal.h"
#include "os/ticker.h"

#define LOOKOUT_STACK_BYTES 65536u
#define LOOKOUT_SLICE_NS    100000u

struct lookout {
    pthread_t thread;
    int epoll_fd, wake_fd;
    pid_t watched;      /* the loop's thread */
    _Atomic bool there; /* the thread is at work */
    _Atomic bool armed; /* it shall interrupt the callback */
    _Atomic bool ended; /* it shall end */
    bool (*prepare)(void *context);
    void *context;
};

/* linux/sched/types.h, which the C library's headers may contradict. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t slice_ns, deadline_ns, period_ns;
};

/* Asks for short slices (Linux 6.12): who needs little goes before one that computes. Without it
 * the lookout may have to wait for the very guest that it shall interrupt. */
static void be_quick(void)
{
    const struct scheduling quick = {.size = sizeof quick, .slice_ns = LOOKOUT_SLICE_NS};
    (void)syscall(SYS_sched_setattr, 0, &quick, 0);
}

/* Woken once for each callback that computes; then until something happens, or the next. */
static void *keep_lookout(void *argument)
{
    struct lookout *o = argument;
    uint64_t count;
    be_quick();
    if (o->prepare && !o->prepare(o->context)) return NULL;
    atomic_store(&o->there, true);
    while (read(o->wake_fd, &count, sizeof count) > 0 || errno == EINTR) {
        if (atomic_load(&o->ended)) break;
        struct pollfd waits[] = {{.fd = o->epoll_fd, .events = POLLIN},
                                 {.fd = o->wake_fd, .events = POLLIN}};
        while (poll(waits, 2, -1) < 0 && errno == EINTR) {
        }
        if ((waits[0].revents & POLLIN) && atomic_exchange(&o->armed, false))
            ticker_poke(o->watched);
    }
    return NULL;
}

static enum status start_thread(struct lookout *o, struct error *err)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_attr_init(&attributes)) return error_set(err, ST_NO_MEMORY, "thread attributes");
    (void)pthread_attr_setstacksize(&attributes, LOOKOUT_STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&o->thread, &attributes, keep_lookout, o);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return failed ? error_set_errno(err, failed, "thread of the lookout") : ST_OK;
}

enum status loop_lookout_start(struct loop *l, bool (*prepare)(void *context), void *context,
                               struct error *err)
{
    assert(!l->lookout);
    struct lookout *o = calloc(1, sizeof *o);
    if (!o) return error_set(err, ST_NO_MEMORY, "lookout");
    o->epoll_fd = l->epoll_fd;
    o->watched = gettid();
    o->prepare = prepare;
    o->context = context;
    o->wake_fd = eventfd(0, EFD_CLOEXEC);
    enum status st = o->wake_fd < 0 ? error_set_errno(err, errno, "eventfd") : start_thread(o, err);
    if (!st) {
        l->lookout = o;
        return ST_OK;
    }
    if (o->wake_fd >= 0) close(o->wake_fd);
    free(o);
    return st;
}

static bool wake(struct lookout *o)
{
    const uint64_t one = 1;
    return write(o->wake_fd, &one, sizeof one) == (ssize_t)sizeof one;
}

void loop_lookout_stop(struct loop *l)
{
    struct lookout *o = l->lookout;
    if (!o) return;
    atomic_store(&o->armed, false);
    atomic_store(&o->ended, true);
    if (wake(o)) pthread_join(o->thread, NULL);
    close(o->wake_fd);
    free(o);
    l->lookout = NULL;
}

void loop_lookout_end(struct loop *l)
{
    if (l->lookout) atomic_store_explicit(&l->lookout->armed, false, memory_order_relaxed);
}

static bool task_waits(const struct loop_task *head)
{
    return head && head->next != head;
}

uint64_t loop_patience_ns(struct loop *l)
{
    struct lookout *o = l->lookout;
    if (!o || !atomic_load(&o->there)) return 0;
    if (task_waits(&l->soon) || task_waits(&l->due) || task_waits(&l->later)) return 0;
    if (task_waits(l->batch)) return 0;
    if (l->ready_next < l->ready_count) return 0;
    uint64_t patience_ns = UINT64_MAX;
    if (l->timers) {
        uint64_t now_ns = clock_monotonic_ns(l->clock);
        if (l->timers->deadline_ns <= now_ns) return 0;
        patience_ns = l->timers->deadline_ns - now_ns;
    }
    /* Armed before the look, so that nothing falls between. */
    if (!atomic_exchange(&o->armed, true) && !wake(o)) return 0;
    struct pollfd wait = {.fd = l->epoll_fd, .events = POLLIN};
    return poll(&wait, 1, 0) == 0 ? patience_ns : 0;
}
