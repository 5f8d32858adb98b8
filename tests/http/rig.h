/* A server on a loop with an injected clock, and one client at the other end of a socket pair. */
#ifndef TESTS_HTTP_RIG_H
#define TESTS_HTTP_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "http/http.h"
#include "os/loop.h"

#define RIG_ABORTS_MAX 8

struct rig {
    struct clock clock;
    uint64_t monotonic_ns;
    uint64_t realtime_ns;
    uint64_t realtime_reads;
    struct loop *loop;
    struct http_server *server;
    struct http_config config;
    int client;           /* the client's end, non-blocking */
    bool ended;           /* the client has read the end of the connection */
    bool reset;           /* … and it was a reset */
    struct buffer answer; /* all that the client has read */

    /* what the default handler saw */
    struct buffer body;
    unsigned requests;
    unsigned aborts;
    enum http_abort abort_reason;
    unsigned refusals;
    char refused_rule[64];
    int refused_status;
    bool refused_begun;

    /* a test's own handler; NULL is the default: read the whole body, then echo */
    void (*on_request)(struct rig *r, struct http_exchange *x);
    void (*on_body_readable)(struct rig *r, struct http_exchange *x);
    void (*on_writable)(struct rig *r, struct http_exchange *x);
    void *test; /* a test's own data */
    struct http_exchange *exchange;
};

/* Zeroed, with the defaults in r->config: change them before rig_open(). */
void rig_init(struct rig *r);
void rig_open(struct rig *r);
void rig_close(struct rig *r);

/* A new connection; the client of the last one is closed. */
void rig_connect(struct rig *r);

/* The client writes all of it (which must fit into the socket), then the loop turns. */
void rig_send(struct rig *r, const void *bytes, size_t size);
void rig_send_text(struct rig *r, const char *text);
void rig_finish_sending(struct rig *r);

/* The loop turns until nothing more happens, and the client reads all there is. */
void rig_settle(struct rig *r);

/* The loop turns; the client reads nothing. */
void rig_turn(struct rig *r);

/* Moves the clock, then settles. */
void rig_pass_ms(struct rig *r, uint64_t ms);

/* The answers so far, one word each and what it says: "200 GET / | 400 host-missing ." where "." is
 * a closed connection and "+" an open one. Answers must have a Content-Length. */
void rig_outcome(struct rig *r, char *text, size_t size);

/* The default answer: status 200, "METHOD PATH[?QUERY][ @HOST unless it is a][ [BODY]]". */
void rig_echo(struct rig *r, struct http_exchange *x);

/* Reads what there is of the body into r->body; true when it has ended. */
bool rig_read_body(struct rig *r, struct http_exchange *x);

#endif
