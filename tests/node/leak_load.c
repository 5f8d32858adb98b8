/* Load on a server that looks for what is left behind: requests of every outcome, and clients that
 * leave at every stage.
 *
 * Usage: leak_load PORT REQUESTS CONNECTIONS SEED
 *
 * Prints "NAME SENT ANSWERED" for each kind of request, and ends with 1 when an answer is not what
 * it should be. The guest is tests/edge/limit_guest.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define ANSWER_BYTES    65536
#define REQUEST_BYTES   (256u << 10)
#define LEAVE_MS_MAX    20
#define STUCK_MS        30000

/* When the client goes, with a reset unless it says otherwise. */
enum leave {
    NEVER,
    CONNECTED,   /* before a byte */
    IN_HEAD,     /* with half of it sent */
    IN_BODY,     /* with half of that sent */
    SENT,        /* at once behind the request */
    LATER,       /* a little later */
    IN_ANSWER,   /* with the first bytes of it */
    HALF_CLOSED, /* sends no more, but reads the answer */
};

struct kind {
    const char *name;
    unsigned weight; /* of 10,000 */
    const char *head;
    size_t body_bytes;        /* in chunks, if the head says so */
    int status, other_status; /* what a machine that is busy may give as well */
    enum leave leave;
    bool cut; /* the answer ends before its end */
    uint64_t sent, answered;
    char *bytes;
    size_t head_bytes, size;
};

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n"
#define CHUNKS     "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static struct kind kinds[] = {
    {.name = "ok", .weight = 7050, .head = GET("/sleep?0"), .status = 200},
    {.name = "ok-body", .weight = 500, .head = POST("/body"), .body_bytes = 3000, .status = 200},
    {.name = "ok-chunks", .weight = 300, .head = CHUNKS, .body_bytes = 3000, .status = 200},
    {.name = "ok-answer", .weight = 300, .head = GET("/answer?50000"), .status = 200},
    {.name = "ok-waits", .weight = 100, .head = GET("/sleep?2"), .status = 200},
    {.name = "ok-log", .weight = 50, .head = GET("/log?5000"), .status = 200},
    {.name = "ok-half-closed",
     .weight = 100,
     .head = GET("/sleep?0"),
     .status = 200,
     .leave = HALF_CLOSED},
    {.name = "trap", .weight = 150, .head = GET("/trap"), .status = 500},
    {.name = "trap-stack", .weight = 50, .head = GET("/recurse?10000000"), .status = 500},
    {.name = "trap-late", .weight = 50, .head = GET("/trap-late"), .status = 200, .cut = true},
    {.name = "memory-limit", .weight = 150, .head = GET("/grow?1000"), .status = 503},
    {.name = "cpu-limit",
     .weight = 10,
     .head = GET("/spin?100000"),
     .status = 503,
     .other_status = 504},
    {.name = "wall-limit", .weight = 3, .head = GET("/sleep?60000"), .status = 504},
    {.name = "bad-response", .weight = 100, .head = GET("/fields?201"), .status = 502},
    {.name = "bad-response-late",
     .weight = 20,
     .head = GET("/answer-late?300000"),
     .status = 200,
     .cut = true},
    {.name = "denied", .weight = 50, .head = POST("/body"), .body_bytes = 70000, .status = 413},
    {.name = "denied-chunks", .weight = 50, .head = CHUNKS, .body_bytes = 70000, .status = 413},
    {.name = "denied-head",
     .weight = 57,
     .head = "GET /sleep?0 HTTP/1.1\r\nHost : a\r\n\r\n",
     .status = 400},
    {.name = "left-connected", .weight = 100, .head = GET("/sleep?0"), .leave = CONNECTED},
    {.name = "left-in-head", .weight = 100, .head = GET("/sleep?0"), .leave = IN_HEAD},
    {.name = "left-in-body",
     .weight = 100,
     .head = POST("/body"),
     .body_bytes = 20000,
     .leave = IN_BODY},
    {.name = "left-in-chunks",
     .weight = 100,
     .head = CHUNKS,
     .body_bytes = 20000,
     .leave = IN_BODY},
    {.name = "left-sent", .weight = 200, .head = GET("/sleep?5"), .leave = SENT},
    {.name = "left-waiting", .weight = 200, .head = GET("/sleep?500"), .leave = LATER},
    {.name = "left-computing", .weight = 10, .head = GET("/spin?100000"), .leave = LATER},
    {.name = "left-in-answer", .weight = 200, .head = GET("/answer?200000"), .leave = IN_ANSWER},
};

