/* What comes back, as libcurl hands it over: lines of the head, pieces of the body, trailers. */
#include <string.h>

#include "client_internal.h"
#include "text.h"

#define STATUS_LINE_MIN 12u /* "HTTP/1.1 200" */

static bool refuse(struct http_call *call, enum http_call_error error)
{
    call->error = error;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* A head begins; one of 1xx may have come before. */
static bool begin_head(struct http_call *call, const char *line, size_t size)
{
    if (size < STATUS_LINE_MIN || line[8] != ' ') return refuse(call, HTTP_CALL_PROTOCOL);
    int status = 0;
    for (size_t i = 9; i < 12; i++) {
        if (!text_is((uint8_t)line[i], TEXT_DIGIT)) return refuse(call, HTTP_CALL_PROTOCOL);
        status = status * 10 + (line[i] - '0');
    }
    if (status < 100 || status == 101) return refuse(call, HTTP_CALL_PROTOCOL);
    call->status = status;
    call->received_count = 0;
    buffer_clear(&call->text);
    return true;
}

static bool end_head(struct http_call *call)
{
    if (call->status < 200) return true;
    call->head_done = true;
    call->head_count = call->received_count;
    call_enter(call, CALL_RECEIVING);
    call_wake(call);
    return true;
}

static bool keep_field(struct http_call *call, const char *line, size_t size)
{
    enum http_call_error too_large =
        call->head_done ? HTTP_CALL_TRAILER_TOO_LARGE : HTTP_CALL_HEAD_TOO_LARGE;
    const char *colon = memchr(line, ':', size);
    if (!colon || colon == line) return refuse(call, HTTP_CALL_PROTOCOL);
    size_t name_size = (size_t)(colon - line), from = name_size + 1, end = size;
    while (from < end && is_blank(line[from])) from++;
    while (end > from && is_blank(line[end - 1])) end--;
    if (!text_all((const uint8_t *)line, name_size, TEXT_TOKEN) ||
        text_find_control((const uint8_t *)line + from, end - from) != end - from)
        return refuse(call, HTTP_CALL_PROTOCOL);
    if (call->received_count == HTTP_CLIENT_FIELDS_MAX) return refuse(call, too_large);
    struct call_field *f = &call->received[call->received_count];
    f->name_at = (uint32_t)call->text.size_bytes;
    f->name_size = (uint32_t)name_size;
    f->value_at = f->name_at + f->name_size;
    f->value_size = (uint32_t)(end - from);
    if (buffer_append(&call->text, line, name_size) ||
        buffer_append(&call->text, line + from, end - from))
        return refuse(call, too_large);
    call->received_count++;
    return true;
}

static bool take_line(struct http_call *call, const char *line, size_t size)
{
    while (size && (line[size - 1] == '\n' || line[size - 1] == '\r')) size--;
    if (!call->head_done && size >= 5 && memcmp(line, "HTTP/", 5) == 0)
        return begin_head(call, line, size);
    if (!size) return call->head_done || end_head(call);
    return keep_field(call, line, size);
}

size_t call_on_header(char *line, size_t size, size_t count, void *context)
{
    struct http_call *call = context;
    return take_line(call, line, size * count) ? size * count : 0;
}

size_t call_on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_call *call = context;
    size_t given = size * count;
    if (call_buffer_size(&call->in) + given > HTTP_CLIENT_BODY_BYTES) {
        call->receive_paused = true;
        call_restart_timer(call);
        return CURL_WRITEFUNC_PAUSE;
    }
    size_t taken = call_buffer_put(call->client, &call->in, bytes, given);
    if (taken < given) call->error = HTTP_CALL_INTERNAL;
    call_restart_timer(call);
    call_wake(call);
    return taken;
}
