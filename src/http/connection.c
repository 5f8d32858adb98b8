/* Life of a connection: its beginning, what wakes it, and how long it may take. */
#include "connection_steps.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server.h"

struct http_connection *connection_of(const struct http_exchange *x)
{
    void *start = (char *)(uintptr_t)x - offsetof(struct http_connection, x);
    return start;
}

void connection_fail(struct http_connection *c, enum http_abort reason, enum h1_rule rule)
{
    if (c->x.failed) return;
    c->x.failed = true;
    c->x.reason = reason;
    c->x.rule = rule;
    connection_nudge(c);
}

void connection_nudge(struct http_connection *c)
{
    if (!c->running) loop_defer(c->server->loop, &c->task);
}

void connection_kill(struct http_connection *c, enum http_abort reason)
{
    if (c->x.active) {
        c->x.active = false;
        c->server->counters.aborts++;
        c->server->handler->on_abort(c->server->context, &c->x, reason);
        (void)connection_cut(c);
        return;
    }
    (void)connection_free(c);
}

void connection_drain(struct http_connection *c)
{
    if (c->state != CONNECTION_IDLE) return;
    if (c->requests == 0) {
        uint64_t last_ns = server_now_ns(c->server) + MS_TO_NS(HTTP_DRAIN_FIRST_MS);
        if (last_ns < c->state_deadline_ns) c->state_deadline_ns = last_ns;
        connection_arm(c);
        return;
    }
    c->readable = true;
    loop_defer(c->server->loop, &c->task);
}

/* ---- running ---- */

/* Answers of one turn leave together, at its end: while many requests are there, their guests run
 * one after the other in warm caches, and their clients are woken once. */
static void hold(struct http_connection *c)
{
    struct http_server *s = c->server;
    if (!links_empty(&c->held)) return;
    if (links_empty(&s->held)) {
        s->held_since_ns = clock_monotonic_ns(loop_clock(s->loop));
        loop_defer(s->loop, &s->release_task);
    }
    links_append(&s->held, &c->held);
}

/* Sends what the steps have left, now or at the end of the turn, and gives blocks back. */
static enum step connection_settle(struct http_connection *c, bool end_of_turn)
{
    struct http_server *s = c->server;
    bool was_pending = connection_pending(c) > 0;
    if (was_pending && !end_of_turn) {
        hold(c);
    } else if (connection_flush(c) == IO_BROKEN) {
        if (!c->x.active) return connection_free(c);
        return STEP_AGAIN;
    }
    if (was_pending && c->state == CONNECTION_IDLE) /* idle since the answer has left */
        c->state_deadline_ns = server_now_ns(s) + MS_TO_NS(s->config.idle_ms);
    if (c->out && connection_pending(c) == 0) connection_release_output(c);
    connection_arm(c);
    return STEP_WAIT;
}

/* STEP_AGAIN: from the next step on; STEP_WAIT: from what the steps have left. */
static void run(struct http_connection *c, enum step st, bool end_of_turn)
{
    const uint32_t before = c->requests;
    c->running = true;
    do {
        if (st == STEP_AGAIN) st = connection_step(c);
        if (st == STEP_AGAIN && c->state == CONNECTION_IDLE &&
            c->requests - before >= HTTP_REQUESTS_PER_TURN_MAX) {
            loop_defer_next(c->server->loop, &c->task);
            st = STEP_WAIT;
        }
        if (st == STEP_WAIT) st = connection_settle(c, end_of_turn);
    } while (st == STEP_AGAIN);
    if (st != STEP_GONE) c->running = false;
}

void connection_release_held(struct http_server *s)
{
    while (!links_empty(&s->held)) {
        void *start = (char *)s->held.next - offsetof(struct http_connection, held);
        struct http_connection *c = start;
        links_remove(&c->held);
        run(c, STEP_WAIT, true);
    }
}

/* Who computes for long does not keep the answers of others. */
static void release_late(struct http_server *s)
{
    if (links_empty(&s->held)) return;
    if (clock_monotonic_ns(loop_clock(s->loop)) - s->held_since_ns >= HTTP_HOLD_NS)
        connection_release_held(s);
}

void connection_run(struct http_connection *c)
{
    run(c, STEP_AGAIN, false);
}

static void connection_task(void *context)
{
    run(context, STEP_AGAIN, true);
}

static void connection_ready(void *context, unsigned events)
{
    struct http_connection *c = context;
    struct http_server *s = c->server;
    if (events & (LOOP_WRITE | LOOP_BROKEN)) c->writable = true;
    if (events & LOOP_HALF_CLOSED) c->half_closed = true;
    if (events & (LOOP_READ | LOOP_HALF_CLOSED | LOOP_BROKEN)) c->readable = true;
    /* A reset ends an exchange even when nobody reads; in other states the next read tells. */
    if ((events & LOOP_BROKEN) && c->state == CONNECTION_EXCHANGE) c->socket_broken = true;
    connection_run(c);
    release_late(s);
}

