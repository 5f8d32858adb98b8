/* The server: configuration, accepting, making room, draining, the date. */
#include "server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

/* How long accepting rests when the process has no descriptors or memory left. */
#define ACCEPT_REST_MS 100

/* How many idle connections are looked at for one that may go. */
#define EVICT_TRIES_MAX 16

void http_config_init(struct http_config *c)
{
    *c = (struct http_config){
        .head_bytes_max = 16384,
        .target_bytes_max = 8192,
        .fields_max = 100,
        .body_bytes_max = UINT64_C(4) << 30,
        .discard_bytes_max = 65536,
        .linger_bytes_max = 1 << 20,
        .connections_max = 10000,
        .requests_max = 1000000,
        .first_byte_ms = 10000,
        .head_ms = 10000,
        .body_grace_ms = 20000,
        .write_grace_ms = 30000,
        .idle_ms = 60000,
        .linger_ms = 2000,
        .half_close_ms = 1000,
        .body_rate = 500,
        .write_rate = 500,
    };
}

static enum status config_check(const struct http_config *c, struct error *err)
{
    if (c->head_bytes_max == 0 || c->head_bytes_max > HTTP_HEAD_BYTES_HARD_MAX)
        return error_set(err, ST_USAGE, "head_bytes_max is not within 1..%d",
                         HTTP_HEAD_BYTES_HARD_MAX);
    if (c->fields_max == 0 || c->fields_max > HTTP_FIELDS_HARD_MAX)
        return error_set(err, ST_USAGE, "fields_max is not within 1..%d", HTTP_FIELDS_HARD_MAX);
    const uint32_t positive[] = {
        c->target_bytes_max, c->connections_max, c->requests_max,   c->first_byte_ms,
        c->head_ms,          c->body_grace_ms,   c->write_grace_ms, c->idle_ms,
        c->linger_ms,        c->half_close_ms,   c->body_rate,      c->write_rate,
    };
    for (size_t i = 0; i < ARRAY_COUNT(positive); i++)
        if (positive[i] == 0) return error_set(err, ST_USAGE, "a limit of the HTTP server is 0");
    if (c->server_name && strpbrk(c->server_name, "\r\n"))
        return error_set(err, ST_USAGE, "server_name is not one line");
    return ST_OK;
}

static void door_closed(void *context);
static void drain_over(void *context);
static void drained_run(void *context);
static void release_run(void *context);
static void accept_resume(void *context);

enum status http_server_new(struct loop *loop, const struct http_config *config,
                            const struct http_handler *handler, void *context,
                            struct http_server **ret, struct error *err)
{
    assert(loop && config && handler && handler->on_request && handler->on_abort && ret);
    enum status st = config_check(config, err);
    if (st) return st;
    struct http_server *s = calloc(1, sizeof *s);
    if (!s) return error_set(err, ST_NO_MEMORY, "HTTP server");
    s->loop = loop;
    s->config = *config;
    s->handler = handler;
    s->context = context;
    s->limits = (struct h1_limits){
        .head_bytes_max = config->head_bytes_max,
        .target_bytes_max = config->target_bytes_max,
        .fields_max = config->fields_max,
        .body_bytes_max = config->body_bytes_max,
    };
    s->input_bytes = config->head_bytes_max + HTTP_BODY_BUFFER_BYTES;
    s->body_ns_per_byte = NS_PER_S / config->body_rate;
    s->write_ns_per_byte = NS_PER_S / config->write_rate;
    links_init(&s->all);
    links_init(&s->idle);
    links_init(&s->held);
    loop_timer_init(&s->accept_timer, accept_resume, s);
    loop_timer_init(&s->door_timer, door_closed, s);
    loop_timer_init(&s->drain_timer, drain_over, s);
    loop_task_init(&s->drained_task, drained_run, s);
    loop_task_init(&s->release_task, release_run, s);
    *ret = s;
    return ST_OK;
}

static void release_run(void *context)
{
    connection_release_held(context);
}

static struct http_connection *connection_in_all(struct connection_links *l)
{
    void *start = (char *)l - offsetof(struct http_connection, all);
    return start;
}

