/* Standard streams and poll_oneoff, with a clock and a waiter that the test steers; then the same
 * over pipes and time that are real. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"

#define SECOND 1000000000ull

static int setup(void **state)
{
    static struct fake fake;
    memset(&fake, 0, sizeof fake);
    fake.monotonic_ns = 100 * SECOND;
    fake.realtime_ns = 5000 * SECOND;
    struct wasi_preview1_config config = fake_config(&fake);
    fake_init(&fake, &config);
    *state = &fake;
    return 0;
}

static int teardown(void **state)
{
    fake_done(*state);
    return 0;
}

static void give_input(struct fake *f, const char *text)
{
    f->streams[0].input = text;
    f->streams[0].input_bytes = strlen(text);
}

static void reading(void **state)
{
    struct fake *f = *state;
    char text[64];
    give_input(f, "hello world");
    assert_int_equal(fake_read(f, 0, 5, text), WASI_OK);
    assert_string_equal(text, "hello");
    /* What is there is enough, however much was asked for. */
    f->streams[0].step_max = 3;
    assert_int_equal(fake_read(f, 0, 60, text), WASI_OK);
    assert_string_equal(text, " wo");
    f->streams[0].blocks = 4;
    assert_int_equal(fake_read(f, 0, 60, text), WASI_OK);
    assert_string_equal(text, "rld");
    assert_int_equal(f->waits, 4);
    assert_int_equal(f->waits_count_last, 1);
    assert_true(f->deadline_last == WASI_WAIT_FOREVER);
    assert_int_equal(fake_read(f, 0, 60, text), WASI_OK);
    assert_string_equal(text, "");
    /* Nothing asked for, nothing waited for. */
    f->streams[0].blocks = 1;
    assert_int_equal(fake_read(f, 0, 0, text), WASI_OK);
    assert_int_equal(f->streams[0].blocks, 1);
    f->streams[0].failure = ST_IO;
    assert_int_equal(fake_read(f, 0, 60, text), WASI_EIO);
    assert_int_equal(fake_write(f, 0, "x"), WASI_ENOTCAPABLE);
    assert_int_equal(fake_read(f, 1, 60, text), WASI_ENOTCAPABLE);
}

