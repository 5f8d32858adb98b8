#include "wasm/program.h"

#include <stdlib.h>
#include <string.h>

#include "program_builder.h"
#include "reader.h"

/* Index spaces, export orders and type ids: a few words for each thing that a module defines. */
#define PROGRAM_BYTES_MAX (SIZE_MAX / 2)

enum status program_builder_new(struct program_builder **ret, struct error *err)
{
    struct program_builder *b = calloc(1, sizeof *b);
    if (!b) return error_set(err, ST_NO_MEMORY, "out of memory for a program");
    arena_init(&b->arena, PROGRAM_BYTES_MAX);
    if (!GROW(b->funcs, b->funcs_capacity, 1) || !GROW(b->types, b->types_capacity, 1)) {
        program_builder_free(b);
        return error_set(err, ST_NO_MEMORY, "out of memory for a program");
    }
    b->p.funcs_count = 1; /* the null function */
    b->p.types_count = 1;
    *ret = b;
    return ST_OK;
}

void program_builder_free(struct program_builder *b)
{
    if (!b) return;
    free(b->instances);
    free(b->links);
    free(b->hosts);
    free(b->funcs);
    free(b->tables);
    free(b->memories);
    free(b->globals);
    free(b->tags);
    free(b->elements);
    free(b->datas);
    free(b->types);
    type_map_done(&b->type_ids);
    type_map_done(&b->host_keys);
    arena_done(&b->arena);
    free(b);
}

void program_builder_set_size(struct program_builder *b, program_size_callback *size, void *context)
{
    b->size = size;
    b->size_context = context;
}

static enum status fail_memory(struct program_addition *a)
{
    return error_set(a->err, ST_NO_MEMORY, "out of memory for a program");
}

/* Ids of all function types of the module. */
static enum status add_types(struct program_addition *a)
{
    struct program_builder *b = a->b;
    const struct wasm_module *m = a->module;
    a->links.type_ids = arena_array(&b->arena, uint32_t, m->types_count);
    if (!a->links.type_ids) return fail_memory(a);
    for (uint32_t i = 0; i < m->types_count; i++) {
        if (m->types[i].composite != WASM_FUNC_TYPE) continue;
        uint32_t id, next = b->p.types_count;
        if (type_map_put(&b->type_ids, types_group_digest(m, i), i - m->types[i].group_start, next,
                         &id))
            return fail_memory(a);
        if (id == next) {
            if (!GROW(b->types, b->types_capacity, next + 1)) return fail_memory(a);
            b->types[next] = (struct program_type){m, i};
            b->p.types_count++;
        }
        a->links.type_ids[i] = id;
    }
    return ST_OK;
}

enum status program_add_func(struct program_addition *a, const struct program_func *f,
                             uint32_t *ret)
{
    struct program_builder *b = a->b;
    if (!GROW(b->funcs, b->funcs_capacity, b->p.funcs_count + 1)) return fail_memory(a);
    b->funcs[b->p.funcs_count] = *f;
    *ret = b->p.funcs_count++;
    return ST_OK;
}

static enum status add_funcs(struct program_addition *a)
{
    const struct wasm_module *m = a->module;
    for (uint32_t i = m->imported_funcs_count; i < m->funcs_count; i++) {
        struct program_func f = {
            .instance = a->b->p.instances_count,
            .index = i,
            .type_id = a->links.type_ids[m->funcs[i].type],
        };
        TRY(program_add_func(a, &f, &a->funcs[i]));
    }
    return ST_OK;
}

/* Appends the definitions [first, end) of the new instance to `items`; `ret`, when not NULL, gets
 * their program indices. */
static enum status add_definitions(struct program_addition *a, struct program_definition **items,
                                   uint32_t *count, uint32_t *capacity, uint32_t first,
                                   uint32_t end, uint32_t *ret)
{
    if (end - first > UINT32_MAX - *count) return fail_memory(a);
    if (!GROW(*items, *capacity, *count + (end - first))) return fail_memory(a);
    for (uint32_t i = first; i < end; i++) {
        if (ret) ret[i] = *count;
        (*items)[(*count)++] = (struct program_definition){a->b->p.instances_count, i};
    }
    return ST_OK;
}

