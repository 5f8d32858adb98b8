/* How exchanges go: keep-alive, pipelining, bodies both ways, backpressure, aborts, draining. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"

#define GET   "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST  "POST / HTTP/1.1\r\nHost: a\r\n"
#define DATED "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static void expect(struct rig *r, const char *outcome)
{
    char got[4096];
    rig_outcome(r, got, sizeof got);
    assert_string_equal(got, outcome);
}

/* The very bytes of all answers. */
static void expect_bytes(struct rig *r, const char *bytes)
{
    assert_int_equal(buffer_append(&r->answer, "", 1), ST_OK);
    assert_string_equal((const char *)r->answer.data, bytes);
    r->answer.size_bytes--;
}

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

/* ---- a handler that follows a small script, held by the test ---- */

struct script {
    bool with_length;
    size_t length;
    const char *first;
    const char *second; /* written when the test says so */
};

static void head(struct http_exchange *x, const struct script *s)
{
    struct error err;
    char digits[24];
    snprintf(digits, sizeof digits, "%zu", s->length);
    const struct http_field field = {{"Content-Length", 14}, {digits, strlen(digits)}};
    assert_int_equal(http_respond_head(x, 200, &field, s->with_length, &err), ST_OK);
}

static enum status body(struct http_exchange *x, const char *text)
{
    size_t taken;
    enum status st = http_respond_body(x, text, strlen(text), &taken);
    if (st == ST_OK) assert_int_equal(taken, strlen(text));
    return st;
}

static enum status end(struct rig *r)
{
    struct http_exchange *x = r->exchange;
    r->exchange = NULL;
    return http_respond_end(x);
}

static void begin(struct rig *r, struct http_exchange *x)
{
    const struct script *s = r->test;
    head(x, s);
    if (s->first) assert_int_equal(body(x, s->first), ST_OK);
}

static void begin_and_end(struct rig *r, struct http_exchange *x)
{
    begin(r, x);
    assert_int_equal(end(r), ST_OK);
}

static void keep(struct rig *r, struct http_exchange *x)
{
    (void)r;
    (void)x;
}

/* ---- framing ---- */

static void test_length_is_added(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "hello"};
    r->test = &s;
    r->on_request = begin_and_end;
    rig_send_text(r, GET "\r\n");
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 5\r\n\r\nhello");
}

static void test_length_is_given(void **state)
{
    struct rig *r = *state;
    struct script s = {.with_length = true, .length = 5, .first = "hello"};
    r->test = &s;
    r->on_request = begin_and_end;
    rig_send_text(r, GET "\r\n");
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 5\r\n\r\nhello");
}

/* A long body behind a short head: the head moves, not the body. */
static void test_long_body_in_one_turn(void **state)
{
    struct rig *r = *state;
    static char text[30001];
    memset(text, 'x', sizeof text - 1);
    struct script s = {.first = text};
    r->test = &s;
    r->on_request = begin_and_end;
    rig_send_text(r, GET "\r\n" GET "\r\n");
    static const char first[] = "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 30000\r\n\r\n";
    const size_t one = sizeof first - 1 + 30000;
    assert_int_equal(r->answer.size_bytes, 2 * one);
    assert_memory_equal(r->answer.data, first, sizeof first - 1);
    assert_memory_equal(r->answer.data + sizeof first - 1, text, 30000);
    assert_memory_equal(r->answer.data + one, first, sizeof first - 1);
    assert_memory_equal(r->answer.data + one + sizeof first - 1, text, 30000);
}

