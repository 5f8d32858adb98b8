/* The loop's own fields, shared by loop.c and loop_timer.c. */
#ifndef OS_LOOP_INTERNAL_H
#define OS_LOOP_INTERNAL_H

#include <sys/epoll.h>

#include "os/loop.h"

struct loop {
    const struct clock *clock;
    uint64_t now_ns;
    struct loop_timer *timers; /* root of the pairing heap: the earliest */
    struct loop_task soon;     /* ring heads: this turn, behind them, next turn */
    struct loop_task due;
    struct loop_task later;
    struct loop_task *batch; /* ring head of the tasks that are being run; or NULL */
    struct lookout *lookout; /* NULL: none was started */
    int epoll_fd;
    bool stopped;
    bool no_pwait2; /* the kernel has only millisecond waits */
    int ready_next; /* of the batch that is being dispatched */
    int ready_count;
    struct epoll_event ready[LOOP_EVENTS_PER_TURN_MAX];
};

/* loop_lookout.c: the callback has returned to the loop; and the end of the thread. */
void loop_lookout_end(struct loop *l);
void loop_lookout_stop(struct loop *l);

/* Runs the timers whose deadline is at or before now; those started meanwhile wait a turn. */
void loop_timers_expire(struct loop *l);

#endif
