/* Requests of guests to other servers: what is granted, and wasi:http's view of a call. Private to
 * edge. */
#ifndef EDGE_OUTBOUND_H
#define EDGE_OUTBOUND_H

#include "edge/edge.h"
#include "wasi/wasi_http.h"

struct request;

/* A place that guests may send requests to. Slices of the grant's text. */
struct outbound_grant {
    const char *app; /* NULL: every app */
    size_t app_size;
    const char *host; /* "*", "*.example.com", "example.com", "192.0.2.1", "::1" */
    size_t host_size;
    uint16_t port; /* 0: the scheme's own */
    bool is_private;
};

/* "[APP=]HOST[:PORT]". Errors: ST_USAGE. */
NODISCARD enum status outbound_grant_parse(const char *text, struct outbound_grant *ret,
                                           struct error *err);

/* Whether the grant is for this app, host and port. Names are compared in any case of letters. */
bool outbound_grant_fits(const struct outbound_grant *g, const char *app, const char *host,
                         size_t host_size, uint16_t port, bool is_scheme_port);

/* Lets the guest of a request send some, which ends with the request. */
NODISCARD enum status outbound_grant_request(struct request *r, struct error *err);

/* The request is over: what it has sent is broken off. */
void outbound_cut(struct request *r);

#endif
