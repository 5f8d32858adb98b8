/* Inside wasi:http: requests that go out. */
#ifndef WASI_PREVIEW2_HTTP_CLIENT_H
#define WASI_PREVIEW2_HTTP_CLIENT_H

#include "http.h"

enum http_timeout {
    HTTP_TIMEOUT_CONNECT,
    HTTP_TIMEOUT_FIRST_BYTE,
    HTTP_TIMEOUT_BETWEEN_BYTES,
    HTTP_TIMEOUTS,
};

struct http_request_options {
    struct io_object object;
    bool is_set[HTTP_TIMEOUTS];
    uint64_t ns[HTTP_TIMEOUTS];
};

/* Text of the guest's in a piece of the pool; without data it is none. */
struct http_kept_text {
    char *data;
    uint32_t size_bytes;
};

struct http_outgoing_request {
    struct io_object object;
    struct http_fields *fields;
    struct http_outgoing *out; /* the guest has asked for the body */
    struct http_kept_text method, path_with_query, scheme, authority;
};

/* A call of the client, shared by the future, the response, its body and trailers; in a piece of
 * the pool. */
struct http_call {
    uint32_t references;
    const struct wasi_http_client_ops *ops;
    void *call;
};

void http_call_unref(struct wasi_preview2 *p, struct http_call *call); /* legal on NULL */

#endif
