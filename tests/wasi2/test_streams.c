/* wasi:io/{streams,error,poll} */
#include <string.h>

#include "fake.h"

#define IN(name)  "wasi:io/streams#[method]input-stream." name
#define OUT(name) "wasi:io/streams#[method]output-stream." name
#define POLL      "wasi:io/poll#poll"
#define READY     "wasi:io/poll#[method]pollable.ready"
#define BLOCK     "wasi:io/poll#[method]pollable.block"

static void input_is(const char *text)
{
    fake.streams[0].input = text;
    fake.streams[0].input_bytes = strlen(text);
}

static void output_is(const char *text)
{
    assert_int_equal(fake.streams[1].output_bytes, strlen(text));
    assert_memory_equal(fake.streams[1].output, text, strlen(text));
}

/* Results at AT_RET: payloads are at 4, or at 8 behind a u64's. */
static void expect_closed(uint32_t payload)
{
    assert_int_equal(fake_u8(AT_RET), 1);
    assert_int_equal(fake_u8(AT_RET + payload), 1);
}

static uint32_t expect_failed(uint32_t payload)
{
    assert_int_equal(fake_u8(AT_RET), 1);
    assert_int_equal(fake_u8(AT_RET + payload), 0);
    return fake_u32(AT_RET + payload + 4);
}

static void expect_bytes(const char *text)
{
    assert_int_equal(fake_u8(AT_RET), 0);
    fake_expect_text(AT_RET + 4, text);
}

static void expect_u64(uint64_t value)
{
    assert_int_equal(fake_u8(AT_RET), 0);
    assert_true(fake_u64(AT_RET + 8) == value);
}

static void expect_ok(void)
{
    assert_int_equal(fake_u8(AT_RET), 0);
}

/* ---- input ---- */

static void test_read(void **state)
{
    (void)state;
    uint32_t in = fake_stdin();
    input_is("hello world");
    OK(IN("read"), in, 5, AT_RET);
    expect_bytes("hello");
    OK(IN("read"), in, 0, AT_RET);
    expect_bytes("");
    fake.streams[0].stuck = true;
    OK(IN("read"), in, 5, AT_RET);
    expect_bytes("");
    assert_int_equal(fake.waits, 0);
    OK(IN("blocking-read"), in, UINT64_MAX, AT_RET);
    assert_int_equal(fake.waits, 1);
    assert_int_equal(fake.wait_last.direction, WASI_READ);
    expect_bytes(" world");
    OK(IN("read"), in, 5, AT_RET);
    expect_closed(4);
    input_is("more");
    OK(IN("blocking-read"), in, 5, AT_RET);
    expect_closed(4);
}

static void test_read_is_capped(void **state)
{
    static char much[IO_READ_BYTES_MAX + 10];
    (void)state;
    memset(much, 'x', sizeof much - 1);
    input_is(much);
    OK(IN("read"), fake_stdin(), UINT64_MAX, AT_RET);
    assert_int_equal(fake_u32(AT_RET + 8), IO_READ_BYTES_MAX);
}

static void test_skip(void **state)
{
    (void)state;
    uint32_t in = fake_stdin();
    input_is("hello world");
    OK(IN("skip"), in, 6, AT_RET);
    expect_u64(6);
    fake.streams[0].stuck = true;
    OK(IN("skip"), in, 6, AT_RET);
    expect_u64(0);
    OK(IN("blocking-skip"), in, 1, AT_RET);
    expect_u64(1);
    OK(IN("read"), in, 99, AT_RET);
    expect_bytes("orld");
    OK(IN("blocking-skip"), in, 1, AT_RET);
    expect_closed(8);
}

