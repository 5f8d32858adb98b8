/* The event loop, on an injected clock. */
#include "cmocka_all.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/loop.h"

#define TIMERS 500

static uint64_t now_ns;
static unsigned clock_reads;

static uint64_t fake_now(void *context)
{
    (void)context;
    clock_reads++;
    return now_ns;
}

static const struct clock fake = {fake_now, fake_now, NULL};

static struct loop *open_loop(void)
{
    struct loop *l;
    struct error err;
    now_ns = 1000;
    assert_int_equal(loop_new(&fake, &l, &err), ST_OK);
    return l;
}

static void turn(struct loop *l)
{
    struct error err;
    assert_int_equal(loop_turn(l, 0, &err), ST_OK);
}

/* ---- timers ---- */

struct fired {
    uint64_t last_ns;
    unsigned count;
    struct loop *loop;
    struct loop_timer timers[TIMERS];
};

static struct fired fired;

static void note_timer(void *context)
{
    struct loop_timer *t = context;
    assert_false(loop_timer_armed(t));
    assert_true(t->deadline_ns <= now_ns);
    assert_true(t->deadline_ns >= fired.last_ns);
    fired.last_ns = t->deadline_ns;
    fired.count++;
}

/* Against the plainest model: random starts, moves and stops. */
static void test_timers_in_order(void **state)
{
    struct loop *l = open_loop();
    static bool armed[TIMERS];
    unsigned seed = 7;
    (void)state;
    memset(&fired, 0, sizeof fired);
    memset(armed, 0, sizeof armed);
    for (int i = 0; i < TIMERS; i++)
        loop_timer_init(&fired.timers[i], note_timer, &fired.timers[i]);
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1664525 + 1013904223;
        unsigned k = (seed >> 8) % TIMERS;
        if ((seed >> 20) % 3 == 0) {
            loop_timer_stop(l, &fired.timers[k]);
            armed[k] = false;
        } else {
            loop_timer_start(l, &fired.timers[k], now_ns + 1 + (seed >> 4) % 5000);
            armed[k] = true;
        }
        if (i % 10 != 0) continue;
        now_ns += 50;
        fired.last_ns = 0;
        unsigned due = 0;
        for (int j = 0; j < TIMERS; j++) {
            bool is_due = armed[j] && fired.timers[j].deadline_ns <= now_ns;
            due += is_due;
            if (is_due) armed[j] = false;
        }
        fired.count = 0;
        turn(l);
        assert_int_equal(fired.count, due);
        for (int j = 0; j < TIMERS; j++)
            assert_int_equal(loop_timer_armed(&fired.timers[j]), armed[j]);
    }
    loop_free(l);
}

static void restart(void *context)
{
    struct fired *f = context;
    f->count++;
    loop_timer_start(f->loop, &f->timers[0], now_ns);
}

/* A timer that starts itself, already due, does not hold the turn. */
static void test_timer_restarts(void **state)
{
    (void)state;
    memset(&fired, 0, sizeof fired);
    fired.loop = open_loop();
    loop_timer_init(&fired.timers[0], restart, &fired);
    loop_timer_start(fired.loop, &fired.timers[0], now_ns);
    turn(fired.loop);
    assert_int_equal(fired.count, 1);
    turn(fired.loop);
    assert_int_equal(fired.count, 2);
    loop_free(fired.loop);
}

static void stop_other(void *context)
{
    struct fired *f = context;
    f->count++;
    loop_timer_stop(f->loop, &f->timers[1]);
    loop_timer_stop(f->loop, &f->timers[2]);
}

static void test_timer_stops_another(void **state)
{
    (void)state;
    memset(&fired, 0, sizeof fired);
    fired.loop = open_loop();
    for (int i = 0; i < 3; i++) {
        loop_timer_init(&fired.timers[i], stop_other, &fired);
        loop_timer_start(fired.loop, &fired.timers[i], now_ns);
    }
    turn(fired.loop);
    assert_int_equal(fired.count, 1);
    loop_free(fired.loop);
}

/* The system's clock: a timer ends a wait, neither early nor much too late. */
static void loop_ends(void *context)
{
    loop_stop(context);
}

static void test_timer_wakes(void **state)
{
    struct loop *l;
    struct error err;
    struct loop_timer t;
    (void)state;
    assert_int_equal(loop_new(clock_system(), &l, &err), ST_OK);
    uint64_t start_ns = loop_refresh_now(l);
    loop_timer_init(&t, loop_ends, l);
    loop_timer_start(l, &t, start_ns + 3000000);
    assert_int_equal(loop_run(l, &err), ST_OK);
    assert_true(clock_monotonic_ns(clock_system()) >= start_ns + 3000000);
    loop_free(l);
}

/* ---- tasks ---- */

struct chain {
    struct loop *loop;
    struct loop_task task;
    unsigned runs;
    bool next_turn;
};

static void run_again(void *context)
{
    struct chain *c = context;
    c->runs++;
    if (c->next_turn) {
        loop_defer_next(c->loop, &c->task);
    } else {
        loop_defer(c->loop, &c->task);
    }
}

