/* The client: libcurl's multi interface on the loop, and what its transfers share. */
#include "http/client.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "client_internal.h"

#define NS_PER_MS UINT64_C(1000000)

/* ---- handles and buffers ---- */

CURL *client_take_handle(struct http_client *c)
{
    return c->handles_count ? c->handles[--c->handles_count] : request_handle_new();
}

/* Of a call that could have had trailers, curl_easy_reset() of 7.88 forgets too little: the next
 * body in chunks would be written past its buffer. */
void client_give_handle(struct http_client *c, const struct http_call *call)
{
    if (call->chunked || c->handles_count == CLIENT_HANDLES_KEPT) {
        curl_easy_cleanup(call->easy);
        return;
    }
    if (!call->is_plain) request_handle_reset(call->easy);
    c->handles[c->handles_count++] = call->easy;
}

struct http_call *client_take_call(struct http_client *c)
{
    struct http_call *call = c->calls_kept ? c->calls[--c->calls_kept] : malloc(sizeof *call);
    if (call) memset(call, 0, offsetof(struct http_call, received));
    return call;
}

void client_give_call(struct http_client *c, struct http_call *call)
{
    if (c->calls_kept == CLIENT_HANDLES_KEPT)
        free(call);
    else
        c->calls[c->calls_kept++] = call;
}

uint8_t *client_take_buffer(struct http_client *c)
{
    return c->buffers_count ? c->buffers[--c->buffers_count] : malloc(HTTP_CLIENT_BODY_BYTES);
}

void client_give_buffer(struct http_client *c, uint8_t *buffer)
{
    if (c->buffers_count == CLIENT_HANDLES_KEPT)
        free(buffer);
    else
        c->buffers[c->buffers_count++] = buffer;
}

/* ---- libcurl on the loop ---- */

struct client_socket {
    struct http_client *client;
    struct loop_watch watch;
};

static enum http_call_error connect_error(const struct http_call *call, CURL *easy)
{
    long number = 0;
    if (call->error) return call->error;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
    switch (number) {
    case ECONNREFUSED: return HTTP_CALL_REFUSED;
    case ETIMEDOUT: return HTTP_CALL_CONNECT_TIMEOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL: return HTTP_CALL_UNREACHABLE;
    default: return HTTP_CALL_UNAVAILABLE;
    }
}

/* A callback of ours that has stopped the transfer has noted why. */
static enum http_call_error error_of(const struct http_call *call, CURL *easy, CURLcode code)
{
    switch (code) {
    case CURLE_OK: return call->head_done ? HTTP_CALL_OK : HTTP_CALL_PROTOCOL;
    case CURLE_COULDNT_CONNECT: return connect_error(call, easy);
    case CURLE_COULDNT_RESOLVE_HOST: return HTTP_CALL_DNS_ERROR;
    case CURLE_OPERATION_TIMEDOUT:
        return call->phase <= CALL_CONNECTING ? HTTP_CALL_CONNECT_TIMEOUT : HTTP_CALL_READ_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR: return HTTP_CALL_TLS_PROTOCOL;
    case CURLE_PEER_FAILED_VERIFICATION: return HTTP_CALL_TLS_CERTIFICATE;
    case CURLE_PARTIAL_FILE: return HTTP_CALL_INCOMPLETE;
    case CURLE_SEND_FAIL_REWIND: /* a kept connection was closed as it was used again */
    case CURLE_GOT_NOTHING: return HTTP_CALL_TERMINATED;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return call->head_done ? HTTP_CALL_INCOMPLETE : HTTP_CALL_TERMINATED;
    case CURLE_BAD_CONTENT_ENCODING: return HTTP_CALL_CODING;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: return HTTP_CALL_PROTOCOL;
    default: return call->error ? call->error : HTTP_CALL_INTERNAL;
    }
}

static void end_those_over(struct http_client *c)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(c->multi, &left))) {
        struct http_call *call = NULL;
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&call);
        call_end(call, error_of(call, easy, code));
    }
}

static void act(struct http_client *c, curl_socket_t fd, int events)
{
    int running;
    curl_multi_socket_action(c->multi, fd, events, &running);
    end_those_over(c);
}

void client_drive(struct http_client *c)
{
    act(c, CURL_SOCKET_TIMEOUT, 0);
}

static void on_timer(void *context)
{
    client_drive(context);
}