#define KINDS (sizeof kinds / sizeof *kinds)

struct connection {
    int fd; /* -1: none */
    struct kind *kind;
    size_t sent, send_to; /* of the request's bytes */
    size_t got;           /* of the answer */
    bool fresh;           /* nothing was asked on it before */
    uint64_t since_ms, leave_ms;
    char answer[ANSWER_BYTES + 1];
};

static struct connection *connections;
static size_t connections_count;
static int epoll;
static struct sockaddr_in server = {.sin_family = AF_INET};
static uint64_t left, dice;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "leak_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

/* xorshift64* */
static uint64_t throw_dice(uint64_t sides)
{
    dice ^= dice >> 12;
    dice ^= dice << 25;
    dice ^= dice >> 27;
    return (dice * 0x2545f4914f6cdd1du >> 32) % sides;
}

static void build(struct kind *k)
{
    bool chunks = strstr(k->head, "chunked");
    k->bytes = malloc(REQUEST_BYTES);
    if (!k->bytes) die(k->name);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    k->size = (size_t)snprintf(k->bytes, REQUEST_BYTES, k->head, k->body_bytes);
#pragma GCC diagnostic pop
    k->head_bytes = k->size;
    if (chunks) k->size += (size_t)sprintf(k->bytes + k->size, "%zx\r\n", k->body_bytes);
    memset(k->bytes + k->size, 'b', k->body_bytes);
    k->size += k->body_bytes;
    if (chunks) k->size += (size_t)sprintf(k->bytes + k->size, "\r\n0\r\n\r\n");
}

static struct kind *choose(void)
{
    unsigned all = 0;
    for (size_t i = 0; i < KINDS; i++) all += kinds[i].weight;
    uint64_t at = throw_dice(all);
    size_t i = 0;
    while (at >= kinds[i].weight) at -= kinds[i++].weight;
    return &kinds[i];
}

/* ---- a connection's way ---- */

static void begin(struct connection *c);

static void leave(struct connection *c, bool reset)
{
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (reset) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(c->fd);
    c->fd = -1;
}

static void open_connection(struct connection *c)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) die("socket");
    c->fresh = true;
    while (connect(c->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
        if (errno != EADDRNOTAVAIL) die("connect");
        usleep(10000); /* all ports rest */
    }
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event)) die("epoll_ctl");
}

