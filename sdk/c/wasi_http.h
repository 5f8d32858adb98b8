/* HTTP servers in C as components for wasi:http 0.2, for any host that serves them.
 *
 * Include this in one file and define the one function that it calls:
 *
 *     #include "wasi_http.h"
 *
 *     void wasi_http_handle(struct wasi_http_request *request, struct wasi_http_response *response)
 *     {
 *         (void)request;
 *         wasi_http_response_field(response, "Content-Type", "text/plain");
 *         wasi_http_response_text(response, "hello\n");
 *     }
 *
 * README.md says how to make a component of it. Every request has an instance of its own, so
 * nothing needs to be freed and nothing stays from one request to the next.
 *
 * The first half are the interfaces' functions as they are imported, under the names that WIT gives
 * them; "Calls" in README.md says how types are passed. The second half makes C of them. Functions
 * that return int return 0 when they have worked. */
#ifndef WASI_HTTP_H
#define WASI_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef WASI_HTTP_VERSION
#define WASI_HTTP_VERSION "0.2.12" /* of the WIT that the component is made with */
#endif

#define WASI_IMPORT(interface, name)                                                               \
    __attribute__((import_module(interface "@" WASI_HTTP_VERSION), import_name(name)))
#define WASI_EXPORT(name) __attribute__((export_name(name)))
#define WASI_HTTP_TYPES   "wasi:http/types"
#define WASI_IO_STREAMS   "wasi:io/streams"
#define WASI_IO_POLL      "wasi:io/poll"

/* ---- the interfaces ---- */

typedef int32_t wasi_handle;

/* What the host allocates for strings and lists that it returns. */
struct wasi_bytes {
    char *data;
    size_t size;
};

struct wasi_field {
    struct wasi_bytes name, value;
};

/* result<own<…>> */
struct wasi_handle_result {
    uint8_t is_error;
    wasi_handle handle;
};

/* option<string> */
struct wasi_text_option {
    uint8_t is_some;
    struct wasi_bytes text;
};

/* result<_, header-error> and result<own<fields>, header-error> */
enum wasi_header_error { WASI_HEADER_INVALID_SYNTAX, WASI_HEADER_FORBIDDEN, WASI_HEADER_IMMUTABLE };
struct wasi_header_result {
    uint8_t is_error, error;
};
struct wasi_fields_result {
    uint8_t is_error;
    union {
        uint8_t error;
        wasi_handle fields;
    };
};

/* variant method; `other` is of WASI_METHOD_OTHER */
enum wasi_method_case {
    WASI_METHOD_GET,
    WASI_METHOD_HEAD,
    WASI_METHOD_POST,
    WASI_METHOD_PUT,
    WASI_METHOD_DELETE,
    WASI_METHOD_CONNECT,
    WASI_METHOD_OPTIONS,
    WASI_METHOD_TRACE,
    WASI_METHOD_PATCH,
    WASI_METHOD_OTHER,
};
struct wasi_method {
    uint8_t which;
    struct wasi_bytes other;
};

/* option<scheme> */
enum wasi_scheme_case { WASI_SCHEME_HTTP, WASI_SCHEME_HTTPS, WASI_SCHEME_OTHER };
struct wasi_scheme_option {
    uint8_t is_some;
    struct {
        uint8_t which;
        struct wasi_bytes other;
    } scheme;
};

