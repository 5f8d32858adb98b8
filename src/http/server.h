/* The server's own fields, for the files of this module. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "connection.h"
#include "h1_response.h"

#define DATE_LINE_BYTES_MAX 48

struct http_listener {
    struct http_server *server;
    struct loop_watch watch;
};

struct http_server {
    struct loop *loop;
    struct http_config config;
    struct h1_limits limits;
    const struct http_handler *handler;
    void *context;
    struct http_counters counters;

    struct connection_links all;  /* ring heads */
    struct connection_links idle; /* the longest idle first */
    struct connection_links held; /* their bytes leave at the end of the turn */
    struct loop_task release_task;
    uint64_t held_since_ns;
    struct input_block *free_input;
    struct output_block *free_output;
    uint32_t free_input_count;
    uint32_t free_output_count;
    uint32_t input_bytes; /* of one block's bytes */
    uint64_t body_ns_per_byte;
    uint64_t write_ns_per_byte;

    struct http_listener listeners[HTTP_LISTENERS_MAX];
    uint32_t listener_count;
    bool accept_paused;
    struct loop_timer accept_timer; /* ends a pause for lack of descriptors */

    bool draining;
    struct loop_timer door_timer; /* while draining: ends listening */
    struct loop_timer drain_timer;
    struct loop_task drained_task;
    void (*drained)(void *context);
    void *drained_context;

    uint64_t date_until_ns; /* when date_line is stale */
    uint32_t date_size;
    char date_line[DATE_LINE_BYTES_MAX];
};

#define MS_TO_NS(ms) ((uint64_t)(ms) * UINT64_C(1000000))

static inline uint64_t server_now_ns(const struct http_server *s)
{
    return loop_now_ns(s->loop);
}

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", rendered anew once a second. */
struct http_slice server_date_line(struct http_server *s);

/* A connection has gone: accepting may go on, a drain may be over. */
void server_connection_gone(struct http_server *s);

/* A connection is idle: one that waits to be accepted may take its place. */
void server_room_made(struct http_server *s);

/* Watches a listening socket, which is taken in every case. */
NODISCARD enum status server_add_listener(struct http_server *s, int fd, struct error *err);

/* Nobody new may connect; whose handshake has begun is let in. The socket, which may be shared with
 * other processes, stays so until its door is opened. */
void listener_close_door(int fd);
void listener_open_door(int fd);

static inline void links_init(struct connection_links *l)
{
    l->next = l->previous = l;
}

static inline void links_append(struct connection_links *head, struct connection_links *l)
{
    l->previous = head->previous;
    l->next = head;
    head->previous->next = l;
    head->previous = l;
}

/* Legal on one that is in no list. */
static inline void links_remove(struct connection_links *l)
{
    l->previous->next = l->next;
    l->next->previous = l->previous;
    links_init(l);
}

static inline bool links_empty(const struct connection_links *l)
{
    return l->next == l;
}

#endif
