#include "cgi_env.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void cgi_env_init(struct cgi_env *env)
{
    env->count = 0;
    buffer_init(&env->bytes, EDGE_ENVIRONMENT_BYTES);
}

void cgi_env_done(struct cgi_env *env)
{
    buffer_done(&env->bytes);
}

/* The next variable begins here. False: there are too many. */
static bool next_variable(struct cgi_env *env)
{
    if (env->count == EDGE_ENVIRONMENT_MAX) {
        env->bytes.failed = true;
        return false;
    }
    env->offsets[env->count++] = (uint32_t)env->bytes.size_bytes;
    return true;
}

/* Begins variable `name`; its value is appended behind it and ended by finish(). */
static void begin(struct cgi_env *env, const char *name)
{
    if (!next_variable(env)) return;
    buffer_append_string(&env->bytes, name);
    buffer_append(&env->bytes, "=", 1);
}

static void finish(struct cgi_env *env)
{
    buffer_append(&env->bytes, "", 1);
}

static void add(struct cgi_env *env, const char *name, struct http_slice value)
{
    begin(env, name);
    buffer_append(&env->bytes, value.data, value.size);
    finish(env);
}

static void add_text(struct cgi_env *env, const char *name, const char *value)
{
    add(env, name, (struct http_slice){value, strlen(value)});
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* A path without its percent-encoding (RFC 3875 §4.1.5). */
static enum status add_decoded(struct cgi_env *env, const char *name, struct http_slice path,
                               struct error *err)
{
    begin(env, name);
    for (size_t i = 0; i < path.size; i++) {
        char c = path.data[i];
        if (c == '%') {
            bool whole = path.size - i > 2;
            int high = whole ? hex_digit(path.data[i + 1]) : -1;
            int low = whole ? hex_digit(path.data[i + 2]) : -1;
            if (high < 0 || low < 0 || (high | low) == 0) /* %00: no string can hold it */
                return error_set(err, ST_INVALID, "the path's percent-encoding is broken");
            c = (char)(high << 4 | low);
            i += 2;
        }
        buffer_append(&env->bytes, &c, 1);
    }
    finish(env);
    return ST_OK;
}

/* ---- request fields as HTTP_* (RFC 3875 §4.1.18) ---- */

static bool same_name(struct http_slice name, const char *text)
{
    return name.size == strlen(text) && !strncasecmp(name.data, text, name.size);
}

/* Content-Length and Content-Type have variables of their own; a field named "Proxy" would become
 * HTTP_PROXY, which HTTP clients take for configuration; and '_' cannot be told from '-'. */
static bool is_passed(struct http_slice name)
{
    return !same_name(name, "content-length") && !same_name(name, "content-type") &&
           !same_name(name, "proxy") && !same_name(name, "connection") &&
           !same_name(name, "transfer-encoding") && !memchr(name.data, '_', name.size);
}

static bool equal_names(struct http_slice a, struct http_slice b)
{
    return a.size == b.size && !strncasecmp(a.data, b.data, a.size);
}

static void append_variable_name(struct buffer *bytes, struct http_slice name)
{
    char text[64];
    size_t used = 0;
    buffer_append(bytes, "HTTP_", 5);
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        text[used++] = c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        if (used < sizeof text && i + 1 < name.size) continue;
        buffer_append(bytes, text, used);
        used = 0;
    }
    buffer_append(bytes, "=", 1);
}

/* All fields of one name become one variable, at the first of them (RFC 9110 §5.3). */
static void add_field(struct cgi_env *env, const struct http_exchange *x, size_t index)
{
    struct http_field field = http_request_field(x, index);
    for (size_t i = 0; i < index; i++)
        if (equal_names(http_request_field(x, i).name, field.name)) return;
    if (!next_variable(env)) return;
    append_variable_name(&env->bytes, field.name);
    buffer_append(&env->bytes, field.value.data, field.value.size);
    const char *separator = same_name(field.name, "cookie") ? "; " : ", ";
    size_t count = http_request_field_count(x);
    for (size_t i = index + 1; i < count; i++) {
        struct http_field other = http_request_field(x, i);
        if (!equal_names(other.name, field.name)) continue;
        buffer_append(&env->bytes, separator, 2);
        buffer_append(&env->bytes, other.value.data, other.value.size);
    }
    finish(env);
}