static void reading_into_several(void **state)
{
    struct fake *f = *state;
    give_input(f, "abcdefgh");
    fake_iovec(f, 0, AT_DATA, 3);
    fake_iovec(f, 1, AT_DATA + 100, 0);
    fake_iovec(f, 2, AT_DATA + 200, 3);
    assert_int_equal(CALL(f, "fd_read", 0, AT_IOVECS, 3, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 6);
    assert_memory_equal(f->memory + AT_DATA + 200, "def", 3);
    /* Would block behind the first: what came is the answer. */
    f->streams[0].step_max = 1;
    fake_iovec(f, 0, AT_DATA, 1);
    assert_int_equal(CALL(f, "fd_read", 0, AT_IOVECS, 1, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 1);
    /* Input over the array of iovecs itself: it was copied before. */
    give_input(f, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                  "tail");
    f->streams[0].step_max = 0;
    fake_iovec(f, 0, AT_IOVECS, 16);
    fake_iovec(f, 1, AT_DATA, 4);
    assert_int_equal(CALL(f, "fd_read", 0, AT_IOVECS, 2, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 20);
    assert_memory_equal(f->memory + AT_DATA, "tail", 4);
}

static void writing(void **state)
{
    struct fake *f = *state;
    f->streams[1].step_max = 2;
    f->streams[1].blocks = 3;
    fake_text(f, AT_DATA, "one two");
    fake_iovec(f, 0, AT_DATA, 3);
    fake_iovec(f, 1, AT_DATA, 0);
    fake_iovec(f, 2, AT_DATA + 3, 4);
    assert_int_equal(CALL(f, "fd_write", 1, AT_IOVECS, 3, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 7);
    assert_int_equal(f->waits, 3);
    assert_memory_equal(f->streams[1].output, "one two", 7);
    f->streams[1].closed = true;
    assert_int_equal(fake_write(f, 1, "x"), WASI_EPIPE);
    f->streams[1].failure = ST_IO;
    assert_int_equal(fake_write(f, 1, "x"), WASI_EIO);
    assert_int_equal(fake_write(f, 2, "error"), WASI_OK);
    assert_memory_equal(f->streams[2].output, "error", 5);
    assert_int_equal(CALL(f, "fd_close", 2), WASI_OK);
    assert_int_equal(fake_write(f, 2, "x"), WASI_EBADF);
    assert_int_equal(CALL(f, "fd_fdstat_get", 1, AT_RET), WASI_OK);
    assert_int_equal(f->memory[AT_RET], WASI_FILETYPE_CHARACTER_DEVICE);
    assert_int_equal(fake_u64(f, AT_RET + 8) & (RIGHT_FD_SEEK | RIGHT_FD_TELL | RIGHT_FD_READ), 0);
}

static void not_blocking(void **state)
{
    struct fake *f = *state;
    char text[64];
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", 0, FDFLAG_NONBLOCK), WASI_OK);
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", 1, FDFLAG_NONBLOCK), WASI_OK);
    give_input(f, "x");
    f->streams[0].blocks = 1;
    assert_int_equal(fake_read(f, 0, 10, text), WASI_EAGAIN);
    assert_int_equal(fake_read(f, 0, 10, text), WASI_OK);
    f->streams[1].blocks = 1;
    assert_int_equal(fake_write(f, 1, "abc"), WASI_EAGAIN);
    f->streams[1].step_max = 2;
    assert_int_equal(fake_write(f, 1, "abc"), WASI_OK);
    assert_int_equal(f->waits, 0);
}

static void cancelled(void **state)
{
    struct fake *f = *state;
    char text[64];
    f->cancel = true;
    f->streams[0].blocks = f->streams[1].blocks = 1000;
    fake_read(f, 0, 10, text);
    assert_int_equal(f->result, HOST_CANCEL);
    fake_write(f, 1, "abc");
    assert_int_equal(f->result, HOST_CANCEL);
    struct wasi_subscription s = {.type = EVENT_CLOCK, .id = 1, .timeout = SECOND};
    fake_put(f, AT_DATA, &s, sizeof s);
    CALL(f, "poll_oneoff", AT_DATA, AT_DATA + 64, 1, AT_RET);
    assert_int_equal(f->result, HOST_CANCEL);
}

/* ---- poll_oneoff ---- */

static uint32_t poll(struct fake *f, const struct wasi_subscription *list, uint32_t count)
{
    fake_put(f, AT_DATA, list, count * sizeof *list);
    f->waits = 0;
    return CALL(f, "poll_oneoff", AT_DATA, AT_DATA + 0x6000, count, AT_RET);
}

static struct wasi_event event(const struct fake *f, uint32_t index)
{
    struct wasi_event e;
    assert_true(index < fake_u32(f, AT_RET));
    memcpy(&e, f->memory + AT_DATA + 0x6000 + index * sizeof e, sizeof e);
    return e;
}

static struct wasi_subscription at_clock(uint64_t userdata, uint32_t id, uint64_t timeout,
                                         uint16_t flags)
{
    return (struct wasi_subscription){
        .userdata = userdata, .type = EVENT_CLOCK, .id = id, .timeout = timeout, .flags = flags};
}

static struct wasi_subscription at_fd(uint64_t userdata, uint8_t type, uint32_t fd)
{
    return (struct wasi_subscription){.userdata = userdata, .type = type, .id = fd};
}

static void poll_clocks(void **state)
{
    struct fake *f = *state;
    static const struct {
        uint32_t id;
        uint64_t timeout;
        uint16_t flags;
        uint64_t slept_ns;
    } rows[] = {
        {CLOCK_ID_MONOTONIC, 3 * SECOND, 0, 3 * SECOND},
        {CLOCK_ID_REALTIME, 3 * SECOND, 0, 3 * SECOND},
        {CLOCK_ID_MONOTONIC, 0, 0, 0},
        {CLOCK_ID_REALTIME, 0, 0, 0},
        {CLOCK_ID_MONOTONIC, 1, 0, 1},
        {CLOCK_ID_MONOTONIC, 102 * SECOND, SUBCLOCKFLAG_ABSTIME, 2 * SECOND},
        {CLOCK_ID_MONOTONIC, 99 * SECOND, SUBCLOCKFLAG_ABSTIME, 0},
        {CLOCK_ID_REALTIME, 5004 * SECOND, SUBCLOCKFLAG_ABSTIME, 4 * SECOND},
        {CLOCK_ID_REALTIME, 1, SUBCLOCKFLAG_ABSTIME, 0},
    };
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++)
        for (int early = 0; early < 2; early++) {
            f->monotonic_ns = 100 * SECOND;
            f->realtime_ns = 5000 * SECOND;
            f->wakes_too_early = early;
            struct wasi_subscription s = at_clock(k, rows[k].id, rows[k].timeout, rows[k].flags);
            assert_int_equal(poll(f, &s, 1), WASI_OK);
            assert_int_equal(fake_u32(f, AT_RET), 1);
            assert_int_equal(event(f, 0).userdata, k);
            assert_int_equal(event(f, 0).error, WASI_OK);
            assert_int_equal(event(f, 0).type, EVENT_CLOCK);
            assert_int_equal(f->monotonic_ns - 100 * SECOND, rows[k].slept_ns);
            if (!early) assert_int_equal(f->waits, rows[k].slept_ns ? 1 : 0);
        }
}

static void poll_several_clocks(void **state)
{
    struct fake *f = *state;
    const struct wasi_subscription list[] = {
        at_clock(1, CLOCK_ID_MONOTONIC, 5 * SECOND, 0),
        at_clock(2, CLOCK_ID_REALTIME, 2 * SECOND, 0),
        at_clock(3, CLOCK_ID_MONOTONIC, 102 * SECOND, SUBCLOCKFLAG_ABSTIME),
        at_clock(4, CLOCK_ID_MONOTONIC, UINT64_MAX, 0),
        at_clock(5, CLOCK_ID_REALTIME, UINT64_MAX, SUBCLOCKFLAG_ABSTIME),
    };
    assert_int_equal(poll(f, list, ARRAY_COUNT(list)), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 2);
    assert_int_equal(event(f, 0).userdata, 2);
    assert_int_equal(event(f, 1).userdata, 3);
    assert_int_equal(f->waits_count_last, 0);
    assert_int_equal(f->monotonic_ns, 102 * SECOND);
    const struct wasi_subscription bad[] = {
        at_clock(1, CLOCK_ID_PROCESS_CPU, 1, 0),
        at_clock(2, CLOCK_ID_THREAD_CPU, 1, 0),
        at_clock(3, 4, 1, 0),
        at_clock(4, CLOCK_ID_MONOTONIC, SECOND, 0),
    };
    assert_int_equal(poll(f, bad, ARRAY_COUNT(bad)), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 3);
    assert_int_equal(event(f, 0).error, WASI_ENOTSUP);
    assert_int_equal(event(f, 1).error, WASI_ENOTSUP);
    assert_int_equal(event(f, 2).error, WASI_EINVAL);
    assert_int_equal(f->waits, 0);
}

static void poll_streams(void **state)
{
    struct fake *f = *state;
    give_input(f, "seven b");
    const struct wasi_subscription list[] = {
        at_fd(1, EVENT_FD_READ, 0),
        at_fd(2, EVENT_FD_WRITE, 1),
        at_fd(3, EVENT_FD_READ, 1),
        at_fd(4, EVENT_FD_WRITE, 99),
        at_clock(5, CLOCK_ID_MONOTONIC, SECOND, 0),
    };
    assert_int_equal(poll(f, list, ARRAY_COUNT(list)), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 4);
    assert_int_equal(event(f, 0).type, EVENT_FD_READ);
    assert_int_equal(event(f, 0).bytes, 7);
    assert_int_equal(event(f, 1).type, EVENT_FD_WRITE);
    assert_int_equal(event(f, 2).error, WASI_ENOTCAPABLE);
    assert_int_equal(event(f, 3).error, WASI_EBADF);
    /* Input after some rounds of waiting, before the clock. */
    f->streams[0].blocks = 3;
    f->wakes_too_early = true;
    const struct wasi_subscription wait[] = {
        at_fd(1, EVENT_FD_READ, 0),
        at_clock(5, CLOCK_ID_MONOTONIC, SECOND, 0),
    };
    assert_int_equal(poll(f, wait, 2), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 1);
    assert_int_equal(event(f, 0).userdata, 1);
    assert_int_equal(f->waits, 3);
    assert_int_equal(f->waits_count_last, 1);
    /* The clock first. */
    f->streams[0].blocks = 1000;
    f->wakes_too_early = false;
    assert_int_equal(poll(f, wait, 2), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 1);
    assert_int_equal(event(f, 0).userdata, 5);
    /* The end, and a failure. */
    f->streams[0].blocks = 0;
    give_input(f, "");
    assert_int_equal(poll(f, wait, 1), WASI_OK);
    assert_int_equal(event(f, 0).flags, EVENTRWFLAG_HANGUP);
    f->streams[0].failure = ST_IO;
    assert_int_equal(poll(f, wait, 1), WASI_OK);
    assert_int_equal(event(f, 0).error, WASI_EIO);
}

static void poll_limits(void **state)
{
    struct fake *f = *state;
    static struct wasi_subscription list[WASI_SUBSCRIPTIONS_MAX];
    for (uint32_t k = 0; k < WASI_SUBSCRIPTIONS_MAX; k++)
        list[k] = at_clock(k, CLOCK_ID_MONOTONIC, 0, 0);
    assert_int_equal(poll(f, list, WASI_SUBSCRIPTIONS_MAX), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), WASI_SUBSCRIPTIONS_MAX);
    assert_int_equal(event(f, WASI_SUBSCRIPTIONS_MAX - 1).userdata, WASI_SUBSCRIPTIONS_MAX - 1);
    assert_int_equal(CALL(f, "poll_oneoff", AT_DATA, AT_DATA, WASI_SUBSCRIPTIONS_MAX + 1, AT_RET),
                     WASI_EINVAL);
    assert_int_equal(CALL(f, "poll_oneoff", AT_DATA, AT_DATA, 0, AT_RET), WASI_EINVAL);
    assert_int_equal(CALL(f, "poll_oneoff", AT_DATA, AT_DATA, UINT32_MAX, AT_RET), WASI_EINVAL);
    list[0].type = 3;
    assert_int_equal(poll(f, list, 1), WASI_EINVAL);
    /* Out over in: the subscriptions are read before an event is written. */
    list[0] = at_clock(1, CLOCK_ID_MONOTONIC, 0, 0);
    fake_put(f, AT_DATA, list, 2 * sizeof list[0]);
    assert_int_equal(CALL(f, "poll_oneoff", AT_DATA, AT_DATA, 2, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(f, AT_DATA), 1);
    assert_int_equal(fake_u64(f, AT_DATA + 32), 1);
}

/* ---- clocks ---- */

static uint64_t cpu_time(void *context)
{
    (void)context;
    return 77;
}

static void clocks(void **state)
{
    struct fake *f = *state;
    assert_int_equal(CALL(f, "clock_time_get", 0, 0, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(f, AT_RET), 5000 * SECOND);
    assert_int_equal(CALL(f, "clock_time_get", 1, 0, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(f, AT_RET), 100 * SECOND);
    assert_int_equal(CALL(f, "clock_time_get", 2, 0, AT_RET), WASI_ENOTSUP);
    assert_int_equal(CALL(f, "clock_res_get", 3, AT_RET), WASI_ENOTSUP);
    assert_int_equal(CALL(f, "clock_time_get", 4, 0, AT_RET), WASI_EINVAL);
    assert_int_equal(CALL(f, "clock_res_get", UINT32_MAX, AT_RET), WASI_EINVAL);
    assert_int_equal(CALL(f, "clock_res_get", 1, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(f, AT_RET), 1);
    fake_done(f);
    struct wasi_preview1_config config = fake_config(f);
    config.cpu_time_ns = cpu_time;
    config.clock_resolution_ns = 1000;
    fake_init(f, &config);
    assert_int_equal(CALL(f, "clock_time_get", 3, 0, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(f, AT_RET), 77);
    assert_int_equal(CALL(f, "clock_res_get", 0, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(f, AT_RET), 1000);
}

/* ---- streams over descriptors, and the waiter that blocks ---- */

static void pipes(void **state)
{
    struct fake *f = *state;
    int in[2], out[2];
    char text[64];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    fake_done(f);
    struct wasi_preview1_config config = fake_config(f);
    config.clock = clock_system();
    config.waiter = wasi_waiter_poll(clock_system());
    config.stdio[0] = wasi_stream_fd(in[0]);
    config.stdio[1] = wasi_stream_fd(out[1]);
    config.stdio[2] = wasi_stream_fd(-1);
    fake_init(f, &config);
    assert_int_equal(CALL(f, "fd_fdstat_get", 2, AT_RET), WASI_EBADF);
    assert_int_equal(fake_read(f, 1, 1, text), WASI_ENOTCAPABLE);
    assert_int_equal(write(in[1], "ping", 4), 4);
    const struct wasi_subscription list[] = {
        at_fd(1, EVENT_FD_READ, 0),
        at_fd(2, EVENT_FD_WRITE, 1),
    };
    assert_int_equal(poll(f, list, 2), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 2);
    assert_int_equal(event(f, 0).bytes, 4);
    assert_int_equal(fake_read(f, 0, 60, text), WASI_OK);
    assert_string_equal(text, "ping");
    assert_int_equal(fake_write(f, 1, "pong"), WASI_OK);
    assert_int_equal(read(out[0], text, sizeof text), 4);
    /* Nothing there: only the clock comes, after its time. */
    const struct wasi_subscription wait[] = {
        at_fd(1, EVENT_FD_READ, 0),
        at_clock(2, CLOCK_ID_MONOTONIC, SECOND / 50, 0),
    };
    uint64_t before = clock_monotonic_ns(clock_system());
    assert_int_equal(poll(f, wait, 2), WASI_OK);
    assert_true(clock_monotonic_ns(clock_system()) - before >= SECOND / 50);
    assert_int_equal(fake_u32(f, AT_RET), 1);
    assert_int_equal(event(f, 0).userdata, 2);
    /* Sent, then gone: first the bytes, then the end. */
    assert_int_equal(write(in[1], "last", 4), 4);
    close(in[1]);
    assert_int_equal(poll(f, wait, 2), WASI_OK);
    assert_int_equal(event(f, 0).bytes, 4);
    assert_int_equal(fake_read(f, 0, 60, text), WASI_OK);
    assert_string_equal(text, "last");
    assert_int_equal(poll(f, wait, 2), WASI_OK);
    assert_int_equal(event(f, 0).flags, EVENTRWFLAG_HANGUP);
    assert_int_equal(fake_read(f, 0, 60, text), WASI_OK);
    assert_string_equal(text, "");
    close(out[0]);
    assert_int_equal(fake_write(f, 1, "x"), WASI_EPIPE);
    assert_int_equal(fake_call(f, "sched_yield", 0, NULL), WASI_OK);
    close(in[0]);
    close(out[1]);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(reading),
        TEST(reading_into_several),
        TEST(writing),
        TEST(not_blocking),
        TEST(cancelled),
        TEST(poll_clocks),
        TEST(poll_several_clocks),
        TEST(poll_streams),
        TEST(poll_limits),
        TEST(clocks),
        TEST(pipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