/* variant error-code; its payloads are not looked into here */
enum wasi_error_code_case {
    WASI_ERROR_DNS_TIMEOUT,
    WASI_ERROR_DNS_ERROR,
    WASI_ERROR_DESTINATION_NOT_FOUND,
    WASI_ERROR_DESTINATION_UNAVAILABLE,
    WASI_ERROR_DESTINATION_IP_PROHIBITED,
    WASI_ERROR_DESTINATION_IP_UNROUTABLE,
    WASI_ERROR_CONNECTION_REFUSED,
    WASI_ERROR_CONNECTION_TERMINATED,
    WASI_ERROR_CONNECTION_TIMEOUT,
    WASI_ERROR_CONNECTION_READ_TIMEOUT,
    WASI_ERROR_CONNECTION_WRITE_TIMEOUT,
    WASI_ERROR_CONNECTION_LIMIT_REACHED,
    WASI_ERROR_TLS_PROTOCOL_ERROR,
    WASI_ERROR_TLS_CERTIFICATE_ERROR,
    WASI_ERROR_TLS_ALERT_RECEIVED,
    WASI_ERROR_HTTP_REQUEST_DENIED,
    WASI_ERROR_HTTP_REQUEST_LENGTH_REQUIRED,
    WASI_ERROR_HTTP_REQUEST_BODY_SIZE,
    WASI_ERROR_HTTP_REQUEST_METHOD_INVALID,
    WASI_ERROR_HTTP_REQUEST_URI_INVALID,
    WASI_ERROR_HTTP_REQUEST_URI_TOO_LONG,
    WASI_ERROR_HTTP_REQUEST_HEADER_SECTION_SIZE,
    WASI_ERROR_HTTP_REQUEST_HEADER_SIZE,
    WASI_ERROR_HTTP_REQUEST_TRAILER_SECTION_SIZE,
    WASI_ERROR_HTTP_REQUEST_TRAILER_SIZE,
    WASI_ERROR_HTTP_RESPONSE_INCOMPLETE,
    WASI_ERROR_HTTP_RESPONSE_HEADER_SECTION_SIZE,
    WASI_ERROR_HTTP_RESPONSE_HEADER_SIZE,
    WASI_ERROR_HTTP_RESPONSE_BODY_SIZE,
    WASI_ERROR_HTTP_RESPONSE_TRAILER_SECTION_SIZE,
    WASI_ERROR_HTTP_RESPONSE_TRAILER_SIZE,
    WASI_ERROR_HTTP_RESPONSE_TRANSFER_CODING,
    WASI_ERROR_HTTP_RESPONSE_CONTENT_CODING,
    WASI_ERROR_HTTP_RESPONSE_TIMEOUT,
    WASI_ERROR_HTTP_UPGRADE_FAILED,
    WASI_ERROR_HTTP_PROTOCOL_ERROR,
    WASI_ERROR_LOOP_DETECTED,
    WASI_ERROR_CONFIGURATION_ERROR,
    WASI_ERROR_INTERNAL_ERROR,
};
struct wasi_error_code {
    uint8_t which;
    uint64_t payload[3];
};

/* result<_, error-code> and result<own<…>, error-code> */
struct wasi_http_result {
    uint8_t is_error;
    union {
        wasi_handle handle;
        struct wasi_error_code error;
    };
};

/* option<result<result<T, error-code>>> of futures; T is own<incoming-response> or
 * option<own<trailers>> */
struct wasi_future_result {
    uint8_t is_some;
    struct {
        uint8_t is_taken; /* it was asked for before */
        struct {
            uint8_t is_error;
            union {
                wasi_handle response;
                struct {
                    uint8_t is_some;
                    wasi_handle fields;
                } trailers;
                struct wasi_error_code error;
            };
        } value;
    } outer;
};

/* result<_, stream-error>, result<list<u8>, stream-error> */
enum wasi_stream_error_case { WASI_STREAM_FAILED, WASI_STREAM_CLOSED };
struct wasi_stream_result {
    uint8_t is_error;
    union {
        struct wasi_bytes bytes;
        struct {
            uint8_t which;
            wasi_handle error; /* of WASI_STREAM_FAILED */
        } failure;
    };
};

/* result<u64, stream-error> */
struct wasi_stream_size_result {
    uint8_t is_error;
    union {
        uint64_t size;
        struct {
            uint8_t which;
            wasi_handle error;
        } failure;
    };
};

_Static_assert(sizeof(struct wasi_error_code) == 32, "as the canonical ABI lays it out");
_Static_assert(sizeof(struct wasi_http_result) == 40, "as the canonical ABI lays it out");
_Static_assert(sizeof(struct wasi_future_result) == 56, "as the canonical ABI lays it out");

/* wasi:http/types: fields */
WASI_IMPORT(WASI_HTTP_TYPES, "[constructor]fields") wasi_handle wasi_fields_new(void);
WASI_IMPORT(WASI_HTTP_TYPES, "[static]fields.from-list")
void wasi_fields_from_list(const struct wasi_field *fields, size_t count,
                           struct wasi_fields_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]fields.get")
void wasi_fields_get(wasi_handle self, const char *name, size_t size, struct wasi_bytes *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]fields.has")
bool wasi_fields_has(wasi_handle self, const char *name, size_t size);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]fields.set")
void wasi_fields_set(wasi_handle self, const char *name, size_t size,
                     const struct wasi_bytes *values, size_t count, struct wasi_header_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]fields.delete")
void wasi_fields_delete(wasi_handle self, const char *name, size_t size,
                        struct wasi_header_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]fields.append")
