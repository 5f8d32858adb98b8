/* What a call sends: checked, kept, and told to libcurl. */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_internal.h"
#include "text.h"

#define NS_PER_MS UINT64_C(1000000)

/* ---- fields ---- */

static bool is_name(struct http_slice name, const char *lower)
{
    return name.size == strlen(lower) &&
           text_equals_lower((const uint8_t *)name.data, lower, name.size);
}

static bool is_one_of(struct http_slice name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_name(name, names[i])) return true;
    return false;
}

/* Of a connection, or of how a message stands on it, which is the client's business. */
static bool is_framing(struct http_slice name)
{
    static const char *const names[] = {
        "connection", "content-length",   "expect",  "host",    "http2-settings",    "keep-alive",
        "te",         "proxy-connection", "trailer", "upgrade", "transfer-encoding",
    };
    return is_one_of(name, names, ARRAY_COUNT(names));
}

bool call_trailer_allowed(struct http_slice name)
{
    static const char *const names[] = {
        "authorization", "cache-control", "content-encoding",    "content-range", "content-type",
        "cookie",        "max-forwards",  "proxy-authorization", "range",
    };
    return !is_framing(name) && !is_one_of(name, names, ARRAY_COUNT(names));
}

/* Whether a Connection field of the request names it. */
static bool is_of_connection(const struct http_call_config *r, struct http_slice name)
{
    for (size_t i = 0; i < r->fields_count; i++) {
        struct http_slice list = r->fields[i].value;
        if (!is_name(r->fields[i].name, "connection")) continue;
        for (size_t at = 0; at < list.size;) {
            size_t end = at, from = at;
            while (end < list.size && list.data[end] != ',') end++;
            at = end + 1;
            while (from < end && (list.data[from] == ' ' || list.data[from] == '\t')) from++;
            while (end > from && (list.data[end - 1] == ' ' || list.data[end - 1] == '\t')) end--;
            if (end - from != name.size || !name.size) continue;
            size_t same = 0;
            while (same < name.size && text_lower((uint8_t)list.data[from + same]) ==
                                           text_lower((uint8_t)name.data[same]))
                same++;
            if (same == name.size) return true;
        }
    }
    return false;
}

static bool is_field(const struct http_field *f)
{
    return f->name.size && text_all((const uint8_t *)f->name.data, f->name.size, TEXT_TOKEN) &&
           text_find_control((const uint8_t *)f->value.data, f->value.size) == f->value.size;
}

static bool add_text(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (longer) *list = longer;
    return longer;
}

/* "Name;" is how libcurl is told of a field without a value. */
bool call_add_line(struct curl_slist **list, const struct http_field *field)
{
    char small[512], *line = small;
    size_t size = field->name.size + field->value.size + 3;
    if (size > sizeof small) line = malloc(size);
    if (!line) return false;
    memcpy(line, field->name.data, field->name.size);
    char *at = line + field->name.size;
    *at++ = field->value.size ? ':' : ';';
    if (field->value.size) {
        *at++ = ' ';
        memcpy(at, field->value.data, field->value.size);
        at += field->value.size;
    }
    *at = '\0';
    bool added = add_text(list, line);
    if (line != small) free(line);
    return added;
}

