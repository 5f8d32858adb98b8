/* The client: curl's sockets and timer on the loop. */
#include "http/client.h"

#include <assert.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "client_private.h"

#define NS_PER_MS UINT64_C(1000000)

/* ---- curl on the loop ---- */

static void reap(struct http_client *c)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(c->multi, &left))) {
        char *call = NULL;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        call_done((struct http_call *)(void *)call, result);
    }
}

static void act(struct http_client *c, curl_socket_t fd, int events)
{
    int running;
    curl_multi_socket_action(c->multi, fd, events, &running);
    reap(c);
}

struct client_socket {
    struct loop_watch watch;
    struct http_client *client;
};

static void socket_ready(void *context, unsigned events)
{
    struct client_socket *s = context;
    int mask = 0;
    if (events & (LOOP_READ | LOOP_BROKEN | LOOP_HALF_CLOSED)) mask |= CURL_CSELECT_IN;
    if (events & LOOP_WRITE) mask |= CURL_CSELECT_OUT;
    if (events & LOOP_BROKEN) mask |= CURL_CSELECT_ERR;
    act(s->client, s->watch.fd, mask);
}

static unsigned events_of(int what)
{
    switch (what) {
    case CURL_POLL_IN: return LOOP_READ;
    case CURL_POLL_OUT: return LOOP_WRITE;
    case CURL_POLL_INOUT: return LOOP_READ | LOOP_WRITE;
    default: return 0;
    }
}

/* A socket that cannot be watched is found by curl's own time limits. */
static int on_socket(UNUSED CURL *easy, curl_socket_t fd, int what, void *context, void *socket)
{
    struct http_client *c = context;
    struct client_socket *s = socket;
    struct error err;
    if (what == CURL_POLL_REMOVE) {
        if (s) loop_watch_remove(c->loop, &s->watch);
        free(s);
        curl_multi_assign(c->multi, fd, NULL);
        return 0;
    }
    if (s) return loop_watch_change(c->loop, &s->watch, events_of(what), &err) ? -1 : 0;
    s = calloc(1, sizeof *s);
    if (!s) return -1;
    s->client = c;
    if (loop_watch_add(c->loop, &s->watch, fd, events_of(what), socket_ready, s, &err)) {
        free(s);
        return -1;
    }
    curl_multi_assign(c->multi, fd, s);
    return 0;
}

static void curl_timer_fired(void *context)
{
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(UNUSED CURLM *multi, long wait_ms, void *context)
{
    struct http_client *c = context;
    if (wait_ms < 0)
        loop_timer_stop(c->loop, &c->curl_timer);
    else
        loop_timer_start(c->loop, &c->curl_timer,
                         loop_now_ns(c->loop) + (uint64_t)wait_ms * NS_PER_MS);
    return 0;
}

/* ---- life ---- */

static enum status open_multi(struct http_client *c, struct error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return error_set(err, ST_IO, "libcurl does not start");
    c->multi = curl_multi_init();
    if (!c->multi) return error_set(err, ST_NO_MEMORY, "out of memory");
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)HTTP_CLIENT_CONNECTIONS_MAX);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CLIENT_CONNECTIONS_MAX / 4);
    return ST_OK;
}

/* Read once: later there are no files, and parsing them for each connection would take its time. */
static enum status open_trust(struct http_client *c, struct error *err)
{
    X509_STORE *store = X509_STORE_new();
    if (!store) return error_set(err, ST_NO_MEMORY, "out of memory");
    X509_STORE_set_default_paths(store);
    (void)!X509_STORE_load_file(store, "/etc/ssl/certs/ca-certificates.crt");
    c->trust = store;
    return ST_OK;
}

enum status http_client_new(struct loop *loop, struct http_client **ret, struct error *err)
{
    struct http_client *c = calloc(1, sizeof *c);
    if (!c) return error_set(err, ST_NO_MEMORY, "out of memory");
    c->loop = loop;
    loop_timer_init(&c->curl_timer, curl_timer_fired, c);
    enum status st = open_multi(c, err);
    if (!st) st = open_trust(c, err);
    if (!st) st = resolver_open(c, err);
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
    c->freeing = true;
    resolver_close(c);
    while (c->calls) { /* those whose end is still to be worked off */
        assert(c->calls->ended);
        call_free(c->calls);
    }
    if (c->multi) curl_multi_cleanup(c->multi);
    loop_timer_stop(c->loop, &c->curl_timer);
    X509_STORE_free(c->trust);
    free(c);
}
