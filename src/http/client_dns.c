#include "client_dns.h"

#define CARES_NO_DEPRECATED /* Debian 12 has what newer versions advise against, and no other */
#include <ares.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/select.h>

#include "os/loop.h"

#define DNS_TRY_MS     2000
#define DNS_TRIES      2
#define DNS_KEPT_S_MIN 1u
#define NS_PER_S       UINT64_C(1000000000)

/* A socket of c-ares'. */
struct dns_socket {
    struct dns_socket *next;
    struct dns *dns;
    struct loop_watch watch;
};

struct dns_name {
    struct dns_name *next; /* used most recently first */
    struct dns *dns;
    struct dns_waiter waiters; /* ring head */
    bool asking;
    uint64_t until_ns;
    struct dns_addresses addresses;
    char host[HTTP_CLIENT_HOST_BYTES_MAX + 1];
};

struct dns {
    struct loop *loop;
    ares_channel channel;
    bool has_channel;
    struct dns_socket *sockets;
    struct loop_timer timer;
    struct dns_name *names;
    size_t names_count;
    struct dns_host *hosts;
};

/* ---- c-ares on the loop ---- */

static void arm(struct dns *d)
{
    struct timeval buffer, *wait = ares_timeout(d->channel, NULL, &buffer);
    if (!wait) {
        loop_timer_stop(d->loop, &d->timer);
        return;
    }
    uint64_t ns = (uint64_t)wait->tv_sec * NS_PER_S + (uint64_t)wait->tv_usec * 1000u;
    loop_timer_start(d->loop, &d->timer, loop_refresh_now(d->loop) + ns);
}

static void on_timer(void *context)
{
    struct dns *d = context;
    ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm(d);
}

