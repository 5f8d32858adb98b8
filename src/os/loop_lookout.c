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

/* Never freed: its thread lives as long as the process, whose end it must not hold up. */
struct lookout {
    int epoll_fd, wake_fd;
    pid_t watched; /* thread of the loop */
    _Atomic bool armed;
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

static void *keep_lookout(void *argument)
{
    struct lookout *o = argument;
    uint64_t count;
    be_quick();
    if (!o->prepare || o->prepare(o->context)) {
        while (read(o->wake_fd, &count, sizeof count) > 0 || errno == EINTR) {
            struct pollfd waits[] = {{.fd = o->epoll_fd, .events = POLLIN},
                                     {.fd = o->wake_fd, .events = POLLIN}};
            while (poll(waits, 2, -1) < 0 && errno == EINTR) {
            }
            if ((waits[0].revents & POLLIN) && atomic_exchange(&o->armed, false))
                ticker_poke(o->watched);
        }
    }
    return NULL;
}

enum status loop_lookout_start(struct loop *l, bool (*prepare)(void *context), void *context,
                               struct error *err)
{
    assert(!l->lookout);
    struct lookout *o = calloc(1, sizeof *o);
    if (!o) return error_set(err, ST_NO_MEMORY, "lookout");
    *o = (struct lookout){
        .epoll_fd = l->epoll_fd, .watched = gettid(), .prepare = prepare, .context = context};
    o->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (o->wake_fd < 0) {
        free(o);
        return error_set_errno(err, errno, "eventfd");
    }
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, LOOKOUT_STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &attributes, keep_lookout, o);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (failed) {
        close(o->wake_fd);
        free(o);
        return error_set_errno(err, failed, "thread of the lookout");
    }
    l->lookout = o;
    return ST_OK;
}

void loop_lookout_end(struct loop *l)
{
    if (l->lookout) atomic_store(&l->lookout->armed, false);
}

static bool task_waits(const struct loop_task *head)
{
    return head && head->next != head;
}

uint64_t loop_patience_ns(struct loop *l)
{
    struct lookout *o = l->lookout;
    if (!o || task_waits(&l->soon) || task_waits(&l->later) || task_waits(l->batch)) return 0;
    if (l->ready_next < l->ready_count) return 0;
    uint64_t patience_ns = UINT64_MAX;
    if (l->timers) {
        uint64_t now_ns = clock_monotonic_ns(l->clock);
        if (l->timers->deadline_ns <= now_ns) return 0;
        patience_ns = l->timers->deadline_ns - now_ns;
    }
    /* Armed before the look, so that nothing falls between. */
    const uint64_t one = 1;
    if (!atomic_exchange(&o->armed, true) && write(o->wake_fd, &one, sizeof one) < 0) return 0;
    struct pollfd wait = {.fd = l->epoll_fd, .events = POLLIN};
    return poll(&wait, 1, 0) == 0 ? patience_ns : 0;
}
