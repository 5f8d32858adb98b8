/* Imports of an instance against the exports of earlier ones (Core §4.5.3, §3.3.8). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "program_builder.h"
#include "reader.h"

/* The error's list of missing imports ends with dots past this. */
#define MISSING_TEXT_MAX 800u

static int compare_bytes(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    if (order) return order;
    return (a_size > b_size) - (a_size < b_size);
}

static int compare_exports(const void *a, const void *b, void *context)
{
    const struct wasm_module *m = context;
    const struct wasm_name *x = &m->exports[*(const uint32_t *)a].name;
    const struct wasm_name *y = &m->exports[*(const uint32_t *)b].name;
    return compare_bytes(x->text, x->size_bytes, y->text, y->size_bytes);
}

enum status program_sort_exports(struct program_addition *a)
{
    uint32_t count = a->module->exports_count;
    a->links.exports = arena_array(&a->b->arena, uint32_t, count);
    if (!a->links.exports) return error_set(a->err, ST_NO_MEMORY, "out of memory for a program");
    for (uint32_t i = 0; i < count; i++) a->links.exports[i] = i;
    qsort_r(a->links.exports, count, sizeof(uint32_t), compare_exports, (void *)a->module);
    return ST_OK;
}

static const struct wasm_export *find_export(const struct program_builder *b, uint32_t instance,
                                             struct wasm_name name)
{
    assert(instance < b->p.instances_count);
    const struct wasm_module *m = b->instances[instance].module;
    uint32_t low = 0, high = m->exports_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct wasm_export *e = &m->exports[b->links[instance].exports[middle]];
        int order = compare_bytes(name.text, name.size_bytes, e->name.text, e->name.size_bytes);
        if (!order) return e;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool program_find_export(const struct program *p, uint32_t instance, struct wasm_name name,
                         enum wasm_external kind, uint32_t *ret)
{
    const struct program_instance *in = &p->instances[instance];
    const struct wasm_export *e = find_export((const struct program_builder *)p, instance, name);
    if (!e || e->kind != kind) return false;
    switch (kind) {
    case WASM_EXT_FUNC: *ret = in->funcs[e->index]; break;
    case WASM_EXT_TABLE: *ret = in->tables[e->index]; break;
    case WASM_EXT_MEMORY: *ret = in->memories[e->index]; break;
    case WASM_EXT_GLOBAL: *ret = in->globals[e->index]; break;
    case WASM_EXT_TAG: *ret = in->tags[e->index]; break;
    }
    return true;
}

static const struct program_namespace *find_namespace(const struct program_addition *a,
                                                      struct wasm_name name)
{
    for (size_t i = a->namespaces_count; i-- > 0;) {
        const struct program_namespace *n = &a->namespaces[i];
        if (n->name_bytes == name.size_bytes && !memcmp(n->name, name.text, n->name_bytes))
            return n;
    }
    return NULL;
}

/* ---- matching: an export's type against what the import declares ---- */

static bool limits_match(const struct wasm_limits *have, uint64_t size,
                         const struct wasm_limits *want)
{
    if (have->is64 != want->is64 || size < want->min) return false;
    return !want->has_max || (have->has_max && have->max <= want->max);
}

static bool func_matches(const struct program_addition *a, uint32_t func, uint32_t declared)
{
    const struct program_func *f = &a->b->funcs[func];
    const struct program_type *type = &a->b->types[f->type_id];
    return wasm_type_matches(type->module, type->type, a->module, declared);
}

static uint64_t current_size(const struct program_builder *b, enum wasm_external kind,
                             uint32_t index, const struct wasm_limits *declared)
{
    return b->size ? b->size(b->size_context, kind, index) : declared->min;
}

static bool table_matches(const struct program_addition *a, uint32_t table,
                          const struct wasm_table *declared)
{
    const struct program_definition *where = &a->b->tables[table];
    const struct wasm_module *m = a->b->instances[where->instance].module;
    const struct wasm_table *have = &m->tables[where->index];
    uint64_t size = current_size(a->b, WASM_EXT_TABLE, table, &have->limits);
    return types_equal(m, have->element, a->module, declared->element) &&
           limits_match(&have->limits, size, &declared->limits);
}

static bool memory_matches(const struct program_addition *a, uint32_t memory,
                           const struct wasm_memory *declared)
{
    const struct program_definition *where = &a->b->memories[memory];
    const struct wasm_module *m = a->b->instances[where->instance].module;
    const struct wasm_limits *have = &m->memories[where->index].limits;
    uint64_t size = current_size(a->b, WASM_EXT_MEMORY, memory, have);
    return limits_match(have, size, &declared->limits);
}

static bool global_matches(const struct program_addition *a, uint32_t global,
                           const struct wasm_global *declared)
{
    const struct program_definition *where = &a->b->globals[global];
    const struct wasm_module *m = a->b->instances[where->instance].module;
    const struct wasm_global *have = &m->globals[where->index];
    if (have->mutable != declared->mutable) return false;
    if (have->mutable) return types_equal(m, have->type, a->module, declared->type);
    return wasm_valtype_matches(m, have->type, a->module, declared->type);
}

static bool tag_matches(const struct program_addition *a, uint32_t tag,
                        const struct wasm_tag *declared)
{
    const struct program_definition *where = &a->b->tags[tag];
    const struct wasm_module *m = a->b->instances[where->instance].module;
    return wasm_type_equal(m, m->tags[where->index].type, a->module, declared->type);
}

/* Puts what the export is into the new instance's index space, when the types match. */
static bool take_export(struct program_addition *a, const struct wasm_import *import,
                        uint32_t instance, const struct wasm_export *export)
{
    const struct program_instance *from = &a->b->instances[instance];
    uint32_t have = export->index, want = import->index;
    if (export->kind != import->kind) return false;
    switch (import->kind) {
    case WASM_EXT_FUNC:
        a->funcs[want] = from->funcs[have];
        return func_matches(a, a->funcs[want], a->module->funcs[want].type);
    case WASM_EXT_TABLE:
        a->tables[want] = from->tables[have];
        return table_matches(a, a->tables[want], &a->module->tables[want]);
    case WASM_EXT_MEMORY:
        a->memories[want] = from->memories[have];
        return memory_matches(a, a->memories[want], &a->module->memories[want]);
    case WASM_EXT_GLOBAL:
        a->globals[want] = from->globals[have];
        return global_matches(a, a->globals[want], &a->module->globals[want]);
    case WASM_EXT_TAG:
        a->tags[want] = from->tags[have];
        return tag_matches(a, a->tags[want], &a->module->tags[want]);
    }
    return false;
}

static enum status note_missing(struct program_addition *a, const struct wasm_import *import)
{
    struct buffer *text = &a->missing;
    if (text->size_bytes >= MISSING_TEXT_MAX) return ST_OK;
    int module_bytes = (int)import->module.size_bytes, field_bytes = (int)import->field.size_bytes;
    buffer_printf(text, "%sunknown import \"%.*s\" \"%.*s\"", text->size_bytes ? ", " : "",
                  module_bytes, import->module.text, field_bytes, import->field.text);
    if (text->size_bytes >= MISSING_TEXT_MAX) buffer_append_string(text, ", ...");
    return text->failed ? ST_NO_MEMORY : ST_OK;
}

/* ---- host imports ---- */

static void name_key(const struct wasm_import *import, struct type_digest *ret)
{
    struct type_digest halves[2];
    sha256(import->module.text, import->module.size_bytes, halves[0].bytes);
    sha256(import->field.text, import->field.size_bytes, halves[1].bytes);
    sha256(halves, sizeof halves, ret->bytes);
}

static void canon_key(uint32_t canon, struct type_digest *ret)
{
    sha256(&canon, sizeof canon, ret->bytes);
}

/* The same name, or the same canonical definition, with the same type is the same function, whoever
 * imports it. */
static enum status take_host(struct program_addition *a, const struct wasm_import *import,
                             uint32_t canon)
{
    struct program_builder *b = a->b;
    uint32_t type = a->module->funcs[import->index].type, type_id = a->links.type_ids[type];
    uint32_t func = b->p.funcs_count;
    struct type_digest key;
    if (canon == PROGRAM_CANON_NONE)
        name_key(import, &key);
    else
        canon_key(canon, &key);
    if (type_map_put(&b->host_keys, &key, type_id, func, &a->funcs[import->index]))
        return error_set(a->err, ST_NO_MEMORY, "out of memory for a program");
    if (a->funcs[import->index] != func) return ST_OK;
    struct program_func f = {
        .instance = b->p.instances_count,
        .index = import->index,
        .is_host = true,
        .host = b->p.hosts_count,
        .type_id = type_id,
    };
    TRY(program_add_func(a, &f, &func));
    if (!GROW(b->hosts, b->hosts_capacity, b->p.hosts_count + 1))
        return error_set(a->err, ST_NO_MEMORY, "out of memory for a program");
    b->hosts[b->p.hosts_count++] = (struct program_host_import){
        .module = import->module,
        .field = import->field,
        .canon = canon,
        .type_module = a->module,
        .type = type,
        .func = func,
    };
    return ST_OK;
}

/* ---- all imports ---- */

enum server { SERVER_NONE, SERVER_EXPORT, SERVER_HOST };

/* Who serves import `k`. */
static enum server find_server(const struct program_addition *a, uint32_t k, uint32_t *ret_instance,
                               struct wasm_name *ret_name)
{
    const struct wasm_import *import = &a->module->imports[k];
    if (a->sources) {
        if (a->sources[k].canon != PROGRAM_CANON_NONE)
            return import->kind == WASM_EXT_FUNC ? SERVER_HOST : SERVER_NONE;
        *ret_instance = a->sources[k].instance;
        *ret_name = a->sources[k].name;
        return SERVER_EXPORT;
    }
    const struct program_namespace *space = find_namespace(a, import->module);
    if (!space) return import->kind == WASM_EXT_FUNC && a->allow_host ? SERVER_HOST : SERVER_NONE;
    *ret_instance = space->instance;
    *ret_name = import->field;
    return SERVER_EXPORT;
}

static enum status link_import(struct program_addition *a, uint32_t k)
{
    const struct wasm_import *import = &a->module->imports[k];
    uint32_t instance = 0;
    struct wasm_name name = {0};
    enum server server = find_server(a, k, &instance, &name);
    if (server == SERVER_HOST) return ST_OK;
    const struct wasm_export *export =
        server == SERVER_EXPORT ? find_export(a->b, instance, name) : NULL;
    if (!export) return note_missing(a, import);
    if (take_export(a, import, instance, export)) return ST_OK;
    return error_set(
        a->err, ST_INVALID,
        "incompatible import type: \"%.64s\" \"%.64s\" is not the %s it is imported as",
        import->module.text, import->field.text, wasm_external_name(import->kind));
}

static enum status link_all(struct program_addition *a)
{
    const struct wasm_module *m = a->module;
    for (uint32_t i = 0; i < m->imports_count; i++) TRY(link_import(a, i));
    if (a->missing.size_bytes)
        return error_set(a->err, ST_NOT_FOUND, "%.*s", (int)a->missing.size_bytes,
                         (const char *)a->missing.data);
    return ST_OK;
}

enum status program_take_hosts(struct program_addition *a)
{
    const struct wasm_module *m = a->module;
    for (uint32_t i = 0; i < m->imports_count; i++) {
        struct wasm_name name;
        uint32_t instance, canon = a->sources ? a->sources[i].canon : PROGRAM_CANON_NONE;
        if (find_server(a, i, &instance, &name) == SERVER_HOST)
            TRY(take_host(a, &m->imports[i], canon));
    }
    return ST_OK;
}

enum status program_link(struct program_addition *a)
{
    buffer_init(&a->missing, SIZE_MAX);
    enum status st = link_all(a);
    buffer_done(&a->missing);
    return st;
}
