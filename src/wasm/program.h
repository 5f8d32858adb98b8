/* A program: one or more instances of core modules, linked with each other, which are compiled
 * together into one artifact. A lone module is a program of one instance.
 *
 * What an import resolves to is settled here, before any code is generated: an export of an
 * earlier instance of the same program (then calls are direct and memories are shared in place),
 * or, for functions only, a function of the host, known by its two names and its type, or, within a
 * component, by the canonical definition that makes it.
 *
 * A program gives every definition an index of its own across all instances, the "program index";
 * those are what artifacts, function tables and traps speak of. Function 0 is the null function:
 * a null reference is 0 in every table and global, so the first real function has index 1.
 *
 * A program borrows its modules. Not for several threads at a time until it is complete, then
 * immutable. */
#ifndef WASM_PROGRAM_H
#define WASM_PROGRAM_H

#include "wasm/wasm.h"

#define PROGRAM_INSTANCES_MAX 1000u
#define PROGRAM_FUNCTION_NULL 0u
#define PROGRAM_FUNCTIONS_MAX 4000000u
#define PROGRAM_CANON_NONE    UINT32_MAX

struct program_instance {
    const struct wasm_module *module; /* borrowed */
    /* Program indices, one an entry of the module's index space of that kind. */
    const uint32_t *funcs, *tables, *memories, *globals, *tags;
    uint32_t elements_first, datas_first; /* program index of the module's first segment */
};

struct program_host_import {
    struct wasm_name module, field;
    uint32_t canon;                        /* PROGRAM_CANON_NONE: known by its names */
    const struct wasm_module *type_module; /* the type's home */
    uint32_t type;                         /* type index there */
    uint32_t func;                         /* program index of the function that it fills */
};

/* Where a definition stands: definition `index` of the module of instance `instance`. */
struct program_definition {
    uint32_t instance, index;
};

struct program_func {
    uint32_t instance, index; /* its definition; of a host import: the first importer's */
    bool is_host;
    uint32_t host;    /* index into program.hosts */
    uint32_t type_id; /* equal function types of the whole program have equal ids; from 1 */
};

struct program_type {
    const struct wasm_module *module; /* a representative */
    uint32_t type;
};

struct program {
    uint32_t instances_count, hosts_count;
    uint32_t funcs_count; /* with the null function, which is entry 0 */
    uint32_t tables_count, memories_count, globals_count, tags_count, elements_count, datas_count;
    uint32_t types_count; /* distinct function types; entry 0 is unused */
    const struct program_instance *instances;
    const struct program_host_import *hosts;
    const struct program_func *funcs;
    const struct program_definition *tables, *memories, *globals, *tags, *elements, *datas;
    const struct program_type *types;
    uint32_t features; /* of all modules */
};

struct program_builder;

/* How an instance of the program serves an import: the whole namespace `name` is the exports of
 * `instance`, an instance that was added before. */
struct program_namespace {
    const char *name;
    size_t name_bytes;
    uint32_t instance;
};

NODISCARD enum status program_builder_new(struct program_builder **ret, struct error *err);
void program_builder_free(struct program_builder *b); /* legal after program_builder_finish */

/* The size at link time of the table or memory with this program index, in elements or pages.
 * Without a callback a definition's declared minimum is taken for it, which is right as long as
 * nothing has run. */
typedef uint64_t program_size_callback(void *context, enum wasm_external kind, uint32_t index);
void program_builder_set_size(struct program_builder *b, program_size_callback *size,
                              void *context);

/* Adds an instance of `module`. An import whose module name is among `namespaces` (the last entry
 * of a name wins) is served by that instance's export of the field's name; another function import
 * becomes a host import, when `allow_host`.
 * Success: *ret_instance is its number. Failure: the builder is as before; after ST_NO_MEMORY it is
 * good for nothing but program_builder_free().
 * Errors: ST_NOT_FOUND ("unknown import \"m\" \"f\"" for each missing one, comma-separated),
 * ST_INVALID ("incompatible import type …", Core §4.5.3 matching on declared types), ST_LIMIT,
 * ST_NO_MEMORY. */
NODISCARD enum status program_builder_add(struct program_builder *b,
                                          const struct wasm_module *module,
                                          const struct program_namespace *namespaces,
                                          size_t namespaces_count, bool allow_host,
                                          uint32_t *ret_instance, struct error *err);

/* What serves one import: the export `name` of instance `instance`; or, for functions, canonical
 * definition number `canon` of the embedder, when that is not PROGRAM_CANON_NONE. */
struct program_source {
    uint32_t canon;
    uint32_t instance;
    struct wasm_name name;
};

/* Adds an instance of `module`, whose imports are served by `sources`, one each. The rest is as for
 * program_builder_add(). One canonical definition is one function, whoever imports it. */
NODISCARD enum status program_builder_add_sources(struct program_builder *b,
                                                  const struct wasm_module *module,
                                                  const struct program_source *sources,
                                                  uint32_t *ret_instance, struct error *err);

/* The finished program, owned by the builder: valid until program_builder_free(). */
NODISCARD enum status program_builder_finish(struct program_builder *b, const struct program **ret,
                                             struct error *err);

/* The type id of type index `type` of instance `instance`'s module. Every function type of every
 * module has one; of a struct or array type it is 0. */
uint32_t program_type_id(const struct program *p, uint32_t instance, uint32_t type);

/* The program index of what instance `instance` exports as `name`; false when it exports nothing of
 * that name and kind. */
bool program_find_export(const struct program *p, uint32_t instance, struct wasm_name name,
                         enum wasm_external kind, uint32_t *ret);

#endif