static void add_fields(struct cgi_env *env, const struct http_exchange *x)
{
    size_t count = http_request_field_count(x);
    for (size_t i = 0; i < count; i++)
        if (is_passed(http_request_field(x, i).name)) add_field(env, x, i);
}

/* ---- the rest ---- */

static void add_body(struct cgi_env *env, const struct http_exchange *x)
{
    char text[24];
    uint64_t length;
    struct http_slice type;
    if (http_request_body(x, &length) == HTTP_BODY_LENGTH) {
        snprintf(text, sizeof text, "%" PRIu64, length);
        add_text(env, "CONTENT_LENGTH", text);
    }
    if (http_request_find(x, "content-type", &type)) add(env, "CONTENT_TYPE", type);
}

static void add_server(struct cgi_env *env, const struct http_exchange *x)
{
    struct http_slice host = http_request_host(x), name = http_request_host_name(x);
    struct http_slice port = {"80", 2};
    if (host.size > name.size + 1)
        port = (struct http_slice){host.data + name.size + 1, host.size - name.size - 1};
    add(env, "SERVER_NAME", name);
    add(env, "SERVER_PORT", port);
    add_text(env, "SERVER_PROTOCOL", http_request_version_minor(x) ? "HTTP/1.1" : "HTTP/1.0");
}

static void add_peer(struct cgi_env *env, const struct http_exchange *x)
{
    char text[HTTP_PEER_TEXT_MAX];
    uint16_t port;
    http_exchange_peer_text(x, text, &port);
    add_text(env, "REMOTE_ADDR", text);
    add_text(env, "REMOTE_HOST", text);
    char port_text[8];
    snprintf(port_text, sizeof port_text, "%u", port);
    add_text(env, "REMOTE_PORT", port_text);
}

static void add_target(struct cgi_env *env, const struct http_exchange *x)
{
    struct http_slice path = http_request_path(x), query = {"", 0};
    bool has_query = http_request_query(x, &query);
    add(env, "QUERY_STRING", query);
    begin(env, "REQUEST_URI");
    buffer_append(&env->bytes, path.data, path.size);
    if (has_query) {
        buffer_append(&env->bytes, "?", 1);
        buffer_append(&env->bytes, query.data, query.size);
    }
    finish(env);
}

enum status cgi_env_build(struct cgi_env *env, const struct http_exchange *x,
                          const struct route *route, const char *server_software,
                          const char *const *extra, size_t extra_count, struct error *err)
{
    buffer_clear(&env->bytes);
    env->count = 0;
    add_text(env, "GATEWAY_INTERFACE", "CGI/1.1");
    add_text(env, "SERVER_SOFTWARE", server_software);
    add(env, "REQUEST_METHOD", http_request_method(x));
    add(env, "SCRIPT_NAME", route->script_name);
    enum status st = add_decoded(env, "PATH_INFO", route->path_info, err);
    if (st) return st;
    add_target(env, x);
    add_server(env, x);
    add_peer(env, x);
    add_body(env, x);
    add_fields(env, x);
    for (size_t i = 0; i < extra_count; i++)
        if (next_variable(env)) buffer_append(&env->bytes, extra[i], strlen(extra[i]) + 1);
    if (env->bytes.failed)
        return error_set(err, ST_LIMIT, "the request's fields do not fit into an environment");
    for (size_t i = 0; i < env->count; i++)
        env->pointers[i] = (const char *)env->bytes.data + env->offsets[i];
    return ST_OK;
}