static struct http_connection *connection_in_idle(struct connection_links *l)
{
    void *start = (char *)l - offsetof(struct http_connection, idle);
    return start;
}

static void close_listeners(struct http_server *s)
{
    for (uint32_t i = 0; i < s->listener_count; i++)
        loop_watch_close(s->loop, &s->listeners[i].watch);
    s->listener_count = 0;
}

void http_server_free(struct http_server *s)
{
    if (!s) return;
    close_listeners(s);
    s->draining = true;
    while (!links_empty(&s->all))
        connection_kill(connection_in_all(s->all.next), HTTP_ABORT_SHUTDOWN);
    loop_timer_stop(s->loop, &s->accept_timer);
    loop_timer_stop(s->loop, &s->door_timer);
    loop_timer_stop(s->loop, &s->drain_timer);
    loop_task_cancel(&s->drained_task);
    loop_task_cancel(&s->release_task);
    while (s->free_input) {
        struct input_block *b = s->free_input;
        s->free_input = b->next_free;
        free(b);
    }
    while (s->free_output) {
        struct output_block *b = s->free_output;
        s->free_output = b->next_free;
        free(b);
    }
    free(s);
}

const struct http_counters *http_server_counters(const struct http_server *s)
{
    return &s->counters;
}

/* ---- accepting ---- */

static void accept_watch(struct http_server *s, unsigned events)
{
    for (uint32_t i = 0; i < s->listener_count; i++)
        if (loop_watch_change(s->loop, &s->listeners[i].watch, events, NULL))
            s->counters.accept_failures++;
    s->accept_paused = events == 0;
}

static void accept_resume(void *context)
{
    struct http_server *s = context;
    if (s->accept_paused) accept_watch(s, LOOP_READ);
}

/* The longest idle connection that has nothing to say: no answer on its way out, and no request
 * that has arrived but was not read yet. NULL when none of the first few is. */
static struct http_connection *evictable(struct http_server *s)
{
    int tries = EVICT_TRIES_MAX;
    for (struct connection_links *l = s->idle.next; l != &s->idle && tries-- > 0; l = l->next) {
        struct http_connection *c = connection_in_idle(l);
        char byte;
        if (connection_pending(c) > 0) continue;
        if (recv(c->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) return c;
    }
    return NULL;
}

/* Whether one more connection may come; *victim is the one that must then go, or NULL. */
static bool has_room(struct http_server *s, struct http_connection **victim)
{
    *victim = NULL;
    if (s->counters.connections_open < s->config.connections_max) return true;
    *victim = evictable(s);
    return *victim != NULL;
}

static void evict(struct http_server *s, struct http_connection *victim)
{
    if (!victim) return;
    s->counters.connections_evicted++;
    connection_kill(victim, HTTP_ABORT_SHUTDOWN);
}

static void accept_failed(struct http_server *s, int number)
{
    /* The connection was gone before we came, or broke on the way: not ours to worry about. */
    if (number == ECONNABORTED || number == EPROTO || number == EPERM || number == EINTR) return;
    s->counters.accept_failures++;
    accept_watch(s, 0);
    loop_timer_start(s->loop, &s->accept_timer, server_now_ns(s) + MS_TO_NS(ACCEPT_REST_MS));
}

static void listener_ready(void *context, unsigned events)
{
    struct http_listener *l = context;
    struct http_server *s = l->server;
    (void)events;
    for (int i = 0; i < HTTP_ACCEPTS_PER_TURN_MAX && !s->accept_paused; i++) {
        struct http_connection *victim;
        if (!has_room(s, &victim)) {
            accept_watch(s, 0);
            return;
        }
        union {
            struct sockaddr any;
            struct sockaddr_in6 v6;
        } peer = {0};
        socklen_t size = sizeof peer;
        int fd = accept4(l->watch.fd, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK) accept_failed(s, errno);
            return;
        }
        evict(s, victim);
        if (connection_open(s, fd, &peer.any, NULL)) accept_failed(s, ENOMEM);
    }
}

