/* Real sockets on the loopback address: listening, sharing a port, making room, real resets. */
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"
#include "os/loop.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

struct world {
    struct loop *loop;
    struct http_server *server;
    uint16_t port;
    unsigned aborts;
    enum http_abort reason;
    bool hold; /* do not answer */
    struct http_exchange *held;
    char peer[HTTP_PEER_TEXT_MAX];
    uint16_t peer_port;
};

static void on_request(void *context, struct http_exchange *x)
{
    struct world *w = context;
    http_exchange_peer_text(x, w->peer, &w->peer_port);
    w->held = x;
    if (!w->hold) assert_int_equal(http_respond_text(x, 200, "ok"), ST_OK);
}

static void on_abort(void *context, struct http_exchange *x, enum http_abort reason)
{
    struct world *w = context;
    (void)x;
    w->aborts++;
    w->reason = reason;
}

static const struct http_handler handler = {.on_request = on_request, .on_abort = on_abort};

static void open_world(struct world *w, uint32_t connections_max)
{
    struct error err;
    struct http_config c;
    memset(w, 0, sizeof *w);
    http_config_init(&c);
    c.connections_max = connections_max;
    assert_int_equal(loop_new(clock_system(), &w->loop, &err), ST_OK);
    assert_int_equal(http_server_new(w->loop, &c, &handler, w, &w->server, &err), ST_OK);
    const struct http_listen l = {.host = "127.0.0.1"};
    if (http_server_listen(w->server, &l, &w->port, &err)) fail_msg("%s", err.text);
    assert_int_not_equal(w->port, 0);
}

static void close_world(struct world *w)
{
    http_server_free(w->server);
    loop_free(w->loop);
}

static void turns(struct world *w)
{
    struct error err;
    for (int i = 0; i < 20; i++) assert_int_equal(loop_turn(w->loop, 1000000, &err), ST_OK);
}

/* Connects if that does not take time; returns 0 or the error's number. */
static int knock(const struct world *w, int *fd)
{
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(w->port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(*fd, (struct sockaddr *)&a, sizeof a) == 0) return 0;
    const int number = errno;
    struct pollfd soon = {.fd = *fd, .events = POLLOUT};
    return number == EINPROGRESS && poll(&soon, 1, 20) == 1 && !(soon.revents & POLLERR) ? 0
                                                                                         : number;
}

static int dial(const struct world *w)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(w->port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static bool answered(int fd)
{
    char bytes[1000];
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    return got > 12 && memcmp(bytes, "HTTP/1.1 200", 12) == 0;
}

static void ask(int fd)
{
    assert_int_equal(send(fd, GET, strlen(GET), MSG_NOSIGNAL), strlen(GET));
}

static void test_accepts(void **state)
{
    struct world w;
    int fds[50];
    (void)state;
    open_world(&w, 100);
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) fds[i] = dial(&w);
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) ask(fds[i]);
    turns(&w);
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) assert_true(answered(fds[i]));
    assert_string_equal(w.peer, "127.0.0.1");
    assert_int_not_equal(w.peer_port, 0);
    assert_int_equal(http_server_counters(w.server)->connections_open, ARRAY_COUNT(fds));
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) close(fds[i]);
    turns(&w);
    assert_int_equal(http_server_counters(w.server)->connections_open, 0);
    close_world(&w);
}

/* At the limit a new connection takes an idle one's place; when all are busy it waits. */
static void test_full(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, 2);
    int idle = dial(&w);
    ask(idle);
    turns(&w);
    assert_true(answered(idle));
    w.hold = true;
    int busy[2] = {dial(&w), dial(&w)};
    ask(busy[0]);
    ask(busy[1]);
    turns(&w);
    const struct http_counters *n = http_server_counters(w.server);
    assert_int_equal(n->connections_evicted, 1);
    assert_int_equal(n->connections_open, 2);
    w.hold = false;
    int waiting = dial(&w);
    ask(waiting);
    turns(&w);
    assert_false(answered(waiting));
    assert_int_equal(n->connections_open, 2);
    close(busy[0]); /* half-closed only: its grace is a second; the reset of busy[1] is at once */
    const struct linger reset = {1, 0};
    setsockopt(busy[1], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(busy[1]);
    turns(&w);
    assert_true(answered(waiting));
    assert_int_equal(w.aborts, 1);
    assert_int_equal(w.reason, HTTP_ABORT_CLIENT);
    close(idle);
    close(waiting);
    close_world(&w);
}

