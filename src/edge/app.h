/* The apps of an edge, found by name and by number, and their versions. Private to edge.
 *
 * An app is a small entry. What it runs, its version, is there while it is used: the artifact is
 * asked for with the first request and dropped when nobody has asked for a while. A version that
 * was replaced lives until its last request has ended, and so does an app that was removed. */
#ifndef EDGE_APP_H
#define EDGE_APP_H

#include "edge/edge.h"
#include "http/http.h"

struct app;
struct module;
struct request;
struct waiting;

/* A ring of versions, those used most recently at its end. */
struct version_links {
    struct version_links *next, *previous;
};

struct app_version {
    struct version_links links; /* of the versions that are current */
    struct app *app;
    struct module *module;
    uint32_t generation;
    bool is_component;
    uint32_t start_func;  /* of a command: program function behind "_start" */
    uint32_t lift;        /* of a component: "handle" of wasi:http/incoming-handler */
    uint32_t running;     /* requests */
    uint32_t starting;    /* of them, those that wait for an instance: starting.c */
    struct request *idle; /* reset instances */
    uint32_t idle_count;
    uint64_t used_ns;
    uint64_t cpu_ns_mean; /* of its last requests: an exponential mean */
};

struct app {
    struct app *next_in_bucket;
    struct app_version *current; /* NULL: not loaded */
    struct waiting *waiting;     /* requests for which the artifact is on its way, oldest first */
    uint32_t waiting_count;
    uint32_t id;
    uint32_t generation; /* that new requests shall have */
    uint32_t asked;      /* generation that was asked for and has not come; 0: none */
    uint32_t running;    /* requests, of all versions */
    bool removed;
    char name[EDGE_NAME_BYTES_MAX + 1];
};

struct app_table {
    struct app **buckets; /* by hash of the name */
    size_t buckets_count; /* a power of two, or 0 */
    size_t count;
    struct app **by_id;
    size_t ids_count;
    struct app *fallback; /* answers what no name claims; or NULL */
};

/* Which app answers, and how its path divides (RFC 3875 §4.1.5, §4.1.13). Slices of the request. */
struct route {
    struct app *app;
    struct http_slice script_name, path_info;
};

/* Errors: ST_USAGE (the name), ST_EXISTS (name or number), ST_LIMIT, ST_NO_MEMORY. */
NODISCARD enum status app_table_add(struct app_table *t, uint32_t id, const char *name,
                                    struct app **ret, struct error *err);

/* Takes an app out of the table; the caller frees it. */
void app_table_remove(struct app_table *t, struct app *app);

/* Frees the table and the apps, which hold no version any more. */
void app_table_done(struct app_table *t);

/* NULL when there is none of that name (any case of letters counts as the same for hosts). */
struct app *app_table_find(const struct app_table *t, const char *name, size_t size);
struct app *app_table_get(const struct app_table *t, uint32_t id);

/* By host, then by the path's first segment, then the fallback; false: nobody answers. */
bool app_table_route(const struct app_table *t, struct http_slice host_name, struct http_slice path,
                     struct route *ret);

/* ---- version.c ---- */

/* Errors: as edge_check(). The artifact is taken in every case. */
NODISCARD enum status app_version_new(struct artifact *take_artifact, uint64_t memory_bytes_max,
                                      struct app_version **ret, struct error *err);

/* Without idle instances and running requests. */
void app_version_free(struct app_version *v);

/* ---- request_component.c ---- */

/* The function that answers requests; false: there is none. */
bool component_find_handler(const struct artifact *a, uint32_t *ret_lift);

#endif
