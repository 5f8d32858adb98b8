/* A reverse proxy: every request goes to ORIGIN ("host:port") with its fields and its body, and
 * what comes back goes to the client as it comes. */
#include "wasi_http.h"

/* Until the end of `from`. */
static void copy(wasi_handle from, wasi_handle to)
{
    struct wasi_stream_size_result moved;
    do {
        wasi_output_stream_blocking_splice(to, from, 65536, &moved);
    } while (!moved.is_error);
    if (moved.failure.which != WASI_STREAM_CLOSED) __builtin_trap();
}

static wasi_handle fields_copy(wasi_handle take_from)
{
    wasi_handle to = wasi_fields_clone(take_from);
    wasi_fields_drop(take_from);
    return to;
}

static wasi_handle request_make(struct wasi_http_request *request)
{
    struct wasi_method method;
    wasi_handle out =
        wasi_outgoing_request_new(fields_copy(wasi_incoming_request_headers(request->handle)));
    wasi_incoming_request_method(request->handle, &method);
    const char *path = wasi_http_request_path(request);
    if (wasi_outgoing_request_set_method(out, method.which, method.other.data, method.other.size) ||
        wasi_outgoing_request_set_scheme(out, true, WASI_SCHEME_HTTP, NULL, 0) ||
        wasi_outgoing_request_set_authority(out, true, ORIGIN, sizeof ORIGIN - 1) ||
        wasi_outgoing_request_set_path_with_query(out, true, path, strlen(path)))
        __builtin_trap();
    return out;
}

static void body_send(struct wasi_http_request *request, wasi_handle body)
{
    struct wasi_handle_result stream;
    struct wasi_http_result result;
    wasi_outgoing_body_write(body, &stream);
    wasi_http_request_open(request);
    copy(request->stream, stream.handle);
    wasi_output_stream_drop(stream.handle);
    wasi_outgoing_body_finish(body, false, 0, &result);
}

static bool has_body(struct wasi_http_request *request)
{
    wasi_handle fields = wasi_incoming_request_headers(request->handle);
    bool has = wasi_fields_has(fields, "content-length", 14) ||
               wasi_fields_has(fields, "transfer-encoding", 17);
    wasi_fields_drop(fields);
    return has;
}

static void pass_on(wasi_handle answer, struct wasi_http_response *response)
{
    struct wasi_handle_result body, stream;
    wasi_fields_drop(response->fields);
    response->fields = fields_copy(wasi_incoming_response_headers(answer));
    response->status = wasi_incoming_response_status(answer);
    wasi_http_response_begin(response);
    wasi_incoming_response_consume(answer, &body);
    wasi_incoming_body_stream(body.handle, &stream);
    copy(stream.handle, response->stream);
}

void wasi_http_handle(struct wasi_http_request *request, struct wasi_http_response *response)
{
    struct wasi_handle_result body;
    struct wasi_http_result sent;
    struct wasi_future_result answer;
    bool with_body = has_body(request);
    wasi_handle out = request_make(request);
    if (with_body) wasi_outgoing_request_body(out, &body);
    wasi_outgoing_handler_handle(out, false, 0, &sent);
    if (sent.is_error) __builtin_trap();
    if (with_body) body_send(request, body.handle);
    wasi_handle pollable = wasi_future_incoming_response_subscribe(sent.handle);
    wasi_pollable_block(pollable);
    wasi_pollable_drop(pollable);
    wasi_future_incoming_response_get(sent.handle, &answer);
    if (answer.outer.value.is_error) __builtin_trap();
    pass_on(answer.outer.value.response, response);
}
