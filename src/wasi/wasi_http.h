/* wasi:http 0.2 for components: types, and what a server needs to call "incoming-handler".
 *
 * The module knows the rules of the interface and nothing of HTTP itself: requests, responses and
 * their bodies are an embedder's, behind the functions below. None of them may run guest code or
 * suspend; waiting goes through the streams and wasi_preview2_config.waiter.
 *
 * A server links a component with these interfaces beside those of wasi_preview2_interfaces(). For
 * each request it calls wasi_http_begin() and gives the guest the two objects that "handle" takes.
 *
 * Owner: everything belongs to the thread of the instance. */
#ifndef WASI_WASI_HTTP_H
#define WASI_WASI_HTTP_H

#include "canonical/canonical.h"
#include "wasi/wasi.h"

#define WASI_HTTP_FIELDS_BYTES_MAX (128u << 10) /* of one `fields`: a trap beyond */
#define WASI_HTTP_FIELDS_MAX       1024u        /* entries of one: likewise */
#define WASI_HTTP_SENT_FIELDS_MAX  256u         /* of one head or trailer; then it is not sent */
#define WASI_HTTP_BODY_HELD_BYTES  65536u       /* that a guest has written and nobody took yet */
#define WASI_HTTP_TEXT_BYTES_MAX   8192u        /* of a path, an authority, a method */

/* Bytes that belong to someone else; never NULL. */
struct wasi_http_text {
    const char *data;
    size_t size_bytes;
};

struct wasi_http_field {
    struct wasi_http_text name, value;
};

/* Fields in the order they came. */
struct wasi_http_fields {
    size_t (*count)(void *context);
    struct wasi_http_field (*get)(void *context, size_t index);
};

/* ---- a request that has come in, and its response ---- */

struct wasi_http_request_head {
    struct wasi_http_text method; /* as sent */
    struct wasi_http_text path_with_query;
    struct wasi_http_text authority; /* "": none */
    bool is_https;
};

/* `context` is the exchange's.
 * respond:  ST_OK, or why the head cannot be sent; the guest sees a body that is closed.
 * finish:   the body is whole. ST_INVALID when it is shorter than its length; ST_CLOSED.
 * cut:      the guest has dropped the body before it was whole.
 * refuse:   instead of a response, the guest gave an error code of this name. */
struct wasi_http_exchange_ops {
    void (*head)(void *context, struct wasi_http_request_head *ret);
    struct wasi_http_fields fields, trailers; /* trailers: once the body has ended */
    enum status (*respond)(void *context, int status, const struct wasi_http_field *fields,
                           size_t count);
    enum status (*finish)(void *context, const struct wasi_http_field *trailers, size_t count);
    void (*cut)(void *context);
    void (*refuse)(void *context, const char *error_code);
};

struct wasi_http_exchange {
    const struct wasi_http_exchange_ops *ops;
    void *context;
    struct wasi_stream request_body, response_body;
};

/* The objects for a call of "handle", for canonical_give() with the two types below. `x` is copied;
 * it ends with wasi_preview2_clear() or wasi_preview2_reuse(). Errors: ST_NO_MEMORY. */
NODISCARD enum status wasi_http_begin(struct wasi_preview2 *p, const struct wasi_http_exchange *x,
                                      void **ret_request, void **ret_outparam, struct error *err);

const struct canonical_resource *wasi_http_incoming_request(void);
const struct canonical_resource *wasi_http_response_outparam(void);

/* ---- requests that go out ---- */

