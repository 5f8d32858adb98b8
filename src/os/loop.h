/* The event loop of one thread: descriptors, timers, deferred tasks, signals.
 *
 * A turn is: wait in epoll, read the clock once, run the callbacks of ready descriptors, then of
 * expired timers, then deferred tasks. The loop allocates nothing after loop_new(): watches, timers
 * and tasks are structs that the caller embeds in its own objects, and which must stay where they
 * are while they are registered. Their fields are the loop's own; callers read none of them.
 *
 * Everything here is called on the loop's thread, callbacks run there, and no callback runs inside
 * a call into the loop other than loop_turn() and loop_run(). A callback may add and remove any
 * watch, timer or task, its own too, and may free the object that holds it after removing it. */
#ifndef OS_LOOP_H
#define OS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/error.h"

#define LOOP_EVENTS_PER_TURN_MAX 256 /* ready descriptors taken in one wait */
#define LOOP_TASK_ROUNDS_MAX     4   /* rounds of deferred tasks in one turn */
#define LOOP_SIGNALS_MAX         8

struct loop;

/* A loop on `clock`, which stays the caller's and outlives it. Errors: ST_NO_MEMORY, ST_IO. */
NODISCARD enum status loop_new(const struct clock *clock, struct loop **ret, struct error *err);

/* Closes the loop's own descriptors. What is still registered is forgotten, not called. */
void loop_free(struct loop *l);

/* One turn. Waits at most `wait_max_ns` (UINT64_MAX: no bound) for something to happen, not at all
 * when a task is pending. With an injected clock use a bound of 0 and move the clock between turns.
 * Errors: ST_IO when epoll itself fails. */
NODISCARD enum status loop_turn(struct loop *l, uint64_t wait_max_ns, struct error *err);

/* Turns until loop_stop() is called. */
NODISCARD enum status loop_run(struct loop *l, struct error *err);
void loop_stop(struct loop *l);

/* The monotonic time read at the start of this turn. After long work inside a callback,
 * loop_refresh_now() reads the clock again. */
uint64_t loop_now_ns(const struct loop *l);
uint64_t loop_refresh_now(struct loop *l);
const struct clock *loop_clock(const struct loop *l);

/* ---- descriptors ---- */

enum loop_events {
    LOOP_READ = 1,
    LOOP_WRITE = 2,
    LOOP_HALF_CLOSED = 4, /* the peer will send no more */
    LOOP_BROKEN = 8,      /* error or hang-up; always reported */
    LOOP_EDGE = 16,       /* only for loop_watch_add(): report changes, not levels */
};

struct loop_watch {
    int fd;
    void (*ready)(void *context, unsigned events);
    void *context;
};

/* Watches `fd` for `events`. The descriptor stays the caller's. One watch per descriptor. */
NODISCARD enum status loop_watch_add(struct loop *l, struct loop_watch *w, int fd, unsigned events,
                                     void (*ready)(void *context, unsigned events), void *context,
                                     struct error *err);
NODISCARD enum status loop_watch_change(struct loop *l, struct loop_watch *w, unsigned events,
                                        struct error *err);

/* Forgets the watch; its callback is not called again, even if it was ready in this turn. Must come
 * before close(). Legal on a zeroed or removed watch. */
void loop_watch_remove(struct loop *l, struct loop_watch *w);

/* As loop_watch_remove(), then close(): saves a system call for a descriptor that was never
 * duplicated. */
void loop_watch_close(struct loop *l, struct loop_watch *w);

/* ---- timers: one-shot ---- */

struct loop_timer {
    uint64_t deadline_ns;
    struct loop_timer *child;    /* pairing heap */
    struct loop_timer *sibling;  /* next child of the same parent */
    struct loop_timer *previous; /* previous sibling, or the parent of a first child */
    void (*fired)(void *context);
    void *context;
    bool armed;
};

/* Once, before the first start; a zeroed timer may be stopped, not started. */
void loop_timer_init(struct loop_timer *t, void (*fired)(void *context), void *context);

/* Calls fired() once in the first turn at or after `deadline_ns` of the loop's clock; a timer that
 * is already running is moved. A deadline in the past fires in the next timer phase. */
void loop_timer_start(struct loop *l, struct loop_timer *t, uint64_t deadline_ns);
void loop_timer_stop(struct loop *l, struct loop_timer *t);

static inline bool loop_timer_armed(const struct loop_timer *t)
{
    return t->armed;
}

/* ---- deferred tasks ---- */

struct loop_task {
    struct loop_task *next;
    struct loop_task *previous;
    void (*run)(void *context);
    void *context;
};

void loop_task_init(struct loop_task *t, void (*run)(void *context), void *context);

/* Runs the task once at the end of this turn, behind all that was deferred before. Tasks deferred
 * by tasks run in the same turn too, up to LOOP_TASK_ROUNDS_MAX rounds, then in the next one. A
 * task that is already queued stays where it is. Outside a turn: at the end of the next. */
void loop_defer(struct loop *l, struct loop_task *t);

/* Runs the task at the end of the next turn, which polls descriptors and timers without waiting,
 * and behind what their callbacks defer: for work that goes on but lets others have their turn. */
void loop_defer_next(struct loop *l, struct loop_task *t);

/* Takes the task out of its queue; legal on one that is not queued. */
void loop_task_cancel(struct loop_task *t);

static inline bool loop_task_queued(const struct loop_task *t)
{
    return t->next != NULL;
}

/* ---- callbacks that compute for long ---- */

/* Starts a thread that looks out for events while a callback computes, until loop_free(). It first
 * calls prepare() (may be NULL): false, and there is no lookout. The loop then belongs to the
 * calling thread, which has a ticker (ticker.h). Errors: ST_NO_MEMORY, ST_IO. */
NODISCARD enum status loop_lookout_start(struct loop *l, bool (*prepare)(void *context),
                                         void *context, struct error *err);

/* For how long the running callback keeps nobody waiting; 0: somebody waits, or there is no
 * lookout. If something happens before, the lookout sends the thread a tick (ticker_poke()).
 * Async-signal-safe, while no call into the loop is under way on this thread. */
uint64_t loop_patience_ns(struct loop *l);

/* ---- signals ---- */

struct loop_signals {
    struct loop *loop;
    struct loop_watch watch;
    void (*received)(void *context, int signal_number);
    void *context;
};

/* Blocks the `count` signals for the calling thread (do it before other threads start) and reports
 * them through received(), on the loop. Errors: ST_USAGE (count), ST_IO. */
NODISCARD enum status loop_signals_open(struct loop *l, struct loop_signals *s, const int *signals,
                                        unsigned count,
                                        void (*received)(void *context, int signal_number),
                                        void *context, struct error *err);

/* Stops reporting; the signals stay blocked. Legal on a zeroed struct. */
void loop_signals_close(struct loop_signals *s);

#endif
