/* Every limit of the request side, at N and at N + 1, whole and byte by byte. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"

#define GET  "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

static void expect(struct rig *r, const char *outcome)
{
    char got[4096];
    rig_outcome(r, got, sizeof got);
    assert_string_equal(got, outcome);
}

/* The same input twice: in one piece and in single bytes. */
static void feed(struct rig *r, const struct buffer *b, const char *outcome)
{
    assert_false(b->failed);
    rig_connect(r);
    rig_send(r, b->data, b->size_bytes);
    expect(r, outcome);
    rig_connect(r);
    for (size_t i = 0; i < b->size_bytes; i++) rig_send(r, b->data + i, 1);
    expect(r, outcome);
}

static void append_many(struct buffer *b, char c, size_t count)
{
    for (size_t i = 0; i < count; i++) buffer_append(b, &c, 1);
}

struct limits_rig {
    struct rig r;
    struct buffer in;
};

static int set_up(void **state)
{
    static struct limits_rig l;
    rig_init(&l.r);
    l.r.config.head_bytes_max = 300;
    l.r.config.target_bytes_max = 40;
    l.r.config.fields_max = 5;
    l.r.config.body_bytes_max = 20;
    l.r.config.discard_bytes_max = 30;
    l.r.config.linger_bytes_max = 50000;
    l.r.config.requests_max = 3;
    l.r.config.connections_max = 2;
    rig_open(&l.r);
    buffer_init(&l.in, 1 << 20);
    *state = &l;
    return 0;
}

static int tear_down(void **state)
{
    struct limits_rig *l = *state;
    rig_close(&l->r);
    buffer_done(&l->in);
    return 0;
}

static void test_target(void **state)
{
    struct limits_rig *l = *state;
    for (size_t extra = 0; extra < 2; extra++) {
        buffer_clear(&l->in);
        buffer_append_string(&l->in, "OPTIONS /");
        append_many(&l->in, 'x', 39 + extra);
        buffer_append_string(&l->in, " HTTP/1.1\r\nHost: a\r\n\r\n");
        feed(&l->r, &l->in,
             extra ? "414 target-length ."
                   : "200 OPTIONS /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx +");
    }
}

/* A request line that never ends is refused without its end. */
static void test_endless_request_line(void **state)
{
    struct limits_rig *l = *state;
    buffer_clear(&l->in);
    buffer_append_string(&l->in, "GET /");
    append_many(&l->in, 'x', 39 + HTTP_METHOD_BYTES_MAX + 200);
    feed(&l->r, &l->in, "414 target-length .");
}

static void test_head_size(void **state)
{
    struct limits_rig *l = *state;
    const size_t others = strlen(GET "X: \r\n\r\n");
    for (size_t extra = 0; extra < 2; extra++) {
        buffer_clear(&l->in);
        buffer_append_string(&l->in, GET "X: ");
        append_many(&l->in, 'y', 300 - others + extra);
        buffer_append_string(&l->in, "\r\n\r\n");
        feed(&l->r, &l->in, extra ? "431 head-size ." : "200 GET / +");
    }
    buffer_clear(&l->in); /* a field that never ends */
    buffer_append_string(&l->in, GET "X: ");
    append_many(&l->in, 'y', 5000);
    feed(&l->r, &l->in, "431 head-size .");
}

static void test_fields(void **state)
{
    struct limits_rig *l = *state;
    for (size_t extra = 0; extra < 2; extra++) {
        buffer_clear(&l->in);
        buffer_append_string(&l->in, GET);
        for (size_t i = 0; i < 4 + extra; i++) buffer_append_string(&l->in, "X: y\r\n");
        buffer_append_string(&l->in, "\r\n");
        feed(&l->r, &l->in, extra ? "431 field-count ." : "200 GET / +");
    }
}

static void test_body_size(void **state)
{
    struct limits_rig *l = *state;
    for (size_t extra = 0; extra < 2; extra++) {
        buffer_clear(&l->in);
        buffer_printf(&l->in, POST "Content-Length: %zu\r\n\r\n", 20 + extra);
        append_many(&l->in, 'b', 20 + extra);
        feed(&l->r, &l->in, extra ? "413 body-size ." : "200 POST / [bbbbbbbbbbbbbbbbbbbb] +");
        buffer_clear(&l->in); /* the sum of chunks */
        buffer_append_string(&l->in, POST "Transfer-Encoding: chunked\r\n\r\na\r\nbbbbbbbbbb\r\n");
        buffer_printf(&l->in, "%zx\r\n", 10 + extra);
        append_many(&l->in, 'b', 10 + extra);
        buffer_append_string(&l->in, "\r\n0\r\n\r\n");
        feed(&l->r, &l->in, extra ? "413 body-size ." : "200 POST / [bbbbbbbbbbbbbbbbbbbb] +");
    }
}

