/* Responses that end before their exchange, and trailers of both messages. */
#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "rig.h"

static int set_up(void **state)
{
    static struct rig r;
    rig_init(&r);
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

static const char *answer_of(struct rig *r)
{
    buffer_append(&r->answer, "", 1);
    r->answer.size_bytes--;
    return (const char *)r->answer.data;
}

static void assert_ends_with(struct rig *r, const char *end)
{
    const char *answer = answer_of(r);
    size_t size = strlen(answer);
    assert_true(size >= strlen(end));
    assert_string_equal(answer + size - strlen(end), end);
}

static void write_text(struct http_exchange *x, const char *text)
{
    size_t taken;
    assert_int_equal(http_respond_body(x, text, strlen(text), &taken), ST_OK);
    assert_int_equal(taken, strlen(text));
}

static void begin(struct http_exchange *x, const char *length)
{
    struct http_field field = {{"Content-Length", 14}, {length, length ? strlen(length) : 0}};
    assert_int_equal(http_respond_head(x, 200, &field, length ? 1 : 0, NULL), ST_OK);
}

static void keep(struct rig *r, struct http_exchange *x)
{
    r->exchange = x;
}

#define REQUEST "GET /path HTTP/1.1\r\nHost: a\r\n\r\n"

static void test_finished_leaves(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, REQUEST);
    begin(r->exchange, NULL);
    write_text(r->exchange, "whole");
    assert_int_equal(http_respond_finish(r->exchange, NULL, 0), ST_OK);
    rig_settle(r);
    assert_ends_with(r, "Content-Length: 5\r\n\r\nwhole");
    assert_int_equal(http_request_path(r->exchange).size, 5); /* still there */
    assert_false(http_respond_retract(r->exchange));
    assert_int_equal(http_respond_missing(r->exchange), 0);
}

/* What the client sends meanwhile waits for the exchange to end. */
static void test_next_request_waits(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, REQUEST);
    begin(r->exchange, NULL);
    write_text(r->exchange, "one");
    assert_int_equal(http_respond_finish(r->exchange, NULL, 0), ST_OK);
    rig_send_text(r, REQUEST);
    assert_int_equal(http_server_counters(r->server)->requests, 1);
    assert_int_equal(http_respond_end(r->exchange), ST_OK);
    rig_settle(r);
    assert_int_equal(http_server_counters(r->server)->requests, 2);
    begin(r->exchange, NULL);
    write_text(r->exchange, "two");
    assert_int_equal(http_respond_end(r->exchange), ST_OK);
    rig_settle(r);
    assert_ends_with(r, "two");
}

static void test_finished_then_gone(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, REQUEST);
    begin(r->exchange, NULL);
    assert_int_equal(http_respond_finish(r->exchange, NULL, 0), ST_OK);
    rig_connect(r); /* the client of before is closed */
    rig_settle(r);
    rig_pass_ms(r, 5000);
    assert_int_equal(r->aborts, 1);
}

static void test_finish_too_short(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, REQUEST);
    assert_int_equal(http_respond_finish(r->exchange, NULL, 0), ST_INVALID); /* no head */
    begin(r->exchange, "4");
    write_text(r->exchange, "abc");
    assert_int_equal(http_respond_finish(r->exchange, NULL, 0), ST_INVALID);
    write_text(r->exchange, "d"); /* it was as it is */
    assert_int_equal(http_respond_finish(r->exchange, NULL, 0), ST_OK);
    assert_int_equal(http_respond_end(r->exchange), ST_OK);
    rig_settle(r);
    assert_ends_with(r, "abcd");
}

static const struct http_field trailers[] = {
    {{"X-Sum", 5}, {"a b", 3}},       {{"Content-Length", 14}, {"4", 1}},
    {{"X-Bad", 5}, {"a\r\nb: c", 7}}, {{"no token", 8}, {"x", 1}},
    {{"X-Empty", 7}, {"", 0}},
};

static void finish_with_trailers(struct rig *r)
{
    write_text(r->exchange, "body");
    assert_int_equal(http_respond_finish(r->exchange, trailers, ARRAY_COUNT(trailers)), ST_OK);
    assert_int_equal(http_respond_end(r->exchange), ST_OK);
    rig_settle(r);
}