static void ask(struct connection *c)
{
    struct kind *k = c->kind;
    while (c->sent < c->send_to) {
        ssize_t n = send(c->fd, k->bytes + c->sent, c->send_to - c->sent, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
        if (n < 0) break; /* refused already: the answer is there */
        c->sent += (size_t)n;
    }
    if (c->sent < c->send_to && k->leave == NEVER) return;
    if (k->leave == HALF_CLOSED) shutdown(c->fd, SHUT_WR);
    if (k->leave == NEVER || k->leave == IN_ANSWER || k->leave == HALF_CLOSED) return;
    if (k->leave == LATER) {
        if (!c->leave_ms) c->leave_ms = now_ms() + throw_dice(LEAVE_MS_MAX);
        return;
    }
    leave(c, true);
    begin(c);
}

static void begin(struct connection *c)
{
    if (!left) {
        if (c->fd >= 0) leave(c, false);
        return;
    }
    left--;
    struct kind *k = c->kind = choose();
    k->sent++;
    c->sent = c->got = 0;
    c->leave_ms = 0;
    c->since_ms = now_ms();
    c->send_to = k->size;
    if (k->leave == CONNECTED) c->send_to = 0;
    if (k->leave == IN_HEAD) c->send_to = k->head_bytes / 2;
    if (k->leave == IN_BODY) c->send_to = (k->head_bytes + k->size) / 2;
    if (c->fd < 0)
        open_connection(c); /* the request leaves when it is connected */
    else
        ask(c);
}

/* ---- answers ---- */

static void wrong(const struct connection *c, const char *what)
{
    fprintf(stderr, "leak_load: %s: %s: %.400s\n", c->kind->name, what, c->answer);
    exit(1);
}

/* Whether the answer is whole; *ret_keep: the connection goes on. */
static bool is_whole(const struct connection *c, bool *ret_keep)
{
    const char *end = strstr(c->answer, "\r\n\r\n"), *field;
    if (!end) return false;
    field = strstr(c->answer, "Connection: close");
    *ret_keep = !field || field > end;
    field = strstr(c->answer, "Content-Length: ");
    size_t there = c->got - (size_t)(end + 4 - c->answer);
    if (field && field < end) return there >= strtoul(field + 16, NULL, 10);
    return c->got >= 5 && !memcmp(c->answer + c->got - 5, "0\r\n\r\n", 5);
}

static void check(struct connection *c)
{
    int status = c->got > 12 ? atoi(c->answer + 9) : 0;
    if (status != c->kind->status && status != c->kind->other_status)
        wrong(c, "not the status expected");
    c->kind->answered++;
}

static void ended(struct connection *c)
{
    struct kind *k = c->kind;
    bool keep;
    if (k->leave == NEVER && !c->got && !c->fresh) {
        /* It was closed between two requests, as it may be: ask again. */
        left++;
        k->sent--;
    } else if (k->leave == NEVER || k->leave == HALF_CLOSED) {
        if (!k->cut && !is_whole(c, &keep)) wrong(c, "cut");
        check(c);
    }
    leave(c, false);
    begin(c);
}

static void listen_to(struct connection *c)
{
    for (;;) {
        struct kind *k = c->kind;
        bool keep;
        /* Of a large answer only the head is looked at, and its end. */
        size_t room = ANSWER_BYTES - c->got;
        if (!room) room = ANSWER_BYTES / 2, c->got -= room;
        ssize_t n = recv(c->fd, c->answer + c->got, room, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            ended(c);
            return;
        }
        c->got += (size_t)n;
        c->answer[c->got] = '\0';
        if (k->leave == IN_ANSWER) {
            leave(c, true);
            begin(c);
            return;
        }
        if (k->leave == LATER || k->cut || !is_whole(c, &keep)) continue;
        check(c);
        if (!keep || k->leave == HALF_CLOSED || c->sent < c->send_to) leave(c, false);
        c->fresh = false;
        int fd = c->fd;
        begin(c);
        if (fd < 0 || c->fd != fd) return; /* else its end may be there, which is told once */
    }
}

static size_t look_around(void)
{
    uint64_t now = now_ms();
    size_t busy = 0;
    for (size_t i = 0; i < connections_count; i++) {
        struct connection *c = &connections[i];
        if (c->fd < 0) continue;
        busy++;
        if (c->leave_ms && now >= c->leave_ms) {
            leave(c, true);
            begin(c);
        } else if (now - c->since_ms > STUCK_MS) {
            wrong(c, "no answer");
        }
    }
    return busy;
}

int main(int argc, char **argv)
{
    if (argc != 5) return 2;
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    left = strtoull(argv[2], NULL, 10);
    connections_count = strtoul(argv[3], NULL, 10);
    dice = strtoull(argv[4], NULL, 10) * 2 + 1;
    if (!connections_count || connections_count > CONNECTIONS_MAX) return 2;
    connections = calloc(connections_count, sizeof *connections);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || epoll < 0) die("start");
    for (size_t i = 0; i < KINDS; i++) build(&kinds[i]);
    for (size_t i = 0; i < connections_count; i++) {
        connections[i].fd = -1;
        begin(&connections[i]);
    }
    while (look_around()) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll, events, 256, 2);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            int fd = c->fd;
            if (events[i].events & EPOLLOUT && c->fd >= 0) ask(c);
            if (c->fd == fd && fd >= 0 && events[i].events & ~(unsigned)EPOLLOUT) listen_to(c);
        }
    }
    for (size_t i = 0; i < KINDS; i++)
        printf("%s %llu %llu\n", kinds[i].name, (unsigned long long)kinds[i].sent,
               (unsigned long long)kinds[i].answered);
    return 0;
}
