/* Requests of guests to other servers: wasi:http's view of the client's calls. */
#include "outbound.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/client.h"
#include "log.h"
#include "request.h"
#include "runtime/runtime.h"

#define NS_PER_MS UINT64_C(1000000)

/* ---- what is asked for ---- */

struct target {
    struct http_slice host; /* an IPv6 address without its brackets */
    uint16_t port;
    bool is_https, is_scheme_port;
};

static bool text_is(struct wasi_http_text text, const char *word)
{
    return text.size_bytes == strlen(word) && !memcmp(text.data, word, text.size_bytes);
}

/* The authority was checked when the guest set it. */
static bool find_target(const struct wasi_http_outgoing_head *head, struct target *ret)
{
    ret->is_https = text_is(head->scheme, "https");
    if (!ret->is_https && !text_is(head->scheme, "http")) return false;
    const char *text = head->authority.data, *end = text + head->authority.size_bytes;
    if (text == end) return false;
    const char *host_end = *text == '[' ? memchr(text, ']', (size_t)(end - text))
                                        : memchr(text, ':', (size_t)(end - text));
    const char *colon = *text == '[' && host_end ? host_end + 1 : host_end;
    if (*text == '[') text++;
    if (!host_end) host_end = colon = end;
    ret->host = (struct http_slice){text, (size_t)(host_end - text)};
    uint16_t scheme_port = ret->is_https ? 443 : 80;
    ret->port = scheme_port;
    if (colon < end) {
        uint32_t port = 0;
        for (const char *c = colon + 1; c < end; c++) port = port * 10 + (uint32_t)(*c - '0');
        ret->port = (uint16_t)port;
    }
    ret->is_scheme_port = ret->port == scheme_port;
    return ret->host.size > 0 && ret->port;
}