static void test_read_fails(void **state)
{
    (void)state;
    uint32_t in = fake_stdin();
    input_is("hello");
    fake.streams[0].failure = ST_IO;
    OK(IN("read"), in, 5, AT_RET);
    uint32_t error = expect_failed(4);
    OK("wasi:io/error#[method]error.to-debug-string", error, AT_RET);
    assert_true(fake_u32(AT_RET + 4) > 10);
    OK("wasi:filesystem/types#filesystem-error-code", error, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    OK("wasi:sockets/network#network-error-code", error, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    assert_true(fake_drop(error));
    fake.streams[0].failure = ST_OK;
    OK(IN("read"), in, 5, AT_RET);
    expect_closed(4);
}

static void test_read_cancelled(void **state)
{
    (void)state;
    fake.streams[0].stuck = true;
    fake.cancel = true;
    assert_int_equal(CALL(IN("blocking-read"), fake_stdin(), 5, AT_RET), HOST_CANCEL);
}

static void test_nothing_granted(void **state)
{
    (void)state;
    fake_config_set(&(struct wasi_preview2_config){0});
    uint32_t in = fake_stdin(), out = fake_output(1);
    OK(IN("read"), in, 5, AT_RET);
    expect_closed(4);
    OK(OUT("check-write"), out, AT_RET);
    expect_closed(8);
    OK(OUT("write"), out, AT_DATA, 5, AT_RET);
    expect_closed(4);
    OK(OUT("flush"), out, AT_RET);
    expect_closed(4);
    OK(OUT("subscribe"), out);
    uint32_t pollable = fake_result.i32;
    OK(BLOCK, pollable);
}

/* ---- output ---- */

static void test_write(void **state)
{
    (void)state;
    uint32_t out = fake_output(1);
    OK(OUT("check-write"), out, AT_RET);
    expect_u64(IO_WRITE_BYTES_MAX);
    uint32_t size = fake_text(AT_DATA, "hello");
    OK(OUT("write"), out, AT_DATA, size, AT_RET);
    expect_ok();
    output_is("hello");
    /* The check is not asked for, as long as there is room. */
    OK(OUT("write"), out, AT_DATA, size, AT_RET);
    output_is("hellohello");
    OK(OUT("write"), out, AT_DATA, 0, AT_RET);
    expect_ok();
}

static void test_write_over_the_permit(void **state)
{
    (void)state;
    uint32_t out = fake_output(1);
    TRAPS(OUT("write"), out, AT_DATA, IO_WRITE_BYTES_MAX + 1, AT_RET);
    OK(OUT("write"), out, AT_DATA, IO_WRITE_BYTES_MAX, AT_RET);
    expect_ok();
    fake.streams[1].stuck = true;
    OK(OUT("check-write"), out, AT_RET);
    expect_u64(0);
    TRAPS(OUT("write"), out, AT_DATA, 1, AT_RET);
    TRAPS(OUT("write-zeroes"), out, 1, AT_RET);
    OK(OUT("write"), out, AT_DATA, 0, AT_RET);
}

/* What was permitted is taken, though the stream takes a part only; nothing overtakes it. */
static void test_partial_writes(void **state)
{
    (void)state;
    uint32_t out = fake_output(1);
    struct fake_stream *s = &fake.streams[1];
    s->step_max = 2;
    s->limited = true;
    s->steps = 1;
    uint32_t size = fake_text(AT_DATA, "hello");
    OK(OUT("check-write"), out, AT_RET);
    OK(OUT("write"), out, AT_DATA, size, AT_RET);
    expect_ok();
    OK(OUT("write"), out, AT_DATA, 3, AT_RET); /* of the same permit */
    expect_ok();
    output_is("he");
    OK(OUT("check-write"), out, AT_RET);
    expect_u64(0);
    OK(OUT("flush"), out, AT_RET);
    expect_ok();
    OK(OUT("subscribe"), out);
    uint32_t pollable = fake_result.i32;
    OK(READY, pollable);
    assert_int_equal(fake_result.i32, 0);
    OK(BLOCK, pollable);
    assert_int_equal(fake.wait_last.direction, WASI_WRITE);
    output_is("hellohel");
    OK(OUT("check-write"), out, AT_RET);
    expect_u64(IO_WRITE_BYTES_MAX);
}

static void test_held_at_the_end(void **state)
{
    (void)state;
    uint32_t out = fake_output(1);
    struct fake_stream *s = &fake.streams[1];
    s->limited = true;
    s->steps = 1;
    s->step_max = 1;
    OK(OUT("write"), out, AT_DATA, fake_text(AT_DATA, "abc"), AT_RET);
    output_is("a");
    s->limited = false;
    assert_true(fake_drop(out));
    output_is("abc");
}

static void test_blocking_write(void **state)
{
    (void)state;
    uint32_t out = fake_output(1);
    struct fake_stream *s = &fake.streams[1];
    s->step_max = 3;
    s->limited = true;
    s->steps = 1;
    OK(OUT("blocking-write-and-flush"), out, AT_DATA, fake_text(AT_DATA, "hello world"), AT_RET);
    expect_ok();
    assert_int_equal(fake.waits, 1);
    output_is("hello world");
    OK(OUT("blocking-write-and-flush"), out, AT_DATA, IO_BLOCKING_BYTES_MAX, AT_RET);
    expect_ok();
    TRAPS(OUT("blocking-write-and-flush"), out, AT_DATA, IO_BLOCKING_BYTES_MAX + 1, AT_RET);
    OK(OUT("blocking-write-zeroes-and-flush"), out, IO_BLOCKING_BYTES_MAX, AT_RET);
    TRAPS(OUT("blocking-write-zeroes-and-flush"), out, IO_BLOCKING_BYTES_MAX + 1, AT_RET);
    TRAPS(OUT("blocking-write-zeroes-and-flush"), out, UINT64_MAX, AT_RET);
    s->stuck = true;
    fake.cancel = true;
    assert_int_equal(CALL(OUT("blocking-write-and-flush"), out, AT_DATA, 1, AT_RET), HOST_CANCEL);
}

static void test_zeroes(void **state)
{
    (void)state;
    uint32_t out = fake_output(1);
    fake.streams[1].limited = true;
    fake.streams[1].steps = 3;
    fake.streams[1].step_max = 5000;
    OK(OUT("write-zeroes"), out, 20000, AT_RET);
    expect_ok();
    OK(OUT("blocking-flush"), out, AT_RET);
    expect_ok();
    assert_int_equal(fake.streams[1].output_bytes, 20000);
    for (size_t k = 0; k < 20000; k++) assert_int_equal(fake.streams[1].output[k], 0);
}

static void test_write_fails(void **state)
{
    (void)state;
    uint32_t out = fake_output(1);
    OK(OUT("check-write"), out, AT_RET);
    fake.streams[1].failure = ST_IO;
    OK(OUT("write"), out, AT_DATA, 1, AT_RET);
    expect_failed(4);
    OK(OUT("check-write"), out, AT_RET);
    expect_closed(8);
    OK(OUT("blocking-write-and-flush"), out, AT_DATA, 1, AT_RET);
    expect_closed(4);
    out = fake_output(1);
    fake.streams[1].failure = ST_CLOSED;
    OK(OUT("check-write"), out, AT_RET);
    expect_closed(8);
    TRAPS(OUT("write"), out, FAKE_MEMORY_BYTES, 1, AT_RET);
}

/* A failure that is met while polling is told by the next operation. */
static void test_failure_while_polling(void **state)
{
    (void)state;
    uint32_t out = fake_output(1);
    OK(OUT("subscribe"), out);
    uint32_t pollable = fake_result.i32;
    fake.streams[1].failure = ST_IO;
    OK(READY, pollable);
    assert_int_equal(fake_result.i32, 1);
    OK(OUT("write"), out, AT_DATA, 1, AT_RET);
    expect_failed(4);
    OK(OUT("write"), out, AT_DATA, 1, AT_RET);
    expect_closed(4);
}

/* ---- what wasi:http has beside ---- */

static enum status extra_flush(void *context)
{
    struct fake_stream *s = context;
    if (!s->flushes) return ST_OK;
    s->flushes--;
    return ST_WOULD_BLOCK;
}

static uint64_t extra_budget(void *context)
{
    return ((struct fake_stream *)context)->budget;
}

static void extra_failure(void *context, enum status st, struct io_failure *ret)
{
    (void)context;
    ret->domain = &io_domain_filesystem;
    ret->code = (uint32_t)st;
    strcpy(ret->text, "of its own");
}

static void extra_done(UNUSED struct wasi_preview2 *p, void *context)
{
    ((struct fake_stream *)context)->done = true;
}

static void test_extra(void **state)
{
    static const struct io_stream_extra extra = {extra_flush, extra_budget, extra_failure,
                                                 extra_done};
    (void)state;
    struct canonical_call c = fake_outside();
    struct wasi_preview2_config config = fake_config();
    struct io_output *o = io_output_new(&c, &config.stdio[1], &extra, sizeof *o, NULL);
    uint32_t out;
    assert_true(io_call_own(&c, o, &out));
    fake.streams[1].budget = 10;
    OK(OUT("check-write"), out, AT_RET);
    expect_u64(10);
    TRAPS(OUT("write"), out, AT_DATA, 11, AT_RET);
    fake.streams[1].flushes = 3;
    OK(OUT("flush"), out, AT_RET);
    OK(OUT("check-write"), out, AT_RET);
    expect_u64(0);
    OK(OUT("blocking-flush"), out, AT_RET);
    expect_ok();
    fake.streams[1].flushes = 1;
    assert_int_equal(io_output_flush(fake.state, o), ST_WOULD_BLOCK);
    assert_int_equal(io_output_flush(fake.state, o), ST_OK);
    fake.streams[1].failure = ST_LIMIT;
    OK(OUT("blocking-write-and-flush"), out, AT_DATA, 1, AT_RET);
    uint32_t error = expect_failed(4);
    OK("wasi:io/error#[method]error.to-debug-string", error, AT_RET);
    fake_expect_text(AT_RET, "of its own");
    OK("wasi:filesystem/types#filesystem-error-code", error, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 1);
    assert_int_equal(fake_u8(AT_RET + 1), ST_LIMIT);
    assert_true(fake_drop(out));
    assert_true(fake.streams[1].done);
}

/* ---- splice ---- */

static void test_splice(void **state)
{
    (void)state;
    uint32_t in = fake_stdin(), out = fake_output(1);
    input_is("hello world");
    OK(OUT("splice"), out, in, 5, AT_RET);
    expect_u64(5);
    fake.streams[1].stuck = true;
    OK(OUT("splice"), out, in, 5, AT_RET);
    expect_u64(0);
    OK(OUT("blocking-splice"), out, in, 1, AT_RET);
    expect_u64(1);
    fake.streams[0].stuck = true;
    OK(OUT("splice"), out, in, 5, AT_RET);
    expect_u64(0);
    OK(OUT("blocking-splice"), out, in, UINT64_MAX, AT_RET);
    expect_u64(5);
    output_is("hello world");
    OK(OUT("blocking-splice"), out, in, 1, AT_RET);
    expect_closed(8);
    TRAPS(OUT("splice"), out, out, 1, AT_RET);
}

static void test_splice_fails(void **state)
{
    (void)state;
    uint32_t in = fake_stdin(), out = fake_output(1);
    input_is("hello world");
    fake.streams[0].failure = ST_IO;
    OK(OUT("splice"), out, in, 5, AT_RET);
    expect_failed(8);
    OK(OUT("check-write"), out, AT_RET);
    expect_u64(IO_WRITE_BYTES_MAX);
    fake.streams[0].failure = ST_OK;
    in = fake_stdin();
    fake.streams[1].failure = ST_IO;
    OK(OUT("splice"), out, in, 5, AT_RET);
    expect_failed(8);
    OK(IN("read"), in, 5, AT_RET); /* nothing was taken */
    expect_bytes("hello");
}

/* ---- poll ---- */

static void put_list_of(const uint32_t *handles, uint32_t count)
{
    fake_put(AT_DATA, handles, count * sizeof *handles);
}

static void test_poll(void **state)
{
    (void)state;
    uint32_t in = fake_stdin(), handles[3];
    OK(IN("subscribe"), in);
    handles[0] = fake_result.i32;
    OK("wasi:clocks/monotonic-clock#subscribe-duration", 500);
    handles[1] = fake_result.i32;
    OK("wasi:clocks/monotonic-clock#subscribe-instant", 1100);
    handles[2] = fake_result.i32;
    put_list_of(handles, 3);
    input_is("x");
    fake.streams[0].blocks = 1000;
    OK(POLL, AT_DATA, 3, AT_RET);
    assert_int_equal(fake.waits, 1);
    assert_int_equal(fake.waits_count_last, 1);
    assert_true(fake.deadline_last == 1100);
    assert_int_equal(fake_u32(AT_RET + 4), 1);
    assert_int_equal(fake_u32(fake_u32(AT_RET)), 2);
    fake.streams[0].blocks = 0;
    OK(POLL, AT_DATA, 3, AT_RET);
    assert_int_equal(fake.waits, 1);
    assert_int_equal(fake_u32(AT_RET + 4), 2);
    assert_int_equal(fake_u32(fake_u32(AT_RET)), 0);
    assert_int_equal(fake_u32(fake_u32(AT_RET) + 4), 2);
    fake.cancel = true;
    put_list_of(&handles[1], 1);
    assert_int_equal(CALL(POLL, AT_DATA, 1, AT_RET), HOST_CANCEL);
}

static void test_poll_limits(void **state)
{
    (void)state;
    static uint32_t handles[IO_POLLABLES_MAX + 1];
    OK("wasi:clocks/monotonic-clock#subscribe-instant", 0);
    for (uint32_t k = 0; k <= IO_POLLABLES_MAX; k++) handles[k] = fake_result.i32;
    put_list_of(handles, IO_POLLABLES_MAX + 1);
    TRAPS(POLL, AT_DATA, 0, AT_RET);
    OK(POLL, AT_DATA, IO_POLLABLES_MAX, AT_RET);
    assert_int_equal(fake_u32(AT_RET + 4), IO_POLLABLES_MAX);
    TRAPS(POLL, AT_DATA, IO_POLLABLES_MAX + 1, AT_RET);
    TRAPS(POLL, AT_DATA, UINT32_MAX, AT_RET);
    TRAPS(POLL, AT_DATA + 1, 1, AT_RET);
    TRAPS(POLL, AT_DATA, 1, AT_RET + 2);
    TRAPS(POLL, FAKE_MEMORY_BYTES - 4, 2, AT_RET);
    handles[1] = 77;
    put_list_of(handles, 2);
    TRAPS(POLL, AT_DATA, 2, AT_RET);
    uint32_t in = fake_stdin();
    fake.streams[0].stuck = true;
    for (uint32_t k = 0; k <= WASI_SUBSCRIPTIONS_MAX; k++) {
        OK(IN("subscribe"), in);
        handles[k] = fake_result.i32;
    }
    put_list_of(handles, WASI_SUBSCRIPTIONS_MAX + 1);
    TRAPS(POLL, AT_DATA, WASI_SUBSCRIPTIONS_MAX + 1, AT_RET);
    input_is("x");
    OK(POLL, AT_DATA, WASI_SUBSCRIPTIONS_MAX, AT_RET);
    assert_int_equal(fake_u32(AT_RET + 4), WASI_SUBSCRIPTIONS_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_read),           TEST(test_read_is_capped),
        TEST(test_skip),           TEST(test_read_fails),
        TEST(test_read_cancelled), TEST(test_nothing_granted),
        TEST(test_write),          TEST(test_write_over_the_permit),
        TEST(test_partial_writes), TEST(test_held_at_the_end),
        TEST(test_blocking_write), TEST(test_zeroes),
        TEST(test_write_fails),    TEST(test_failure_while_polling),
        TEST(test_extra),          TEST(test_splice),
        TEST(test_splice_fails),   TEST(test_poll),
        TEST(test_poll_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