static void test_chunk_extensions(void **state)
{
    struct limits_rig *l = *state;
    /* One chunk's: the CR is one of its bytes. */
    for (size_t extra = 0; extra < 2; extra++) {
        buffer_clear(&l->in);
        buffer_append_string(&l->in, POST "Transfer-Encoding: chunked\r\n\r\n1;");
        append_many(&l->in, 'x', HTTP_CHUNK_EXTENSION_MAX - 1 + extra);
        buffer_append_string(&l->in, "\r\nb\r\n0\r\n\r\n");
        feed(&l->r, &l->in, extra ? "400 chunk-extension-size ." : "200 POST / [b] +");
    }
    /* The message's: 15 chunks of 256, and a last one. */
    for (size_t extra = 0; extra < 2; extra++) {
        buffer_clear(&l->in);
        buffer_append_string(&l->in, POST "Transfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 16; i++) {
            buffer_append_string(&l->in, "1;");
            append_many(&l->in, 'x', HTTP_CHUNK_EXTENSION_MAX - 1);
            buffer_append_string(&l->in, "\r\nb\r\n");
        }
        buffer_append_string(&l->in, extra ? "0;x\r\n\r\n" : "0\r\n\r\n");
        feed(&l->r, &l->in,
             extra ? "400 chunk-extension-size ." : "200 POST / [bbbbbbbbbbbbbbbb] +");
    }
}