static void test_streamed_is_chunked(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "hello"};
    r->test = &s;
    r->on_request = begin;
    rig_send_text(r, GET "\r\n");
    expect_bytes(r,
                 "HTTP/1.1 200 OK\r\n" DATED "Transfer-Encoding: chunked\r\n\r\n0005\r\nhello\r\n");
    struct http_exchange *x = r->exchange;
    assert_int_equal(body(x, "a"), ST_OK); /* what is written in one turn is one chunk */
    assert_int_equal(body(x, ""), ST_OK);
    assert_int_equal(body(x, "bc"), ST_OK);
    buffer_clear(&r->answer);
    rig_settle(r);
    expect_bytes(r, "0003\r\nabc\r\n");
    assert_int_equal(body(x, "d"), ST_OK);
    assert_int_equal(end(r), ST_OK);
    buffer_clear(&r->answer);
    rig_settle(r);
    expect_bytes(r, "0001\r\nd\r\n0\r\n\r\n");
    r->on_request = begin_and_end;
    buffer_clear(&r->answer);
    rig_send_text(r, GET "\r\n");
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 5\r\n\r\nhello");
}

static void test_streamed_head_only(void **state)
{
    struct rig *r = *state;
    struct script s = {0};
    r->test = &s;
    r->on_request = begin;
    rig_send_text(r, GET "\r\n");
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Transfer-Encoding: chunked\r\n\r\n");
    assert_int_equal(end(r), ST_OK);
    buffer_clear(&r->answer);
    rig_settle(r);
    expect_bytes(r, "0\r\n\r\n");
}

static void test_http10(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "hello"};
    r->test = &s;
    r->on_request = begin_and_end;
    rig_send_text(r, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED
                    "Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello");
    buffer_clear(&r->answer);
    r->on_request = begin; /* no chunks to HTTP/1.0: the end is the connection's */
    rig_send_text(r, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_int_equal(body(r->exchange, "world"), ST_OK);
    assert_int_equal(end(r), ST_OK);
    rig_settle(r);
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Connection: close\r\n\r\nhelloworld");
    assert_true(r->ended);
    assert_false(r->reset);
}

static void test_http10_closes(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "hello"};
    r->test = &s;
    r->on_request = begin_and_end;
    rig_send_text(r, "GET / HTTP/1.0\r\n\r\n");
    expect_bytes(r,
                 "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 5\r\nConnection: close\r\n\r\nhello");
    assert_true(r->ended);
}

/* Truncated on purpose, and the only sign that HTTP/1.0 has for it is a reset. */
static void test_http10_abort_resets(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "hello"};
    r->test = &s;
    r->on_request = begin;
    rig_send_text(r, "GET / HTTP/1.0\r\n\r\n");
    assert_false(r->ended);
    struct http_exchange *x = r->exchange;
    r->exchange = NULL;
    http_exchange_abort(x);
    rig_settle(r);
    assert_true(r->ended);
    assert_int_equal(r->aborts, 0);
}

static void test_head_method(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "hello"};
    r->test = &s;
    r->on_request = begin_and_end;
    rig_send_text(r, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" GET "\r\n");
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 5\r\n\r\n"
                    "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 5\r\n\r\nhello");
    s = (struct script){.with_length = true, .length = 77};
    buffer_clear(&r->answer);
    rig_send_text(r, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 77\r\n\r\n");
    s = (struct script){0};
    buffer_clear(&r->answer);
    rig_send_text(r, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "\r\n");
    r->on_request = begin; /* streamed */
    s = (struct script){.first = "hello"};
    buffer_clear(&r->answer);
    rig_send_text(r, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(body(r->exchange, "more"), ST_OK);
    assert_int_equal(end(r), ST_OK);
    rig_settle(r);
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "\r\n");
    assert_false(r->ended);
}

static void answer_status(struct rig *r, struct http_exchange *x)
{
    static const struct http_field field = {{"Content-Length", 14}, {"5", 1}};
    struct error err;
    size_t taken;
    const int *status = r->test;
    assert_int_equal(http_respond_head(x, *status, &field, 1, &err), ST_OK);
    assert_int_equal(http_respond_body(x, "hello", 5, &taken), ST_OK);
    assert_int_equal(end(r), ST_OK);
}

