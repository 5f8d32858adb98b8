/* The HTTP client: requests to other servers, over libcurl's multi interface and c-ares, on a loop.
 *
 * Names are resolved by c-ares and every address is judged before a connection to it is opened:
 * those of this machine and of private networks are not for guests, unless the caller says that the
 * host was meant (http_call_config.private_allowed). Connections are kept and used again.
 *
 * Owner and thread: a client belongs to one loop. A call lives from http_call_new() until
 * http_call_end(). No callback runs inside a call to a function of this header: on_event() comes at
 * the end of a turn, whenever something may have changed.
 *
 * After http_client_new() the client opens sockets and nothing else: no files. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "http/http.h"

#define HTTP_CLIENT_CALLS_MAX        4096u  /* at a time, of one client */
#define HTTP_CLIENT_CONNECTIONS_MAX  1024u  /* open, idle ones included */
#define HTTP_CLIENT_BODY_BYTES       65536u /* of a call, held in each direction */
#define HTTP_CLIENT_HEAD_BYTES_MAX   65536u /* of a response, trailers included */
#define HTTP_CLIENT_FIELDS_MAX       256u
#define HTTP_CLIENT_URL_BYTES_MAX    16384u
#define HTTP_CLIENT_HOST_BYTES_MAX   255u
#define HTTP_CLIENT_ADDRESSES_MAX    8u /* of a name that are tried */
#define HTTP_CLIENT_CONNECT_MS       10000u
#define HTTP_CLIENT_FIRST_BYTE_MS    30000u
#define HTTP_CLIENT_BETWEEN_BYTES_MS 30000u

struct http_client;
struct http_call;

enum http_call_error {
    HTTP_CALL_DNS_TIMEOUT,
    HTTP_CALL_DNS_ERROR,
    HTTP_CALL_ADDRESS_PROHIBITED,
    HTTP_CALL_REFUSED,     /* the connection */
    HTTP_CALL_UNREACHABLE, /* the address */
    HTTP_CALL_CONNECT_TIMEOUT,
    HTTP_CALL_READ_TIMEOUT,
    HTTP_CALL_TERMINATED, /* the connection, half-way */
    HTTP_CALL_TLS_PROTOCOL,
    HTTP_CALL_TLS_CERTIFICATE,
    HTTP_CALL_HEAD_TOO_LARGE,
    HTTP_CALL_PROTOCOL,
    HTTP_CALL_INTERNAL,
};

/* Reads the system's name servers and trusted certificates. Errors: ST_NO_MEMORY, ST_IO. */
NODISCARD enum status http_client_new(struct loop *loop, struct http_client **ret,
                                      struct error *err);
void http_client_free(struct http_client *c); /* every call was ended; NULL is legal */

struct http_call_config {
    struct http_slice method, path; /* path with query */
    struct http_slice host; /* a name, an IPv4 address, or an IPv6 address without brackets */
    uint16_t port;
    bool is_https;
    bool private_allowed; /* addresses of private networks and of this machine */
    const struct http_field *fields;
    size_t fields_count;
    uint32_t connect_ms, first_byte_ms, between_bytes_ms; /* 0: as above */
    void (*on_event)(void *context);
    void *context;
};

/* Begins a request; its body follows. Everything is copied. Errors: ST_LIMIT, ST_INVALID,
 * ST_NO_MEMORY. */
NODISCARD enum status http_call_new(struct http_client *c, const struct http_call_config *config,
                                    struct http_call **ret, struct error *err);

/* Gives up what is not over. NULL is legal. */
void http_call_end(struct http_call *call);

/* Of the request's body. ST_OK: at least a part; ST_WOULD_BLOCK: on_event() will come; ST_CLOSED:
 * nobody takes it any more; ST_INVALID: longer than its Content-Length. */
NODISCARD enum status http_call_write(struct http_call *call, const void *bytes, size_t size,
                                      size_t *taken);
NODISCARD bool http_call_writable(const struct http_call *call);

/* The request's body is whole. ST_INVALID: shorter than its Content-Length. */
NODISCARD enum status http_call_finish(struct http_call *call, const struct http_field *trailers,
                                       size_t count);

/* It will not become whole. */
void http_call_cut(struct http_call *call);

/* ST_OK: the head is there; ST_WOULD_BLOCK; ST_IO: *error says why there is none. */
NODISCARD enum status http_call_head(const struct http_call *call, int *status,
                                     enum http_call_error *error);
size_t http_call_field_count(const struct http_call *call);
struct http_field http_call_field(const struct http_call *call, size_t index);

/* As http_exchange_read(), but ST_CLOSED at the end, and ST_IO when it broke off. */
NODISCARD enum status http_call_read(struct http_call *call, void *bytes, size_t capacity,
                                     size_t *size);
NODISCARD bool http_call_readable(const struct http_call *call);

/* Once the body has ended. */
size_t http_call_trailer_count(const struct http_call *call);
struct http_field http_call_trailer(const struct http_call *call, size_t index);

/* ---- addresses ---- */

/* Whether an address is of the public internet: not of this machine, of private or link-local
 * networks, multicast, or reserved; nor an IPv6 address that stands for such an IPv4 address. */
bool http_address_is_public(const struct sockaddr *address);

#endif