static bool keep_length(struct http_call *call, struct http_slice value)
{
    uint64_t length = 0;
    if (!value.size || value.size > 18) return false;
    for (size_t i = 0; i < value.size; i++) {
        if (!text_is((uint8_t)value.data[i], TEXT_DIGIT)) return false;
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    if (call->has_length && call->length != length) return false;
    call->has_length = true;
    call->length = length;
    return true;
}

static enum http_call_error keep_fields(struct http_call *call, const struct http_call_config *r)
{
    /* Fields that libcurl would add by itself. */
    static const struct {
        const char *lower, *none;
    } own[] = {{"accept", "Accept:"}, {"expect", "Expect:"}};
    bool given[ARRAY_COUNT(own)] = {false};
    if (r->fields_count > HTTP_CLIENT_FIELDS_MAX) return HTTP_CALL_FIELDS;
    for (size_t i = 0; i < r->fields_count; i++) {
        const struct http_field *f = &r->fields[i];
        if (!is_field(f)) return HTTP_CALL_FIELDS;
        if (is_name(f->name, "content-length") && !keep_length(call, f->value))
            return HTTP_CALL_FIELDS;
        if (is_framing(f->name) || is_of_connection(r, f->name)) continue;
        for (size_t k = 0; k < ARRAY_COUNT(own); k++) given[k] |= is_name(f->name, own[k].lower);
        if (!call_add_line(&call->fields, f)) return HTTP_CALL_INTERNAL;
    }
    for (size_t k = 0; k < ARRAY_COUNT(own); k++)
        if (!given[k] && !add_text(&call->fields, own[k].none)) return HTTP_CALL_INTERNAL;
    return HTTP_CALL_OK;
}

/* ---- the request line ---- */

static enum http_call_error keep_target(struct http_call *call, struct http_slice target)
{
    if (!target.size || target.size > HTTP_CLIENT_TARGET_BYTES_MAX) return HTTP_CALL_URI;
    for (size_t i = 0; i < target.size; i++)
        if ((uint8_t)target.data[i] <= ' ' || (uint8_t)target.data[i] >= 0x7f) return HTTP_CALL_URI;
    bool slash = *target.data != '/' && !(target.size == 1 && *target.data == '*');
    call->target = malloc(target.size + 2);
    if (!call->target) return HTTP_CALL_INTERNAL;
    call->target[0] = '/';
    memcpy(call->target + slash, target.data, target.size);
    call->target[target.size + slash] = '\0';
    return HTTP_CALL_OK;
}

/* ---- the host ---- */

/* Of a name whose last label begins with a digit, programs do not agree on which address it is. */
static bool is_host_name(const char *host)
{
    const char *last = strrchr(host, '.');
    if (!*host || *host == '.' || strstr(host, "..")) return false;
    return !text_is((uint8_t)(last ? last[1] : host[0]), TEXT_DIGIT);
}

/* In lower case, an address as it is usually written: so that grants, names that are kept and
 * connections all mean the same. */
static bool keep_host(struct http_call *call, struct http_slice host)
{
    char usual[INET6_ADDRSTRLEN];
    bool has_colon = memchr(host.data, ':', host.size);
    if (!has_colon && host.size && host.data[host.size - 1] == '.') host.size--;
    if (!host.size || host.size > HTTP_CLIENT_HOST_BYTES_MAX) return false;
    for (size_t i = 0; i < host.size; i++) {
        uint8_t c = (uint8_t)host.data[i];
        if (!text_is(c, TEXT_HOST) && c != ':') return false;
        call->host[i] = (char)text_lower(c);
    }
    if (!client_address_parse(call->host, &call->address))
        return !has_colon && is_host_name(call->host);
    client_address_print(&call->address, usual);
    memcpy(call->host, usual, strlen(usual) + 1);
    return true;
}

enum http_call_error call_keep_request(struct http_call *call,
                                       const struct http_call_config *request)
{
    struct http_slice method = request->method;
    if (!keep_host(call, request->host) || !request->port) return HTTP_CALL_URI;
    call->port = request->port;
    call->is_https = request->is_https;
    call->private_allowed = request->private_allowed;
    if (!method.size || method.size > HTTP_METHOD_BYTES_MAX ||
        !text_all((const uint8_t *)method.data, method.size, TEXT_TOKEN) ||
        is_name(method, "connect"))
        return HTTP_CALL_METHOD;
    memcpy(call->method, method.data, method.size);
    call->is_head = strcmp(call->method, "HEAD") == 0;
    enum http_call_error error = keep_target(call, request->path);
    return error ? error : keep_fields(call, request);
}

/* ---- the body, as libcurl asks for it ---- */

static size_t on_read(char *bytes, size_t size, size_t count, void *context)
{
    struct http_call *call = context;
    size_t got = call_buffer_get(&call->out, bytes, size * count);
    if (got) {
        call_restart_timer(call);
        if (!call->finished) call_wake(call);
        return got;
    }
    if (call->finished) return 0;
    call->send_paused = true;
    call_restart_timer(call);
    return CURL_READFUNC_PAUSE;
}

static int on_trailers(struct curl_slist **list, void *context)
{
    struct http_call *call = context;
    for (const struct curl_slist *t = call->trailers; t; t = t->next)
        if (!add_text(list, t->data)) return CURL_TRAILERFUNC_ABORT;
    return CURL_TRAILERFUNC_OK;
}

/* ---- addresses ---- */

static curl_socket_t on_open(void *context, UNUSED curlsocktype purpose,
                             struct curl_sockaddr *address)
{
    struct http_call *call = context;
    struct client_address to;
    if (!client_address_of(&address->addr, &to) || !call_may_reach(call, &to)) {
        call->error = HTTP_CALL_ADDRESS_PROHIBITED;
        return CURL_SOCKET_BAD;
    }
    call->client->connections++;
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  address->protocol);
}