static void test_without_content(void **state)
{
    static const struct {
        int status;
        const char *bytes;
    } cases[] = {
        {204, "HTTP/1.1 204 No Content\r\n" DATED "\r\n"},
        {304, "HTTP/1.1 304 Not Modified\r\n" DATED "Content-Length: 5\r\n\r\n"},
        {205, "HTTP/1.1 205 Reset Content\r\n" DATED "Content-Length: 0\r\n\r\n"},
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int status = cases[i].status;
        r->test = &status;
        r->on_request = answer_status;
        buffer_clear(&r->answer);
        rig_send_text(r, GET "\r\n");
        expect_bytes(r, cases[i].bytes);
    }
}

/* ---- pipelining ---- */

static void test_pipelining_is_ordered(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(r->requests, 1); /* the second waits for the first's answer */
    rig_echo(r, r->exchange);
    rig_settle(r);
    expect(r, "200 GET /1 +");
    assert_int_equal(r->requests, 2);
    rig_echo(r, r->exchange);
    rig_settle(r);
    expect(r, "200 GET /1 | 200 GET /2 +");
}

static void test_pipelining_many(void **state)
{
    struct rig *r = *state;
    struct buffer b;
    buffer_init(&b, 1 << 20);
    for (int i = 0; i < 2000; i++)
        buffer_append_string(&b, i % 2 ? GET "\r\n" : POST "Content-Length: 3\r\n\r\nabc");
    rig_send(r, b.data, b.size_bytes);
    for (int i = 0; i < 100; i++) rig_settle(r);
    assert_int_equal(r->requests, 2000);
    static char outcome[100000];
    rig_outcome(r, outcome, sizeof outcome);
    size_t gets = 0, posts = 0;
    for (const char *p = outcome; (p = strstr(p, "200 GET")); p++) gets++;
    for (const char *p = outcome; (p = strstr(p, "200 POST / [abc]")); p++) posts++;
    assert_int_equal(gets, 1000);
    assert_int_equal(posts, 1000);
    buffer_done(&b);
}

/* A pipelining client that does not read its answers stops being served, and is served on. */
static void test_pipelining_unread(void **state)
{
    struct rig *r = *state;
    static char text[20001];
    memset(text, 'x', sizeof text - 1);
    struct script s = {.first = text};
    r->test = &s;
    r->on_request = begin_and_end;
    struct buffer b;
    buffer_init(&b, 1 << 20);
    for (int i = 0; i < 100; i++) buffer_append_string(&b, GET "\r\n");
    assert_int_equal(send(r->client, b.data, b.size_bytes, 0), b.size_bytes);
    for (int i = 0; i < 50; i++) rig_turn(r);
    assert_in_range(r->requests, 2, 50);
    for (int i = 0; i < 50; i++) rig_settle(r);
    assert_int_equal(r->requests, 100);
    static const char one[] = "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 20000\r\n\r\n";
    assert_int_equal(r->answer.size_bytes, 100 * (sizeof one - 1 + 20000));
    buffer_done(&b);
}

/* ---- request bodies ---- */