/* ---- time ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool half_close_counts(const struct http_connection *c)
{
    return c->state == CONNECTION_EXCHANGE && c->half_closed && c->x.body_done;
}

static uint64_t connection_deadline_ns(struct http_connection *c)
{
    struct http_server *s = c->server;
    uint64_t deadline_ns = rate_deadline_ns(&c->write_rate);
    switch (c->state) {
    case CONNECTION_IDLE:
        if (connection_pending(c) > 0) return deadline_ns;
        return c->state_deadline_ns;
    case CONNECTION_HEAD:
    case CONNECTION_LINGER: return earlier(deadline_ns, c->state_deadline_ns);
    case CONNECTION_EXCHANGE:
    case CONNECTION_DISCARD:
        if (!c->x.body_done) deadline_ns = earlier(deadline_ns, rate_deadline_ns(&c->body_rate));
        if (!half_close_counts(c)) return deadline_ns;
        if (c->half_closed_deadline_ns == 0)
            c->half_closed_deadline_ns = server_now_ns(s) + MS_TO_NS(s->config.half_close_ms);
        return earlier(deadline_ns, c->half_closed_deadline_ns);
    default: return deadline_ns;
    }
}

void connection_arm(struct http_connection *c)
{
    uint64_t deadline_ns = connection_deadline_ns(c);
    if (deadline_ns == UINT64_MAX) return;
    if (!loop_timer_armed(&c->timer) || deadline_ns < c->timer.deadline_ns)
        loop_timer_start(c->server->loop, &c->timer, deadline_ns);
}

static void connection_expired(struct http_connection *c, uint64_t now_ns)
{
    if (rate_deadline_ns(&c->write_rate) <= now_ns) {
        if (c->x.active) {
            connection_fail(c, HTTP_ABORT_CLIENT, H1_RULE_NONE);
            connection_run(c);
            return;
        }
        c->x.framing = RESPONSE_CLOSE; /* it does not matter of which kind: reset */
        (void)connection_cut(c);
        return;
    }
    switch (c->state) {
    case CONNECTION_HEAD:
        (void)connection_refuse(c, H1_RULE_HEAD_TIMEOUT);
        connection_run(c);
        return;
    case CONNECTION_EXCHANGE:
        if (half_close_counts(c)) {
            connection_fail(c, HTTP_ABORT_CLIENT, H1_RULE_NONE);
        } else {
            connection_fail(c, HTTP_ABORT_REQUEST, H1_RULE_BODY_TIMEOUT);
        }
        connection_run(c);
        return;
    case CONNECTION_DISCARD:
        (void)connection_stop_discarding(c);
        connection_run(c);
        return;
    default: (void)connection_free(c); return;
    }
}

static void connection_timer(void *context)
{
    struct http_connection *c = context;
    uint64_t now_ns = server_now_ns(c->server);
    if (connection_deadline_ns(c) <= now_ns) {
        connection_expired(c, now_ns);
    } else {
        connection_arm(c);
    }
}

/* ---- the beginning ---- */

enum status connection_open(struct http_server *s, int fd, const struct sockaddr *peer,
                            struct error *err)
{
    struct http_connection *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return error_set(err, ST_NO_MEMORY, "connection");
    }
    c->server = s;
    c->writable = true;
    if (peer->sa_family == AF_INET) {
        memcpy(&c->peer.v4, peer, sizeof c->peer.v4);
    } else if (peer->sa_family == AF_INET6) {
        memcpy(&c->peer.v6, peer, sizeof c->peer.v6);
    } else {
        c->peer.any.sa_family = AF_UNIX;
    }
    links_init(&c->all);
    links_init(&c->idle);
    links_init(&c->held);
    loop_timer_init(&c->timer, connection_timer, c);
    loop_task_init(&c->task, connection_task, c);
    rate_fill(&c->write_rate, MS_TO_NS(s->config.write_grace_ms));
    enum status st = loop_watch_add(s->loop, &c->watch, fd,
                                    LOOP_READ | LOOP_WRITE | LOOP_HALF_CLOSED | LOOP_EDGE,
                                    connection_ready, c, err);
    if (st) {
        close(fd);
        free(c);
        return st;
    }
    links_append(&s->all, &c->all);
    s->counters.connections_open++;
    s->counters.connections_accepted++;
    connection_become_idle(c);
    connection_arm(c);
    if (s->draining) connection_drain(c);
    return ST_OK;
}
