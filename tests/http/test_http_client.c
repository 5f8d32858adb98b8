/* The client against an origin that says what it is told to: responses of every kind, bodies both
 * ways, and calls that are given up at every stage. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmocka_all.h"
#include "http/client.h"
#include "os/loop.h"

#define SEEN_BYTES_MAX (256u << 10)

/* One answer at a time; every connection gets it once for each head that it sends. */
static struct {
    int fd;
    uint16_t port;
    pthread_t thread;
    const char *answer;
    bool close_after, read_body;
    char seen[SEEN_BYTES_MAX];
    size_t seen_size;
} origin;

static struct loop *loop;
static struct http_client *client;

static void serve(int fd)
{
    size_t begin = origin.seen_size = 0;
    for (;;) {
        ssize_t got =
            recv(fd, origin.seen + origin.seen_size, SEEN_BYTES_MAX - 1 - origin.seen_size, 0);
        if (got <= 0) return;
        origin.seen_size += (size_t)got;
        origin.seen[origin.seen_size] = '\0';
        const char *end = strstr(origin.seen + begin, "\r\n\r\n");
        if (!end || (origin.read_body && !strstr(end, "0\r\n\r\n") && !strstr(end, "0\r\nx-")))
            continue;
        send(fd, origin.answer, strlen(origin.answer), MSG_NOSIGNAL);
        if (origin.close_after) return;
        origin.seen_size = begin = 0;
    }
}

static void *run_origin(void *unused)
{
    for (;;) {
        int fd = accept(origin.fd, NULL, NULL);
        if (fd < 0) return unused;
        serve(fd);
        close(fd);
    }
}

static int set_up(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    struct error err;
    const struct http_client_config config = {.ca_file = NULL, .resolver = "127.0.0.1:9"};
    (void)state;
    origin.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(origin.fd, (struct sockaddr *)&at, size) || listen(origin.fd, 64) ||
        getsockname(origin.fd, (struct sockaddr *)&at, &size))
        return -1;
    origin.port = ntohs(at.sin_port);
    if (pthread_create(&origin.thread, NULL, run_origin, NULL)) return -1;
    return loop_new(clock_system(), &loop, &err) || http_client_new(loop, &config, &client, &err);
}

static int tear_down(void **state)
{
    (void)state;
    http_client_free(client);
    loop_free(loop);
    shutdown(origin.fd, SHUT_RDWR);
    pthread_join(origin.thread, NULL);
    close(origin.fd);
    return 0;
}

/* ---- calls ---- */

struct result {
    enum http_call_error error;
    int status;
    char body[4096];
    size_t size;
    bool whole;
};

static struct http_slice slice(const char *text)
{
    return (struct http_slice){text, strlen(text)};
}

static void on_event(void *context)
{
    ++*(unsigned *)context;
}

static unsigned events;

static struct http_call_config config_of(const char *method, const char *host, const char *path)
{
    return (struct http_call_config){
        .method = slice(method),
        .path = slice(path),
        .host = slice(host),
        .port = origin.port,
        .private_allowed = true,
        .first_byte_ms = 3000,
        .between_bytes_ms = 3000,
        .on_event = on_event,
        .context = &events,
    };
}

static void turn(void)
{
    struct error err;
    assert_int_equal(loop_turn(loop, 5000000, &err), ST_OK);
}

/* Until the response is over, which is read as it comes. */
static struct result finish(struct http_call *call)
{
    struct result r = {0};
    for (;;) {
        size_t got = 0;
        enum http_call_error error;
        enum status st = http_call_head(call, &r.status, &error);
        if (st == ST_OK)
            st = http_call_read(call, r.body + r.size, sizeof r.body - r.size - 1, &got);
        r.size += got;
        if (st == ST_WOULD_BLOCK) turn();
        if (st == ST_OK || st == ST_WOULD_BLOCK) continue;
        r.error = http_call_failure(call);
        r.whole = st == ST_CLOSED;
        return r;
    }
}

static struct http_call *begin(const struct http_call_config *config)
{
    struct http_call *call;
    assert_int_equal(http_call_new(client, config, &call), HTTP_CALL_OK);
    return call;
}