void wasi_fields_append(wasi_handle self, const char *name, size_t name_size, const char *value,
                        size_t value_size, struct wasi_header_result *ret);
/* list<tuple<…>>: data points at `size` elements of type struct wasi_field */
WASI_IMPORT(WASI_HTTP_TYPES, "[method]fields.entries")
void wasi_fields_entries(wasi_handle self, struct wasi_bytes *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]fields.clone")
wasi_handle wasi_fields_clone(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[resource-drop]fields") void wasi_fields_drop(wasi_handle self);

/* wasi:http/types: incoming-request */
WASI_IMPORT(WASI_HTTP_TYPES, "[method]incoming-request.method")
void wasi_incoming_request_method(wasi_handle self, struct wasi_method *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]incoming-request.path-with-query")
void wasi_incoming_request_path_with_query(wasi_handle self, struct wasi_text_option *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]incoming-request.scheme")
void wasi_incoming_request_scheme(wasi_handle self, struct wasi_scheme_option *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]incoming-request.authority")
void wasi_incoming_request_authority(wasi_handle self, struct wasi_text_option *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]incoming-request.headers")
wasi_handle wasi_incoming_request_headers(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]incoming-request.consume")
void wasi_incoming_request_consume(wasi_handle self, struct wasi_handle_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[resource-drop]incoming-request")
void wasi_incoming_request_drop(wasi_handle self);

/* wasi:http/types: incoming-body, future-trailers */
WASI_IMPORT(WASI_HTTP_TYPES, "[method]incoming-body.stream")
void wasi_incoming_body_stream(wasi_handle self, struct wasi_handle_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[static]incoming-body.finish")
wasi_handle wasi_incoming_body_finish(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[resource-drop]incoming-body")
void wasi_incoming_body_drop(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]future-trailers.subscribe")
wasi_handle wasi_future_trailers_subscribe(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]future-trailers.get")
void wasi_future_trailers_get(wasi_handle self, struct wasi_future_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[resource-drop]future-trailers")
void wasi_future_trailers_drop(wasi_handle self);

/* wasi:http/types: outgoing-response, outgoing-body, response-outparam */
WASI_IMPORT(WASI_HTTP_TYPES, "[constructor]outgoing-response")
wasi_handle wasi_outgoing_response_new(wasi_handle take_headers);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]outgoing-response.status-code")
int32_t wasi_outgoing_response_status_code(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]outgoing-response.set-status-code")
bool wasi_outgoing_response_set_status_code(wasi_handle self, int32_t status);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]outgoing-response.headers")
wasi_handle wasi_outgoing_response_headers(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]outgoing-response.body")
void wasi_outgoing_response_body(wasi_handle self, struct wasi_handle_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[resource-drop]outgoing-response")
void wasi_outgoing_response_drop(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]outgoing-body.write")
void wasi_outgoing_body_write(wasi_handle self, struct wasi_handle_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[static]outgoing-body.finish")
void wasi_outgoing_body_finish(wasi_handle self, bool has_trailers, wasi_handle take_trailers,
                               struct wasi_http_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[resource-drop]outgoing-body")
void wasi_outgoing_body_drop(wasi_handle self);
/* With `is_error`, `response_or_code` is a case of error-code, and what follows its payload. */
WASI_IMPORT(WASI_HTTP_TYPES, "[static]response-outparam.set")
void wasi_response_outparam_set(wasi_handle take_self, bool is_error, int32_t response_or_code,
                                int32_t payload0, int64_t payload1, int32_t payload2,
                                int32_t payload3, int32_t payload4, int32_t payload5);
WASI_IMPORT(WASI_HTTP_TYPES, "[resource-drop]response-outparam")
void wasi_response_outparam_drop(wasi_handle self);

/* wasi:http/types: outgoing-request, request-options, incoming-response */
WASI_IMPORT(WASI_HTTP_TYPES, "[constructor]outgoing-request")
wasi_handle wasi_outgoing_request_new(wasi_handle take_headers);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]outgoing-request.set-method")
bool wasi_outgoing_request_set_method(wasi_handle self, int32_t which, const char *other,
                                      size_t other_size);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]outgoing-request.set-path-with-query")
bool wasi_outgoing_request_set_path_with_query(wasi_handle self, bool is_some, const char *path,
                                               size_t size);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]outgoing-request.set-scheme")
bool wasi_outgoing_request_set_scheme(wasi_handle self, bool is_some, int32_t which,
                                      const char *other, size_t other_size);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]outgoing-request.set-authority")
bool wasi_outgoing_request_set_authority(wasi_handle self, bool is_some, const char *authority,
                                         size_t size);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]outgoing-request.body")
void wasi_outgoing_request_body(wasi_handle self, struct wasi_handle_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[resource-drop]outgoing-request")
void wasi_outgoing_request_drop(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[constructor]request-options")
wasi_handle wasi_request_options_new(void);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]request-options.set-connect-timeout")
bool wasi_request_options_set_connect_timeout(wasi_handle self, bool is_some, uint64_t ns);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]request-options.set-first-byte-timeout")
bool wasi_request_options_set_first_byte_timeout(wasi_handle self, bool is_some, uint64_t ns);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]request-options.set-between-bytes-timeout")
bool wasi_request_options_set_between_bytes_timeout(wasi_handle self, bool is_some, uint64_t ns);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]incoming-response.status")
int32_t wasi_incoming_response_status(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]incoming-response.headers")
wasi_handle wasi_incoming_response_headers(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]incoming-response.consume")
void wasi_incoming_response_consume(wasi_handle self, struct wasi_handle_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[resource-drop]incoming-response")
void wasi_incoming_response_drop(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]future-incoming-response.subscribe")
wasi_handle wasi_future_incoming_response_subscribe(wasi_handle self);
WASI_IMPORT(WASI_HTTP_TYPES, "[method]future-incoming-response.get")
void wasi_future_incoming_response_get(wasi_handle self, struct wasi_future_result *ret);
WASI_IMPORT(WASI_HTTP_TYPES, "[resource-drop]future-incoming-response")
void wasi_future_incoming_response_drop(wasi_handle self);

/* wasi:http/outgoing-handler */
WASI_IMPORT("wasi:http/outgoing-handler", "handle")
void wasi_outgoing_handler_handle(wasi_handle take_request, bool has_options,
                                  wasi_handle take_options, struct wasi_http_result *ret);

/* wasi:io */
WASI_IMPORT(WASI_IO_STREAMS, "[method]input-stream.read")
void wasi_input_stream_read(wasi_handle self, uint64_t size, struct wasi_stream_result *ret);
WASI_IMPORT(WASI_IO_STREAMS, "[method]input-stream.blocking-read")
void wasi_input_stream_blocking_read(wasi_handle self, uint64_t size,
                                     struct wasi_stream_result *ret);
WASI_IMPORT(WASI_IO_STREAMS, "[method]input-stream.subscribe")
wasi_handle wasi_input_stream_subscribe(wasi_handle self);
WASI_IMPORT(WASI_IO_STREAMS, "[resource-drop]input-stream")
void wasi_input_stream_drop(wasi_handle self);
WASI_IMPORT(WASI_IO_STREAMS, "[method]output-stream.check-write")
void wasi_output_stream_check_write(wasi_handle self, struct wasi_stream_size_result *ret);
WASI_IMPORT(WASI_IO_STREAMS, "[method]output-stream.write")
void wasi_output_stream_write(wasi_handle self, const void *bytes, size_t size,
                              struct wasi_stream_result *ret);
WASI_IMPORT(WASI_IO_STREAMS, "[method]output-stream.blocking-write-and-flush")
void wasi_output_stream_blocking_write_and_flush(wasi_handle self, const void *bytes, size_t size,
                                                 struct wasi_stream_result *ret);
WASI_IMPORT(WASI_IO_STREAMS, "[method]output-stream.flush")
void wasi_output_stream_flush(wasi_handle self, struct wasi_stream_result *ret);
WASI_IMPORT(WASI_IO_STREAMS, "[method]output-stream.blocking-flush")
void wasi_output_stream_blocking_flush(wasi_handle self, struct wasi_stream_result *ret);
WASI_IMPORT(WASI_IO_STREAMS, "[method]output-stream.subscribe")
wasi_handle wasi_output_stream_subscribe(wasi_handle self);
WASI_IMPORT(WASI_IO_STREAMS, "[method]output-stream.blocking-splice")
void wasi_output_stream_blocking_splice(wasi_handle self, wasi_handle input, uint64_t size,
                                        struct wasi_stream_size_result *ret);
WASI_IMPORT(WASI_IO_STREAMS, "[resource-drop]output-stream")
void wasi_output_stream_drop(wasi_handle self);
/* list<u32>: data points at `size` indices */
WASI_IMPORT(WASI_IO_POLL, "poll")
void wasi_poll(const wasi_handle *pollables, size_t count, struct wasi_bytes *ret);
WASI_IMPORT(WASI_IO_POLL, "[method]pollable.block") void wasi_pollable_block(wasi_handle self);
WASI_IMPORT(WASI_IO_POLL, "[method]pollable.ready") bool wasi_pollable_ready(wasi_handle self);
WASI_IMPORT(WASI_IO_POLL, "[resource-drop]pollable") void wasi_pollable_drop(wasi_handle self);

/* ---- in C ---- */

#define WASI_HTTP_WRITE_MAX 4096u /* of one blocking-write-and-flush */

struct wasi_http_request {
    wasi_handle handle;
    wasi_handle body, stream; /* 0: not asked for yet */
    bool ended;
};

struct wasi_http_response {
    wasi_handle outparam;
    wasi_handle fields; /* 0: the head was sent */
    wasi_handle body, stream;
    int status; /* 200 unless set before the head is sent */
    bool failed;
};

/* Yours. What it has not sent when it returns is sent then. */
void wasi_http_handle(struct wasi_http_request *request, struct wasi_http_response *response);

/* "GET". Ends in NUL, as all text here does. */
static inline const char *wasi_http_request_method(const struct wasi_http_request *request);

/* "/path?query" */
static inline const char *wasi_http_request_path(const struct wasi_http_request *request);

/* "example.com:8080", or "" */
static inline const char *wasi_http_request_authority(const struct wasi_http_request *request);

/* The first value of a field, or NULL. */
static inline const char *wasi_http_request_field(const struct wasi_http_request *request,
                                                  const char *name);

/* All fields; *count says how many. */
static inline const struct wasi_field *
wasi_http_request_fields(const struct wasi_http_request *request, size_t *count);

/* The next piece of the body, waiting for it: its size, 0 at the end, or −1 when it broke off. */
static inline ptrdiff_t wasi_http_request_read(struct wasi_http_request *request, void *bytes,
                                               size_t size);

/* Adds a field, before the first byte of the body is written. */
static inline int wasi_http_response_field(struct wasi_http_response *response, const char *name,
                                           const char *value);

/* Sends the head; what writes does so by itself. */
static inline int wasi_http_response_begin(struct wasi_http_response *response);

/* Writes a piece of the body, waiting for the client where need be. */
static inline int wasi_http_response_write(struct wasi_http_response *response, const void *bytes,
                                           size_t size);
static inline int wasi_http_response_text(struct wasi_http_response *response, const char *text);

/* Ends the body. */
static inline int wasi_http_response_end(struct wasi_http_response *response);

/* ---- how ---- */

static inline const char *wasi_http_text(struct wasi_bytes bytes)
{
    char *text = malloc(bytes.size + 1);
    if (!text) __builtin_trap();
    if (bytes.size) memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

static inline const char *wasi_http_request_method(const struct wasi_http_request *request)
{
    static const char *const names[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    struct wasi_method method;
    wasi_incoming_request_method(request->handle, &method);
    return method.which < WASI_METHOD_OTHER ? names[method.which] : wasi_http_text(method.other);
}

static inline const char *wasi_http_request_path(const struct wasi_http_request *request)
{
    struct wasi_text_option path;
    wasi_incoming_request_path_with_query(request->handle, &path);
    return path.is_some ? wasi_http_text(path.text) : "/";
}

static inline const char *wasi_http_request_authority(const struct wasi_http_request *request)
{
    struct wasi_text_option authority;
    wasi_incoming_request_authority(request->handle, &authority);
    return authority.is_some ? wasi_http_text(authority.text) : "";
}

static inline const char *wasi_http_request_field(const struct wasi_http_request *request,
                                                  const char *name)
{
    struct wasi_bytes values;
    wasi_handle fields = wasi_incoming_request_headers(request->handle);
    wasi_fields_get(fields, name, strlen(name), &values);
    wasi_fields_drop(fields);
    return values.size ? wasi_http_text(((struct wasi_bytes *)(void *)values.data)[0]) : NULL;
}

static inline const struct wasi_field *
wasi_http_request_fields(const struct wasi_http_request *request, size_t *count)
{
    struct wasi_bytes entries;
    wasi_handle fields = wasi_incoming_request_headers(request->handle);
    wasi_fields_entries(fields, &entries);
    wasi_fields_drop(fields);
    *count = entries.size;
    return (const struct wasi_field *)(const void *)entries.data;
}

static inline int wasi_http_request_open(struct wasi_http_request *request)
{
    struct wasi_handle_result got;
    if (request->stream) return 0;
    wasi_incoming_request_consume(request->handle, &got);
    if (got.is_error) return -1;
    request->body = got.handle;
    wasi_incoming_body_stream(request->body, &got);
    if (got.is_error) return -1;
    request->stream = got.handle;
    return 0;
}

static inline ptrdiff_t wasi_http_request_read(struct wasi_http_request *request, void *bytes,
                                               size_t size)
{
    struct wasi_stream_result got;
    if (request->ended || size == 0) return 0;
    if (wasi_http_request_open(request)) return -1;
    do {
        wasi_input_stream_blocking_read(request->stream, size, &got);
        if (got.is_error) {
            request->ended = got.failure.which == WASI_STREAM_CLOSED;
            return request->ended ? 0 : -1;
        }
    } while (got.bytes.size == 0);
    memcpy(bytes, got.bytes.data, got.bytes.size);
    free(got.bytes.data);
    return (ptrdiff_t)got.bytes.size;
}

static inline int wasi_http_response_field(struct wasi_http_response *response, const char *name,
                                           const char *value)
{
    struct wasi_header_result got;
    if (!response->fields) return -1;
    wasi_fields_append(response->fields, name, strlen(name), value, strlen(value), &got);
    return got.is_error ? -1 : 0;
}

static inline int wasi_http_response_begin(struct wasi_http_response *response)
{
    struct wasi_handle_result got;
    if (!response->fields) return response->failed ? -1 : 0;
    wasi_handle head = wasi_outgoing_response_new(response->fields);
    response->fields = 0;
    if (wasi_outgoing_response_set_status_code(head, response->status)) __builtin_trap();
    wasi_outgoing_response_body(head, &got);
    response->body = got.handle;
    wasi_outgoing_body_write(response->body, &got);
    response->stream = got.handle;
    wasi_response_outparam_set(response->outparam, false, head, 0, 0, 0, 0, 0, 0);
    return 0;
}

static inline int wasi_http_response_write(struct wasi_http_response *response, const void *bytes,
                                           size_t size)
{
    const char *at = bytes;
    if (wasi_http_response_begin(response)) return -1;
    while (size && !response->failed) {
        struct wasi_stream_result got;
        size_t piece = size < WASI_HTTP_WRITE_MAX ? size : WASI_HTTP_WRITE_MAX;
        wasi_output_stream_blocking_write_and_flush(response->stream, at, piece, &got);
        response->failed = got.is_error;
        at += piece;
        size -= piece;
    }
    return response->failed ? -1 : 0;
}

static inline int wasi_http_response_text(struct wasi_http_response *response, const char *text)
{
    return wasi_http_response_write(response, text, strlen(text));
}

static inline int wasi_http_response_end(struct wasi_http_response *response)
{
    struct wasi_http_result got;
    if (wasi_http_response_begin(response)) return -1;
    if (!response->body) return 0;
    wasi_output_stream_drop(response->stream);
    wasi_outgoing_body_finish(response->body, false, 0, &got);
    response->body = 0;
    return got.is_error ? -1 : 0;
}

/* ---- exports ---- */

/* Where the host puts what it returns. */
WASI_EXPORT("cabi_realloc")
void *wasi_realloc(void *old, size_t old_size, size_t align, size_t size);
void *wasi_realloc(void *old, size_t old_size, size_t align, size_t size)
{
    (void)old_size;
    if (size == 0) return (void *)align; /* aligned, and not to be used */
    void *room = realloc(old, size);
    if (!room) __builtin_trap();
    return room;
}

WASI_EXPORT("wasi:http/incoming-handler@" WASI_HTTP_VERSION "#handle")
void wasi_incoming_handler_handle(wasi_handle take_request, wasi_handle take_outparam);

#ifndef WASI_HTTP_OWN_HANDLER /* defined: you define the function above yourself */
void wasi_incoming_handler_handle(wasi_handle take_request, wasi_handle take_outparam)
{
    struct wasi_http_request request = {.handle = take_request};
    struct wasi_http_response response = {
        .outparam = take_outparam, .fields = wasi_fields_new(), .status = 200};
    wasi_http_handle(&request, &response);
    wasi_http_response_end(&response);
}
#endif

#endif
