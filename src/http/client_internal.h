/* Inside the client: what its files share.
 *
 *   client.c           libcurl on the loop, connections, certificates
 *   client_dns.c       names
 *   address.c          which addresses are public
 *   client_request.c   what is sent
 *   client_response.c  what comes back
 *   client_call.c      a call's life, and its timers
 *
 * libcurl's callbacks only note and defer: nothing of a call is ended inside of them. */
#ifndef HTTP_CLIENT_INTERNAL_H
#define HTTP_CLIENT_INTERNAL_H

#include <curl/curl.h>
#include <openssl/ossl_typ.h>

#include "base/buffer.h"
#include "client_dns.h"
#include "os/loop.h"

#define CLIENT_HANDLES_KEPT 64u /* and as many buffers of bodies */

/* Bytes on their way, HTTP_CLIENT_BODY_BYTES of memory. */
struct call_buffer {
    uint8_t *data; /* NULL: nothing was ever here */
    size_t start, end;
};

struct http_client {
    struct loop *loop;
    struct dns *dns;
    X509_STORE *store;
    CURLM *multi;
    struct loop_timer timer;
    uint32_t calls_count;
    uint64_t connections;
    CURL *handles[CLIENT_HANDLES_KEPT]; /* as request_handle_reset() leaves them, nearly */
    struct http_call *calls[CLIENT_HANDLES_KEPT];
    uint8_t *buffers[CLIENT_HANDLES_KEPT];
    size_t handles_count, buffers_count, calls_kept;
};

/* Of a response: offsets into its text. */
struct call_field {
    uint32_t name_at, name_size, value_at, value_size;
};

enum call_phase {
    CALL_STARTING,
    CALL_CONNECTING, /* resolving included */
    CALL_SENDING,    /* until the head of the response is there */
    CALL_RECEIVING,
    CALL_ENDED,
};

struct http_call {
    struct http_client *client;
    void (*on_event)(void *context);
    void *context;
    struct loop_task start_task, change_task;
    struct loop_timer timer;
    uint64_t timeouts_ns[CALL_ENDED]; /* by phase */
    struct dns_waiter waiter;
    struct dns_addresses addresses;
    CURL *easy;
    struct curl_slist *fields, *resolve, *trailers;
    char *target;
    uint64_t length, written; /* of the body: that was said, that the caller gave */
    struct call_buffer out, in;
    struct buffer text; /* names and values of fields */
    enum call_phase phase;
    enum http_call_error error;
    int status;
    uint32_t received_count, head_count;
    struct client_address address; /* when the host is one */
    uint16_t port;
    bool is_https, is_head, private_allowed;
    bool is_plain; /* neither HEAD nor with a body: nothing is left behind in the handle */
    bool has_length, finished, chunked, send_paused, receive_paused, head_done;
    char host[HTTP_CLIENT_HOST_BYTES_MAX + 1]; /* in its usual form */
    char method[HTTP_METHOD_BYTES_MAX + 1];
    struct call_field received[HTTP_CLIENT_FIELDS_MAX]; /* last, so that it need not be zeroed */
};

/* ---- client.c ---- */

NODISCARD CURL *client_take_handle(struct http_client *c); /* NULL: no memory */
void client_give_handle(struct http_client *c, const struct http_call *call);
NODISCARD struct http_call *
client_take_call(struct http_client *c); /* zeroed, but for received[] */
void client_give_call(struct http_client *c, struct http_call *call);
NODISCARD uint8_t *client_take_buffer(struct http_client *c); /* NULL: no memory */
void client_give_buffer(struct http_client *c, uint8_t *buffer);

/* Has libcurl do what is due, and ends the calls that are over. */
void client_drive(struct http_client *c);

/* ---- client_request.c ---- */

/* Checks and keeps what is sent. */
NODISCARD enum http_call_error call_keep_request(struct http_call *call,
                                                 const struct http_call_config *request);

/* Whether a field may be sent in a trailer. */
bool call_trailer_allowed(struct http_slice name);
NODISCARD bool call_add_line(struct curl_slist **list, const struct http_field *field);

/* A handle with what holds for every call. */
NODISCARD CURL *request_handle_new(void);
void request_handle_reset(CURL *easy);

/* Tells libcurl all about the call. False: no memory. */
NODISCARD bool call_set_options(struct http_call *call);

/* ---- client_response.c ---- */

size_t call_on_header(char *line, size_t size, size_t count, void *context);
size_t call_on_body(char *bytes, size_t size, size_t count, void *context);

/* ---- client_call.c ---- */

void call_end(struct http_call *call, enum http_call_error error);
void call_wake(struct http_call *call);
void call_enter(struct http_call *call, enum call_phase phase);
void call_restart_timer(struct http_call *call); /* stopped while the caller holds things up */
bool call_may_reach(struct http_call *call, const struct client_address *address);

static inline size_t call_buffer_size(const struct call_buffer *b)
{
    return b->end - b->start;
}

size_t call_buffer_put(struct http_client *c, struct call_buffer *b, const void *bytes,
                       size_t size);
size_t call_buffer_get(struct call_buffer *b, void *bytes, size_t size);

#endif