/* Of connections that other calls have opened as well. */
static int on_connected(void *context, char *primary_ip, UNUSED char *local_ip,
                        UNUSED int primary_port, UNUSED int local_port)
{
    struct http_call *call = context;
    struct client_address to;
    if (!client_address_parse(primary_ip, &to) || !call_may_reach(call, &to)) {
        call->error = HTTP_CALL_ADDRESS_PROHIBITED;
        return CURL_PREREQFUNC_ABORT;
    }
    call->error = HTTP_CALL_OK; /* of an address that another one has made up for */
    call_enter(call, CALL_SENDING);
    return CURL_PREREQFUNC_OK;
}

/* "+host:port:address,[address]" */
static bool set_addresses(struct http_call *call)
{
    char text[HTTP_CLIENT_HOST_BYTES_MAX + 16 + HTTP_CLIENT_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3)];
    size_t at = (size_t)snprintf(text, sizeof text, "+%s:%u:", call->host, call->port);
    if (call->address.family) {
        curl_easy_setopt(call->easy, CURLOPT_RESOLVE, NULL);
        return true;
    }
    for (size_t i = 0; i < call->addresses.count; i++) {
        char address[INET6_ADDRSTRLEN];
        bool brackets = call->addresses.list[i].family == AF_INET6;
        client_address_print(&call->addresses.list[i], address);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s%s%s", i ? "," : "",
                               brackets ? "[" : "", address, brackets ? "]" : "");
    }
    if (!add_text(&call->resolve, text)) return false;
    curl_easy_setopt(call->easy, CURLOPT_RESOLVE, call->resolve);
    return true;
}

/* ---- options ---- */

static CURLcode on_ssl(UNUSED CURL *easy, void *ssl_context, void *context)
{
    struct http_call *call = context;
    SSL_CTX_set1_cert_store(ssl_context, call->client->store);
    return CURLE_OK;
}

static void set_body(struct http_call *call)
{
    CURL *easy = call->easy;
    size_t held = call_buffer_size(&call->out);
    bool expects_one = strcmp(call->method, "POST") == 0 || strcmp(call->method, "PUT") == 0 ||
                       strcmp(call->method, "PATCH") == 0;
    call->is_plain = true;
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    if (call->is_head) {
        call->is_plain = false;
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (call->finished && !held && !call->trailers && !expects_one) return;
    call->is_plain = false;
    bool known = call->has_length || (call->finished && !call->trailers);
    call->chunked = !known;
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, call);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                     !known             ? (curl_off_t)-1
                     : call->has_length ? (curl_off_t)call->length
                                        : (curl_off_t)held);
    if (known) return;
    curl_easy_setopt(easy, CURLOPT_TRAILERFUNCTION, on_trailers);
    curl_easy_setopt(easy, CURLOPT_TRAILERDATA, call);
}

CURL *request_handle_new(void)
{
    CURL *easy = curl_easy_init();
    if (easy) request_handle_reset(easy);
    return easy;
}

void request_handle_reset(CURL *easy)
{
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)HTTP_CLIENT_IDLE_S);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, call_on_header);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, call_on_body);
}

/* What differs from call to call; the rest is as request_handle_reset() has left it. */
bool call_set_options(struct http_call *call)
{
    CURL *easy = call->easy;
    char url[HTTP_CLIENT_HOST_BYTES_MAX + 32];
    bool brackets = call->address.family == AF_INET6;
    snprintf(url, sizeof url, "%s://%s%s%s:%u/", call->is_https ? "https" : "http",
             brackets ? "[" : "", call->host, brackets ? "]" : "", call->port);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(call->timeouts_ns[CALL_CONNECTING] / NS_PER_MS) + 1);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, call);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->fields);
    set_body(call);
    return set_addresses(call) && !curl_easy_setopt(easy, CURLOPT_URL, url) &&
           !curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, call->target);
}