/* The one busy connection becomes idle, and makes room for the one that waits. */
static void test_full_goes_on(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, 1);
    w.hold = true;
    int busy = dial(&w);
    ask(busy);
    turns(&w);
    int waiting = dial(&w);
    ask(waiting);
    turns(&w);
    assert_false(answered(waiting));
    w.hold = false;
    assert_int_equal(http_respond_text(w.held, 200, "ok"), ST_OK);
    turns(&w);
    assert_true(answered(busy));
    assert_true(answered(waiting));
    close(busy);
    close(waiting);
    close_world(&w);
}

/* Without descriptors accepting rests a while instead of spinning, then goes on by itself. */
static void test_no_descriptors(void **state)
{
    struct world w;
    struct rlimit before, none;
    struct error err;
    (void)state;
    open_world(&w, 10);
    int fd = dial(&w);
    ask(fd);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)fd; /* every lower number is in use */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turns(&w);
    const struct http_counters *n = http_server_counters(w.server);
    assert_int_equal(n->accept_failures, 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 2000 && n->requests == 0; i++)
        assert_int_equal(loop_turn(w.loop, 10000000, &err), ST_OK);
    assert_true(answered(fd));
    close(fd);
    close_world(&w);
}

static void test_port_in_use(void **state)
{
    struct world w;
    struct error err;
    (void)state;
    open_world(&w, 10);
    struct http_listen l = {.host = "localhost", .port = w.port};
    char want[128];
    assert_int_equal(http_server_listen(w.server, &l, NULL, &err), ST_EXISTS);
    snprintf(want, sizeof want,
             "cannot listen on localhost:%u: the port is in use by another process", w.port);
    assert_string_equal(err.text, want);
    l.host = "example.com";
    assert_int_equal(http_server_listen(w.server, &l, NULL, &err), ST_USAGE);
    l.host = "203.0.113.7";
    assert_int_equal(http_server_listen(w.server, &l, NULL, &err), ST_USAGE);
    close_world(&w);
}

static void test_shared_port(void **state)
{
    struct world w;
    struct error err;
    (void)state;
    open_world(&w, 10);
    struct http_listen l = {.host = "127.0.0.1", .reuse_port = true};
    uint16_t port, same;
    assert_int_equal(http_server_listen(w.server, &l, &port, &err), ST_OK);
    l.port = port;
    assert_int_equal(http_server_listen(w.server, &l, &same, &err), ST_OK);
    assert_int_equal(port, same);
    close_world(&w);
}

static void test_listeners_max(void **state)
{
    struct world w;
    struct error err;
    (void)state;
    open_world(&w, 10);
    const struct http_listen l = {.host = "127.0.0.1"};
    for (int i = 1; i < HTTP_LISTENERS_MAX; i++)
        assert_int_equal(http_server_listen(w.server, &l, NULL, &err), ST_OK);
    assert_int_equal(http_server_listen(w.server, &l, NULL, &err), ST_LIMIT);
    close_world(&w);
}

/* A refusal is read whole even though the client goes on sending. */
static void test_refusal_arrives(void **state)
{
    struct world w;
    static char garbage[100000];
    char bytes[1000];
    (void)state;
    open_world(&w, 10);
    int fd = dial(&w);
    assert_int_equal(send(fd, "GET /\r\n", 7, MSG_NOSIGNAL), 7);
    turns(&w);
    assert_true(send(fd, garbage, sizeof garbage, MSG_NOSIGNAL) > 0);
    turns(&w);
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    assert_true(got > 0);
    assert_memory_equal(bytes, "HTTP/1.1 400 Bad Request\r\n", 26);
    assert_int_equal(recv(fd, bytes, sizeof bytes, MSG_DONTWAIT), 0);
    close(fd);
    turns(&w);
    assert_int_equal(http_server_counters(w.server)->connections_open, 0);
    close_world(&w);
}

/* A connection that waits in the backlog when the server drains is still answered. */
static void on_drained(void *context)
{
    *(bool *)context = true;
}

