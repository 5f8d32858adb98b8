#include "cgi_env.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* What the variables may take apart from what a request brings. */
#define FIXED_BYTES     1024u
#define FIXED_VARIABLES 20u
#define PER_FIELD       8u /* "HTTP_", "=", NUL; or ", " for one more of that name */
#define REQUEST_TWICE   2u /* the target and the host stand in two variables each */

void cgi_env_init(struct cgi_env *env)
{
    env->count = 0;
    buffer_init(&env->bytes, CGI_ENV_ROOM_BYTES);
}

void cgi_env_done(struct cgi_env *env)
{
    buffer_done(&env->bytes);
}

/* ---- writing into the room that cgi_env_build() has made ---- */

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

static void append(struct cgi_env *env, const char *bytes, size_t size)
{
    assert(size <= env->bytes.capacity_bytes - env->bytes.size_bytes);
    memcpy(env->bytes.data + env->bytes.size_bytes, bytes, size);
    env->bytes.size_bytes += size;
}

static void append_char(struct cgi_env *env, char c)
{
    assert(env->bytes.size_bytes < env->bytes.capacity_bytes);
    env->bytes.data[env->bytes.size_bytes++] = (uint8_t)c;
}

/* Begins variable `name_equals`, such as "PATH_INFO="; its value is appended behind it and ended by
 * finish(). */
#define begin(env, name_equals) begin_sized((env), (name_equals), sizeof(name_equals) - 1)
static void begin_sized(struct cgi_env *env, const char *name_equals, size_t size)
{
    if (next_variable(env)) append(env, name_equals, size);
}

static void finish(struct cgi_env *env)
{
    append_char(env, '\0');
}

#define add(env, name_equals, value) add_sized((env), (name_equals), sizeof(name_equals) - 1, value)
static void add_sized(struct cgi_env *env, const char *name_equals, size_t size,
                      struct http_slice value)
{
    begin_sized(env, name_equals, size);
    append(env, value.data, value.size);
    finish(env);
}

#define add_text(env, name_equals, text)                                                           \
    add((env), (name_equals), ((struct http_slice){(text), strlen(text)}))

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool path_decodes(struct http_slice path)
{
    const char *at = path.data, *end = path.data + path.size;
    while ((at = memchr(at, '%', (size_t)(end - at)))) {
        int high = end - at > 2 ? hex_digit(at[1]) : -1;
        int low = end - at > 2 ? hex_digit(at[2]) : -1;
        if (high < 0 || low < 0 || (high | low) == 0) return false; /* %00: no string can hold it */
        at += 3;
    }
    return true;
}

