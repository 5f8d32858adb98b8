/* Requests of guests to other servers: wasi:http's view of the client's calls. */
#include "outbound.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/client.h"
#include "log.h"
#include "request.h"

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
    *ret_private = e->config.outbound.private_allowed;
    for (size_t i = 0; i < e->grants_count; i++) {
        const struct outbound_grant *g = &e->grants[i];
        if (!outbound_grant_fits(g, r->app->name, t->host.data, t->host.size, t->port,
                                 t->is_scheme_port))
            continue;
        granted = true;
        if (is_meant(g)) *ret_private = true;
    }
    return granted;
}

static void log_refused(struct request *r, const struct wasi_http_outgoing_head *head,
                        const struct target *t, const char *why)
{
    struct buffer *line = &r->edge->line;
    char grant[EDGE_GRANT_BYTES_MAX];
    bool is_v6 = memchr(t->host.data, ':', t->host.size);
    int size =
        snprintf(grant, sizeof grant, "--allow %s=%s%.*s%s", r->app->name, is_v6 ? "[" : "",
                 (int)(t->host.size < 255 ? t->host.size : 255), t->host.data, is_v6 ? "]" : "");
    if (!t->is_scheme_port)
        snprintf(grant + size, sizeof grant - (size_t)size, ":%u", (unsigned)t->port);
    log_begin(line, "denied", r->app->name, r->id);
    log_field_text(line, "outbound", why);
    log_field(line, "authority", head->authority.data, head->authority.size_bytes);
    if (!strcmp(why, "not-granted")) log_field_text(line, "grant", grant);
    log_end(line, &r->edge->log);
}

/* ---- calls ---- */

static struct http_slice slice_of(struct wasi_http_text text)
{
    return (struct http_slice){text.data, text.size_bytes};
}

