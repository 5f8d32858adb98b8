/* Many connections, a handler that does anything it may at any time, clients that send anything and
 * leave at any time, a clock that jumps: every exchange ends exactly once, and what a client reads
 * begins like HTTP. The seeds are fixed, and printed when one fails. */
#include "cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "hostile_cases.h"
#include "http/http.h"
#include "os/loop.h"

#define CLIENTS   6
#define LIVE_MAX  64
#define SEEDS     60
#define STEPS     1500
#define POOL_SIZE 70000

static const char *const good[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /x?y HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n",
};

struct client {
    int fd;
    bool fresh; /* nothing was read yet */
    const char *sending;
    size_t left;
};

struct chaos {
    uint32_t seed;
    uint64_t now_ns;
    struct loop *loop;
    struct http_server *server;
    struct http_exchange *live[LIVE_MAX];
    size_t live_count;
    size_t begun;
    size_t ended;
    struct client clients[CLIENTS];
};

static uint32_t dice(struct chaos *c, uint32_t sides)
{
    c->seed = c->seed * 1664525 + 1013904223;
    return (c->seed >> 8) % sides;
}

static uint64_t chaos_now(void *context)
{
    return ((struct chaos *)context)->now_ns;
}

static void forget(struct chaos *c, struct http_exchange *x)
{
    size_t i = 0;
    while (i < c->live_count && c->live[i] != x) i++;
    assert_true(i < c->live_count); /* each ends once */
    c->live[i] = c->live[--c->live_count];
    c->ended++;
}

static void respond_some(struct chaos *c, struct http_exchange *x)
{
    static char bytes[POOL_SIZE];
    struct error err;
    if (!http_exchange_responded(x)) {
        char digits[16];
        snprintf(digits, sizeof digits, "%u", dice(c, 3) * 5);
        const struct http_field fields[] = {{{"X", 1}, {"y", 1}},
                                            {{"Content-Length", 14}, {digits, strlen(digits)}}};
        int status = dice(c, 20) ? 200 : dice(c, 2) ? 304 : 99;
        enum status st = http_respond_head(x, status, fields, dice(c, 4) ? 1 : 2, &err);
        assert_true(st == ST_OK || st == ST_INVALID || st == ST_CLOSED);
        if (st) return;
    }
    size_t taken;
    size_t size = dice(c, 3) ? dice(c, 20) : dice(c, POOL_SIZE);
    enum status st = http_respond_body(x, bytes, size, &taken);
    assert_true(st == ST_OK || st == ST_INVALID || st == ST_CLOSED);
    assert_true(taken <= size);
}

/* Something that a handler may do; it may end the exchange. */
static void act(struct chaos *c, struct http_exchange *x)
{
    static char bytes[POOL_SIZE];
    size_t size;
    switch (dice(c, 8)) {
    case 0:
    case 1: {
        enum status st = http_exchange_read(x, bytes, 1 + dice(c, POOL_SIZE), &size);
        assert_true(st == ST_OK || st == ST_WOULD_BLOCK || st == ST_CLOSED);
        break;
    }
    case 2:
    case 3: respond_some(c, x); break;
    case 4: (void)!http_exchange_limit_body(x, dice(c, 100)); break;
    case 5:
        forget(c, x);
        if (dice(c, 4)) {
            http_respond_end(x);
        } else {
            http_exchange_abort(x);
        }
        break;
    case 6:
        if (http_exchange_responded(x)) break;
        forget(c, x);
        http_respond_text(x, 503, "busy\n");
        break;
    default: break;
    }
}

static void on_request(void *context, struct http_exchange *x)
{
    struct chaos *c = context;
    assert_true(c->live_count < LIVE_MAX);
    c->live[c->live_count++] = x;
    c->begun++;
    while (dice(c, 4) && c->live_count > 0 && c->live[c->live_count - 1] == x) act(c, x);
}

static void on_ready(void *context, struct http_exchange *x)
{
    struct chaos *c = context;
    size_t i = 0;
    while (i < c->live_count && c->live[i] != x) i++;
    assert_true(i < c->live_count); /* never for one that has ended */
    if (dice(c, 3)) act(c, x);
}

