/* Listening sockets: "HOST:PORT" to a bound socket, with errors that say what to do. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server.h"
#include "text.h"

#define PORT_DIGITS_MAX 5

/* How much unsent data the kernel reports as "no room": keeps slow readers' progress visible. */
#define NOTSENT_LOW_BYTES (128 * 1024)

static bool port_parse(const char *text, uint16_t *port)
{
    size_t size = strlen(text);
    unsigned value = 0;
    if (size == 0 || size > PORT_DIGITS_MAX) return false;
    for (size_t i = 0; i < size; i++) {
        if (!text_is((uint8_t)text[i], TEXT_DIGIT)) return false;
        value = value * 10 + ((uint8_t)text[i] - (unsigned)'0');
    }
    if (value > UINT16_MAX) return false;
    *port = (uint16_t)value;
    return true;
}

enum status http_listen_parse(const char *text, char *host, size_t host_bytes,
                              struct http_listen *ret, struct error *err)
{
    const char *colon = strrchr(text, ':');
    const char *port = colon ? colon + 1 : text;
    size_t size = colon ? (size_t)(colon - text) : 0;
    const char *start = text;
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        start++;
        size -= 2;
    } else if (memchr(text, ':', size)) {
        return error_set(err, ST_USAGE, "\"%s\": an IPv6 address stands in brackets: [::1]:8080",
                         text);
    }
    *ret = (struct http_listen){.host = host};
    if (!port_parse(port, &ret->port))
        return error_set(err, ST_USAGE, "\"%s\" is not HOST:PORT with a port of 0 to 65535", text);
    if (size >= host_bytes) return error_set(err, ST_USAGE, "\"%s\": the host is too long", text);
    memcpy(host, start, size);
    host[size] = '\0';
    return ST_OK;
}

struct listen_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a;
    socklen_t size;
};

static bool address_parse(const struct http_listen *listen, struct listen_address *ret)
{
    const char *host = listen->host && listen->host[0] ? listen->host : "0.0.0.0";
    if (strcmp(host, "localhost") == 0) host = "127.0.0.1";
    *ret = (struct listen_address){0};
    if (inet_pton(AF_INET, host, &ret->a.v4.sin_addr) == 1) {
        ret->a.v4.sin_family = AF_INET;
        ret->a.v4.sin_port = htons(listen->port);
        ret->size = sizeof ret->a.v4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &ret->a.v6.sin6_addr) != 1) return false;
    ret->a.v6.sin6_family = AF_INET6;
    ret->a.v6.sin6_port = htons(listen->port);
    ret->size = sizeof ret->a.v6;
    return true;
}

static enum status bind_failed(const struct http_listen *listen, int number, struct error *err)
{
    const char *host = listen->host && listen->host[0] ? listen->host : "*";
    if (number == EADDRINUSE)
        return error_set(err, ST_EXISTS,
                         "cannot listen on %s:%u: the port is in use by another process", host,
                         (unsigned)listen->port);
    if (number == EACCES)
        return error_set(err, ST_DENIED, "cannot listen on %s:%u: ports below 1024 need privileges",
                         host, (unsigned)listen->port);
    if (number == EADDRNOTAVAIL)
        return error_set(err, ST_USAGE, "cannot listen on %s:%u: this machine has no such address",
                         host, (unsigned)listen->port);
    return error_set_errno(err, number, "cannot listen on %s:%u", host, (unsigned)listen->port);
}

/* Options that accepted sockets inherit, so that no system call is spent on each of them. */
static void socket_options(int fd)
{
    const int on = 1, low = NOTSENT_LOW_BYTES;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof low);
}

static enum status bound_port_read(int fd, uint16_t *port, struct error *err)
{
    struct listen_address bound = {.size = sizeof bound.a};
    if (getsockname(fd, &bound.a.any, &bound.size) < 0)
        return error_set_errno(err, errno, "getsockname");
    *port = ntohs(bound.a.any.sa_family == AF_INET6 ? bound.a.v6.sin6_port : bound.a.v4.sin_port);
    return ST_OK;
}

/* Opens one listening socket. `shared`: among others of this process' user. A first socket that is
 * `alone` when it is bound fails where another process listens already; it is shared afterwards. */
static enum status open_listener(const struct http_listen *spec, bool shared, bool alone,
                                 int *ret_fd, struct error *err)
{
    struct listen_address address;
    const int on = 1;
    if (!address_parse(spec, &address))
        return error_set(err, ST_USAGE, "\"%s\" is not an IP address or localhost", spec->host);
    int fd = socket(address.a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return error_set_errno(err, errno, "socket");
    socket_options(fd);
    bool failed = shared && !alone && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0;
    failed = failed || bind(fd, &address.a.any, address.size) < 0;
    failed =
        failed || (shared && alone && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0);
    failed = failed || listen(fd, spec->backlog > 0 ? spec->backlog : HTTP_BACKLOG_DEFAULT) < 0;
    if (failed) {
        int number = errno;
        close(fd);
        return bind_failed(spec, number, err);
    }
    *ret_fd = fd;
    return ST_OK;
}

enum status http_listen_open(const struct http_listen *spec, int *ret_fds, size_t count,
                             uint16_t *bound_port, struct error *err)
{
    struct http_listen one = *spec;
    size_t opened = 0;
    enum status st = ST_OK;
    while (!st && opened < count) {
        st = open_listener(&one, count > 1, opened == 0, &ret_fds[opened], err);
        if (!st) st = bound_port_read(ret_fds[opened++], &one.port, err);
    }
    while (st && opened > 0) close(ret_fds[--opened]);
    if (!st && bound_port) *bound_port = one.port;
    return st;
}

/* A filter of segments (socket(7), SO_ATTACH_FILTER): one that would begin a connection is dropped,
 * so that its client tries again, in about a second; all others pass. */
void listener_close_door(int fd)
{
    enum { FLAGS_AT = 13, SYN = 0x02, ACK = 0x10 }; /* RFC 9293 §3.1 */
    static struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN | ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    const struct sock_fprog program = {.len = ARRAY_COUNT(steps), .filter = steps};
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void listener_open_door(int fd)
{
    const int ignored = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
}

enum status http_server_listen_fd(struct http_server *s, int take_fd, struct error *err)
{
    listener_open_door(take_fd);
    return server_add_listener(s, take_fd, err);
}

enum status http_server_listen(struct http_server *s, const struct http_listen *spec,
                               uint16_t *bound_port, struct error *err)
{
    int fd;
    uint16_t port = 0;
    enum status st = open_listener(spec, spec->reuse_port, false, &fd, err);
    if (st) return st;
    st = bound_port_read(fd, &port, err);
    if (st) {
        close(fd);
        return st;
    }
    if (bound_port) *bound_port = port;
    return server_add_listener(s, fd, err);
}
