#include "rig.h"

#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS_MAX 64

static uint64_t fake_monotonic(void *context)
{
    return ((struct rig *)context)->monotonic_ns;
}

static uint64_t fake_realtime(void *context)
{
    struct rig *r = context;
    r->realtime_reads++;
    return r->realtime_ns;
}

static void on_request(void *context, struct http_exchange *x)
{
    struct rig *r = context;
    r->requests++;
    r->exchange = x;
    if (r->on_request) {
        r->on_request(r, x);
        return;
    }
    buffer_clear(&r->body);
    if (rig_read_body(r, x)) rig_echo(r, x);
}

static void on_body_readable(void *context, struct http_exchange *x)
{
    struct rig *r = context;
    assert_ptr_equal(x, r->exchange);
    if (r->on_body_readable) {
        r->on_body_readable(r, x);
        return;
    }
    if (rig_read_body(r, x)) rig_echo(r, x);
}

static void on_writable(void *context, struct http_exchange *x)
{
    struct rig *r = context;
    assert_ptr_equal(x, r->exchange);
    assert_non_null(r->on_writable);
    r->on_writable(r, x);
}

static void on_abort(void *context, struct http_exchange *x, enum http_abort reason)
{
    struct rig *r = context;
    assert_ptr_equal(x, r->exchange);
    r->exchange = NULL;
    r->aborts++;
    r->abort_reason = reason;
}

static void on_refused(void *context, const struct sockaddr *peer, int status, const char *rule,
                       bool begun)
{
    struct rig *r = context;
    assert_int_equal(peer->sa_family, AF_UNIX);
    r->refusals++;
    r->refused_status = status;
    r->refused_begun = begun;
    snprintf(r->refused_rule, sizeof r->refused_rule, "%s", rule);
}

static const struct http_handler rig_handler = {
    .on_request = on_request,
    .on_body_readable = on_body_readable,
    .on_writable = on_writable,
    .on_abort = on_abort,
    .on_refused = on_refused,
};

bool rig_read_body(struct rig *r, struct http_exchange *x)
{
    for (;;) {
        char bytes[1000];
        size_t size;
        enum status st = http_exchange_read(x, bytes, sizeof bytes, &size);
        if (st != ST_OK) return false;
        if (size == 0) return true;
        assert_int_equal(buffer_append(&r->body, bytes, size), ST_OK);
    }
}

void rig_echo(struct rig *r, struct http_exchange *x)
{
    struct buffer b;
    buffer_init(&b, 1 << 20);
    struct http_slice method = http_request_method(x), path = http_request_path(x), query;
    struct http_slice host = http_request_host(x);
    buffer_append(&b, method.data, method.size);
    buffer_append(&b, " ", 1);
    buffer_append(&b, path.data, path.size);
    if (http_request_query(x, &query)) buffer_printf(&b, "?%.*s", (int)query.size, query.data);
    if (host.size != 1 || host.data[0] != 'a')
        buffer_printf(&b, " @%.*s", (int)host.size, host.data);
    if (r->body.size_bytes > 0)
        buffer_printf(&b, " [%.*s]", (int)r->body.size_bytes, (const char *)r->body.data);
    struct error err;
    size_t taken;
    assert_int_equal(http_respond_head(x, 200, NULL, 0, &err), ST_OK);
    assert_int_equal(http_respond_body(x, b.data, b.size_bytes, &taken), ST_OK);
    assert_int_equal(taken, b.size_bytes);
    assert_int_equal(http_respond_end(x), ST_OK);
    r->exchange = NULL;
    buffer_done(&b);
}

void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->client = -1;
    r->monotonic_ns = UINT64_C(5000000000);
    r->realtime_ns = UINT64_C(784111777) * 1000000000; /* the date in RFC 9110 §5.6.7 */
    r->clock = (struct clock){fake_monotonic, fake_realtime, r};
    buffer_init(&r->answer, 64 << 20);
    buffer_init(&r->body, 64 << 20);
    http_config_init(&r->config);
}