enum status server_add_listener(struct http_server *s, int fd, struct error *err)
{
    if (s->listener_count == HTTP_LISTENERS_MAX) {
        close(fd);
        return error_set(err, ST_LIMIT, "more than %d listening sockets", HTTP_LISTENERS_MAX);
    }
    struct http_listener *l = &s->listeners[s->listener_count];
    l->server = s;
    enum status st = loop_watch_add(s->loop, &l->watch, fd, LOOP_READ, listener_ready, l, err);
    if (st) {
        close(fd);
        return st;
    }
    s->listener_count++;
    return ST_OK;
}

enum status http_server_adopt(struct http_server *s, int fd, struct error *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
    } peer = {0};
    socklen_t size = sizeof peer;
    struct http_connection *victim;
    if (s->draining || !has_room(s, &victim)) {
        close(fd);
        return error_set(err, ST_LIMIT, "no room for another connection");
    }
    if (getpeername(fd, &peer.any, &size) < 0) {
        int number = errno;
        close(fd);
        return error_set_errno(err, number, "getpeername");
    }
    evict(s, victim);
    return connection_open(s, fd, &peer.any, err);
}

static void check_drained(struct http_server *s)
{
    bool over = s->listener_count == 0 && links_empty(&s->all);
    if (over && s->drained) loop_defer(s->loop, &s->drained_task);
}

void server_connection_gone(struct http_server *s)
{
    if (s->draining) check_drained(s);
    server_room_made(s);
}

void server_room_made(struct http_server *s)
{
    if (s->accept_paused && !loop_timer_armed(&s->accept_timer)) accept_watch(s, LOOP_READ);
}

/* ---- draining ---- */

static void drain_over(void *context)
{
    struct http_server *s = context;
    close_listeners(s);
    while (!links_empty(&s->all))
        connection_kill(connection_in_all(s->all.next), HTTP_ABORT_SHUTDOWN);
    check_drained(s);
}

static void drained_run(void *context)
{
    struct http_server *s = context;
    loop_timer_stop(s->loop, &s->door_timer);
    loop_timer_stop(s->loop, &s->drain_timer);
    void (*drained)(void *) = s->drained;
    s->drained = NULL;
    if (drained) drained(s->drained_context);
}

/* What the system has connected meanwhile is taken: it would be reset with the socket. */
static void door_closed(void *context)
{
    struct http_server *s = context;
    for (uint32_t i = 0; i < s->listener_count; i++) listener_ready(&s->listeners[i], LOOP_READ);
    close_listeners(s);
    check_drained(s);
}

void http_server_drain(struct http_server *s, uint32_t grace_ms, void (*drained)(void *context),
                       void *context)
{
    assert(!s->draining && drained);
    s->draining = true;
    s->drained = drained;
    s->drained_context = context;
    for (uint32_t i = 0; i < s->listener_count; i++) listener_close_door(s->listeners[i].watch.fd);
    loop_timer_start(s->loop, &s->door_timer, server_now_ns(s) + MS_TO_NS(HTTP_DRAIN_DOOR_MS));
    loop_timer_start(s->loop, &s->drain_timer, server_now_ns(s) + MS_TO_NS(grace_ms));
    for (struct connection_links *l = s->all.next; l != &s->all; l = l->next)
        connection_drain(connection_in_all(l));
    check_drained(s);
}

/* ---- the date ---- */

struct http_slice server_date_line(struct http_server *s)
{
    uint64_t now_ns = server_now_ns(s);
    if (s->date_size == 0 || now_ns >= s->date_until_ns) {
        uint64_t real_ns = clock_realtime_ns(loop_clock(s->loop));
        s->date_until_ns = now_ns + NS_PER_S - real_ns % NS_PER_S;
        time_t seconds = (time_t)(real_ns / NS_PER_S);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        int size =
            snprintf(s->date_line, sizeof s->date_line,
                     "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday], tm.tm_mday,
                     months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
        assert(size > 0 && (size_t)size < sizeof s->date_line);
        s->date_size = (uint32_t)size;
    }
    return (struct http_slice){s->date_line, s->date_size};
}
