/* Every wait of a connection, one millisecond before its end and at its end, on an injected clock.
 */
#include "cmocka_all.h"

#include <string.h>
#include <sys/socket.h>

#include "rig.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"

static void expect(struct rig *r, const char *outcome)
{
    char got[4096];
    rig_outcome(r, got, sizeof got);
    assert_string_equal(got, outcome);
}

/* Open for `ms`, and with `outcome` after one more. */
static void expect_end(struct rig *r, uint64_t ms, const char *before, const char *outcome)
{
    rig_pass_ms(r, ms - 1);
    expect(r, before);
    rig_pass_ms(r, 1);
    expect(r, outcome);
}

static int set_up(void **state)
{
    static struct rig r;
    rig_init(&r);
    r.config.first_byte_ms = 100;
    r.config.head_ms = 200;
    r.config.idle_ms = 300;
    r.config.body_grace_ms = 400;
    r.config.body_rate = 1000; /* a byte a millisecond */
    r.config.write_grace_ms = 500;
    r.config.write_rate = 1000;
    r.config.linger_ms = 600;
    r.config.half_close_ms = 700;
    rig_open(&r);
    rig_connect(&r);
    *state = &r;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    return 0;
}

static void test_first_byte(void **state)
{
    expect_end(*state, 100, "+", "."); /* nothing was asked, so nothing is answered */
}

static void test_head(void **state)
{
    struct rig *r = *state;
    rig_pass_ms(r, 99);
    rig_send_text(r, "G");
    rig_pass_ms(r, 100);
    rig_send_text(r, "ET / HTTP/1.1\r\n"); /* bytes that come do not move the end */
    expect_end(r, 100, "+", "408 head-timeout .");
    assert_int_equal(r->refused_status, 408);
    assert_false(r->refused_begun);
}

static void test_idle(void **state)
{
    struct rig *r = *state;
    rig_send_text(r, GET "\r\n");
    rig_pass_ms(r, 299);
    rig_send_text(r, GET "\r\n");
    expect_end(r, 300, "200 GET / | 200 GET / +", "200 GET / | 200 GET / .");
}

static void test_head_behind_another(void **state)
{
    struct rig *r = *state;
    rig_send_text(r, GET "\r\nGET");
    expect_end(r, 200, "200 GET / +", "200 GET / | 408 head-timeout .");
}

