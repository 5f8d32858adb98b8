/* What a call asks of curl: the request, limits, trust, and no more than that. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client_private.h"
#include "text.h"

/* ---- where connections may go ---- */

/* Asked before a socket is opened: whatever the name said, this is the address. */
static curl_socket_t open_socket(void *context, UNUSED curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct http_call *call = context;
    if (!call->private_allowed && !http_address_is_public(&address->addr)) {
        call->prohibited = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  address->protocol);
}

static bool text_is_public(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return http_address_is_public((const struct sockaddr *)&v4);
    return inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 &&
           http_address_is_public((const struct sockaddr *)&v6);
}

/* Before anything is sent, on connections that are used again too. */
static int before_request(void *context, char *remote, UNUSED char *local, UNUSED int remote_port,
                          UNUSED int local_port)
{
    struct http_call *call = context;
    if (call->private_allowed || text_is_public(remote)) return CURL_PREREQFUNC_OK;
    call->prohibited = true;
    return CURL_PREREQFUNC_ABORT;
}

/* ---- the response ---- */

static size_t head_overflow(struct http_call *call)
{
    call->failed = true;
    call->error = HTTP_CALL_HEAD_TOO_LARGE;
    return 0;
}

static bool field_add(struct http_call *call, struct call_fields *to, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size), *end = line + size;
    if (!colon) return true; /* curl has passed what is no field */
    if (to->count == HTTP_CLIENT_FIELDS_MAX) return false;
    const char *value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t')) value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t'))
        end--;
    size_t at = call->head.size_bytes;
    if (buffer_append(&call->head, line, size)) return false;
    to->list[to->count++] =
        (struct call_field){(uint32_t)at, (uint32_t)(colon - line),
                            (uint32_t)(at + (size_t)(value - line)), (uint32_t)(end - value)};
    return true;
}

static bool is_token(const char *text, size_t size)
{
    return size && text_all((const uint8_t *)text, size, TEXT_TOKEN);
}

/* "HTTP/1.1 200 OK"; 0 where there are no three digits. */
static int parse_status(const char *line, size_t size)
{
    const char *at = memchr(line, ' ', size);
    int status = 0;
    if (!at || line + size - at < 4) return 0;
    for (int i = 1; i <= 3; i++) {
        if (at[i] < '0' || at[i] > '9') return 0;
        status = status * 10 + (at[i] - '0');
    }
    return status;
}

/* A line at a time: status line, fields, an empty line; trailers behind the body. A head below 200
 * is followed by another. */
static size_t on_head(char *line, size_t one, size_t size, void *context)
{
    struct http_call *call = context;
    (void)one;
    bool is_empty = size <= 2 && (*line == '\r' || *line == '\n');
    if (!call->head_done && size > 5 && !memcmp(line, "HTTP/", 5)) {
        call->status = parse_status(line, size);
        call->in.count = 0;
        buffer_clear(&call->head);
        return size;
    }
    if (is_empty && !call->head_done && call->status >= 200) {
        call->head_done = true;
        call_notify(call);
    }
    if (is_empty) return size;
    const char *colon = memchr(line, ':', size);
    if (colon && !is_token(line, (size_t)(colon - line))) return size; /* no field: left out */
    bool kept = field_add(call, call->head_done ? &call->trailers_in : &call->in, line, size);
    return kept ? size : head_overflow(call);
}

static size_t on_body(char *bytes, size_t one, size_t count, void *context)
{
    struct http_call *call = context;
    size_t size = one * count;
    if (call->body_at == call->body.size_bytes) {
        buffer_clear(&call->body);
        call->body_at = 0;
    }
    if (size > call->body.cap_bytes - call->body.size_bytes) {
        call->body_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (buffer_append(&call->body, bytes, size)) return 0;
    call_notify(call);
    return size;
}

/* ---- the request's body ---- */

static size_t on_upload(char *bytes, size_t one, size_t count, void *context)
{
    struct http_call *call = context;
    size_t size = one * count, there = call->out.size_bytes - call->out_at;
    if (call->cut) return CURL_READFUNC_ABORT;
    if (!there && call->finished) return 0;
    if (!there) {
        call->upload_paused = true;
        return CURL_READFUNC_PAUSE;
    }
    if (size > there) size = there;
    memcpy(bytes, call->out.data + call->out_at, size);
    call->out_at += size;
    if (call->out_at == call->out.size_bytes) {
        buffer_clear(&call->out);
        call->out_at = 0;
    }
    call_notify(call);
    return size;
}

static int on_trailers(struct curl_slist **list, void *context)
{
    struct http_call *call = context;
    *list = call->trailers_out; /* curl's from now on */
    call->trailers_out = NULL;
    return CURL_TRAILERFUNC_OK;
}

/* ---- options ---- */

static CURLcode on_tls(UNUSED CURL *easy, void *context, void *user)
{
    struct http_call *call = user;
    SSL_CTX_set1_cert_store(context, call->client->trust);
    return CURLE_OK;
}

static void set_url(struct http_call *call)
{
    char url[HTTP_CLIENT_HOST_BYTES_MAX + 64];
    bool is_v6 = strchr(call->host, ':');
    snprintf(url, sizeof url, "%s://%s%s%s:%u/", call->is_https ? "https" : "http",
             is_v6 ? "[" : "", call->host, is_v6 ? "]" : "", call->port);
    curl_easy_setopt(call->easy, CURLOPT_URL, url);
    curl_easy_setopt(call->easy, CURLOPT_REQUEST_TARGET, call->path);
}

/* A body whose end is known already has a length; one that is to come has chunks, unless the guest
 * gave its length. */
static void set_body(struct http_call *call)
{
    CURL *easy = call->easy;
    size_t there = call->out.size_bytes;
    bool may_have = strcmp(call->method, "GET") && strcmp(call->method, "HEAD");
    if (call->finished && !there && !(may_have && call->has_length)) {
        if (!strcmp(call->method, "HEAD")) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        if (!strcmp(call->method, "POST") || !strcmp(call->method, "PUT") ||
            !strcmp(call->method, "PATCH"))
            call->fields = curl_slist_append(call->fields, "Content-Length: 0");
        return;
    }
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(easy, CURLOPT_READDATA, call);
    curl_easy_setopt(easy, CURLOPT_TRAILERFUNCTION, on_trailers);
    curl_easy_setopt(easy, CURLOPT_TRAILERDATA, call);
    if (call->finished && !call->trailers_out)
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)there);
    else if (call->has_length)
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)(call->length_left + there));
}

static void set_limits(struct http_call *call)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_ms);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, call);
}

bool call_configure(struct http_call *call)
{
    CURL *easy = call->easy = curl_easy_init();
    if (!easy) return false;
    set_url(call);
    set_limits(call);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)(void *)call);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    set_body(call);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->fields);
    if (call->resolve) curl_easy_setopt(easy, CURLOPT_RESOLVE, call->resolve);
    return true;
}
