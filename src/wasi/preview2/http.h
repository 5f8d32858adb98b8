/* Inside wasi:http: the objects, and the tools that its files share. */
#ifndef WASI_PREVIEW2_HTTP_H
#define WASI_PREVIEW2_HTTP_H

#include "state.h"
#include "wasi/wasi_http.h"

/* Of one instance, in a piece of its pool. */
struct wasi_http_state {
    struct wasi_http_exchange exchange;
    struct wasi_http_client client;
};

/* canonical_taken(), for what may have children: then the guest is trapped. NULL: HOST_TRAP. */
NODISCARD void *http_taken(struct canonical_call *c, const struct io_class *class, uint32_t handle);

struct http_incoming_request {
    struct io_object object;
    bool consumed;
};

NODISCARD bool http_put_text(struct canonical_call *c, const char *text, size_t size_bytes,
                             struct call_list *ret);

/* result<own<T>>. */
enum host_result put_own_result(struct canonical_call *c, uint32_t at, bool is_error,
                                uint32_t handle);

/* option<string> at `at`, empty text being none. */
enum host_result put_text_option(struct canonical_call *c, uint32_t at, struct wasi_http_text text);

/* "method" at `at`. */
enum host_result put_method(struct canonical_call *c, uint32_t at, struct wasi_http_text method);

/* option<scheme> at `at`: HTTP and HTTPS are known, all else is other; empty is none. */
enum host_result put_scheme(struct canonical_call *c, uint32_t at, struct wasi_http_text scheme);

/* ---- fields ---- */

/* Name and value, one behind the other. */
struct field_entry {
    struct field_entry *next;
    uint32_t name_bytes, value_bytes;
    char bytes[];
};

/* Either entries of its own, or a view of what has come in: then it never changes, and the fields
 * that no guest may see are left out. */
struct http_fields {
    struct io_object object;
    const struct wasi_http_fields *view; /* NULL: entries */
    void *view_context;
    struct field_entry *first, *last;
    uint32_t count, bytes;
    bool immutable;
};

struct field_cursor {
    const struct http_fields *fields;
    const struct field_entry *entry;
    size_t index;
};

void fields_cursor(const struct http_fields *f, struct field_cursor *ret);
bool fields_next(struct field_cursor *cursor, struct wasi_http_field *ret);

/* A view as the guest sees it: immutable. NULL: HOST_TRAP. */
NODISCARD struct http_fields *fields_view(struct canonical_call *c,
                                          const struct wasi_http_fields *view, void *context,
                                          struct io_object *parent);

/* A view of `f`, for as long as its owner lives, which is the parent. NULL: HOST_TRAP. */
NODISCARD struct http_fields *fields_alias(struct canonical_call *c, struct http_fields *f,
                                           struct io_object *parent);

/* All entries, for sending. False: there are more than WASI_HTTP_SENT_FIELDS_MAX. */
NODISCARD bool fields_gather(const struct http_fields *f,
                             struct wasi_http_field ret[WASI_HTTP_SENT_FIELDS_MAX], size_t *count);

bool text_is_token(const char *text, size_t size_bytes); /* RFC 9110 §5.6.2 */

/* ---- bodies that come in ---- */

struct http_incoming_body {
    struct io_object object;
    struct wasi_stream stream;
    const struct io_stream_extra *extra;
    const struct wasi_http_fields *trailers;
    void *context;                                      /* of the trailers */
    void (*done)(struct wasi_preview2 *p, void *owner); /* nobody reads any more; NULL: nothing */
    void *owner;
    bool streamed;
};

NODISCARD struct http_incoming_body *incoming_body_new(struct canonical_call *c);

/* For `extra`: what http-error-code says of a body that breaks off. */
extern const struct io_stream_extra incoming_request_extra, incoming_response_extra;

/* ---- bodies that go out ---- */

/* Where a body goes once its head was sent. */
struct http_sink {
    struct wasi_stream stream;
    void *context;
    enum status (*finish)(void *context, const struct wasi_http_field *trailers, size_t count);
    void (*cut)(void *context);
    void (*done)(struct wasi_preview2 *p, void *context); /* no use any more; NULL: nothing */
    bool of_request;
};

/* A body, shared by its message (until that is sent) and the guest's outgoing-body (until that is
 * finished or dropped); in a piece of the pool. What the guest writes before there is a sink, or
 * faster than it takes, is held here. */