void rig_open(struct rig *r)
{
    struct error err;
    if (loop_new(&r->clock, &r->loop, &err)) fail_msg("%s", err.text);
    if (http_server_new(r->loop, &r->config, &rig_handler, r, &r->server, &err))
        fail_msg("%s", err.text);
}

void rig_close(struct rig *r)
{
    http_server_free(r->server);
    loop_free(r->loop);
    if (r->client >= 0) close(r->client);
    buffer_done(&r->answer);
    buffer_done(&r->body);
}

void rig_connect(struct rig *r)
{
    struct error err;
    int pair[2];
    if (r->client >= 0) close(r->client);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    r->client = pair[0];
    r->ended = r->reset = false;
    buffer_clear(&r->answer);
    r->requests = r->aborts = r->refusals = 0;
    if (http_server_adopt(r->server, pair[1], &err)) fail_msg("%s", err.text);
    rig_settle(r);
}

void rig_turn(struct rig *r)
{
    struct error err;
    if (loop_turn(r->loop, 0, &err)) fail_msg("%s", err.text);
}

/* True when something was read. */
static bool client_reads(struct rig *r)
{
    static char bytes[65536];
    bool any = false;
    while (!r->ended) {
        ssize_t got = recv(r->client, bytes, sizeof bytes, 0);
        if (got < 0 && errno == EAGAIN) break;
        r->reset = got < 0;
        r->ended = got <= 0;
        if (got > 0) assert_int_equal(buffer_append(&r->answer, bytes, (size_t)got), ST_OK);
        any = true;
    }
    return any;
}

void rig_settle(struct rig *r)
{
    int quiet = 0;
    for (int i = 0; i < TURNS_MAX && quiet < 3; i++) {
        rig_turn(r);
        quiet = r->client >= 0 && client_reads(r) ? 0 : quiet + 1;
    }
}

void rig_send(struct rig *r, const void *bytes, size_t size)
{
    ssize_t sent = send(r->client, bytes, size, MSG_NOSIGNAL);
    /* Once the server has closed, the rest of an attack goes nowhere. */
    if (sent < 0) assert_true(errno == EPIPE || errno == ECONNRESET);
    if (sent >= 0) assert_int_equal((size_t)sent, size);
    rig_settle(r);
}

void rig_send_text(struct rig *r, const char *text)
{
    rig_send(r, text, strlen(text));
}

void rig_finish_sending(struct rig *r)
{
    (void)shutdown(r->client, SHUT_WR);
    rig_settle(r);
}

void rig_pass_ms(struct rig *r, uint64_t ms)
{
    r->monotonic_ns += ms * 1000000;
    r->realtime_ns += ms * 1000000;
    rig_settle(r);
}

void rig_outcome(struct rig *r, char *text, size_t size)
{
    size_t used = 0;
    const char *at = (const char *)r->answer.data;
    size_t left = r->answer.size_bytes;
    text[0] = '\0';
    while (left > 0) {
        const char *end = memmem(at, left, "\r\n\r\n", 4);
        const char *length_at = end ? memmem(at, (size_t)(end - at), "Content-Length: ", 16) : NULL;
        bool has_100 = left >= 12 && memcmp(at, "HTTP/1.1 100", 12) == 0;
        if (left < 12 || memcmp(at, "HTTP/1.1 ", 9) != 0 || !end || (!length_at && !has_100)) {
            used += (size_t)snprintf(text + used, size - used, "??? ");
            break;
        }
        size_t head = (size_t)(end - at) + 4;
        size_t length = length_at ? strtoul(length_at + 16, NULL, 10) : 0;
        if (length > left - head) length = left - head;
        const char *body = at + head;
        size_t shown = length;
        const char *colon = at[9] == '2' ? NULL : memchr(body, ':', length);
        if (colon) shown = (size_t)(colon - body);
        used += (size_t)snprintf(text + used, size - used, "%s%.3s%s%.*s", used > 0 ? "| " : "",
                                 at + 9, shown > 0 ? " " : "", (int)shown, body);
        used += (size_t)snprintf(text + used, size - used, " ");
        at += head + length;
        left -= head + length;
    }
    snprintf(text + used, size - used, "%s", r->ended ? "." : "+");
}
