/* The lookout of a loop: when a callback that computes is told that somebody waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/fault.h"
#include "os/loop.h"
#include "os/ticker.h"

#define NS_PER_MS UINT64_C(1000000)
#define SOON_NS   (2000 * NS_PER_MS) /* a machine that is busy with other things */
#define WHILE_NS  (50 * NS_PER_MS)

static atomic_uint ticks;

static void on_tick(void *ucontext)
{
    (void)ucontext;
    atomic_fetch_add(&ticks, 1);
}

struct rig {
    struct loop *loop;
    int pipe[2];
    struct loop_watch watch;
    struct loop_task task, other;
    struct loop_timer timer;
    uint64_t patience_ns;
    unsigned ticks;
    bool writes, drains;
};

static uint64_t now_ns(void)
{
    return clock_monotonic_ns(clock_system());
}

static void drain(void *context, unsigned events)
{
    struct rig *r = context;
    char byte;
    (void)events;
    assert_int_equal(read(r->pipe[0], &byte, 1), 1);
}

static void nothing(void *context)
{
    (void)context;
}

/* Computes until it is ticked or some time has passed. */
static void compute(void *context)
{
    struct rig *r = context;
    unsigned before = atomic_load(&ticks);
    r->patience_ns = loop_patience_ns(r->loop);
    if (r->writes) assert_int_equal(write(r->pipe[1], "x", 1), 1);
    uint64_t until_ns = now_ns() + (r->writes ? SOON_NS : WHILE_NS);
    while (atomic_load(&ticks) == before && now_ns() < until_ns) poll(NULL, 0, 0);
    r->ticks = atomic_load(&ticks) - before;
}

static bool refuse(void *context)
{
    atomic_store((atomic_bool *)context, true);
    return false;
}

static void rig_open(struct rig *r, bool lookout)
{
    struct error err;
    *r = (struct rig){0};
    assert_int_equal(fault_thread_init(&err), ST_OK);
    assert_int_equal(ticker_install(on_tick, &err), ST_OK);
    assert_int_equal(ticker_thread_init(&err), ST_OK);
    assert_int_equal(loop_new(clock_system(), &r->loop, &err), ST_OK);
    assert_int_equal(pipe(r->pipe), 0);
    assert_int_equal(loop_watch_add(r->loop, &r->watch, r->pipe[0], LOOP_READ, drain, r, &err),
                     ST_OK);
    loop_task_init(&r->task, compute, r);
    loop_task_init(&r->other, nothing, r);
    loop_timer_init(&r->timer, nothing, r);
    if (!lookout) return;
    assert_int_equal(loop_lookout_start(r->loop, NULL, NULL, &err), ST_OK);
    uint64_t until_ns = now_ns() + SOON_NS;
    while (!loop_patience_ns(r->loop) && now_ns() < until_ns) {
    }
}

static void turn(struct rig *r)
{
    struct error err;
    loop_defer(r->loop, &r->task);
    assert_int_equal(loop_turn(r->loop, 0, &err), ST_OK);
}

static void rig_close(struct rig *r)
{
    loop_free(r->loop);
    close(r->pipe[0]);
    close(r->pipe[1]);
}

static void test_nobody_waits(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, true);
    turn(&r);
    assert_true(r.patience_ns == UINT64_MAX);
    assert_int_equal(r.ticks, 0);
    rig_close(&r);
}

static void test_without_lookout(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, false);
    turn(&r);
    assert_true(r.patience_ns == 0);
    rig_close(&r);
}

static void test_lookout_that_does_not_begin(void **state)
{
    (void)state;
    struct rig r;
    struct error err;
    atomic_bool asked = false;
    rig_open(&r, false);
    assert_int_equal(loop_lookout_start(r.loop, refuse, &asked, &err), ST_OK);
    while (!atomic_load(&asked)) {
    }
    turn(&r);
    assert_true(r.patience_ns == 0);
    rig_close(&r);
}

static void test_descriptor_that_is_ready(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, true);
    turn(&r); /* the lookout sleeps in its wait now */
    assert_int_equal(write(r.pipe[1], "x", 1), 1);
    assert_true(loop_patience_ns(r.loop) == 0);
    rig_close(&r);
}

static void test_descriptor_that_becomes_ready(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, true);
    for (int k = 0; k < 100; k++) {
        r.writes = true;
        turn(&r);
        assert_true(r.patience_ns == UINT64_MAX);
        assert_int_equal(r.ticks, 1);
        struct error err;
        assert_int_equal(loop_turn(r.loop, 0, &err), ST_OK); /* drains */
    }
    rig_close(&r);
}

/* What happens between callbacks is the loop's own to find. */
static void test_no_tick_outside(void **state)
{
    (void)state;
    struct rig r;
    struct error err;
    rig_open(&r, true);
    turn(&r);
    assert_int_equal(loop_turn(r.loop, 0, &err), ST_OK); /* the callback is over */
    unsigned before = atomic_load(&ticks);
    assert_int_equal(write(r.pipe[1], "x", 1), 1);
    poll(NULL, 0, 20);
    assert_int_equal(atomic_load(&ticks), before);
    rig_close(&r);
}

static void test_tasks_and_timers(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r, true);
    loop_defer(r.loop, &r.task);
    loop_defer(r.loop, &r.other); /* behind it, in the same turn */
    turn(&r);
    assert_true(r.patience_ns == 0);
    loop_defer_next(r.loop, &r.other);
    assert_true(loop_patience_ns(r.loop) == 0);
    turn(&r);
    loop_timer_start(r.loop, &r.timer, now_ns() + 1000 * NS_PER_MS);
    turn(&r);
    assert_in_range(r.patience_ns, 1, 1000 * NS_PER_MS);
    loop_timer_start(r.loop, &r.timer, now_ns());
    assert_true(loop_patience_ns(r.loop) == 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_waits),
        cmocka_unit_test(test_without_lookout),
        cmocka_unit_test(test_lookout_that_does_not_begin),
        cmocka_unit_test(test_descriptor_that_is_ready),
        cmocka_unit_test(test_descriptor_that_becomes_ready),
        cmocka_unit_test(test_no_tick_outside),
        cmocka_unit_test(test_tasks_and_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