#define ADD_DEFINITIONS(a, kind, first, ret)                                                       \
    add_definitions((a), &(a)->b->kind, &(a)->b->p.kind##_count, &(a)->b->kind##_capacity,         \
                    (first), (a)->module->kind##_count, (ret))

static enum status add_instance(struct program_addition *a)
{
    struct program_builder *b = a->b;
    const struct wasm_module *m = a->module;
    struct program_instance instance = {
        .module = m,
        .funcs = a->funcs,
        .tables = a->tables,
        .memories = a->memories,
        .globals = a->globals,
        .tags = a->tags,
        .elements_first = b->p.elements_count,
        .datas_first = b->p.datas_count,
    };
    TRY(add_funcs(a));
    TRY(ADD_DEFINITIONS(a, tables, m->imported_tables_count, a->tables));
    TRY(ADD_DEFINITIONS(a, memories, m->imported_memories_count, a->memories));
    TRY(ADD_DEFINITIONS(a, globals, m->imported_globals_count, a->globals));
    TRY(ADD_DEFINITIONS(a, tags, m->imported_tags_count, a->tags));
    TRY(ADD_DEFINITIONS(a, elements, 0, NULL));
    TRY(ADD_DEFINITIONS(a, datas, 0, NULL));
    if (!GROW(b->instances, b->instances_capacity, b->p.instances_count + 1) ||
        !GROW(b->links, b->links_capacity, b->p.instances_count + 1))
        return fail_memory(a);
    b->links[b->p.instances_count] = a->links;
    b->instances[b->p.instances_count++] = instance;
    b->p.features |= m->features;
    return ST_OK;
}

static enum status addition_prepare(struct program_addition *a)
{
    struct arena *arena = &a->b->arena;
    const struct wasm_module *m = a->module;
    a->funcs = arena_array(arena, uint32_t, m->funcs_count);
    a->tables = arena_array(arena, uint32_t, m->tables_count);
    a->memories = arena_array(arena, uint32_t, m->memories_count);
    a->globals = arena_array(arena, uint32_t, m->globals_count);
    a->tags = arena_array(arena, uint32_t, m->tags_count);
    if (!a->funcs || !a->tables || !a->memories || !a->globals || !a->tags) return fail_memory(a);
    return program_sort_exports(a);
}

/* Nothing about the module can fail here any more. */
static enum status addition_commit(struct program_addition *a)
{
    TRY(add_types(a));
    TRY(program_take_hosts(a));
    return add_instance(a);
}

static enum status check_room(const struct program_builder *b, const struct wasm_module *m,
                              struct error *err)
{
    if (b->failed) return error_set(err, ST_NO_MEMORY, "a program that ran out of memory");
    if (b->p.instances_count >= PROGRAM_INSTANCES_MAX)
        return error_set(err, ST_LIMIT, "more than %u instances in a program",
                         PROGRAM_INSTANCES_MAX);
    if (m->funcs_count > PROGRAM_FUNCTIONS_MAX - b->p.funcs_count)
        return error_set(err, ST_LIMIT, "more than %u functions in a program",
                         PROGRAM_FUNCTIONS_MAX);
    return ST_OK;
}

static enum status add(struct program_addition *a, uint32_t *ret_instance)
{
    struct program_builder *b = a->b;
    TRY(check_room(b, a->module, a->err));
    TRY(addition_prepare(a));
    TRY(program_link(a));
    enum status st = addition_commit(a);
    b->failed = st != ST_OK;
    if (st) return st;
    *ret_instance = b->p.instances_count - 1;
    return ST_OK;
}

enum status program_builder_add(struct program_builder *b, const struct wasm_module *module,
                                const struct program_namespace *namespaces, size_t namespaces_count,
                                bool allow_host, uint32_t *ret_instance, struct error *err)
{
    struct program_addition a = {
        .b = b,
        .module = module,
        .namespaces = namespaces,
        .namespaces_count = namespaces_count,
        .allow_host = allow_host,
        .err = err,
    };
    return add(&a, ret_instance);
}

enum status program_builder_add_sources(struct program_builder *b, const struct wasm_module *module,
                                        const struct program_source *sources,
                                        uint32_t *ret_instance, struct error *err)
{
    struct program_addition a = {.b = b, .module = module, .sources = sources, .err = err};
    return add(&a, ret_instance);
}

enum status program_builder_finish(struct program_builder *b, const struct program **ret,
                                   struct error *err)
{
    if (b->failed) return error_set(err, ST_NO_MEMORY, "a program that ran out of memory");
    if (!b->p.instances_count) return error_set(err, ST_USAGE, "a program without instances");
    b->p.instances = b->instances;
    b->p.hosts = b->hosts;
    b->p.funcs = b->funcs;
    b->p.tables = b->tables;
    b->p.memories = b->memories;
    b->p.globals = b->globals;
    b->p.tags = b->tags;
    b->p.elements = b->elements;
    b->p.datas = b->datas;
    b->p.types = b->types;
    *ret = &b->p;
    return ST_OK;
}

uint32_t program_type_id(const struct program *p, uint32_t instance, uint32_t type)
{
    return ((const struct program_builder *)p)->links[instance].type_ids[type];
}