static struct result get(const char *answer, bool close_after)
{
    struct http_call_config config = config_of("GET", "127.0.0.1", "/");
    origin.answer = answer;
    origin.close_after = close_after;
    origin.read_body = false;
    struct http_call *call = begin(&config);
    assert_int_equal(http_call_finish(call, NULL, 0), ST_OK);
    struct result r = finish(call);
    http_call_end(call);
    return r;
}

/* ---- responses ---- */

static void test_responses(void **state)
{
    static const struct {
        const char *answer;
        enum http_call_error error;
        int status;
        const char *body;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", HTTP_CALL_OK, 200, "hi"},
        {"HTTP/1.0 200 OK\r\n\r\nto the end", HTTP_CALL_OK, 200, "to the end"},
        {"HTTP/1.1 204 No\r\n\r\n", HTTP_CALL_OK, 204, ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
         HTTP_CALL_OK, 200, "abc"},
        {"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 Soon\r\nx: y\r\n\r\nHTTP/1.1 201 "
         "OK\r\nContent-Length: "
         "1\r\n\r\n1",
         HTTP_CALL_OK, 201, "1"},
        {"HTTP/1.1 302 Over\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
         HTTP_CALL_OK, 302, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", HTTP_CALL_INCOMPLETE, 200, "short"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", HTTP_CALL_INCOMPLETE, 200,
         "ab"},
        {"", HTTP_CALL_TERMINATED, 0, ""},
        {"nonsense\r\n\r\n", HTTP_CALL_PROTOCOL, 0, ""},
        {"HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n", HTTP_CALL_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nbad name: x\r\nContent-Length: 0\r\n\r\n", HTTP_CALL_PROTOCOL, 0, ""},
        {"HTTP/1.1 200 OK\r\nx: a\001b\r\nContent-Length: 0\r\n\r\n", HTTP_CALL_PROTOCOL, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct result r = get(rows[i].answer, true);
        if (r.error != rows[i].error) fail_msg("row %zu: error %d", i, r.error);
        if (r.error == HTTP_CALL_OK || r.status) assert_string_equal(r.body, rows[i].body);
        if (rows[i].status) assert_int_equal(r.status, rows[i].status);
        assert_int_equal(r.whole, rows[i].error == HTTP_CALL_OK);
    }
}

static void test_fields_and_trailers(void **state)
{
    struct http_call_config config = config_of("GET", "127.0.0.1", "/");
    (void)state;
    origin.answer =
        "HTTP/1.1 200 OK\r\nX-One:  a b \r\nx-two:\r\nTransfer-Encoding: chunked\r\n\r\n"
        "1\r\nz\r\n0\r\nX-End: t\r\n\r\n";
    origin.close_after = true;
    struct http_call *call = begin(&config);
    assert_int_equal(http_call_finish(call, NULL, 0), ST_OK);
    assert_int_equal(finish(call).error, HTTP_CALL_OK);
    assert_int_equal(http_call_field_count(call), 3);
    struct http_field one = http_call_field(call, 0), two = http_call_field(call, 1);
    assert_memory_equal(one.name.data, "X-One", one.name.size);
    assert_int_equal(one.value.size, 3);
    assert_memory_equal(one.value.data, "a b", 3);
    assert_int_equal(two.value.size, 0);
    assert_int_equal(http_call_trailer_count(call), 1);
    assert_memory_equal(http_call_trailer(call, 0).name.data, "X-End", 5);
    http_call_end(call);
}

static void test_head_too_large(void **state)
{
    static char answer[HTTP_CLIENT_HEAD_BYTES_MAX + 4096];
    size_t at = (size_t)snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n");
    (void)state;
    while (at < HTTP_CLIENT_HEAD_BYTES_MAX + 2048)
        at += (size_t)snprintf(answer + at, sizeof answer - at, "x-%01000zu: y\r\n", at);
    snprintf(answer + at, sizeof answer - at, "\r\n");
    assert_int_equal(get(answer, true).error, HTTP_CALL_HEAD_TOO_LARGE);
}

/* ---- requests ---- */

static struct result put(const struct http_call_config *config, const char *body,
                         const struct http_field *trailers, size_t count, bool in_time)
{
    size_t took = 0;
    origin.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    origin.close_after = true;
    struct http_call *call = begin(config);
    if (!in_time) turn(); /* it has left when the body comes */
    assert_int_equal(http_call_write(call, body, strlen(body), &took), ST_OK);
    assert_int_equal(took, strlen(body));
    assert_int_equal(http_call_finish(call, trailers, count), ST_OK);
    struct result r = finish(call);
    http_call_end(call);
    return r;
}

static void test_request_is_what_was_said(void **state)
{
    static const struct http_field fields[] = {
        {{"x-own", 5}, {"1", 1}},
        {{"Host", 4}, {"evil", 4}},
        {{"Connection", 10}, {"x-hop", 5}},
        {{"X-Hop", 5}, {"2", 1}},
        {{"Transfer-Encoding", 17}, {"gzip", 4}},
        {{"x-empty", 7}, {"", 0}},
        {{"Content-Length", 14}, {"4", 1}},
    };
    struct http_call_config config = config_of("PUT", "LocalHost", "?q=%20");
    char expected[256];
    (void)state;
    origin.read_body = false;
    config.fields = fields;
    config.fields_count = ARRAY_COUNT(fields);
    assert_int_equal(put(&config, "body", NULL, 0, true).error, HTTP_CALL_OK);
    snprintf(expected, sizeof expected,
             "PUT /?q=%%20 HTTP/1.1\r\nHost: localhost:%u\r\nx-own: 1\r\nx-empty:\r\n"
             "Content-Length: 4\r\n\r\n",
             origin.port);
    assert_memory_equal(origin.seen, expected, strlen(expected));
}

static void test_chunks_and_trailers(void **state)
{
    static const struct http_field trailers[] = {{{"x-end", 5}, {"t", 1}},
                                                 {{"Content-Length", 14}, {"9", 1}}};
    struct http_call_config config = config_of("POST", "127.0.0.1", "/");
    (void)state;
    origin.read_body = true;
    /* More than once: what one call leaves behind must not be the next one's. */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(put(&config, "body", trailers, 2, false).error, HTTP_CALL_OK);
        assert_non_null(strstr(origin.seen, "Transfer-Encoding: chunked\r\n"));
        assert_non_null(strstr(origin.seen, "\r\n\r\n4\r\nbody\r\n0\r\nx-end: t\r\n\r\n"));
    }
    origin.read_body = false;
    assert_int_equal(put(&config, "body", NULL, 0, true).error, HTTP_CALL_OK);
    assert_non_null(strstr(origin.seen, "Content-Length: 4\r\n\r\n"));
}

static void test_lengths(void **state)
{
    static const struct http_field length[] = {{{"content-length", 14}, {"4", 1}}};
    struct http_call_config config = config_of("POST", "127.0.0.1", "/");
    size_t took;
    (void)state;
    config.fields = length;
    config.fields_count = 1;
    struct http_call *call = begin(&config);
    assert_int_equal(http_call_write(call, "12345", 5, &took), ST_INVALID);
    assert_int_equal(finish(call).error, HTTP_CALL_BODY_SIZE);
    http_call_end(call);
    call = begin(&config);
    assert_int_equal(http_call_write(call, "123", 3, &took), ST_OK);
    assert_int_equal(http_call_finish(call, NULL, 0), ST_INVALID);
    assert_int_equal(finish(call).error, HTTP_CALL_BODY_SIZE);
    http_call_end(call);
}

static void test_what_cannot_be_sent(void **state)
{
    static const struct {
        const char *method, *host, *path, *name, *value;
        enum http_call_error error;
    } rows[] = {
        {"GET", "0x7f.1", "/", "x", "y", HTTP_CALL_URI},
        {"GET", "127.1", "/", "x", "y", HTTP_CALL_URI},
        {"GET", "2130706433", "/", "x", "y", HTTP_CALL_URI},
        {"GET", "a.0x7f000001", "/", "x", "y", HTTP_CALL_URI},
        {"GET", "a%2eb", "/", "x", "y", HTTP_CALL_URI},
        {"GET", "a..b", "/", "x", "y", HTTP_CALL_URI},
        {"GET", "user@host", "/", "x", "y", HTTP_CALL_URI},
        {"GET", "::g", "/", "x", "y", HTTP_CALL_URI},
        {"GET", "", "/", "x", "y", HTTP_CALL_URI},
        {"GET", "host", "/a b", "x", "y", HTTP_CALL_URI},
        {"GET", "host", "/\r\nx: y", "x", "y", HTTP_CALL_URI},
        {"G T", "host", "/", "x", "y", HTTP_CALL_METHOD},
        {"CONNECT", "host", "/", "x", "y", HTTP_CALL_METHOD},
        {"GET", "host", "/", "x y", "y", HTTP_CALL_FIELDS},
        {"GET", "host", "/", "x", "y\r\nz: a", HTTP_CALL_FIELDS},
        {"GET", "host", "/", "content-length", "-1", HTTP_CALL_FIELDS},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_call_config config = config_of(rows[i].method, rows[i].host, rows[i].path);
        struct http_field field = {slice(rows[i].name), slice(rows[i].value)};
        struct http_call *call;
        config.fields = &field;
        config.fields_count = 1;
        if (http_call_new(client, &config, &call) != rows[i].error) fail_msg("row %zu", i);
    }
}

/* ---- where it may go, and when it is given up ---- */

static void test_addresses(void **state)
{
    static const char *const hosts[] = {"127.0.0.1",        "localhost",       "a.localhost", "::1",
                                        "::ffff:127.0.0.1", "169.254.169.254", "0.0.0.0"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(hosts); i++) {
        struct http_call_config config = config_of("GET", hosts[i], "/");
        config.private_allowed = false;
        uint64_t connections = http_client_connections(client);
        struct http_call *call = begin(&config);
        assert_int_equal(finish(call).error, HTTP_CALL_ADDRESS_PROHIBITED);
        assert_int_equal(http_client_connections(client), connections);
        http_call_end(call);
    }
}

/* A connection that others may use is not one for those who may not. */
static void test_kept_connections(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    uint64_t before = http_client_connections(client);
    (void)state;
    for (int i = 0; i < 3; i++) assert_int_equal(get(answer, false).error, HTTP_CALL_OK);
    assert_int_equal(http_client_connections(client), before + 1);
    struct http_call_config config = config_of("GET", "127.0.0.1", "/");
    config.private_allowed = false;
    struct http_call *call = begin(&config);
    assert_int_equal(finish(call).error, HTTP_CALL_ADDRESS_PROHIBITED);
    http_call_end(call);
}

static void test_given_up_at_every_stage(void **state)
{
    size_t took;
    (void)state;
    origin.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
    origin.read_body = false;
    origin.close_after = false;
    for (int turns = 0; turns < 12; turns++) {
        struct http_call_config config =
            config_of("POST", turns % 3 ? "127.0.0.1" : "silent.example", "/");
        struct http_call *call = begin(&config);
        if (turns % 2) assert_int_equal(http_call_write(call, "body", 4, &took), ST_OK);
        for (int i = 0; i < turns; i++) turn();
        if (turns % 4 == 3) http_call_cut(call);
        http_call_end(call);
    }
    assert_int_equal(get("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true).error, HTTP_CALL_OK);
}

static void test_timeouts(void **state)
{
    struct http_call_config config = config_of("GET", "127.0.0.1", "/");
    (void)state;
    config.first_byte_ms = 50;
    config.between_bytes_ms = 50;
    origin.close_after = false;
    for (int i = 0; i < 2; i++) {
        origin.answer = i ? "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf" : "";
        struct http_call *call = begin(&config);
        assert_int_equal(http_call_finish(call, NULL, 0), ST_OK);
        struct result r = finish(call);
        assert_int_equal(r.error, HTTP_CALL_READ_TIMEOUT);
        assert_int_equal(r.status, i ? 200 : 0);
        http_call_end(call);
    }
    config = config_of("GET", "silent.example", "/");
    config.connect_ms = 50;
    struct http_call *call = begin(&config);
    enum http_call_error error = finish(call).error;
    assert_true(error == HTTP_CALL_DNS_TIMEOUT || error == HTTP_CALL_DNS_ERROR);
    http_call_end(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_fields_and_trailers),
        cmocka_unit_test(test_head_too_large),
        cmocka_unit_test(test_request_is_what_was_said),
        cmocka_unit_test(test_chunks_and_trailers),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_what_cannot_be_sent),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_kept_connections),
        cmocka_unit_test(test_given_up_at_every_stage),
        cmocka_unit_test(test_timeouts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
