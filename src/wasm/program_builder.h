/* The builder behind program.h, shared by program.c and program_link.c. Private. */
#ifndef WASM_PROGRAM_BUILDER_H
#define WASM_PROGRAM_BUILDER_H

#include "types.h"
#include "wasm/program.h"

/* What an instance keeps beside its public part. */
struct instance_links {
    uint32_t *exports; /* the module's export indices in the order of their names */
    uint32_t *type_ids;
};

struct program_builder {
    struct program p; /* first: what program_builder_finish() gives out */
    struct arena arena;
    uint32_t instances_capacity, links_capacity, hosts_capacity, funcs_capacity, tables_capacity,
        memories_capacity, globals_capacity, tags_capacity, elements_capacity, datas_capacity,
        types_capacity;
    struct program_instance *instances;
    struct instance_links *links;
    struct program_host_import *hosts;
    struct program_func *funcs;
    struct program_definition *tables, *memories, *globals, *tags, *elements, *datas;
    struct program_type *types;
    struct type_map type_ids;  /* (group, position) to type id */
    struct type_map host_keys; /* (digest of names, type id) to program function */
    bool failed;               /* memory ran out half-way through an addition */
    program_size_callback *size;
    void *size_context;
};

/* One call of program_builder_add() or program_builder_add_sources(). */
struct program_addition {
    struct program_builder *b;
    const struct wasm_module *module;
    const struct program_namespace *namespaces;
    size_t namespaces_count;
    bool allow_host;
    const struct program_source *sources; /* one an import; NULL: by namespaces */
    struct error *err;
    uint32_t *funcs, *tables, *memories, *globals, *tags; /* the instance's index spaces */
    struct instance_links links;
    struct buffer missing; /* text: the imports that nothing serves */
};

/* Resolves the imports that other instances serve into the first entries of the index spaces, and
 * finds out whether the host may serve the others. Changes nothing in the program.
 * Errors: ST_NOT_FOUND, ST_INVALID, ST_NO_MEMORY. */
NODISCARD enum status program_link(struct program_addition *a);

/* Resolves the other imports into host functions, appending those that are new. */
NODISCARD enum status program_take_hosts(struct program_addition *a);

/* The instance's export indices, sorted by name, into links.exports. */
NODISCARD enum status program_sort_exports(struct program_addition *a);

/* Appends a function to the program. */
NODISCARD enum status program_add_func(struct program_addition *a, const struct program_func *f,
                                       uint32_t *ret);

#endif
