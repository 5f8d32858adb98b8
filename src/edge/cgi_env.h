/* The meta-variables of a request (RFC 3875 §4.1). Private to edge. */
#ifndef EDGE_CGI_ENV_H
#define EDGE_CGI_ENV_H

#include "app.h"
#include "base/buffer.h"

/* What is reserved for one environment before it is known whether it keeps EDGE_ENVIRONMENT_BYTES.
 */
#define CGI_ENV_ROOM_BYTES (1u << 20)

/* What an environment is made of. All is borrowed until the next one is begun. */
struct cgi_env_source {
    const struct http_exchange *x;
    struct route route;
    const char *server_software;
    const char *const *extra; /* "NAME=value" */
    size_t extra_count;
};

/* Variables as NUL-terminated strings one behind the other, and pointers to them. Used again for
 * request after request, so that its memory is allocated once. */
struct cgi_env {
    struct cgi_env_source source;
    bool built;
    struct buffer bytes;
    uint32_t offsets[EDGE_ENVIRONMENT_MAX];
    const char *pointers[EDGE_ENVIRONMENT_MAX];
    size_t count;
};

void cgi_env_init(struct cgi_env *env);
void cgi_env_done(struct cgi_env *env);

/* Checks that there is an environment for a request, and leaves its making to cgi_env_build(), for
 * many guests never ask. Errors: ST_INVALID (the path's percent-encoding is broken or hides a NUL:
 * 400), ST_LIMIT (431), ST_NO_MEMORY. */
NODISCARD enum status cgi_env_begin(struct cgi_env *env, const struct cgi_env_source *source,
                                    struct error *err);

/* Fills the environment that was begun, while its exchange lives. Errors: ST_NO_MEMORY. */
NODISCARD enum status cgi_env_build(struct cgi_env *env, struct error *err);

#endif