static void test_tasks(void **state)
{
    struct chain c = {.loop = open_loop()};
    (void)state;
    loop_task_init(&c.task, run_again, &c);
    loop_defer(c.loop, &c.task);
    loop_defer(c.loop, &c.task); /* once is enough */
    assert_true(loop_task_queued(&c.task));
    turn(c.loop);
    assert_int_equal(c.runs, LOOP_TASK_ROUNDS_MAX); /* rounds are bounded */
    loop_task_cancel(&c.task);
    turn(c.loop);
    assert_int_equal(c.runs, LOOP_TASK_ROUNDS_MAX);
    c.next_turn = true;
    loop_defer_next(c.loop, &c.task);
    c.runs = 0;
    turn(c.loop);
    assert_int_equal(c.runs, 1);
    turn(c.loop);
    assert_int_equal(c.runs, 2);
    loop_task_cancel(&c.task);
    loop_task_cancel(&c.task);
    loop_free(c.loop);
}

static void test_clock_is_read_once(void **state)
{
    struct loop *l = open_loop();
    (void)state;
    turn(l);
    clock_reads = 0;
    for (int i = 0; i < 10; i++) turn(l);
    assert_int_equal(clock_reads, 10);
    loop_free(l);
}

/* ---- descriptors ---- */

struct pair {
    struct loop *loop;
    struct loop_watch watches[2];
    unsigned calls;
};

static void removes_both(void *context, unsigned events)
{
    struct pair *p = context;
    assert_true(events & LOOP_READ);
    p->calls++;
    loop_watch_remove(p->loop, &p->watches[0]);
    loop_watch_remove(p->loop, &p->watches[1]);
}

/* Both are ready in one batch; the first to run removes the other, which is then not called. */
static void test_removed_within_a_batch(void **state)
{
    struct pair p = {.loop = open_loop()};
    struct error err;
    int a[2], b[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
    assert_int_equal(loop_watch_add(p.loop, &p.watches[0], a[0], LOOP_READ, removes_both, &p, &err),
                     ST_OK);
    assert_int_equal(loop_watch_add(p.loop, &p.watches[1], b[0], LOOP_READ, removes_both, &p, &err),
                     ST_OK);
    assert_int_equal(send(a[1], "x", 1, 0), 1);
    assert_int_equal(send(b[1], "x", 1, 0), 1);
    turn(p.loop);
    turn(p.loop);
    assert_int_equal(p.calls, 1);
    loop_watch_remove(p.loop, &p.watches[0]);
    close(a[0]);
    close(a[1]);
    close(b[0]);
    close(b[1]);
    loop_free(p.loop);
}

static unsigned seen_events;

static void note_events(void *context, unsigned events)
{
    (void)context;
    seen_events = events;
}

static void test_events(void **state)
{
    struct loop *l = open_loop();
    struct loop_watch w;
    struct error err;
    int a[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    assert_int_equal(
        loop_watch_add(l, &w, a[0], LOOP_READ | LOOP_HALF_CLOSED, note_events, NULL, &err), ST_OK);
    seen_events = 0;
    turn(l);
    assert_int_equal(seen_events, 0);
    assert_int_equal(loop_watch_change(l, &w, LOOP_WRITE, &err), ST_OK);
    turn(l);
    assert_int_equal(seen_events, LOOP_WRITE);
    assert_int_equal(loop_watch_change(l, &w, LOOP_READ | LOOP_HALF_CLOSED, &err), ST_OK);
    shutdown(a[1], SHUT_WR);
    turn(l);
    assert_int_equal(seen_events, LOOP_READ | LOOP_HALF_CLOSED);
    close(a[1]);
    turn(l);
    assert_true(seen_events & LOOP_BROKEN);
    loop_watch_close(l, &w);
    assert_int_equal(w.fd, -1);
    assert_int_equal(loop_watch_add(l, &w, 9999, LOOP_READ, note_events, NULL, &err), ST_IO);
    loop_free(l);
}

static int received;

static void note_signal(void *context, int number)
{
    (void)context;
    received = number;
}

static void test_signals(void **state)
{
    struct loop *l = open_loop();
    struct loop_signals s;
    struct error err;
    static const int numbers[] = {SIGUSR1, SIGUSR2};
    (void)state;
    assert_int_equal(
        loop_signals_open(l, &s, numbers, LOOP_SIGNALS_MAX + 1, note_signal, NULL, &err), ST_USAGE);
    assert_int_equal(loop_signals_open(l, &s, numbers, 2, note_signal, NULL, &err), ST_OK);
    raise(SIGUSR2);
    turn(l);
    assert_int_equal(received, SIGUSR2);
    loop_signals_close(&s);
    loop_signals_close(&s);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_in_order),
        cmocka_unit_test(test_timer_restarts),
        cmocka_unit_test(test_timer_stops_another),
        cmocka_unit_test(test_timer_wakes),
        cmocka_unit_test(test_tasks),
        cmocka_unit_test(test_clock_is_read_once),
        cmocka_unit_test(test_removed_within_a_batch),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