/* The socket may be gone behind the call. */
static void on_ready(void *context, unsigned events)
{
    struct client_socket *s = context;
    int flags = 0;
    if (events & (LOOP_READ | LOOP_HALF_CLOSED)) flags |= CURL_CSELECT_IN;
    if (events & LOOP_WRITE) flags |= CURL_CSELECT_OUT;
    if (events & LOOP_BROKEN) flags |= CURL_CSELECT_ERR;
    act(s->client, s->watch.fd, flags);
}

static int on_timeout(UNUSED CURLM *multi, long ms, void *context)
{
    struct http_client *c = context;
    if (ms < 0)
        loop_timer_stop(c->loop, &c->timer);
    else
        loop_timer_start(c->loop, &c->timer, loop_now_ns(c->loop) + (uint64_t)ms * NS_PER_MS);
    return 0;
}

static int watch(struct http_client *c, struct client_socket *s, curl_socket_t fd, unsigned events)
{
    struct error err;
    if (s) return loop_watch_change(c->loop, &s->watch, events, &err) ? -1 : 0;
    s = calloc(1, sizeof *s);
    if (!s) return -1;
    s->client = c;
    if (loop_watch_add(c->loop, &s->watch, fd, events, on_ready, s, &err)) {
        free(s);
        return -1;
    }
    curl_multi_assign(c->multi, fd, s);
    return 0;
}

static int on_socket(UNUSED CURL *easy, curl_socket_t fd, int what, void *context,
                     void *socket_context)
{
    struct http_client *c = context;
    struct client_socket *s = socket_context;
    if (what != CURL_POLL_REMOVE) {
        unsigned events =
            (what & CURL_POLL_IN ? LOOP_READ : 0u) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0u);
        return watch(c, s, fd, events);
    }
    if (s) {
        curl_multi_assign(c->multi, fd, NULL);
        loop_watch_remove(c->loop, &s->watch);
        free(s);
    }
    return 0;
}

/* ---- life ---- */

/* Once, before there is a filter of system calls: certificates, and what OpenSSL configures. */
static enum status load_store(struct http_client *c, const char *file, struct error *err)
{
    if (!file) file = getenv("SSL_CERT_FILE");
    if (!file) file = "/etc/ssl/certs/ca-certificates.crt";
    c->store = X509_STORE_new();
    if (!c->store) return error_set(err, ST_NO_MEMORY, "out of memory");
    if (X509_STORE_load_file(c->store, file) == 1) return ST_OK;
    return error_set(err, ST_IO,
                     "%s: no certificates there to trust (ca-certificates is the package that "
                     "has them)",
                     file);
}

static enum status open_multi(struct http_client *c, struct error *err)
{
    c->multi = curl_multi_init();
    if (!c->multi) return error_set(err, ST_NO_MEMORY, "out of memory");
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)HTTP_CLIENT_CONNECTIONS_MAX);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CLIENT_IDLE_MAX);
    return ST_OK;
}

enum status http_client_new(struct loop *loop, const struct http_client_config *config,
                            struct http_client **ret, struct error *err)
{
    struct http_client *c = calloc(1, sizeof *c);
    if (!c) return error_set(err, ST_NO_MEMORY, "out of memory");
    c->loop = loop;
    loop_timer_init(&c->timer, on_timer, c);
    enum status st = ST_OK;
    if (curl_global_init(CURL_GLOBAL_ALL)) st = error_set(err, ST_NO_MEMORY, "libcurl");
    if (!st) st = load_store(c, config->ca_file, err);
    if (!st) st = dns_new(loop, config->resolver, &c->dns, err);
    if (!st) st = open_multi(c, err);
    if (st) {
        http_client_free(c);
        return st;
    }
    *ret = c;
    return ST_OK;
}

void http_client_free(struct http_client *c)
{
    if (!c) return;
    while (c->handles_count) curl_easy_cleanup(c->handles[--c->handles_count]);
    if (c->multi) curl_multi_cleanup(c->multi);
    loop_timer_stop(c->loop, &c->timer);
    while (c->buffers_count) free(c->buffers[--c->buffers_count]);
    while (c->calls_kept) free(c->calls[--c->calls_kept]);
    dns_free(c->dns);
    X509_STORE_free(c->store);
    free(c);
}

uint64_t http_client_connections(const struct http_client *c)
{
    return c->connections;
}
