/* The meta-variables of a request (RFC 3875 §4.1). Private to edge. */
#ifndef EDGE_CGI_ENV_H
#define EDGE_CGI_ENV_H

#include "app.h"
#include "base/buffer.h"

/* What is reserved for one environment before it is known whether it keeps EDGE_ENVIRONMENT_BYTES.
 */
#define CGI_ENV_ROOM_BYTES (1u << 20)

/* Variables as NUL-terminated strings one behind the other, and pointers to them. Used again for
 * request after request, so that its memory is allocated once. */
struct cgi_env {
    struct buffer bytes;
    uint32_t offsets[EDGE_ENVIRONMENT_MAX];
    const char *pointers[EDGE_ENVIRONMENT_MAX];
    size_t count;
};

void cgi_env_init(struct cgi_env *env);
void cgi_env_done(struct cgi_env *env);

/* Fills `env` for a request on `route`. Errors: ST_INVALID (the path's percent-encoding is broken
 * or hides a NUL: 400), ST_LIMIT (431), ST_NO_MEMORY. */
NODISCARD enum status cgi_env_build(struct cgi_env *env, const struct http_exchange *x,
                                    const struct route *route, const char *server_software,
                                    const char *const *extra, size_t extra_count,
                                    struct error *err);

#endif