static void turns_until(struct world *w, const bool *over)
{
    for (int i = 0; i < 100 && !*over; i++) turns(w);
    assert_true(*over);
}

static void test_drain_answers_the_backlog(void **state)
{
    struct world w;
    bool drained = false;
    (void)state;
    open_world(&w, 10);
    int fd = dial(&w);
    ask(fd);
    http_server_drain(w.server, 1000, on_drained, &drained);
    turns_until(&w, &drained);
    assert_true(answered(fd));
    close(fd);
    close_world(&w);
}

/* While a server drains, whose socket another process holds too, nobody new connects: not to be
 * reset when it closes. Who listens on that socket next lets them in. */
static void test_drain_closes_the_door(void **state)
{
    struct world w;
    struct error err;
    bool drained = false;
    (void)state;
    open_world(&w, 10);
    const struct http_listen listen = {.host = "127.0.0.1"};
    int kept, fd;
    assert_int_equal(http_listen_open(&listen, &kept, 1, &w.port, &err), ST_OK);
    assert_int_equal(http_server_listen_fd(w.server, dup(kept), &err), ST_OK);
    int early = dial(&w);
    http_server_drain(w.server, 1000, on_drained, &drained);
    assert_int_equal(knock(&w, &fd), EINPROGRESS);
    turns_until(&w, &drained);
    assert_int_equal(http_server_counters(w.server)->connections_accepted, 1);
    close(early);
    close(fd);
    uint16_t port = w.port;
    close_world(&w);

    open_world(&w, 10);
    w.port = port;
    assert_int_equal(http_server_listen_fd(w.server, kept, &err), ST_OK);
    assert_int_equal(knock(&w, &fd), 0);
    ask(fd);
    turns(&w);
    assert_true(answered(fd));
    close(fd);
    close_world(&w);
}

/* Beyond the backlog (Linux takes one more) the system lets clients wait, and try again. */
static void test_backlog(void **state)
{
    enum { BACKLOG = 4, CLIENTS = BACKLOG + 4 };
    const struct http_listen listen = {.host = "127.0.0.1", .backlog = BACKLOG};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct error err;
    uint16_t port;
    int server, clients[CLIENTS], connected = 0;
    (void)state;
    assert_int_equal(http_listen_open(&listen, &server, 1, &port, &err), ST_OK);
    to.sin_port = htons(port);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(clients[i] >= 0);
        int failed = connect(clients[i], (struct sockaddr *)&to, sizeof to);
        assert_true(!failed || errno == EINPROGRESS);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        struct sockaddr_in peer;
        socklen_t size = sizeof peer;
        connected += !getpeername(clients[i], (struct sockaddr *)&peer, &size);
        close(clients[i]);
    }
    assert_int_equal(connected, BACKLOG + 1);
    close(server);
}

static void test_listen_parse(void **state)
{
    static const struct {
        const char *text;
        const char *host; /* NULL: refused */
        uint16_t port;
    } cases[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080},
        {"[::1]:0", "::1", 0},
        {":80", "", 80},
        {"65535", "", 65535},
        {"localhost:1", "localhost", 1},
        {"", NULL, 0},
        {"localhost", NULL, 0},
        {"localhost:", NULL, 0},
        {"localhost:65536", NULL, 0},
        {"localhost:000080", NULL, 0},
        {"localhost:+1", NULL, 0},
        {"::1:80", NULL, 0},
        {"[::1:80", NULL, 0},
        {"a-host-name-longer-than-it-may-be:1", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct http_listen l;
        struct error err;
        char host[20];
        enum status st = http_listen_parse(cases[i].text, host, sizeof host, &l, &err);
        assert_int_equal(st, cases[i].host ? ST_OK : ST_USAGE);
        if (!cases[i].host) continue;
        assert_string_equal(l.host, cases[i].host);
        assert_int_equal(l.port, cases[i].port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_backlog),
        cmocka_unit_test(test_full_goes_on),
        cmocka_unit_test(test_no_descriptors),
        cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_shared_port),
        cmocka_unit_test(test_listeners_max),
        cmocka_unit_test(test_refusal_arrives),
        cmocka_unit_test(test_drain_answers_the_backlog),
        cmocka_unit_test(test_drain_closes_the_door),
        cmocka_unit_test(test_listen_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