static uint32_t ms_of(uint64_t ns)
{
    uint64_t ms = (ns + NS_PER_MS - 1) / NS_PER_MS;
    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

static void on_event(void *context)
{
    request_resume(context);
}

static bool call_send(void *context, const struct wasi_http_outgoing_head *head, void **ret_call,
                      enum wasi_http_error *ret_error)
{
    struct request *r = context;
    struct http_field fields[HTTP_RESPONSE_FIELDS_MAX];
    struct target target;
    struct error err;
    bool private_allowed;
    *ret_error = WASI_HTTP_REQUEST_URI_INVALID;
    if (!find_target(head, &target)) return false;
    *ret_error = WASI_HTTP_REQUEST_DENIED;
    if (!is_granted(r, &target, &private_allowed)) {
        log_refused(r, head, &target, "not-granted");
        return false;
    }
    *ret_error = WASI_HTTP_CONNECTION_LIMIT_REACHED;
    if (r->component.subrequests >= r->edge->config.limits.subrequests_max) {
        log_refused(r, head, &target, "too-many-subrequests");
        return false;
    }
    r->component.subrequests++;
    struct http_call_config config = {
        .method = slice_of(head->method),
        .path = slice_of(head->path_with_query),
        .host = target.host,
        .port = target.port,
        .is_https = target.is_https,
        .private_allowed = private_allowed,
        .fields = fields,
        .fields_count = request_fields_to_http(head->fields, head->fields_count, fields),
        .connect_ms = ms_of(head->connect_ns),
        .first_byte_ms = ms_of(head->first_byte_ns),
        .between_bytes_ms = ms_of(head->between_bytes_ns),
        .on_event = on_event,
        .context = r,
    };
    struct http_call *call;
    enum status st = http_call_new(r->edge->client, &config, &call, &err);
    if (st == ST_INVALID) *ret_error = WASI_HTTP_PROTOCOL_ERROR;
    if (st == ST_LIMIT) *ret_error = WASI_HTTP_CONNECTION_LIMIT_REACHED;
    if (!st) *ret_call = call;
    return st == ST_OK;
}

static enum wasi_http_error error_of(enum http_call_error error)
{
    switch (error) {
    case HTTP_CALL_DNS_TIMEOUT: return WASI_HTTP_DNS_TIMEOUT;
    case HTTP_CALL_DNS_ERROR: return WASI_HTTP_DNS_ERROR;
    case HTTP_CALL_ADDRESS_PROHIBITED: return WASI_HTTP_DESTINATION_IP_PROHIBITED;
    case HTTP_CALL_REFUSED: return WASI_HTTP_CONNECTION_REFUSED;
    case HTTP_CALL_UNREACHABLE: return WASI_HTTP_DESTINATION_IP_UNROUTABLE;
    case HTTP_CALL_CONNECT_TIMEOUT: return WASI_HTTP_CONNECTION_TIMEOUT;
    case HTTP_CALL_READ_TIMEOUT: return WASI_HTTP_CONNECTION_READ_TIMEOUT;
    case HTTP_CALL_TERMINATED: return WASI_HTTP_CONNECTION_TERMINATED;
    case HTTP_CALL_TLS_PROTOCOL: return WASI_HTTP_TLS_PROTOCOL_ERROR;
    case HTTP_CALL_TLS_CERTIFICATE: return WASI_HTTP_TLS_CERTIFICATE_ERROR;
    case HTTP_CALL_HEAD_TOO_LARGE: return WASI_HTTP_RESPONSE_HEADER_SECTION_SIZE;
    case HTTP_CALL_PROTOCOL: return WASI_HTTP_PROTOCOL_ERROR;
    case HTTP_CALL_INTERNAL: break;
    }
    return WASI_HTTP_INTERNAL_ERROR;
}

/* ---- streams ---- */

static enum status body_read(void *context, void *bytes, size_t size, size_t *ret)
{
    return http_call_read(context, bytes, size, ret);
}

static enum status body_write(void *context, const void *bytes, size_t size, size_t *ret)
{
    return http_call_write(context, bytes, size, ret);
}

static enum status body_ready(void *context, enum wasi_direction direction, uint64_t *ret)
{
    bool ready = direction == WASI_READ ? http_call_readable(context) : http_call_writable(context);
    *ret = 1;
    return ready ? ST_OK : ST_WOULD_BLOCK;
}

static struct wasi_stream body_of(void *call)
{
    static const struct wasi_stream_ops ops = {body_read, body_write, body_ready};
    return (struct wasi_stream){&ops, call, -1, WASI_FILETYPE_UNKNOWN};
}

static enum status finish(void *call, const struct wasi_http_field *trailers, size_t count)
{
    struct http_field fields[HTTP_RESPONSE_FIELDS_MAX];
    return http_call_finish(call, fields, request_fields_to_http(trailers, count, fields));
}

static void cut(void *call)
{
    http_call_cut(call);
}

static enum status response(void *call, int *ret_status, enum wasi_http_error *ret_error)
{
    enum http_call_error error;
    enum status st = http_call_head(call, ret_status, &error);
    if (st == ST_IO) *ret_error = error_of(error);
    return st;
}

static enum wasi_http_error failure(void *call)
{
    enum http_call_error error;
    int status;
    return http_call_head(call, &status, &error) == ST_IO ? error_of(error)
                                                          : WASI_HTTP_RESPONSE_INCOMPLETE;
}

static struct wasi_http_field field_of(struct http_field f)
{
    return (struct wasi_http_field){{f.name.data, f.name.size}, {f.value.data, f.value.size}};
}

static size_t fields_count(void *call)
{
    return http_call_field_count(call);
}

static struct wasi_http_field fields_get(void *call, size_t index)
{
    return field_of(http_call_field(call, index));
}

static size_t trailers_count(void *call)
{
    return http_call_trailer_count(call);
}

static struct wasi_http_field trailers_get(void *call, size_t index)
{
    return field_of(http_call_trailer(call, index));
}

static void end(void *call)
{
    http_call_end(call);
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
