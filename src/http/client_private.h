/* Inside the client: what its files share. */
#ifndef HTTP_CLIENT_PRIVATE_H
#define HTTP_CLIENT_PRIVATE_H

#include <ares.h>
#include <curl/curl.h>

#include "base/buffer.h"
#include "http/client.h"
#include "os/loop.h"

#define CLIENT_RESOLVER_SOCKETS_MAX 16u /* ares_fds of one channel */

enum call_state {
    CALL_RESOLVING,
    CALL_STARTING, /* addresses are known; begins at the end of the turn */
    CALL_RUNNING,
    CALL_DONE, /* curl is through with it */
};

/* Offsets into the head's bytes. */
struct call_field {
    uint32_t name, name_size, value, value_size;
};

struct call_fields {
    struct call_field list[HTTP_CLIENT_FIELDS_MAX];
    size_t count;
};

struct http_call {
    struct http_client *client;
    struct http_call *next, *previous; /* of the client */
    enum call_state state;
    bool ended;     /* by its owner: freed at the end of the turn */
    bool resolving; /* c-ares will call back */
    bool private_allowed, prohibited;
    bool is_https;
    uint16_t port;
    char host[HTTP_CLIENT_HOST_BYTES_MAX + 1];
    char method[HTTP_METHOD_BYTES_MAX + 1];
    char *path;
    CURL *easy;
    struct curl_slist *fields, *resolve, *trailers_out;
    struct loop_task task; /* steps outside of curl */
    struct loop_timer timer;
    uint32_t connect_ms, first_byte_ms, between_bytes_ms;
    void (*on_event)(void *context);
    void *context;

    /* the request's body */
    bool has_length, finished, cut, upload_paused;
    uint64_t length_left;
    struct buffer out;
    size_t out_at;

    /* the response */
    bool head_done, failed, body_done, body_paused;
    int status;
    enum http_call_error error;
    struct buffer head; /* lines, and behind them those of trailers */
    struct call_fields in, trailers_in;
    struct buffer body;
    size_t body_at;
};

struct resolver_socket {
    struct loop_watch watch; /* fd −1: free */
    struct http_client *client;
};

struct http_client {
    struct loop *loop;
    CURLM *multi;
    ares_channel resolver;
    void *trust; /* X509_STORE */
    struct http_call *calls;
    uint32_t calls_count;
    struct loop_timer curl_timer, resolver_timer;
    struct resolver_socket sockets[CLIENT_RESOLVER_SOCKETS_MAX];
    bool freeing;
};

/* ---- client_resolve.c ---- */

NODISCARD enum status resolver_open(struct http_client *c, struct error *err);
void resolver_close(struct http_client *c);

/* Calls call_resolved() or call_fail(), now or later. */
void resolver_ask(struct http_call *call);

/* ---- client_call.c ---- */

/* `addresses`: "+HOST:PORT:ADDRESS[,ADDRESS…]" as curl takes it, or NULL when the host is an
 * address. */
void call_resolved(struct http_call *call, const char *addresses);
void call_fail(struct http_call *call, enum http_call_error error);

/* Whatever it does; nobody has it. */
void call_free(struct http_call *call);

/* Curl is through. */
void call_done(struct http_call *call, CURLcode result);

/* What has come, or gone, gives more time, and its owner looks. */
void call_notify(struct http_call *call);

/* ---- client_options.c: what is asked of curl ---- */

NODISCARD bool call_configure(struct http_call *call);

#endif