/* The cases of "error-code", in its order. */
enum wasi_http_error {
    WASI_HTTP_DNS_TIMEOUT,
    WASI_HTTP_DNS_ERROR,
    WASI_HTTP_DESTINATION_NOT_FOUND,
    WASI_HTTP_DESTINATION_UNAVAILABLE,
    WASI_HTTP_DESTINATION_IP_PROHIBITED,
    WASI_HTTP_DESTINATION_IP_UNROUTABLE,
    WASI_HTTP_CONNECTION_REFUSED,
    WASI_HTTP_CONNECTION_TERMINATED,
    WASI_HTTP_CONNECTION_TIMEOUT,
    WASI_HTTP_CONNECTION_READ_TIMEOUT,
    WASI_HTTP_CONNECTION_WRITE_TIMEOUT,
    WASI_HTTP_CONNECTION_LIMIT_REACHED,
    WASI_HTTP_TLS_PROTOCOL_ERROR,
    WASI_HTTP_TLS_CERTIFICATE_ERROR,
    WASI_HTTP_TLS_ALERT_RECEIVED,
    WASI_HTTP_REQUEST_DENIED,
    WASI_HTTP_REQUEST_LENGTH_REQUIRED,
    WASI_HTTP_REQUEST_BODY_SIZE,
    WASI_HTTP_REQUEST_METHOD_INVALID,
    WASI_HTTP_REQUEST_URI_INVALID,
    WASI_HTTP_REQUEST_URI_TOO_LONG,
    WASI_HTTP_REQUEST_HEADER_SECTION_SIZE,
    WASI_HTTP_REQUEST_HEADER_SIZE,
    WASI_HTTP_REQUEST_TRAILER_SECTION_SIZE,
    WASI_HTTP_REQUEST_TRAILER_SIZE,
    WASI_HTTP_RESPONSE_INCOMPLETE,
    WASI_HTTP_RESPONSE_HEADER_SECTION_SIZE,
    WASI_HTTP_RESPONSE_HEADER_SIZE,
    WASI_HTTP_RESPONSE_BODY_SIZE,
    WASI_HTTP_RESPONSE_TRAILER_SECTION_SIZE,
    WASI_HTTP_RESPONSE_TRAILER_SIZE,
    WASI_HTTP_RESPONSE_TRANSFER_CODING,
    WASI_HTTP_RESPONSE_CONTENT_CODING,
    WASI_HTTP_RESPONSE_TIMEOUT,
    WASI_HTTP_UPGRADE_FAILED,
    WASI_HTTP_PROTOCOL_ERROR,
    WASI_HTTP_LOOP_DETECTED,
    WASI_HTTP_CONFIGURATION_ERROR,
    WASI_HTTP_INTERNAL_ERROR,
    WASI_HTTP_ERRORS,
};

const char *wasi_http_error_name(enum wasi_http_error error); /* "DNS-timeout"; static storage */

/* What the guest asks for; valid during the call. */
struct wasi_http_outgoing_head {
    struct wasi_http_text method, scheme, authority, path_with_query; /* "http", "https", … */
    const struct wasi_http_field *fields;
    size_t fields_count;
    uint64_t connect_ns, first_byte_ns, between_bytes_ns; /* time limits; 0: the embedder's own */
    bool has_body; /* one follows by the body's stream, unless the guest ends it at once */
};

/* `call` is what send() gave. Streams wake whoever waits for them by wasi_preview2_config.waiter.
 * send:      false: *ret_error says why there is no call.
 * response:  ST_OK with a status; ST_WOULD_BLOCK, then `body` becomes ready for WASI_READ; ST_IO.
 * finish:    the request's body is whole. ST_INVALID: shorter than its length; ST_CLOSED.
 * cut:       it will not become whole: the request is given up.
 * end:       the guest has nothing of the call any more. */
struct wasi_http_client_ops {
    bool (*send)(void *context, const struct wasi_http_outgoing_head *head, void **ret_call,
                 enum wasi_http_error *ret_error);
    struct wasi_stream (*request_body)(void *call);
    enum status (*finish)(void *call, const struct wasi_http_field *trailers, size_t count);
    void (*cut)(void *call);
    enum status (*response)(void *call, int *ret_status, enum wasi_http_error *ret_error);
    struct wasi_stream (*response_body)(void *call);
    /* Why reading the body has failed. */
    enum wasi_http_error (*failure)(void *call);
    struct wasi_http_fields fields, trailers;
    void (*end)(void *call);
};

struct wasi_http_client {
    const struct wasi_http_client_ops *ops; /* NULL: HTTP-request-denied */
    void *context;
};

/* Lets the guest send requests, behind wasi_http_begin(). Errors: ST_NO_MEMORY. */
NODISCARD enum status wasi_http_grant(struct wasi_preview2 *p,
                                      const struct wasi_http_client *client, struct error *err);

/* Every interface, for canonical_find(); static storage. */
const struct canonical_interface *const *wasi_http_interfaces(size_t *ret_count);

/* These and wasi_preview2_interfaces(): all that a component may import, for canonical_new(), and
 * for module_new(). Static storage; from one thread at first. */
const struct canonical_interface *const *wasi_component_interfaces(size_t *ret_count);
const struct host_set *wasi_component_set(void);

#endif
