/* The steps of a connection's states, for connection.c. */
#ifndef HTTP_CONNECTION_STEPS_H
#define HTTP_CONNECTION_STEPS_H

#include "connection.h"

enum step {
    STEP_WAIT,  /* nothing more can be done now */
    STEP_AGAIN, /* something has changed */
    STEP_GONE,  /* the connection is freed */
};

/* Does the next thing, whatever the state. */
enum step connection_step(struct http_connection *c);

/* Waits for the first byte of a request from now on. */
void connection_become_idle(struct http_connection *c);

/* Answers with the one answer of the rule; the connection is closed behind it. */
enum step connection_refuse(struct http_connection *c, enum h1_rule rule);

/* The rest of a body is not worth reading: closes behind the answer. */
enum step connection_stop_discarding(struct http_connection *c);

/* Ends a response in the middle so that the client can tell: the length or the last chunk is
 * missing, and where only the connection's end tells, it ends with a reset. STEP_GONE. */
enum step connection_cut(struct http_connection *c);

/* STEP_GONE. The exchange must not be active. */
enum step connection_free(struct http_connection *c);

#endif