/* A path without its percent-encoding (RFC 3875 §4.1.5), for which path_decodes(). */
static void add_path_info(struct cgi_env *env, struct http_slice path)
{
    begin(env, "PATH_INFO=");
    for (size_t i = 0; i < path.size; i++) {
        char c = path.data[i];
        if (c == '%') {
            c = (char)(hex_digit(path.data[i + 1]) << 4 | hex_digit(path.data[i + 2]));
            i += 2;
        }
        append_char(env, c);
    }
    finish(env);
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

static void append_variable_name(struct cgi_env *env, struct http_slice name)
{
    append(env, "HTTP_", 5);
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        append_char(env, c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
    append_char(env, '=');
}

/* All fields of one name become one variable, at the first of them (RFC 9110 §5.3). */
static void add_field(struct cgi_env *env, const struct http_exchange *x, size_t index)
{
    struct http_field field = http_request_field(x, index);
    for (size_t i = 0; i < index; i++)
        if (equal_names(http_request_field(x, i).name, field.name)) return;
    if (!next_variable(env)) return;
    append_variable_name(env, field.name);
    append(env, field.value.data, field.value.size);
    const char *separator = same_name(field.name, "cookie") ? "; " : ", ";
    size_t count = http_request_field_count(x);
    for (size_t i = index + 1; i < count; i++) {
        struct http_field other = http_request_field(x, i);
        if (!equal_names(other.name, field.name)) continue;
        append(env, separator, 2);
        append(env, other.value.data, other.value.size);
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

static void append_decimal(struct cgi_env *env, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    append(env, digits + at, sizeof digits - at);
}

static void add_body(struct cgi_env *env, const struct http_exchange *x)
{
    uint64_t length;
    struct http_slice type;
    if (http_request_body(x, &length) == HTTP_BODY_LENGTH) {
        begin(env, "CONTENT_LENGTH=");
        append_decimal(env, length);
        finish(env);
    }
    if (http_request_find(x, "content-type", &type)) add(env, "CONTENT_TYPE=", type);
}

static void add_server(struct cgi_env *env, const struct http_exchange *x)
{
    struct http_slice host = http_request_host(x), name = http_request_host_name(x);
    struct http_slice port = {"80", 2};
    if (host.size > name.size + 1)
        port = (struct http_slice){host.data + name.size + 1, host.size - name.size - 1};
    add(env, "SERVER_NAME=", name);
    add(env, "SERVER_PORT=", port);
    add_text(env, "SERVER_PROTOCOL=", http_request_version_minor(x) ? "HTTP/1.1" : "HTTP/1.0");
}

static void add_peer(struct cgi_env *env, const struct http_exchange *x)
{
    char text[HTTP_PEER_TEXT_MAX];
    uint16_t port;
    http_exchange_peer_text(x, text, &port);
    struct http_slice address = {text, strlen(text)};
    add(env, "REMOTE_ADDR=", address);
    add(env, "REMOTE_HOST=", address);
    begin(env, "REMOTE_PORT=");
    append_decimal(env, port);
    finish(env);
}

static void add_target(struct cgi_env *env, const struct http_exchange *x)
{
    struct http_slice path = http_request_path(x), query = {"", 0};
    bool has_query = http_request_query(x, &query);
    add(env, "QUERY_STRING=", query);
    begin(env, "REQUEST_URI=");
    append(env, path.data, path.size);
    if (has_query) {
        append_char(env, '?');
        append(env, query.data, query.size);
    }
    finish(env);
}

/* The variables of a request need no more than this. */
static size_t bytes_bound(const struct cgi_env_source *source)
{
    const struct http_exchange *x = source->x;
    struct http_slice query = {"", 0};
    (void)http_request_query(x, &query);
    size_t bytes =
        FIXED_BYTES + strlen(source->server_software) + http_request_method(x).size +
        REQUEST_TWICE * (http_request_path(x).size + query.size + http_request_host(x).size);
    size_t count = http_request_field_count(x);
    for (size_t i = 0; i < count; i++) {
        struct http_field field = http_request_field(x, i);
        bytes += PER_FIELD + field.name.size + REQUEST_TWICE * field.value.size;
    }
    for (size_t i = 0; i < source->extra_count; i++) bytes += strlen(source->extra[i]) + 1;
    return bytes;
}

enum status cgi_env_begin(struct cgi_env *env, const struct cgi_env_source *source,
                          struct error *err)
{
    env->source = *source;
    env->built = false;
    if (!path_decodes(source->route.path_info))
        return error_set(err, ST_INVALID, "the path's percent-encoding is broken");
    size_t count_bound = FIXED_VARIABLES + http_request_field_count(source->x);
    if (count_bound + source->extra_count <= EDGE_ENVIRONMENT_MAX &&
        bytes_bound(source) <= EDGE_ENVIRONMENT_BYTES)
        return ST_OK;
    enum status st = cgi_env_build(env, err); /* it may fit all the same */
    if (st) return st;
    if (!env->bytes.failed && env->bytes.size_bytes <= EDGE_ENVIRONMENT_BYTES) return ST_OK;
    return error_set(err, ST_LIMIT, "the request's fields do not fit into an environment");
}

enum status cgi_env_build(struct cgi_env *env, struct error *err)
{
    const struct cgi_env_source *source = &env->source;
    const struct http_exchange *x = source->x;
    if (env->built) return ST_OK;
    buffer_clear(&env->bytes);
    env->count = 0;
    /* Room for everything at once, so that the appends need not look. */
    enum status st = buffer_reserve(&env->bytes, bytes_bound(source));
    if (st) return error_set(err, st, "the environment of a program");
    add(env, "GATEWAY_INTERFACE=", ((struct http_slice){"CGI/1.1", 7}));
    add_text(env, "SERVER_SOFTWARE=", source->server_software);
    add(env, "REQUEST_METHOD=", http_request_method(x));
    add(env, "SCRIPT_NAME=", source->route.script_name);
    add_path_info(env, source->route.path_info);
    add_target(env, x);
    add_server(env, x);
    add_peer(env, x);
    add_body(env, x);
    add_fields(env, x);
    for (size_t i = 0; i < source->extra_count; i++)
        if (next_variable(env)) append(env, source->extra[i], strlen(source->extra[i]) + 1);
    for (size_t i = 0; i < env->count; i++)
        env->pointers[i] = (const char *)env->bytes.data + env->offsets[i];
    env->built = true;
    return ST_OK;
}
