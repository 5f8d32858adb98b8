/* Names to addresses: c-ares on the loop, and which addresses may be connected to. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "client_private.h"

#define RESOLVE_TIMEOUT_MS 2000
#define RESOLVE_TRIES      3

/* ---- c-ares on the loop ---- */

static void timer_set(struct http_client *c)
{
    struct timeval wait, *left = ares_timeout(c->resolver, NULL, &wait);
    if (!left) {
        loop_timer_stop(c->loop, &c->resolver_timer);
        return;
    }
    uint64_t ns =
        (uint64_t)left->tv_sec * UINT64_C(1000000000) + (uint64_t)left->tv_usec * UINT64_C(1000);
    loop_timer_start(c->loop, &c->resolver_timer, loop_now_ns(c->loop) + ns);
}

static void on_ready(void *context, unsigned events)
{
    struct resolver_socket *s = context;
    struct http_client *c = s->client;
    ares_socket_t fd = s->watch.fd;
    bool reads = events & (LOOP_READ | LOOP_BROKEN | LOOP_HALF_CLOSED),
         writes = events & LOOP_WRITE;
    ares_process_fd(c->resolver, reads ? fd : ARES_SOCKET_BAD, writes ? fd : ARES_SOCKET_BAD);
    timer_set(c);
}

static void on_timeout(void *context)
{
    struct http_client *c = context;
    ares_process_fd(c->resolver, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    timer_set(c);
}

static struct resolver_socket *find_socket(struct http_client *c, int fd)
{
    for (size_t i = 0; i < CLIENT_RESOLVER_SOCKETS_MAX; i++)
        if (c->sockets[i].watch.fd == fd) return &c->sockets[i];
    return NULL;
}

/* A socket too many is not watched; what it was for times out. */
static void on_state(void *context, ares_socket_t fd, int reads, int writes)
{
    struct http_client *c = context;
    struct resolver_socket *s = find_socket(c, fd);
    struct error err;
    unsigned events = (reads ? LOOP_READ : 0u) | (writes ? LOOP_WRITE : 0u);
    if (s) loop_watch_remove(c->loop, &s->watch);
    if (!s) s = find_socket(c, -1);
    if (!s) return;
    s->watch.fd = -1;
    s->client = c;
    if (!events || c->freeing) return;
    if (loop_watch_add(c->loop, &s->watch, fd, events, on_ready, s, &err)) s->watch.fd = -1;
}

enum status resolver_open(struct http_client *c, struct error *err)
{
    char lookups[] = "b"; /* name servers only: no files later */
    struct ares_options options = {.timeout = RESOLVE_TIMEOUT_MS,
                                   .tries = RESOLVE_TRIES,
                                   .lookups = lookups,
                                   .sock_state_cb = on_state,
                                   .sock_state_cb_data = c};
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
    for (size_t i = 0; i < CLIENT_RESOLVER_SOCKETS_MAX; i++) c->sockets[i].watch.fd = -1;
    loop_timer_init(&c->resolver_timer, on_timeout, c);
    if (ares_library_init(ARES_LIB_INIT_ALL) || ares_init_options(&c->resolver, &options, mask))
        return error_set(err, ST_IO, "c-ares does not start");
    return ST_OK;
}

void resolver_close(struct http_client *c)
{
    if (c->resolver) ares_destroy(c->resolver);
    for (size_t i = 0; i < CLIENT_RESOLVER_SOCKETS_MAX; i++)
        if (c->sockets[i].client && c->sockets[i].watch.fd >= 0)
            loop_watch_remove(c->loop, &c->sockets[i].watch);
    loop_timer_stop(c->loop, &c->resolver_timer);
}

/* ---- answers ---- */

static enum http_call_error error_of(int status)
{
    return status == ARES_ETIMEOUT ? HTTP_CALL_DNS_TIMEOUT : HTTP_CALL_DNS_ERROR;
}

static bool address_print(const struct sockaddr *address, char text[INET6_ADDRSTRLEN])
{
    const void *bytes =
        address->sa_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
            : &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return inet_ntop(address->sa_family, bytes, text, INET6_ADDRSTRLEN);
}

/* Those that are not public are left out, so that a name cannot point inside. */
static void take_addresses(struct http_call *call, const struct ares_addrinfo *found)
{
    char line[HTTP_CLIENT_HOST_BYTES_MAX + 16 + HTTP_CLIENT_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 1)];
    int at = snprintf(line, sizeof line, "+%s:%u:", call->host, call->port);
    unsigned count = 0, prohibited = 0;
    for (const struct ares_addrinfo_node *n = found->nodes; n && count < HTTP_CLIENT_ADDRESSES_MAX;
         n = n->ai_next) {
        char text[INET6_ADDRSTRLEN];
        if (n->ai_family != AF_INET && n->ai_family != AF_INET6) continue;
        if (!call->private_allowed && !http_address_is_public(n->ai_addr)) {
            prohibited++;
            continue;
        }
        if (address_print(n->ai_addr, text))
            at += snprintf(line + at, sizeof line - (size_t)at, "%s%s", count++ ? "," : "", text);
    }
    if (count)
        call_resolved(call, line);
    else
        call_fail(call, prohibited ? HTTP_CALL_ADDRESS_PROHIBITED : HTTP_CALL_DNS_ERROR);
}

static void on_resolved(void *context, int status, UNUSED int timeouts, struct ares_addrinfo *found)
{
    struct http_call *call = context;
    call->resolving = false;
    if (status != ARES_SUCCESS)
        call_fail(call, error_of(status));
    else
        take_addresses(call, found);
    if (found) ares_freeaddrinfo(found);
}

/* This machine has that name without any server: RFC 6761 §6.3. */
static bool is_localhost(const char *host)
{
    size_t size = strlen(host);
    return !strcasecmp(host, "localhost") ||
           (size > 10 && !strcasecmp(host + size - 10, ".localhost"));
}

void resolver_ask(struct http_call *call)
{
    static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
                                                     .ai_flags = ARES_AI_NOSORT};
    uint8_t address[16];
    if (inet_pton(AF_INET, call->host, address) == 1 ||
        inet_pton(AF_INET6, call->host, address) == 1) {
        call_resolved(call, NULL); /* judged where the socket is opened */
        return;
    }
    if (is_localhost(call->host)) {
        char line[HTTP_CLIENT_HOST_BYTES_MAX + 32];
        snprintf(line, sizeof line, "+%s:%u:127.0.0.1", call->host, call->port);
        call_resolved(call, line);
        return;
    }
    call->resolving = true;
    ares_getaddrinfo(call->client->resolver, call->host, NULL, &hints, on_resolved, call);
    timer_set(call->client);
}