static void test_continue_when_asked(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    expect_bytes(r, ""); /* nobody has asked for the body */
    assert_false(rig_read_body(r, r->exchange));
    rig_settle(r);
    expect_bytes(r, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_false(rig_read_body(r, r->exchange));
    rig_settle(r);
    expect_bytes(r, "HTTP/1.1 100 Continue\r\n\r\n"); /* once */
    r->on_request = NULL;
    rig_send_text(r, "hello" GET "\r\n");
    expect(r, "100 | 200 POST / [hello] | 200 GET / +");
}

/* Refused without reading: the client may or may not send the body, so the connection ends. */
static void test_continue_refused(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "no"};
    r->test = &s;
    r->on_request = begin_and_end;
    rig_send_text(r, POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 2\r\nConnection: close\r\n\r\nno");
    assert_true(r->ended);
}

static void test_unread_body_is_discarded(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "no"};
    r->test = &s;
    r->on_request = begin_and_end;
    rig_send_text(r, POST "Content-Length: 5\r\n\r\nhel");
    expect(r, "200 no +");
    assert_int_equal(r->requests, 1);
    rig_send_text(r, "lo" POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r");
    expect(r, "200 no | 200 no +");
    assert_int_equal(r->requests, 2);
    rig_send_text(r, "\n\r\n" GET "\r\n");
    expect(r, "200 no | 200 no | 200 no +");
    rig_send_text(r, POST "Transfer-Encoding: chunked\r\n\r\nx"); /* answered before it was read */
    expect(r, "200 no | 200 no | 200 no | 200 no .");
}

/* The socket is not read while the handler does not ask. */
static void test_body_backpressure(void **state)
{
    struct rig *r = *state;
    static char bytes[65536];
    const size_t total = 8 << 20;
    r->on_request = keep;
    rig_send_text(r, POST "Content-Length: 8388608\r\n\r\n");
    size_t sent = 0;
    for (int i = 0; i < 100; i++) {
        ssize_t n = send(r->client, bytes, sizeof bytes, 0);
        if (n > 0) sent += (size_t)n;
        rig_turn(r);
    }
    assert_in_range(sent, 1, total / 2); /* the kernel's buffers are full, ours is small */
    struct http_exchange *x = r->exchange;
    r->on_body_readable = keep;
    size_t got = 0;
    for (int i = 0; i < 100000 && got < total; i++) {
        size_t size = 0;
        enum status st = http_exchange_read(x, bytes, i % 2 ? 777 : sizeof bytes, &size);
        if (st == ST_OK) assert_true(size > 0);
        got += size;
        size_t left = total - sent;
        ssize_t n = left ? send(r->client, bytes, left < 10000 ? left : 10000, 0) : 0;
        if (n > 0) sent += (size_t)n;
        rig_turn(r);
    }
    assert_int_equal(got, total);
    size_t size = 1;
    assert_int_equal(http_exchange_read(x, bytes, 1, &size), ST_OK);
    assert_int_equal(size, 0);
    assert_int_equal(http_exchange_read(x, bytes, 1, &size), ST_OK);
    assert_int_equal(size, 0);
    rig_echo(r, x);
    rig_settle(r);
    expect(r, "200 POST / +");
}

static void test_limit_body(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, POST "Content-Length: 5\r\n\r\nhello");
    assert_int_equal(http_exchange_limit_body(r->exchange, 5), ST_OK);
    assert_int_equal(http_exchange_limit_body(r->exchange, 4), ST_LIMIT);
    assert_true(rig_read_body(r, r->exchange));
    rig_echo(r, r->exchange);
    rig_send_text(r, POST "Transfer-Encoding: chunked\r\n\r\n");
    buffer_clear(&r->body);
    assert_int_equal(http_exchange_limit_body(r->exchange, 4), ST_OK);
    assert_false(rig_read_body(r, r->exchange));
    rig_send_text(r, "2\r\nab\r\n2\r\ncd\r\n1\r\n");
    expect(r, "200 POST / [hello] | 413 body-size .");
    assert_int_equal(r->body.size_bytes, 4);
    assert_int_equal(r->aborts, 1);
    assert_int_equal(r->abort_reason, HTTP_ABORT_REQUEST);
    assert_int_equal(r->refused_status, 413);
    assert_true(r->refused_begun);
}

/* A body that turns out bad: told if nothing has left, else the answer is cut. */
static void test_bad_body_behind_a_head(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "part"};
    r->test = &s;
    r->on_request = begin;
    rig_send_text(r, POST "Transfer-Encoding: chunked\r\n\r\n");
    assert_false(rig_read_body(r, r->exchange));
    rig_send_text(r, "x");
    expect_bytes(r,
                 "HTTP/1.1 200 OK\r\n" DATED "Transfer-Encoding: chunked\r\n\r\n0004\r\npart\r\n");
    assert_true(r->ended);
    assert_int_equal(r->aborts, 1);
    assert_int_equal(r->abort_reason, HTTP_ABORT_REQUEST);
}