static void on_abort(void *context, struct http_exchange *x, enum http_abort reason)
{
    assert_string_not_equal(http_abort_name(reason), "unknown");
    forget(context, x);
}

static const struct http_handler handler = {
    .on_request = on_request,
    .on_body_readable = on_ready,
    .on_writable = on_ready,
    .on_abort = on_abort,
};

/* ---- clients ---- */

static void client_open(struct chaos *c, struct client *k)
{
    struct error err;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    *k = (struct client){.fd = pair[0], .fresh = true};
    if (http_server_adopt(c->server, pair[1], &err)) assert_int_equal(err.status, ST_LIMIT);
}

static void client_send(struct chaos *c, struct client *k)
{
    if (k->left == 0) {
        if (dice(c, 5)) {
            k->sending = good[dice(c, ARRAY_COUNT(good))];
            k->left = strlen(k->sending);
        } else {
            const struct hostile_case *h = &hostile_cases[dice(c, (uint32_t)hostile_case_count)];
            k->sending = h->input;
            k->left = h->size;
        }
    }
    size_t size = dice(c, 2) ? k->left : 1 + dice(c, 10);
    if (size > k->left) size = k->left;
    ssize_t sent = send(k->fd, k->sending, size, MSG_NOSIGNAL);
    if (sent < 0) return;
    k->sending += sent;
    k->left -= (size_t)sent;
}

static void client_read(struct chaos *c, struct client *k)
{
    static char bytes[POOL_SIZE];
    ssize_t got = recv(k->fd, bytes, 1 + dice(c, POOL_SIZE), 0);
    if (got > 0 && k->fresh) {
        assert_memory_equal(bytes, "HTTP/1.1 ", got < 9 ? (size_t)got : 9);
        k->fresh = false;
    }
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        close(k->fd);
        client_open(c, k);
    }
}

static void client_act(struct chaos *c, struct client *k)
{
    switch (dice(c, 12)) {
    case 0:
        close(k->fd);
        client_open(c, k);
        break;
    case 1: (void)shutdown(k->fd, SHUT_WR); break;
    case 2:
    case 3:
    case 4: client_read(c, k); break;
    default: client_send(c, k); break;
    }
}

static void run_seed(uint32_t seed)
{
    static struct chaos c;
    const struct clock clock = {chaos_now, chaos_now, &c};
    struct http_config config;
    struct error err;
    c = (struct chaos){.seed = seed, .now_ns = 1000000000};
    http_config_init(&config);
    config.connections_max = CLIENTS - 1;
    config.discard_bytes_max = 100;
    config.requests_max = 20;
    config.head_bytes_max = 400;
    assert_int_equal(loop_new(&clock, &c.loop, &err), ST_OK);
    assert_int_equal(http_server_new(c.loop, &config, &handler, &c, &c.server, &err), ST_OK);
    for (size_t i = 0; i < CLIENTS; i++) client_open(&c, &c.clients[i]);
    for (int step = 0; step < STEPS; step++) {
        client_act(&c, &c.clients[dice(&c, CLIENTS)]);
        if (c.live_count > 0 && dice(&c, 2)) act(&c, c.live[dice(&c, (uint32_t)c.live_count)]);
        if (dice(&c, 50) == 0) c.now_ns += UINT64_C(1000000) * dice(&c, 40000);
        if (dice(&c, 3)) assert_int_equal(loop_turn(c.loop, 0, &err), ST_OK);
    }
    http_server_free(c.server);
    assert_int_equal(c.live_count, 0);
    assert_int_equal(c.begun, c.ended);
    assert_true(c.begun > 10);
    loop_free(c.loop);
    for (size_t i = 0; i < CLIENTS; i++) close(c.clients[i].fd);
}

/* CHAOS_SEEDS=N runs more of them. */
static void test_chaos(void **state)
{
    const char *more = getenv("CHAOS_SEEDS");
    uint32_t seeds = more ? (uint32_t)strtoul(more, NULL, 10) : SEEDS;
    (void)state;
    for (uint32_t seed = 1; seed <= seeds; seed++) {
        if (seed % 10 == 1) print_message("from seed %u\n", seed);
        run_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chaos)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
