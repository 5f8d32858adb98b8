/* A proxy, and a client that misbehaves: "/METHOD/SCHEME/AUTHORITY/PATH?QUERY" sends such a
 * request, with the fields whose names begin with "x-" and the body, and passes on what comes back.
 */
#include <stdio.h>

#include "wasi_http.h"

static char text[64];

static const char *error_text(const struct wasi_error_code *error)
{
    snprintf(text, sizeof text, "error %d\n", error->which);
    return text;
}

static char *take_part(const char **at)
{
    size_t size = strcspn(*at, "/");
    char *part = malloc(size + 1);
    memcpy(part, *at, size);
    part[size] = '\0';
    *at += size + (*(*at + size) == '/');
    return part;
}

static wasi_handle request_make(struct wasi_http_request *request, const char **at)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    struct wasi_header_result added;
    size_t count;
    const struct wasi_field *fields = wasi_http_request_fields(request, &count);
    wasi_handle sent = wasi_fields_new();
    for (size_t i = 0; i < count; i++)
        if (fields[i].name.size > 2 && !memcmp(fields[i].name.data, "x-", 2))
            wasi_fields_append(sent, fields[i].name.data, fields[i].name.size, fields[i].value.data,
                               fields[i].value.size, &added);
    wasi_handle out = wasi_outgoing_request_new(sent);
    char *method = take_part(at), *scheme = take_part(at), *authority = take_part(at);
    int which = WASI_METHOD_OTHER;
    for (int i = 0; i < 5; i++)
        if (!strcmp(method, methods[i])) which = i;
    char *path = malloc(strlen(*at) + 2);
    path[0] = '/';
    strcpy(path + 1, *at);
    if (wasi_outgoing_request_set_method(out, which, method, strlen(method)) ||
        wasi_outgoing_request_set_scheme(out, true, !strcmp(scheme, "https"), NULL, 0) ||
        wasi_outgoing_request_set_authority(out, true, authority, strlen(authority)) ||
        wasi_outgoing_request_set_path_with_query(out, true, path, strlen(path)))
        return 0;
    return out;
}

static void copy(wasi_handle from, wasi_handle to)
{
    struct wasi_stream_size_result moved;
    do {
        wasi_output_stream_blocking_splice(to, from, 65536, &moved);
    } while (!moved.is_error);
    if (moved.failure.which != WASI_STREAM_CLOSED) __builtin_trap();
}

static void send_body(struct wasi_http_request *request, wasi_handle body)
{
    struct wasi_handle_result stream;
    struct wasi_http_result result;
    wasi_outgoing_body_write(body, &stream);
    wasi_http_request_open(request);
    copy(request->stream, stream.handle);
    wasi_output_stream_drop(stream.handle);
    wasi_outgoing_body_finish(body, false, 0, &result);
}

static wasi_handle options_make(struct wasi_http_request *request)
{
    wasi_handle options = wasi_request_options_new();
    const char *ms = wasi_http_request_field(request, "x-first-byte-ms");
    if (ms)
        wasi_request_options_set_first_byte_timeout(options, true, strtoull(ms, 0, 10) * 1000000);
    return options;
}

static void pass_on(wasi_handle incoming, struct wasi_http_response *response)
{
    struct wasi_handle_result body, stream;
    struct wasi_bytes entries;
    struct wasi_header_result added;
    wasi_handle fields = wasi_incoming_response_headers(incoming);
    wasi_fields_entries(fields, &entries);
    wasi_fields_drop(fields);
    const struct wasi_field *f = (const struct wasi_field *)(const void *)entries.data;
    for (size_t i = 0; i < entries.size; i++)
        wasi_fields_append(response->fields, f[i].name.data, f[i].name.size, f[i].value.data,
                           f[i].value.size, &added);
    response->status = wasi_incoming_response_status(incoming);
    wasi_http_response_begin(response);
    wasi_incoming_response_consume(incoming, &body);
    wasi_incoming_body_stream(body.handle, &stream);
    copy(stream.handle, response->stream);
}

static void proxy(struct wasi_http_request *request, struct wasi_http_response *response,
                  const char *at)
{
    struct wasi_handle_result body;
    struct wasi_http_result sent;
    struct wasi_future_result answer;
    bool has_body = wasi_http_request_field(request, "content-length") ||
                    wasi_http_request_field(request, "x-chunked");
    wasi_handle out = request_make(request, &at);
    if (!out) {
        wasi_http_response_text(response, "cannot be asked\n");
        return;
    }
    if (has_body) wasi_outgoing_request_body(out, &body);
    wasi_outgoing_handler_handle(out, true, options_make(request), &sent);
    if (sent.is_error) {
        wasi_http_response_text(response, error_text(&sent.error));
        return;
    }
    if (wasi_http_request_field(request, "x-drop-future")) {
        wasi_future_incoming_response_drop(sent.handle);
        wasi_http_response_text(response, "dropped\n");
        return;
    }
    if (has_body) send_body(request, body.handle);
    wasi_handle pollable = wasi_future_incoming_response_subscribe(sent.handle);
    wasi_pollable_block(pollable);
    wasi_pollable_drop(pollable);
    wasi_future_incoming_response_get(sent.handle, &answer);
    if (answer.outer.value.is_error)
        wasi_http_response_text(response, error_text(&answer.outer.value.error));
    else
        pass_on(answer.outer.value.response, response);
}

static void many(struct wasi_http_response *response, const char *count)
{
    struct wasi_http_result sent;
    int denied = 0, asked = atoi(count);
    for (int i = 0; i < asked; i++) {
        wasi_handle out = wasi_outgoing_request_new(wasi_fields_new());
        const char *authority = strchr(count, '/') + 1;
        wasi_outgoing_request_set_scheme(out, true, 0, NULL, 0);
        wasi_outgoing_request_set_authority(out, true, authority, strlen(authority));
        wasi_outgoing_handler_handle(out, false, 0, &sent);
        denied += sent.is_error && sent.error.which == WASI_ERROR_CONNECTION_LIMIT_REACHED;
    }
    snprintf(text, sizeof text, "%d of %d\n", denied, asked);
    wasi_http_response_text(response, text);
}

void wasi_http_handle(struct wasi_http_request *request, struct wasi_http_response *response)
{
    const char *path = wasi_http_request_path(request);
    if (!strncmp(path, "/many/", 6))
        many(response, path + 6);
    else
        proxy(request, response, path + 1);
}