static void begin_then_read(struct rig *r, struct http_exchange *x)
{
    begin(r, x);
    assert_false(rig_read_body(r, x));
}

static void test_bad_body_behind_an_unsent_head(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "part"};
    r->test = &s;
    r->on_request = begin_then_read;
    rig_send_text(r, POST "Transfer-Encoding: chunked\r\n\r\nx");
    expect(r, "400 chunk-size .");
    assert_int_equal(r->aborts, 1);
}

/* ---- responses that are taken back ---- */

static void change_mind(struct rig *r, struct http_exchange *x)
{
    begin(r, x);
    assert_true(http_respond_retract(x));
    assert_false(http_exchange_responded(x));
    assert_int_equal(http_respond_missing(x), 0);
    r->exchange = NULL;
    assert_int_equal(http_respond_text(x, 502, "sorry\n"), ST_OK);
}

static void test_retract(void **state)
{
    struct rig *r = *state;
    struct script s[] = {{.first = "part"}, {.first = "part", .with_length = true, .length = 9}};
    r->on_request = change_mind;
    for (size_t i = 0; i < ARRAY_COUNT(s); i++) {
        r->test = &s[i];
        /* The second stands behind an answer that has not left. */
        rig_send_text(r, GET "\r\n" GET "\r\n");
    }
    expect(r, "502 sorry\n | 502 sorry\n | 502 sorry\n | 502 sorry\n +");
}

static void say_too_much(struct rig *r, struct http_exchange *x)
{
    begin(r, x);
    assert_int_equal(body(x, "a part too many"), ST_INVALID);
    assert_true(http_respond_retract(x));
    r->exchange = NULL;
    assert_int_equal(http_respond_text(x, 502, "sorry\n"), ST_OK);
}

static void test_retract_what_broke_the_exchange(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "part", .with_length = true, .length = 9};
    r->test = &s;
    r->on_request = say_too_much;
    rig_send_text(r, GET "\r\n");
    expect(r, "502 sorry\n +");
    assert_int_equal(r->aborts, 0);
}

static void test_no_retract_behind_what_has_left(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "part", .with_length = true, .length = 9};
    r->test = &s;
    r->on_request = begin;
    rig_send_text(r, GET "\r\n");
    assert_false(http_respond_retract(r->exchange));
    assert_int_equal(http_respond_missing(r->exchange), 5);
    assert_int_equal(body(r->exchange, " more"), ST_OK);
    assert_int_equal(http_respond_missing(r->exchange), 0);
    assert_int_equal(end(r), ST_OK);
    rig_settle(r);
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 9\r\n\r\npart more");
}

/* ---- responses that are too fast, or wrong ---- */

struct pour {
    size_t left;
    size_t calls;
    size_t most_at_once;
};

static void pour(struct rig *r, struct http_exchange *x)
{
    struct pour *p = r->test;
    static char bytes[300000];
    struct error err;
    memset(bytes, 'p', sizeof bytes);
    p->calls++;
    size_t sum = 0, taken;
    if (!http_exchange_responded(x))
        assert_int_equal(http_respond_head(x, 200, NULL, 0, &err), ST_OK);
    while (p->left > 0) {
        size_t size = p->left < sizeof bytes ? p->left : sizeof bytes;
        assert_int_equal(http_respond_body(x, bytes, size, &taken), ST_OK);
        p->left -= taken;
        sum += taken;
        if (taken < size) break;
    }
    if (sum > p->most_at_once) p->most_at_once = sum;
    if (p->left == 0) assert_int_equal(end(r), ST_OK);
}