/* The socket, and `s`, may be gone behind the first call. */
static void on_ready(void *context, unsigned events)
{
    struct dns_socket *s = context;
    struct dns *d = s->dns;
    int fd = s->watch.fd;
    bool broken = events & LOOP_BROKEN;
    ares_process_fd(d->channel, broken || events & LOOP_READ ? fd : ARES_SOCKET_BAD,
                    broken || events & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
    arm(d);
}

static struct dns_socket **find_socket(struct dns *d, int fd)
{
    struct dns_socket **link = &d->sockets;
    while (*link && (*link)->watch.fd != fd) link = &(*link)->next;
    return link;
}

/* A socket that cannot be watched is one that never answers: its query times out. */
static void on_socket_state(void *context, int fd, int readable, int writable)
{
    struct dns *d = context;
    struct dns_socket **link = find_socket(d, fd), *s = *link;
    unsigned events = (readable ? LOOP_READ : 0u) | (writable ? LOOP_WRITE : 0u);
    struct error err;
    if (!events && s) {
        *link = s->next;
        loop_watch_remove(d->loop, &s->watch);
        free(s);
    } else if (events && s) {
        (void)!loop_watch_change(d->loop, &s->watch, events, &err);
    } else if (events) {
        s = calloc(1, sizeof *s);
        if (!s) return;
        s->dns = d;
        if (loop_watch_add(d->loop, &s->watch, fd, events, on_ready, s, &err)) {
            free(s);
            return;
        }
        s->next = d->sockets;
        d->sockets = s;
    }
}

/* ---- names ---- */

static struct dns_name **find_name(struct dns *d, const char *host)
{
    struct dns_name **link = &d->names;
    while (*link && strcmp((*link)->host, host) != 0) link = &(*link)->next;
    return link;
}

static void drop_oldest(struct dns *d)
{
    struct dns_name **oldest = NULL;
    for (struct dns_name **link = &d->names; *link; link = &(*link)->next)
        if (!(*link)->asking) oldest = link;
    if (!oldest) return;
    struct dns_name *name = *oldest;
    *oldest = name->next;
    free(name);
    d->names_count--;
}

static struct dns_name *use_name(struct dns *d, const char *host)
{
    struct dns_name **link = find_name(d, host), *name = *link;
    if (name) {
        *link = name->next;
    } else {
        if (d->names_count >= HTTP_CLIENT_NAMES_MAX) drop_oldest(d);
        name = d->names_count < HTTP_CLIENT_NAMES_MAX ? calloc(1, sizeof *name) : NULL;
        if (!name) return NULL;
        d->names_count++;
        name->dns = d;
        name->waiters.next = name->waiters.previous = &name->waiters;
        memcpy(name->host, host, strlen(host) + 1);
    }
    name->next = d->names;
    d->names = name;
    return name;
}

static void answer(struct dns_name *name, enum http_call_error error)
{
    name->asking = false;
    while (name->waiters.next != &name->waiters) {
        struct dns_waiter *w = name->waiters.next;
        dns_cancel(w);
        w->done(w, error, &name->addresses);
    }
}

static void keep(struct dns_name *name, const struct ares_addrinfo *info)
{
    uint64_t kept_s = HTTP_CLIENT_NAME_S_MAX;
    struct dns_addresses *to = &name->addresses;
    to->count = 0;
    for (const struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next) {
        if (n->ai_ttl >= 0 && (uint64_t)n->ai_ttl < kept_s) kept_s = (uint64_t)n->ai_ttl;
        if (to->count < HTTP_CLIENT_ADDRESSES_MAX &&
            client_address_of(n->ai_addr, &to->list[to->count]))
            to->count++;
    }
    if (kept_s < DNS_KEPT_S_MIN) kept_s = DNS_KEPT_S_MIN;
    name->until_ns = loop_refresh_now(name->dns->loop) + kept_s * NS_PER_S;
}

static void on_addresses(void *context, int status, UNUSED int timeouts, struct ares_addrinfo *info)
{
    struct dns_name *name = context;
    enum http_call_error error = HTTP_CALL_OK;
    if (status == ARES_SUCCESS)
        keep(name, info);
    else
        error = status == ARES_ETIMEOUT || status == ARES_ECANCELLED ? HTTP_CALL_DNS_TIMEOUT
                                                                     : HTTP_CALL_DNS_ERROR;
    if (info) ares_freeaddrinfo(info);
    if (!error && !name->addresses.count) error = HTTP_CALL_DNS_ERROR;
    if (error) name->until_ns = 0;
    answer(name, error);
}

/* ---- addresses ---- */

bool client_address_of(const struct sockaddr *from, struct client_address *ret)
{
    *ret = (struct client_address){.family = from->sa_family};
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        ret->v4 = in.sin_addr;
        return true;
    }
    if (from->sa_family != AF_INET6) return false;
    struct sockaddr_in6 in6;
    memcpy(&in6, from, sizeof in6);
    ret->v6 = in6.sin6_addr;
    return true;
}

bool client_address_parse(const char *text, struct client_address *ret)
{
    *ret = (struct client_address){0};
    if (inet_pton(AF_INET, text, &ret->v4) == 1)
        ret->family = AF_INET;
    else if (inet_pton(AF_INET6, text, &ret->v6) == 1)
        ret->family = AF_INET6;
    return ret->family != AF_UNSPEC;
}

void client_address_print(const struct client_address *address, char text[INET6_ADDRSTRLEN])
{
    const void *bytes = address->family == AF_INET ? (const void *)&address->v4 : &address->v6;
    if (!inet_ntop(address->family, bytes, text, INET6_ADDRSTRLEN)) text[0] = '\0';
}

bool client_address_is_public(const struct client_address *address)
{
    const struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = address->v4};
    const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = address->v6};
    return http_address_is_public(address->family == AF_INET ? (const void *)&v4
                                                             : (const void *)&v6);
}

/* ---- names that no server is asked for ---- */

static bool ends_in(const char *host, const char *end)
{
    size_t size = strlen(host), end_size = strlen(end);
    return size >= end_size && strcmp(host + size - end_size, end) == 0;
}

static bool find_local(const struct dns *d, const char *host, struct dns_addresses *ret)
{
    ret->count = 0;
    for (const struct dns_host *h = d->hosts; h && ret->count < HTTP_CLIENT_ADDRESSES_MAX;
         h = h->next)
        if (strcmp(h->name, host) == 0) ret->list[ret->count++] = h->address;
    if (ret->count || !(strcmp(host, "localhost") == 0 || ends_in(host, ".localhost")))
        return ret->count > 0;
    (void)client_address_parse("127.0.0.1", &ret->list[0]);
    (void)client_address_parse("::1", &ret->list[1]);
    ret->count = 2;
    return true;
}

