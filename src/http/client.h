/* The HTTP client: requests to other servers, over libcurl's multi interface and c-ares, on a loop.
 *
 * A call is one request and its response. Both bodies stream, and of each HTTP_CLIENT_BODY_BYTES at
 * most are held: beyond, the writer has to wait, or the other end does. HTTP/1.1 is what is spoken:
 * of HTTP/2, libcurl would hold more than that for a reader who is slow. No redirect is followed,
 * no cookie kept, no proxy used, whatever the environment says. Connections are kept and used
 * again.
 *
 * Names are resolved on the loop and every address is judged, before a socket is opened and once
 * more before the request is written to a connection, old or new: those of this machine and of
 * private networks are not for guests, unless the caller says that the host was meant
 * (http_call_config.private_allowed). What a name resolves to elsewhere or later does not matter.
 *
 * Owner and thread: a client belongs to one loop. A call lives from http_call_new() until
 * http_call_end(). No callback runs inside a call to a function of this header: on_event() comes at
 * the end of a turn, whenever something may have changed.
 *
 * After http_client_new() the client opens sockets and nothing else: no files, no threads. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "http/http.h"

struct sockaddr;

#define HTTP_CLIENT_CALLS_MAX        4096u  /* at a time, of one client */
#define HTTP_CLIENT_CONNECTIONS_MAX  1024u  /* open, idle ones included; then calls wait for one */
#define HTTP_CLIENT_IDLE_MAX         256u   /* of them idle */
#define HTTP_CLIENT_IDLE_S           60u    /* for so long */
#define HTTP_CLIENT_BODY_BYTES       65536u /* of a call, held in each direction */
#define HTTP_CLIENT_HEAD_BYTES_MAX   65536u /* of a response, trailers included */
#define HTTP_CLIENT_FIELDS_MAX       256u   /* likewise; and of a request, and of its trailers */
#define HTTP_CLIENT_TARGET_BYTES_MAX 16384u /* path and query of a request */
#define HTTP_CLIENT_HOST_BYTES_MAX   253u
#define HTTP_CLIENT_ADDRESSES_MAX    8u     /* of a name that are tried */
#define HTTP_CLIENT_NAMES_MAX        256u   /* whose addresses are kept */
#define HTTP_CLIENT_NAME_S_MAX       60u    /* for so long, whatever their time to live */
#define HTTP_CLIENT_HOSTS_MAX        4096u  /* lines of /etc/hosts that are read */
#define HTTP_CLIENT_CONNECT_MS       10000u /* to resolve, connect and agree on TLS, unless given */
#define HTTP_CLIENT_FIRST_BYTE_MS    30000u /* then, until the response's head is there */
#define HTTP_CLIENT_BETWEEN_BYTES_MS 30000u /* of its body */

struct http_client;
struct http_call;

enum http_call_error {
    HTTP_CALL_OK,
    HTTP_CALL_LIMIT,  /* too many calls */
    HTTP_CALL_METHOD, /* the request cannot be sent, because of: its method, … */
    HTTP_CALL_URI,
    HTTP_CALL_FIELDS,
    HTTP_CALL_BODY_SIZE, /* … a body that is not as long as its Content-Length */
    HTTP_CALL_DNS_TIMEOUT,
    HTTP_CALL_DNS_ERROR,
    HTTP_CALL_ADDRESS_PROHIBITED,
    HTTP_CALL_REFUSED,     /* the connection */
    HTTP_CALL_UNREACHABLE, /* the address */
    HTTP_CALL_UNAVAILABLE, /* no connection, for another reason */
    HTTP_CALL_CONNECT_TIMEOUT,
    HTTP_CALL_READ_TIMEOUT,
    HTTP_CALL_TERMINATED, /* the connection, before there was a response */
    HTTP_CALL_INCOMPLETE, /* it broke off within the response */
    HTTP_CALL_TLS_PROTOCOL,
    HTTP_CALL_TLS_CERTIFICATE,
    HTTP_CALL_HEAD_TOO_LARGE,
    HTTP_CALL_TRAILER_TOO_LARGE,
    HTTP_CALL_CODING,   /* of the transfer, that nobody knows */
    HTTP_CALL_PROTOCOL, /* the response is no HTTP */
    HTTP_CALL_CUT,      /* http_call_cut() */
    HTTP_CALL_INTERNAL,
    HTTP_CALL_ERRORS,
};

