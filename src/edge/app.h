/* The apps of an edge, found by name. Private to edge. */
#ifndef EDGE_APP_H
#define EDGE_APP_H

#include "edge/edge.h"
#include "http/http.h"

struct module;
struct request;

struct app {
    char name[EDGE_NAME_BYTES_MAX + 1];
    struct module *module;
    uint32_t start_func;  /* program function behind "_start" */
    uint32_t running;     /* requests */
    struct request *idle; /* reset instances */
    uint32_t idle_count;
};

struct app_table {
    struct app **apps; /* sorted by name */
    size_t count, capacity;
    struct app *fallback; /* answers what no name claims; or NULL */
};

/* Which app answers, and how its path divides (RFC 3875 §4.1.5, §4.1.13). Slices of the request. */
struct route {
    struct app *app;
    struct http_slice script_name, path_info;
};

NODISCARD enum status app_table_add(struct app_table *t, const char *name,
                                    uint64_t memory_bytes_max, struct artifact *take_artifact,
                                    struct error *err);
void app_table_done(struct app_table *t); /* idle instances are freed by the caller before */

/* NULL when there is none of that name (any case of letters counts as the same for hosts). */
struct app *app_table_find(const struct app_table *t, const char *name, size_t size);

/* By host, then by the path's first segment, then the fallback; false: nobody answers. */
bool app_table_route(const struct app_table *t, struct http_slice host_name, struct http_slice path,
                     struct route *ret);

#endif