static bool hosts_add(struct dns_host ***end, const char *name,
                      const struct client_address *address)
{
    size_t size = strlen(name);
    struct dns_host *h = size <= HTTP_CLIENT_HOST_BYTES_MAX ? malloc(sizeof *h + size + 1) : NULL;
    if (!h) return false;
    h->next = NULL;
    h->address = *address;
    for (size_t i = 0; i <= size; i++)
        h->name[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
    **end = h;
    *end = &h->next;
    return true;
}

struct dns_host *dns_hosts_read(const char *path)
{
    struct dns_host *first = NULL, **end = &first;
    char line[1024];
    FILE *file = fopen(path, "re");
    for (uint32_t i = 0; file && i < HTTP_CLIENT_HOSTS_MAX && fgets(line, sizeof line, file); i++) {
        struct client_address address;
        char *rest = line;
        line[strcspn(line, "#\n")] = '\0';
        const char *word = strtok_r(rest, " \t\r", &rest);
        if (!word || !client_address_parse(word, &address)) continue;
        while ((word = strtok_r(NULL, " \t\r", &rest)) && hosts_add(&end, word, &address)) continue;
    }
    if (file) fclose(file);
    return first;
}

/* ---- the door ---- */

bool dns_find(struct dns *d, const char *host, struct dns_waiter *w, struct dns_addresses *ret)
{
    if (find_local(d, host, ret)) return true;
    struct dns_name *name = use_name(d, host);
    if (!name) {
        w->done(w, HTTP_CALL_LIMIT, NULL);
        return false;
    }
    if (!name->asking && name->until_ns > loop_now_ns(d->loop)) {
        *ret = name->addresses;
        return true;
    }
    w->previous = name->waiters.previous;
    w->next = &name->waiters;
    w->previous->next = w->next->previous = w;
    if (name->asking) return false;
    name->asking = true;
    static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
                                                     .ai_flags = ARES_AI_NOSORT};
    ares_getaddrinfo(d->channel, host, NULL, &hints, on_addresses, name);
    arm(d);
    return false;
}

void dns_cancel(struct dns_waiter *w)
{
    if (!w->next) return;
    w->next->previous = w->previous;
    w->previous->next = w->next;
    w->next = w->previous = NULL;
}

static enum status open_channel(struct dns *d, const char *resolver, struct error *err)
{
    static char from_servers[] = "b"; /* files are read here, once */
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = DNS_TRY_MS,
        .tries = DNS_TRIES,
        .lookups = from_servers,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = d,
    };
    int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                ARES_OPT_SOCK_STATE_CB;
    int failed = ares_library_init(ARES_LIB_INIT_ALL);
    if (!failed) failed = ares_init_options(&d->channel, &options, given);
    if (failed) return error_set(err, ST_IO, "resolver: %s", ares_strerror(failed));
    d->has_channel = true;
    if (resolver && ares_set_servers_ports_csv(d->channel, resolver))
        return error_set(err, ST_USAGE, "%s: not ADDRESS or ADDRESS:PORT of a resolver", resolver);
    return ST_OK;
}

enum status dns_new(struct loop *loop, const char *resolver, struct dns **ret, struct error *err)
{
    struct dns *d = calloc(1, sizeof *d);
    if (!d) return error_set(err, ST_NO_MEMORY, "out of memory");
    d->loop = loop;
    loop_timer_init(&d->timer, on_timer, d);
    enum status st = open_channel(d, resolver, err);
    if (st) {
        dns_free(d);
        return st;
    }
    d->hosts = dns_hosts_read("/etc/hosts");
    *ret = d;
    return ST_OK;
}

void dns_free(struct dns *d)
{
    if (!d) return;
    if (d->has_channel) ares_destroy(d->channel);
    loop_timer_stop(d->loop, &d->timer);
    while (d->names) {
        struct dns_name *name = d->names;
        d->names = name->next;
        free(name);
    }
    while (d->hosts) {
        struct dns_host *h = d->hosts;
        d->hosts = h->next;
        free(h);
    }
    free(d);
}
