/* What a handler may ask about a request. */
#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "server.h"
#include "text.h"

static const struct h1_head *head_of(const struct http_exchange *x)
{
    return &connection_of(x)->in->head;
}

static struct http_slice slice_of(const struct http_exchange *x, struct h1_span span)
{
    const struct http_connection *c = connection_of(x);
    return (struct http_slice){(const char *)c->in->bytes + c->in_base + span.offset, span.size};
}

void http_exchange_set_user(struct http_exchange *x, void *user)
{
    x->user = user;
}

void *http_exchange_user(const struct http_exchange *x)
{
    return x->user;
}

struct http_slice http_request_method(const struct http_exchange *x)
{
    return slice_of(x, head_of(x)->method);
}

struct http_slice http_request_path(const struct http_exchange *x)
{
    const struct h1_head *head = head_of(x);
    if (head->is_asterisk) return (struct http_slice){"*", 1};
    if (head->path.size == 0) return (struct http_slice){"/", 1};
    return slice_of(x, head->path);
}

bool http_request_query(const struct http_exchange *x, struct http_slice *ret)
{
    const struct h1_head *head = head_of(x);
    if (head->has_query) *ret = slice_of(x, head->query);
    return head->has_query;
}

struct http_slice http_request_host(const struct http_exchange *x)
{
    return slice_of(x, head_of(x)->host);
}

struct http_slice http_request_host_name(const struct http_exchange *x)
{
    const struct h1_head *head = head_of(x);
    return slice_of(x, (struct h1_span){head->host.offset, head->host_name_size});
}

int http_request_version_minor(const struct http_exchange *x)
{
    return head_of(x)->version_minor;
}

size_t http_request_field_count(const struct http_exchange *x)
{
    return head_of(x)->field_count;
}

struct http_field http_request_field(const struct http_exchange *x, size_t index)
{
    const struct h1_head *head = head_of(x);
    assert(index < head->field_count);
    const struct h1_field *f = &head->fields[index];
    return (struct http_field){slice_of(x, f->name), slice_of(x, f->value)};
}

bool http_request_find(const struct http_exchange *x, const char *name, struct http_slice *ret)
{
    const struct h1_head *head = head_of(x);
    const struct http_connection *c = connection_of(x);
    const uint8_t *bytes = c->in->bytes + c->in_base;
    size_t size = strlen(name);
    for (uint32_t i = 0; i < head->field_count; i++) {
        const struct h1_field *f = &head->fields[i];
        if (f->name.size != size) continue;
        size_t k = 0;
        while (k < size && text_lower(bytes[f->name.offset + k]) == text_lower((uint8_t)name[k]))
            k++;
        if (k < size) continue;
        *ret = slice_of(x, f->value);
        return true;
    }
    return false;
}

enum http_body http_request_body(const struct http_exchange *x, uint64_t *length_bytes)
{
    const struct h1_head *head = head_of(x);
    if (head->chunked) return HTTP_BODY_UNKNOWN;
    *length_bytes = head->content_length;
    return head->has_length ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
}

bool http_exchange_broken(const struct http_exchange *x, enum http_abort *ret_reason)
{
    if (x->failed) *ret_reason = x->reason;
    return x->failed;
}

int http_exchange_refusal(const struct http_exchange *x, const char **ret_rule)
{
    if (!x->rule || x->flushed) return 0;
    *ret_rule = h1_rule_name(x->rule);
    return h1_rule_status(x->rule);
}

const struct sockaddr *http_exchange_peer(const struct http_exchange *x)
{
    return &connection_of(x)->peer.any;
}

/* Asked with every request, the same for all of a connection. */
static void peer_text_fill(struct http_connection *c)
{
    const char *made = NULL;
    if (c->peer.any.sa_family == AF_INET) {
        made = inet_ntop(AF_INET, &c->peer.v4.sin_addr, c->peer_text, sizeof c->peer_text);
        c->peer_port = ntohs(c->peer.v4.sin_port);
    } else if (c->peer.any.sa_family == AF_INET6) {
        const struct in6_addr *a = &c->peer.v6.sin6_addr;
        bool v4 = IN6_IS_ADDR_V4MAPPED(a); /* an IPv4 client on a socket for both */
        const void *address = v4 ? &a->s6_addr[12] : (const void *)a;
        made = inet_ntop(v4 ? AF_INET : AF_INET6, address, c->peer_text, sizeof c->peer_text);
        c->peer_port = ntohs(c->peer.v6.sin6_port);
    }
    if (!made) memcpy(c->peer_text, "unix", sizeof "unix");
}

void http_exchange_peer_text(const struct http_exchange *x, char text[HTTP_PEER_TEXT_MAX],
                             uint16_t *port)
{
    struct http_connection *c = connection_of(x);
    if (!*c->peer_text) peer_text_fill(c);
    memcpy(text, c->peer_text, HTTP_PEER_TEXT_MAX);
    *port = c->peer_port;
}

const char *http_abort_name(enum http_abort reason)
{
    switch (reason) {
    case HTTP_ABORT_CLIENT: return "client-gone";
    case HTTP_ABORT_REQUEST: return "bad-request";
    case HTTP_ABORT_RESPONSE: return "bad-response";
    case HTTP_ABORT_SHUTDOWN: return "shutdown";
    case HTTP_ABORT_MEMORY: return "no-memory";
    }
    return "unknown";
}