struct http_client_config {
    const char *ca_file;  /* certificates in PEM to trust; NULL: SSL_CERT_FILE's in the environment,
                             or the system's */
    const char *resolver; /* "ADDRESS[:PORT]", comma-separated; NULL: those of the system */
};

/* Reads the system's name servers, hosts and trusted certificates; `loop` outlives the client.
 * Errors: ST_NO_MEMORY, ST_IO (no certificates), ST_USAGE (the resolver). */
NODISCARD enum status http_client_new(struct loop *loop, const struct http_client_config *config,
                                      struct http_client **ret, struct error *err);
void http_client_free(struct http_client *c); /* every call was ended; NULL is legal */

/* How many connections it has opened. */
uint64_t http_client_connections(const struct http_client *c);

/* Fields that say how the message or the connection is framed are not sent: Host, Connection and
 * what that names, Transfer-Encoding, … A Content-Length is the length that the body has to have.
 */
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

/* Begins a request; its body follows. Everything is copied. It leaves at the end of the loop's
 * turn: a body that is whole by then goes with its length, another one without a Content-Length in
 * chunks. Success: HTTP_CALL_OK and *ret. */
NODISCARD enum http_call_error
http_call_new(struct http_client *c, const struct http_call_config *config, struct http_call **ret);

/* Gives up what is not over; its connection is closed then. NULL is legal. */
void http_call_end(struct http_call *call);

/* Of the request's body. ST_OK: at least a part; ST_WOULD_BLOCK: on_event() will come; ST_CLOSED:
 * nobody takes it any more; ST_INVALID: longer than its Content-Length, and the call has failed. */
NODISCARD enum status http_call_write(struct http_call *call, const void *bytes, size_t size,
                                      size_t *taken);
/* ST_OK: so many bytes at once; ST_WOULD_BLOCK; ST_CLOSED. */
NODISCARD enum status http_call_writable(const struct http_call *call, size_t *room);

/* The request's body is whole. ST_INVALID: shorter than its Content-Length, and the call has
 * failed. Trailers go with a body in chunks only. */
NODISCARD enum status http_call_finish(struct http_call *call, const struct http_field *trailers,
                                       size_t count);

/* It will not become whole: the call has failed, unless the body was. */
void http_call_cut(struct http_call *call);

/* ST_OK: the head is there; ST_WOULD_BLOCK; ST_IO: *error says why there is none. */
NODISCARD enum status http_call_head(const struct http_call *call, int *status,
                                     enum http_call_error *error);
size_t http_call_field_count(const struct http_call *call);
struct http_field http_call_field(const struct http_call *call, size_t index);

/* As http_exchange_read(), but ST_CLOSED at the end, and ST_IO when it broke off. */
NODISCARD enum status http_call_read(struct http_call *call, void *bytes, size_t capacity,
                                     size_t *size);
/* ST_OK: so many bytes are there; ST_WOULD_BLOCK, ST_CLOSED, ST_IO. */
NODISCARD enum status http_call_readable(const struct http_call *call, size_t *size);

/* Why the call has failed; HTTP_CALL_OK: it has not. */
enum http_call_error http_call_failure(const struct http_call *call);

/* Where it goes: the host in its usual form. */
void http_call_destination(const struct http_call *call, struct http_slice *ret_host,
                           uint16_t *ret_port);

/* Once the body has ended. */
size_t http_call_trailer_count(const struct http_call *call);
struct http_field http_call_trailer(const struct http_call *call, size_t index);

/* ---- addresses ---- */

/* Whether an address is of the public internet: not of this machine, of private or link-local
 * networks, multicast, or reserved; nor an IPv6 address that stands for such an IPv4 address. */
bool http_address_is_public(const struct sockaddr *address);

#endif