static bool is_meant(const struct outbound_grant *g)
{
    char text[64];
    uint8_t address[16];
    if (g->host_size == 9 && !strncasecmp(g->host, "localhost", 9)) return true;
    if (g->host_size >= sizeof text) return false;
    memcpy(text, g->host, g->host_size);
    text[g->host_size] = '\0';
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* The grant that fits; *ret_private: it names this machine or an address, so that is meant. */
static bool is_granted(const struct request *r, const struct target *t, bool *ret_private)
{
    const struct edge *e = r->edge;
    bool granted = false;
    *ret_private = false;
    for (size_t i = 0; i < e->grants_count; i++) {
        const struct outbound_grant *g = &e->grants[i];
        if (!outbound_grant_fits(g, r->app->name, t->host.data, t->host.size, t->port,
                                 t->is_scheme_port))
            continue;
        granted = true;
        if (g->is_private || is_meant(g)) *ret_private = true;
    }
    return granted;
}

/* One of a request's, from when it was sent until the guest has nothing of it any more. */
struct subrequest {
    struct request *request;
    struct subrequest *next, *previous; /* of the same request */
    struct http_call *call;             /* NULL: cut, because the request is over */
    bool is_scheme_port;
    bool told; /* the log knows that its addresses are prohibited */
};

/* "--allow app=host:port" */
static void print_grant(const struct request *r, const struct target *t, const char *option,
                        char text[EDGE_GRANT_BYTES_MAX])
{
    bool is_v6 = memchr(t->host.data, ':', t->host.size);
    int size = snprintf(text, EDGE_GRANT_BYTES_MAX, "%s %s=%s%.*s%s", option, r->app->name,
                        is_v6 ? "[" : "", (int)(t->host.size < 255 ? t->host.size : 255),
                        t->host.data, is_v6 ? "]" : "");
    if (!t->is_scheme_port)
        snprintf(text + size, EDGE_GRANT_BYTES_MAX - (size_t)size, ":%u", (unsigned)t->port);
}

/* `grant`: the option that would help; or NULL. */
static void log_refused(struct request *r, const char *why, struct http_slice authority,
                        const char *grant)
{
    struct buffer *line = &r->edge->line;
    log_begin(line, "denied", r->app->name, r->id);
    log_field_text(line, "outbound", why);
    if (authority.size) log_field(line, "authority", authority.data, authority.size);
    if (grant) log_field_text(line, "grant", grant);
    log_end(line, &r->edge->log);
}

/* ---- calls ---- */

static const enum wasi_http_error errors[HTTP_CALL_ERRORS] = {
    [HTTP_CALL_OK] = WASI_HTTP_INTERNAL_ERROR,
    [HTTP_CALL_LIMIT] = WASI_HTTP_CONNECTION_LIMIT_REACHED,
    [HTTP_CALL_METHOD] = WASI_HTTP_REQUEST_METHOD_INVALID,
    [HTTP_CALL_URI] = WASI_HTTP_REQUEST_URI_INVALID,
    [HTTP_CALL_FIELDS] = WASI_HTTP_REQUEST_HEADER_SIZE,
    [HTTP_CALL_BODY_SIZE] = WASI_HTTP_REQUEST_BODY_SIZE,
    [HTTP_CALL_DNS_TIMEOUT] = WASI_HTTP_DNS_TIMEOUT,
    [HTTP_CALL_DNS_ERROR] = WASI_HTTP_DNS_ERROR,
    [HTTP_CALL_ADDRESS_PROHIBITED] = WASI_HTTP_DESTINATION_IP_PROHIBITED,
    [HTTP_CALL_REFUSED] = WASI_HTTP_CONNECTION_REFUSED,
    [HTTP_CALL_UNREACHABLE] = WASI_HTTP_DESTINATION_IP_UNROUTABLE,
    [HTTP_CALL_UNAVAILABLE] = WASI_HTTP_DESTINATION_UNAVAILABLE,
    [HTTP_CALL_CONNECT_TIMEOUT] = WASI_HTTP_CONNECTION_TIMEOUT,
    [HTTP_CALL_READ_TIMEOUT] = WASI_HTTP_CONNECTION_READ_TIMEOUT,
    [HTTP_CALL_TERMINATED] = WASI_HTTP_CONNECTION_TERMINATED,
    [HTTP_CALL_INCOMPLETE] = WASI_HTTP_RESPONSE_INCOMPLETE,
    [HTTP_CALL_TLS_PROTOCOL] = WASI_HTTP_TLS_PROTOCOL_ERROR,
    [HTTP_CALL_TLS_CERTIFICATE] = WASI_HTTP_TLS_CERTIFICATE_ERROR,
    [HTTP_CALL_HEAD_TOO_LARGE] = WASI_HTTP_RESPONSE_HEADER_SECTION_SIZE,
    [HTTP_CALL_TRAILER_TOO_LARGE] = WASI_HTTP_RESPONSE_TRAILER_SECTION_SIZE,
    [HTTP_CALL_CODING] = WASI_HTTP_RESPONSE_TRANSFER_CODING,
    [HTTP_CALL_PROTOCOL] = WASI_HTTP_PROTOCOL_ERROR,
    [HTTP_CALL_CUT] = WASI_HTTP_CONNECTION_TERMINATED,
    [HTTP_CALL_INTERNAL] = WASI_HTTP_INTERNAL_ERROR,
};

static struct http_slice slice_of(struct wasi_http_text text)
{
    return (struct http_slice){text.data, text.size_bytes};
}

static uint32_t ms_of(uint64_t ns)
{
    uint64_t ms = ns / NS_PER_MS + (ns % NS_PER_MS > 0);
    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* Only what the operator can do something about is for the log. */
static void on_event(void *context)
{
    struct subrequest *s = context;
    struct request *r = s->request;
    if (!s->told && http_call_failure(s->call) == HTTP_CALL_ADDRESS_PROHIBITED) {
        struct target target = {.is_scheme_port = s->is_scheme_port};
        char grant[EDGE_GRANT_BYTES_MAX];
        s->told = true;
        http_call_destination(s->call, &target.host, &target.port);
        print_grant(r, &target, "--allow-private", grant);
        log_refused(r, "address-prohibited", target.host, grant);
    }
    request_resume(r);
}

static enum http_call_error begin(struct subrequest *s, const struct wasi_http_outgoing_head *head,
                                  const struct target *target, bool private_allowed)
{
    struct http_field fields[HTTP_RESPONSE_FIELDS_MAX];
    struct http_call_config config = {
        .method = slice_of(head->method),
        .path = slice_of(head->path_with_query),
        .host = target->host,
        .port = target->port,
        .is_https = target->is_https,
        .private_allowed = private_allowed,
        .fields = fields,
        .fields_count = request_fields_to_http(head->fields, head->fields_count, fields),
        .connect_ms = ms_of(head->connect_ns),
        .first_byte_ms = ms_of(head->first_byte_ns),
        .between_bytes_ms = ms_of(head->between_bytes_ns),
        .on_event = on_event,
        .context = s,
    };
    /* From now on a library runs on the guest's stack, with frames of any size. */
    if (!instance_unseal(s->request->instance)) return HTTP_CALL_INTERNAL;
    return http_call_new(s->request->edge->client, &config, &s->call);
}

static struct subrequest *subrequest_new(struct request *r, const struct target *target)
{
    struct subrequest *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->request = r;
    s->is_scheme_port = target->is_scheme_port;
    return s;
}

static void link_subrequest(struct subrequest *s)
{
    struct request_component *c = &s->request->component;
    s->next = c->subrequests;
    if (s->next) s->next->previous = s;
    c->subrequests = s;
}

/* Whether the operator lets it; else it is logged and *ret_error says why. */
static bool is_permitted(struct request *r, const struct wasi_http_outgoing_head *head,
                         const struct target *target, bool *ret_private,
                         enum wasi_http_error *ret_error)
{
    char grant[EDGE_GRANT_BYTES_MAX];
    if (!is_granted(r, target, ret_private)) {
        *ret_error = WASI_HTTP_REQUEST_DENIED;
        print_grant(r, target, "--allow", grant);
        log_refused(r, "not-granted", slice_of(head->authority), grant);
        return false;
    }
    if (r->component.subrequests_count >= r->edge->config.limits.subrequests_max) {
        *ret_error = WASI_HTTP_CONNECTION_LIMIT_REACHED;
        log_refused(r, "too-many-subrequests", slice_of(head->authority), NULL);
        return false;
    }
    r->component.subrequests_count++;
    return true;
}

static bool call_send(void *context, const struct wasi_http_outgoing_head *head, void **ret_call,
                      enum wasi_http_error *ret_error)
{
    struct request *r = context;
    struct target target;
    bool private_allowed;
    *ret_error = WASI_HTTP_REQUEST_URI_INVALID;
    if (!find_target(head, &target)) return false;
    if (!is_permitted(r, head, &target, &private_allowed, ret_error)) return false;
    struct subrequest *s = subrequest_new(r, &target);
    enum http_call_error error = s ? begin(s, head, &target, private_allowed) : HTTP_CALL_INTERNAL;
    if (error) {
        *ret_error = errors[error];
        free(s);
        return false;
    }
    link_subrequest(s);
    *ret_call = s;
    return true;
}

static void end(void *call)
{
    struct subrequest *s = call;
    if (s->previous)
        s->previous->next = s->next;
    else
        s->request->component.subrequests = s->next;
    if (s->next) s->next->previous = s->previous;
    http_call_end(s->call);
    free(s);
}

void outbound_cut(struct request *r)
{
    for (struct subrequest *s = r->component.subrequests; s; s = s->next) {
        http_call_end(s->call);
        s->call = NULL;
    }
}

/* ---- streams ---- */

static struct http_call *call_of(void *call)
{
    return ((struct subrequest *)call)->call;
}

static enum status body_read(void *context, void *bytes, size_t size, size_t *ret)
{
    *ret = 0;
    return size ? http_call_read(call_of(context), bytes, size, ret) : ST_OK;
}

static enum status body_write(void *context, const void *bytes, size_t size, size_t *ret)
{
    return http_call_write(call_of(context), bytes, size, ret);
}

/* A failure is for reading to tell. */
static enum status body_ready(void *context, enum wasi_direction direction, uint64_t *ret)
{
    size_t size;
    enum status st = direction == WASI_READ ? http_call_readable(call_of(context), &size)
                                            : http_call_writable(call_of(context), &size);
    *ret = size;
    return st == ST_IO ? ST_CLOSED : st;
}

static struct wasi_stream body_of(void *call)
{
    static const struct wasi_stream_ops ops = {body_read, body_write, body_ready};
    return (struct wasi_stream){&ops, call, -1, WASI_FILETYPE_UNKNOWN};
}

static enum status finish(void *call, const struct wasi_http_field *trailers, size_t count)
{
    struct http_field fields[HTTP_RESPONSE_FIELDS_MAX];
    return http_call_finish(call_of(call), fields, request_fields_to_http(trailers, count, fields));
}

static void cut(void *call)
{
    if (call_of(call)) http_call_cut(call_of(call));
}

/* ---- the response ---- */

static enum status response(void *call, int *ret_status, enum wasi_http_error *ret_error)
{
    enum http_call_error error;
    enum status st = http_call_head(call_of(call), ret_status, &error);
    if (st == ST_IO) *ret_error = errors[error];
    return st;
}

static enum wasi_http_error failure(void *call)
{
    return errors[http_call_failure(call_of(call))];
}

static struct wasi_http_field field_of(struct http_field f)
{
    return (struct wasi_http_field){{f.name.data, f.name.size}, {f.value.data, f.value.size}};
}

static size_t fields_count(void *call)
{
    return http_call_field_count(call_of(call));
}

static struct wasi_http_field fields_get(void *call, size_t index)
{
    return field_of(http_call_field(call_of(call), index));
}

static size_t trailers_count(void *call)
{
    return http_call_trailer_count(call_of(call));
}

static struct wasi_http_field trailers_get(void *call, size_t index)
{
    return field_of(http_call_trailer(call_of(call), index));
}

enum status outbound_grant_request(struct request *r, struct error *err)
{
    static const struct wasi_http_client_ops ops = {
        .send = call_send,
        .request_body = body_of,
        .finish = finish,
        .cut = cut,
        .response = response,
        .response_body = body_of,
        .failure = failure,
        .fields = {fields_count, fields_get},
        .trailers = {trailers_count, trailers_get},
        .end = end,
    };
    struct wasi_http_client client = {&ops, r};
    return wasi_http_grant(r->component.wasi, &client, err);
}