/* Decodes chunks; returns the number of data bytes, all of which must be 'p'. */
static size_t unchunk(const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t sum = 0, at = 0;
    for (;;) {
        unsigned chunk = 0;
        assert_true(size - at >= 3);
        while (data[at] != '\r')
            chunk = chunk * 16 + (unsigned)(strchr(digits, data[at++]) - digits);
        at += 2;
        if (chunk == 0) break;
        for (unsigned i = 0; i < chunk; i++) assert_int_equal(data[at + i], 'p');
        at += chunk;
        sum += chunk;
        assert_memory_equal(data + at, "\r\n", 2);
        at += 2;
    }
    assert_int_equal(at + 2, size);
    return sum;
}

static void test_response_backpressure(void **state)
{
    struct rig *r = *state;
    struct pour p = {.left = 20 << 20};
    r->test = &p;
    r->on_request = r->on_writable = pour;
    assert_int_equal(send(r->client, GET "\r\n", strlen(GET "\r\n"), 0), strlen(GET "\r\n"));
    for (int i = 0; i < 20; i++) rig_turn(r);
    assert_int_equal(p.calls, 1); /* nobody reads, so nobody is asked for more */
    assert_true(p.most_at_once < 1 << 20);
    for (int i = 0; i < 1000 && p.left > 0; i++) rig_settle(r);
    rig_settle(r);
    assert_int_equal(p.left, 0);
    const uint8_t *body_at = memmem(r->answer.data, r->answer.size_bytes, "\r\n\r\n", 4);
    assert_non_null(body_at);
    body_at += 4;
    size_t size = r->answer.size_bytes - (size_t)(body_at - r->answer.data);
    assert_int_equal(unchunk(body_at, size), 20 << 20);
}

static void test_response_too_long(void **state)
{
    struct rig *r = *state;
    struct script s = {.with_length = true, .length = 5, .first = "hell"};
    r->test = &s;
    r->on_request = begin;
    rig_send_text(r, GET "\r\n");
    assert_int_equal(body(r->exchange, "oo"), ST_INVALID);
    assert_int_equal(body(r->exchange, "o"), ST_CLOSED);
    rig_settle(r);
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 5\r\n\r\nhell");
    assert_true(r->ended);
    assert_int_equal(r->aborts, 1);
    assert_int_equal(r->abort_reason, HTTP_ABORT_RESPONSE);
}

static void test_response_too_short(void **state)
{
    struct rig *r = *state;
    struct script s = {.with_length = true, .length = 5, .first = "hell"};
    r->test = &s;
    r->on_request = begin;
    rig_send_text(r, GET "\r\n" GET "\r\n");
    assert_int_equal(end(r), ST_INVALID);
    rig_settle(r);
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 5\r\n\r\nhell");
    assert_true(r->ended);
    assert_int_equal(r->requests, 1);
    assert_int_equal(r->aborts, 0);
}

static void test_abort_cuts(void **state)
{
    struct rig *r = *state;
    struct script s = {.first = "part"};
    r->test = &s;
    r->on_request = begin;
    rig_send_text(r, GET "\r\n");
    assert_int_equal(body(r->exchange, "more"), ST_OK);
    struct http_exchange *x = r->exchange;
    r->exchange = NULL;
    http_exchange_abort(x);
    rig_settle(r);
    expect_bytes(r, "HTTP/1.1 200 OK\r\n" DATED
                    "Transfer-Encoding: chunked\r\n\r\n0004\r\npart\r\n0004\r\nmore\r\n");
    assert_true(r->ended);
    assert_int_equal(r->aborts, 0);
}

static void test_client_goes(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, GET "\r\n");
    close(r->client);
    r->client = -1;
    rig_settle(r);
    assert_int_equal(r->aborts, 1);
    assert_int_equal(r->abort_reason, HTTP_ABORT_CLIENT);
    assert_int_equal(http_server_counters(r->server)->connections_open, 0);
}