static void test_trailers(void **state)
{
    struct limits_rig *l = *state;
    for (size_t extra = 0; extra < 2; extra++) {
        buffer_clear(&l->in);
        buffer_append_string(&l->in, POST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: ");
        append_many(&l->in, 'y', HTTP_TRAILER_BYTES_MAX - 7 + extra);
        buffer_append_string(&l->in, "\r\n\r\n");
        feed(&l->r, &l->in, extra ? "431 trailer-size ." : "200 POST / +");
        buffer_clear(&l->in);
        buffer_append_string(&l->in, POST "Transfer-Encoding: chunked\r\n\r\n0\r\n");
        for (size_t i = 0; i < HTTP_TRAILER_FIELDS_MAX + extra; i++)
            buffer_append_string(&l->in, "X: y\r\n");
        buffer_append_string(&l->in, "\r\n");
        feed(&l->r, &l->in, extra ? "431 trailer-size ." : "200 POST / +");
    }
}

/* The third and last request of a connection is told so. */
static void test_requests(void **state)
{
    struct limits_rig *l = *state;
    rig_connect(&l->r);
    rig_send_text(&l->r, GET "\r\n" GET "\r\n");
    expect(&l->r, "200 GET / | 200 GET / +");
    rig_send_text(&l->r, GET "\r\n" GET "\r\n");
    expect(&l->r, "200 GET / | 200 GET / | 200 GET / .");
    assert_non_null(strstr((const char *)l->r.answer.data, "Connection: close"));
}

static void answer_unread(struct rig *r, struct http_exchange *x)
{
    r->exchange = NULL;
    assert_int_equal(http_respond_text(x, 200, "early"), ST_OK);
}

/* A body that the handler leaves is read away, up to a limit; a chunked one in its own limit. */
static void test_discard(void **state)
{
    struct limits_rig *l = *state;
    struct rig *r = &l->r;
    r->config.body_bytes_max = 1000;
    r->config.discard_bytes_max = 30;
    http_server_free(r->server);
    loop_free(r->loop);
    rig_open(r);
    r->on_request = answer_unread;
    for (size_t extra = 0; extra < 2; extra++) {
        buffer_clear(&l->in);
        buffer_printf(&l->in, POST "Content-Length: %zu\r\n\r\n", 30 + extra);
        rig_connect(r);
        rig_send(r, l->in.data, l->in.size_bytes); /* the head alone: nothing is there to discard */
        expect(r, extra ? "200 early ." : "200 early +");
        rig_connect(r);
        buffer_clear(&l->in);
        buffer_printf(&l->in, POST "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", 30 + extra);
        append_many(&l->in, 'b', 30 + extra);
        buffer_append_string(&l->in, "\r\n0\r\n\r\n" GET "\r\n");
        rig_send(r, l->in.data, l->in.size_bytes);
        expect(r, extra ? "200 early ." : "200 early | 200 early +");
    }
}

static void test_connections(void **state)
{
    struct limits_rig *l = *state;
    struct rig *r = &l->r;
    const struct http_counters *n = http_server_counters(r->server);
    rig_connect(r);
    rig_send_text(r, GET "\r\n");
    int first = r->client;
    r->client = -1;
    rig_connect(r); /* the second of two */
    assert_int_equal(n->connections_open, 2);
    assert_int_equal(n->connections_evicted, 0);
    int second = r->client;
    r->client = -1;
    rig_connect(r); /* the longest idle one makes room */
    assert_int_equal(n->connections_open, 2);
    assert_int_equal(n->connections_evicted, 1);
    char byte;
    assert_int_equal(recv(first, &byte, 0, 0), 0);
    rig_send_text(r, GET); /* busy: within a head */
    send(second, "G", 1, 0);
    rig_settle(r);
    int pair[2];
    struct error err;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    assert_int_equal(http_server_adopt(r->server, pair[0], &err), ST_LIMIT);
    close(pair[1]);
    close(first);
    close(second);
    rig_settle(r);
    assert_int_equal(n->connections_open, 1);
}

/* After a refusal the client may still send so much before it is cut off. */
static void test_linger(void **state)
{
    struct limits_rig *l = *state;
    struct rig *r = &l->r;
    const struct http_counters *n = http_server_counters(r->server);
    rig_connect(r);
    rig_send_text(r, "GET /\r\n");
    expect(r, "400 request-line .");
    assert_int_equal(n->connections_open, 1);
    buffer_clear(&l->in);
    append_many(&l->in, 'x', 50000);
    rig_send(r, l->in.data, l->in.size_bytes);
    assert_int_equal(n->connections_open, 1);
    rig_send(r, "x", 1);
    assert_int_equal(n->connections_open, 0);
}

static void ignore_request(void *context, struct http_exchange *x)
{
    (void)context;
    (void)x;
}

static void ignore_abort(void *context, struct http_exchange *x, enum http_abort reason)
{
    (void)context;
    (void)x;
    (void)reason;
}

static void test_config(void **state)
{
    struct http_config c;
    struct http_server *s;
    struct error err;
    struct limits_rig *l = *state;
    static const struct http_handler h = {.on_request = ignore_request, .on_abort = ignore_abort};
    http_config_init(&c);
    c.head_bytes_max = HTTP_HEAD_BYTES_HARD_MAX + 1;
    assert_int_equal(http_server_new(l->r.loop, &c, &h, NULL, &s, &err), ST_USAGE);
    http_config_init(&c);
    c.fields_max = HTTP_FIELDS_HARD_MAX + 1;
    assert_int_equal(http_server_new(l->r.loop, &c, &h, NULL, &s, &err), ST_USAGE);
    http_config_init(&c);
    c.idle_ms = 0;
    assert_int_equal(http_server_new(l->r.loop, &c, &h, NULL, &s, &err), ST_USAGE);
    http_config_init(&c);
    c.server_name = "a\r\nb";
    assert_int_equal(http_server_new(l->r.loop, &c, &h, NULL, &s, &err), ST_USAGE);
    http_config_init(&c);
    c.head_bytes_max = HTTP_HEAD_BYTES_HARD_MAX;
    c.fields_max = HTTP_FIELDS_HARD_MAX;
    assert_int_equal(http_server_new(l->r.loop, &c, &h, NULL, &s, &err), ST_OK);
    http_server_free(s);
}

#define LIMIT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIMIT_TEST(test_target),    LIMIT_TEST(test_endless_request_line),
        LIMIT_TEST(test_head_size), LIMIT_TEST(test_fields),
        LIMIT_TEST(test_body_size), LIMIT_TEST(test_chunk_extensions),
        LIMIT_TEST(test_trailers),  LIMIT_TEST(test_requests),
        LIMIT_TEST(test_discard),   LIMIT_TEST(test_connections),
        LIMIT_TEST(test_linger),    LIMIT_TEST(test_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