struct http_outgoing {
    uint32_t references;
    struct http_sink sink; /* without ops: not sent yet */
    uint8_t *held;         /* a piece of WASI_HTTP_BODY_HELD_BYTES, or NULL */
    uint32_t held_at, held_end;
    struct http_fields *trailers; /* that wait for the sink */
    bool closed;                  /* the sink takes no more */
    bool finished, dropped;       /* by the guest */
};

NODISCARD struct http_outgoing *outgoing_new(struct canonical_call *c);
void outgoing_unref(struct wasi_preview2 *p, struct http_outgoing *o); /* legal on NULL */

/* The guest's outgoing-body of `o`, as an own handle. False: HOST_TRAP. */
NODISCARD bool outgoing_body_give(struct canonical_call *c, struct http_outgoing *o, uint32_t *ret);

/* The message was sent: what is held goes on, and the end, if it was there already. `sink` NULL: it
 * could not be sent. May wait. */
enum host_result outgoing_bind(struct canonical_call *c, struct http_outgoing *o,
                               const struct http_sink *sink);

/* The message was sent without anybody having asked for its body: it is empty. */
enum status outgoing_empty(const struct http_sink *sink);

/* ---- errors ---- */

/* "error-code" at `at`, zeroed memory of 32 bytes. */
void put_error_code(uint8_t *at, enum wasi_http_error error);

extern const struct io_domain io_domain_http; /* codes: enum wasi_http_error */

/* ---- tables ---- */

extern const struct io_class http_fields_class, incoming_request_class, incoming_body_class,
    future_trailers_class, outgoing_response_class, outgoing_body_class, response_outparam_class,
    request_options_class, outgoing_request_class, incoming_response_class,
    future_incoming_response_class;

struct http_functions {
    const struct canonical_function *functions;
    size_t count;
};

/* Types as component_type_print() spells them. */
#define TYPE_METHOD                                                                                \
    "variant{get, head, post, put, delete, connect, options, trace, patch, other(string)}"
#define TYPE_SCHEME       "variant{HTTP, HTTPS, other(string)}"
#define TYPE_HEADER_ERROR "variant{invalid-syntax, forbidden, immutable}"
#define TYPE_FIELD_SIZE   "record{field-name: option<string>, field-size: option<u32>}"
#define TYPE_ERROR_CODE                                                                            \
    "variant{DNS-timeout, DNS-error(record{rcode: option<string>, info-code: option<u16>}), "      \
    "destination-not-found, destination-unavailable, destination-IP-prohibited, "                  \
    "destination-IP-unroutable, connection-refused, connection-terminated, connection-timeout, "   \
    "connection-read-timeout, connection-write-timeout, connection-limit-reached, "                \
    "TLS-protocol-error, TLS-certificate-error, TLS-alert-received(record{alert-id: option<u8>, "  \
    "alert-message: option<string>}), HTTP-request-denied, HTTP-request-length-required, "         \
    "HTTP-request-body-size(option<u64>), HTTP-request-method-invalid, HTTP-request-URI-invalid, " \
    "HTTP-request-URI-too-long, HTTP-request-header-section-size(option<u32>), "                   \
    "HTTP-request-header-size(option<" TYPE_FIELD_SIZE                                             \
    ">), HTTP-request-trailer-section-size(option<u32>), "                                         \
    "HTTP-request-trailer-size(" TYPE_FIELD_SIZE                                                   \
    "), HTTP-response-incomplete, HTTP-response-header-section-size(option<u32>), "                \
    "HTTP-response-header-size(" TYPE_FIELD_SIZE                                                   \
    "), HTTP-response-body-size(option<u64>), HTTP-response-trailer-section-size(option<u32>), "   \
    "HTTP-response-trailer-size(" TYPE_FIELD_SIZE                                                  \
    "), HTTP-response-transfer-coding(option<string>), "                                           \
    "HTTP-response-content-coding(option<string>), HTTP-response-timeout, HTTP-upgrade-failed, "   \
    "HTTP-protocol-error, loop-detected, configuration-error, internal-error(option<string>)}"

#define ERROR_CODE_BYTES 32u /* as the canonical ABI lays it out, aligned to 8 */

/* The parts of wasi:http/types, each in the file of its name. */
extern const struct http_functions http_fields_functions, http_request_functions,
    http_body_functions, http_outgoing_body_functions, http_response_functions,
    http_options_functions, http_outgoing_functions, http_client_functions;
extern const struct canonical_interface http_outgoing_handler;

#endif