static void test_client_goes_within_a_body(void **state)
{
    struct rig *r = *state;
    rig_send_text(r, POST "Content-Length: 5\r\n\r\nhe");
    close(r->client);
    r->client = -1;
    rig_settle(r);
    assert_int_equal(r->aborts, 1);
    assert_int_equal(http_server_counters(r->server)->connections_open, 0);
}

/* Gone before the handler ends: what it calls then says so, and it hears nothing more. */
static void test_end_of_a_broken_exchange(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, POST "Transfer-Encoding: chunked\r\n\r\nx");
    assert_false(rig_read_body(r, r->exchange)); /* breaks it */
    struct error err;
    size_t size;
    char byte;
    assert_int_equal(http_exchange_read(r->exchange, &byte, 1, &size), ST_CLOSED);
    assert_int_equal(http_respond_head(r->exchange, 200, NULL, 0, &err), ST_CLOSED);
    assert_int_equal(end(r), ST_CLOSED);
    rig_settle(r);
    assert_int_equal(r->aborts, 0);
    expect(r, "400 chunk-size .");
}

static void test_free_aborts(void **state)
{
    struct rig *r = *state;
    r->on_request = keep;
    rig_send_text(r, GET "\r\n");
    http_server_free(r->server);
    r->server = NULL;
    assert_int_equal(r->aborts, 1);
    assert_int_equal(r->abort_reason, HTTP_ABORT_SHUTDOWN);
}

/* ---- draining ---- */

static void on_drained(void *context)
{
    ++*(int *)context;
}

static void test_drain(void **state)
{
    struct rig *r = *state;
    int drained = 0;
    r->on_request = keep;
    rig_send_text(r, GET "\r\n");
    int busy = r->client;
    r->client = -1;
    rig_connect(r);
    http_server_drain(r->server, 1000, on_drained, &drained);
    rig_settle(r);
    assert_false(r->ended); /* its request may be on its way */
    rig_pass_ms(r, HTTP_DRAIN_FIRST_MS - 1);
    assert_false(r->ended);
    rig_pass_ms(r, 1);
    assert_true(r->ended);
    assert_int_equal(drained, 0);
    close(r->client);
    r->client = busy;
    r->ended = false;
    rig_echo(r, r->exchange);
    rig_settle(r);
    expect(r, "200 GET / .");
    buffer_append(&r->answer, "", 1);
    assert_non_null(strstr((const char *)r->answer.data, "Connection: close"));
    rig_settle(r);
    assert_int_equal(drained, 1);
    assert_int_equal(r->aborts, 0);
}

/* One that has had a request ends at once; one that has had none gets an answer still. */
static void test_drain_idle(void **state)
{
    struct rig *r = *state;
    int drained = 0;
    rig_send_text(r, GET "\r\n");
    int used = r->client;
    r->client = -1;
    rig_connect(r);
    http_server_drain(r->server, 1000, on_drained, &drained);
    rig_settle(r);
    char byte;
    while (recv(used, &byte, 1, 0) > 0) continue;
    assert_int_equal(recv(used, &byte, 1, 0), 0);
    close(used);
    assert_int_equal(drained, 0);
    rig_send_text(r, GET "\r\n");
    expect(r, "200 GET / .");
    assert_int_equal(drained, 1);
}

static void test_drain_grace(void **state)
{
    struct rig *r = *state;
    int drained = 0;
    r->on_request = keep;
    rig_send_text(r, GET "\r\n");
    http_server_drain(r->server, 1000, on_drained, &drained);
    rig_pass_ms(r, 999);
    assert_int_equal(drained, 0);
    assert_int_equal(r->aborts, 0);
    rig_pass_ms(r, 1);
    assert_int_equal(drained, 1);
    assert_int_equal(r->aborts, 1);
    assert_int_equal(r->abort_reason, HTTP_ABORT_SHUTDOWN);
}

static void test_drain_nothing(void **state)
{
    struct rig *r = *state;
    int drained = 0;
    close(r->client);
    r->client = -1;
    rig_settle(r);
    http_server_drain(r->server, 1000, on_drained, &drained);
    assert_int_equal(drained, 0);
    rig_settle(r);
    assert_int_equal(drained, 1);
}