static void test_trailers_are_sent(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, REQUEST);
    begin(r->exchange, NULL);
    finish_with_trailers(r);
    assert_ends_with(r, "\r\n\r\n0004\r\nbody\r\n0\r\nX-Sum: a b\r\nX-Empty: \r\n\r\n");
    rig_send_text(r, REQUEST); /* the connection goes on */
    assert_int_equal(http_server_counters(r->server)->requests, 2);
    http_respond_text(r->exchange, 200, "next");
}

static void test_trailers_behind_pieces(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, REQUEST);
    begin(r->exchange, NULL);
    write_text(r->exchange, "first");
    rig_settle(r);
    finish_with_trailers(r);
    assert_ends_with(r, "\r\n0004\r\nbody\r\n0\r\nX-Sum: a b\r\nX-Empty: \r\n\r\n");
}

static void test_trailers_without_chunks(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, REQUEST);
    begin(r->exchange, "4");
    finish_with_trailers(r);
    assert_ends_with(r, "\r\n\r\nbody");
    rig_connect(r);
    rig_send_text(r, "GET / HTTP/1.0\r\n\r\n");
    begin(r->exchange, NULL);
    finish_with_trailers(r);
    assert_ends_with(r, "\r\n\r\nbody");
    rig_connect(r);
    rig_send_text(r, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    begin(r->exchange, NULL);
    finish_with_trailers(r);
    assert_ends_with(r, "\r\n\r\n");
}

static void test_trailers_at_their_limit(void **state)
{
    static char value[HTTP_TRAILER_BYTES_MAX];
    struct rig *r = *state;
    struct http_field large = {{"x", 1}, {value, 0}};
    r->on_request = keep;
    rig_send_text(r, REQUEST);
    memset(value, 'v', sizeof value);
    begin(r->exchange, NULL);
    large.value.size = HTTP_TRAILER_BYTES_MAX - strlen("x: \r\n0\r\n\r\n") + 1;
    assert_int_equal(http_respond_finish(r->exchange, &large, 1), ST_LIMIT);
    large.value.size--;
    assert_int_equal(http_respond_finish(r->exchange, &large, 1), ST_OK);
    assert_int_equal(http_respond_end(r->exchange), ST_OK);
    rig_settle(r);
    assert_ends_with(r, "v\r\n\r\n");
}

/* ---- of requests ---- */

static void read_all(struct rig *r)
{
    size_t size;
    char bytes[16];
    while (http_exchange_read(r->exchange, bytes, sizeof bytes, &size) == ST_OK && size) {
    }
}

static void expect_trailer(struct rig *r, size_t index, const char *name, const char *value)
{
    struct http_field f = http_request_trailer(r->exchange, index);
    assert_int_equal(f.name.size, strlen(name));
    assert_memory_equal(f.name.data, name, f.name.size);
    assert_int_equal(f.value.size, strlen(value));
    if (f.value.size) assert_memory_equal(f.value.data, value, f.value.size);
}

static void look_later(struct rig *r, struct http_exchange *x)
{
    (void)r;
    (void)x;
}

#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static void test_trailers_of_a_request(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    r->on_body_readable = look_later;
    rig_send_text(r, CHUNKED "3\r\nabc\r\n0\r\nX-One:1\r\nx-two: \t two words \t\r\nx-three:\r\n");
    read_all(r);
    assert_int_equal(http_request_trailer_count(r->exchange), 0); /* not before the end */
    rig_send_text(r, "\r\n");
    read_all(r);
    assert_int_equal(http_request_trailer_count(r->exchange), 3);
    expect_trailer(r, 0, "X-One", "1");
    expect_trailer(r, 1, "x-two", "two words");
    expect_trailer(r, 2, "x-three", "");
    http_respond_text(r->exchange, 200, "ok");
    /* None of them is left for the next. */
    rig_send_text(r, CHUNKED "0\r\n\r\n");
    read_all(r);
    assert_int_equal(http_request_trailer_count(r->exchange), 0);
    http_respond_text(r->exchange, 200, "ok");
    rig_send_text(r, REQUEST);
    assert_int_equal(http_request_trailer_count(r->exchange), 0);
    http_respond_text(r->exchange, 200, "ok");
}

#define FINISH_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FINISH_TEST(test_finished_leaves),         FINISH_TEST(test_next_request_waits),
        FINISH_TEST(test_finished_then_gone),      FINISH_TEST(test_finish_too_short),
        FINISH_TEST(test_trailers_are_sent),       FINISH_TEST(test_trailers_behind_pieces),
        FINISH_TEST(test_trailers_without_chunks), FINISH_TEST(test_trailers_at_their_limit),
        FINISH_TEST(test_trailers_of_a_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