static void test_body(void **state)
{
    struct rig *r = *state;
    rig_send_text(r, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    rig_pass_ms(r, 300);
    rig_send_text(r, "x"); /* earns one millisecond */
    expect_end(r, 101, "+", "408 body-timeout .");
    assert_int_equal(r->aborts, 1);
    assert_int_equal(r->abort_reason, HTTP_ABORT_REQUEST);
}

/* At the rate a body may take as long as it likes. */
static void test_body_at_rate(void **state)
{
    struct rig *r = *state;
    char bytes[100];
    memset(bytes, 'x', sizeof bytes);
    rig_send_text(r, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n");
    for (int i = 0; i < 99; i++) {
        rig_send(r, bytes, sizeof bytes);
        rig_pass_ms(r, 100);
        assert_int_equal(r->aborts, 0);
    }
    rig_send(r, bytes, sizeof bytes);
    assert_int_equal(r->aborts, 0);
    assert_int_equal(r->requests, 1);
    assert_false(r->ended);
}

static void never(struct rig *r, struct http_exchange *x)
{
    (void)r;
    (void)x;
}

/* A handler that does not read holds no clock against the client. */
static void test_handler_takes_its_time(void **state)
{
    struct rig *r = *state;
    r->on_request = never;
    rig_send_text(r, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    for (int i = 0; i < 100; i++) rig_pass_ms(r, 1000);
    assert_int_equal(r->aborts, 0);
    expect(r, "+");
}

static void answer_then_wait(struct rig *r, struct http_exchange *x)
{
    r->exchange = NULL;
    assert_int_equal(http_respond_text(x, 200, "early"), ST_OK);
}

static void test_discard(void **state)
{
    struct rig *r = *state;
    r->on_request = answer_then_wait;
    rig_send_text(r, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    expect_end(r, 400, "200 early +", "200 early .");
}

static void fill(struct rig *r, struct http_exchange *x)
{
    static char bytes[65536];
    struct error err;
    size_t taken;
    if (!http_exchange_responded(x)) assert_int_equal(http_respond_head(x, 200, NULL, 0, &err), 0);
    do {
        assert_int_equal(http_respond_body(x, bytes, sizeof bytes, &taken), ST_OK);
    } while (taken == sizeof bytes);
    (void)r;
}

/* The client reads nothing: its end never comes while it reads, and comes when it stalls. */
static void test_write_stall(void **state)
{
    struct rig *r = *state;
    r->on_request = r->on_writable = fill;
    assert_int_equal(send(r->client, GET "\r\n", strlen(GET "\r\n"), 0), strlen(GET "\r\n"));
    for (int i = 0; i < 5; i++) rig_turn(r);
    r->monotonic_ns += UINT64_C(499) * 1000000;
    for (int i = 0; i < 5; i++) rig_turn(r);
    assert_int_equal(r->aborts, 0);
    static char bytes[200000]; /* some room is made: the balance is full again */
    assert_true(recv(r->client, bytes, sizeof bytes, 0) > 0);
    for (int i = 0; i < 5; i++) rig_turn(r);
    r->monotonic_ns += UINT64_C(499) * 1000000;
    for (int i = 0; i < 5; i++) rig_turn(r);
    assert_int_equal(r->aborts, 0);
    r->monotonic_ns += UINT64_C(2) * 1000000;
    for (int i = 0; i < 5; i++) rig_turn(r);
    assert_int_equal(r->aborts, 1);
    assert_int_equal(r->abort_reason, HTTP_ABORT_CLIENT);
    assert_int_equal(http_server_counters(r->server)->connections_open, 0);
}

static void test_linger(void **state)
{
    struct rig *r = *state;
    rig_send_text(r, "x\r\n");
    expect(r, "400 request-line .");
    rig_pass_ms(r, 599);
    assert_int_equal(http_server_counters(r->server)->connections_open, 1);
    rig_pass_ms(r, 1);
    assert_int_equal(http_server_counters(r->server)->connections_open, 0);
}

/* A client that has closed its side still gets a prompt answer, but nobody works for it long. */
static void test_half_close(void **state)
{
    struct rig *r = *state;
    r->on_request = never;
    rig_send_text(r, GET "\r\n");
    rig_finish_sending(r);
    rig_pass_ms(r, 699);
    assert_int_equal(r->aborts, 0);
    rig_pass_ms(r, 1);
    assert_int_equal(r->aborts, 1);
    assert_int_equal(r->abort_reason, HTTP_ABORT_CLIENT);
    assert_true(r->ended);
}

static void test_half_close_answered(void **state)
{
    struct rig *r = *state;
    r->on_request = never;
    rig_send_text(r, GET "\r\n");
    rig_finish_sending(r);
    rig_pass_ms(r, 699);
    struct http_exchange *x = r->exchange;
    r->exchange = NULL;
    assert_int_equal(http_respond_text(x, 200, "late"), ST_OK);
    rig_settle(r);
    expect(r, "200 late .");
    assert_int_equal(r->aborts, 0);
}

/* The date is rendered once a second, whatever the number of answers. */
static void test_date(void **state)
{
    struct rig *r = *state;
    for (int i = 0; i < 10; i++) {
        rig_send_text(r, GET "\r\n");
        rig_pass_ms(r, 50);
    }
    assert_int_equal(r->realtime_reads, 1);
    assert_non_null(
        strstr((const char *)r->answer.data, "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    for (int i = 0; i < 10; i++) {
        rig_send_text(r, GET "\r\n");
        rig_pass_ms(r, 50);
    }
    assert_int_equal(r->realtime_reads, 1);
    rig_send_text(r, GET "\r\n");
    assert_int_equal(r->realtime_reads, 2);
    buffer_append(&r->answer, "", 1);
    assert_non_null(
        strstr((const char *)r->answer.data, "\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\n"));
}

#define TIME_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIME_TEST(test_first_byte),
        TIME_TEST(test_head),
        TIME_TEST(test_idle),
        TIME_TEST(test_head_behind_another),
        TIME_TEST(test_body),
        TIME_TEST(test_body_at_rate),
        TIME_TEST(test_handler_takes_its_time),
        TIME_TEST(test_discard),
        TIME_TEST(test_write_stall),
        TIME_TEST(test_linger),
        TIME_TEST(test_half_close),
        TIME_TEST(test_half_close_answered),
        TIME_TEST(test_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