/* ---- what a handler may ask ---- */

static void look(struct rig *r, struct http_exchange *x)
{
    struct http_slice s;
    uint64_t length = 9;
    assert_int_equal(http_request_field_count(x), 3);
    assert_memory_equal(http_request_field(x, 1).name.data, "X-One", 5);
    assert_int_equal(http_request_field(x, 1).name.size, 5);
    assert_true(http_request_find(x, "x-ONE", &s));
    assert_int_equal(s.size, 3);
    assert_memory_equal(s.data, "a b", 3);
    assert_false(http_request_find(x, "x-on", &s));
    assert_int_equal(http_request_host(x).size, 6);
    assert_int_equal(http_request_host_name(x).size, 3);
    assert_int_equal(http_request_version_minor(x), 1);
    assert_int_equal(http_request_body(x, &length), HTTP_BODY_LENGTH);
    assert_int_equal(length, 0);
    assert_true(http_request_query(x, &s));
    assert_int_equal(s.size, 0);
    char text[HTTP_PEER_TEXT_MAX];
    uint16_t port = 9;
    http_exchange_peer_text(x, text, &port);
    assert_string_equal(text, "unix");
    assert_int_equal(port, 0);
    assert_null(http_exchange_user(x));
    http_exchange_set_user(x, r);
    assert_ptr_equal(http_exchange_user(x), r);
    assert_false(http_exchange_responded(x));
    rig_echo(r, x);
}

static void test_accessors(void **state)
{
    struct rig *r = *state;
    r->on_request = look;
    for (int i = 0; i < 2; i++)
        rig_send_text(r, "GET /p? HTTP/1.1\r\nHost: a.b:80\r\nX-One: \t a b \r\n"
                         "Content-Length: 0\r\n\r\n");
    expect(r, "200 GET /p? @a.b:80 | 200 GET /p? @a.b:80 +");
}

#define SERVER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(test_length_is_added),
        SERVER_TEST(test_length_is_given),
        SERVER_TEST(test_long_body_in_one_turn),
        SERVER_TEST(test_streamed_is_chunked),
        SERVER_TEST(test_streamed_head_only),
        SERVER_TEST(test_http10),
        SERVER_TEST(test_http10_closes),
        SERVER_TEST(test_http10_abort_resets),
        SERVER_TEST(test_head_method),
        SERVER_TEST(test_without_content),
        SERVER_TEST(test_pipelining_is_ordered),
        SERVER_TEST(test_pipelining_many),
        SERVER_TEST(test_pipelining_unread),
        SERVER_TEST(test_continue_when_asked),
        SERVER_TEST(test_continue_refused),
        SERVER_TEST(test_unread_body_is_discarded),
        SERVER_TEST(test_body_backpressure),
        SERVER_TEST(test_limit_body),
        SERVER_TEST(test_retract),
        SERVER_TEST(test_retract_what_broke_the_exchange),
        SERVER_TEST(test_no_retract_behind_what_has_left),
        SERVER_TEST(test_bad_body_behind_a_head),
        SERVER_TEST(test_bad_body_behind_an_unsent_head),
        SERVER_TEST(test_response_backpressure),
        SERVER_TEST(test_response_too_long),
        SERVER_TEST(test_response_too_short),
        SERVER_TEST(test_abort_cuts),
        SERVER_TEST(test_client_goes),
        SERVER_TEST(test_client_goes_within_a_body),
        SERVER_TEST(test_end_of_a_broken_exchange),
        SERVER_TEST(test_free_aborts),
        SERVER_TEST(test_drain),
        SERVER_TEST(test_drain_idle),
        SERVER_TEST(test_drain_grace),
        SERVER_TEST(test_drain_nothing),
        SERVER_TEST(test_accessors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
