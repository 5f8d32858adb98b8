/* Index spaces while they are built, and what every section needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

/* ---- memory and errors ---- */

enum status parse_alloc(struct decoder *d, size_t count, size_t item_bytes, void *ret)
{
    void *items = arena_alloc_array(&d->full->arena, count, item_bytes);
    if (!items) return wasm_fail_memory(d->err, d->r.offset);
    memcpy(ret, &items, sizeof items);
    return ST_OK;
}

enum status parse_grow(struct decoder *d, void **items, uint32_t *capacity, uint32_t needed,
                       size_t item_bytes)
{
    if (needed <= *capacity) return ST_OK;
    uint32_t wanted = *capacity < 8 ? 8 : *capacity * 2;
    if (wanted < needed) wanted = needed;
    void *grown = reallocarray(*items, wanted, item_bytes);
    if (!grown) return wasm_fail_memory(d->err, d->r.offset);
    *items = grown;
    *capacity = wanted;
    return ST_OK;
}

enum status parse_at(struct decoder *d, size_t offset, enum status status)
{
    if (status && strncmp(d->err->text, "offset 0x", 9) != 0)
        error_prefix(d->err, "offset 0x%zx", offset);
    return status;
}

enum status parse_module_error(struct decoder *d, size_t base)
{
    static const char head[] = "offset 0x";
    char text[ERROR_TEXT_MAX], *end = NULL;
    if (strncmp(d->err->text, head, sizeof head - 1) != 0)
        return error_prefix(d->err, "offset 0x%zx: core module", base);
    size_t inner = strtoul(d->err->text + sizeof head - 1, &end, 16);
    snprintf(text, sizeof text, "%s", *end == ':' && end[1] ? end + 2 : end);
    return error_set(d->err, d->err->status, "offset 0x%zx: core module: %s", base + inner, text);
}

enum status parse_work(struct decoder *d, uint64_t steps)
{
    return parse_at(d, d->r.offset, type_store_work(d->store, steps, d->err));
}

enum status parse_bad_byte(struct decoder *d, const char *what)
{
    size_t at = d->r.offset - 1;
    return wasm_fail(d->err, ST_INVALID, at, "invalid leading byte (0x%x) for %s", d->r.bytes[at],
                     what);
}

enum status parse_bool(struct decoder *d, bool *ret)
{
    uint8_t byte = 0;
    TRY(reader_u8(&d->r, &byte, d->err));
    if (byte > 1)
        return wasm_fail(d->err, ST_INVALID, d->r.offset - 1, "invalid boolean value 0x%x", byte);
    *ret = byte;
    return ST_OK;
}

enum status parse_name(struct decoder *d, struct wasm_name *ret)
{
    const uint8_t *bytes = NULL;
    uint32_t size;
    TRY(reader_name(&d->r, &bytes, &size, d->err));
    ret->text = arena_copy_string(&d->full->arena, (const char *)bytes, size);
    if (!ret->text) return wasm_fail_memory(d->err, d->r.offset);
    ret->size_bytes = size;
    return ST_OK;
}

bool names_equal(struct wasm_name a, struct wasm_name b)
{
    if (a.size_bytes != b.size_bytes) return false;
    return !a.size_bytes || memcmp(a.text, b.text, a.size_bytes) == 0;
}

/* ---- the scope ---- */

enum status scope_open(struct decoder *d, enum scope_kind kind, struct scope **ret)
{
    uint32_t depth = d->scope ? d->scope->depth + 1 : 0;
    if (depth >= COMPONENT_NESTING_MAX)
        return wasm_fail(d->err, ST_LIMIT, d->r.offset,
                         "components and types nested more than %u deep", COMPONENT_NESTING_MAX);
    struct scope *s = calloc(1, sizeof *s);
    if (!s) return wasm_fail_memory(d->err, d->r.offset);
    s->kind = kind;
    s->parent = d->scope;
    s->depth = depth;
    d->scope = s;
    *ret = s;
    return ST_OK;
}

static void names_done(struct name_context *names)
{
    byte_map_done(&names->names);
    number_map_done(&names->entries);
}

void scope_close(struct decoder *d, struct scope *s)
{
    d->scope = s->parent;
    for (size_t i = 0; i < ARRAY_COUNT(s->core); i++) free(s->core[i]);
    free(s->core_types);
    free(s->modules);
    free(s->core_instances);
    free(s->funcs);
    free(s->types);
    free(s->components);
    free(s->instances);
    items_done(&s->imports);
    items_done(&s->exports);
    number_map_done(&s->imported);
    number_map_done(&s->exported);
    names_done(&s->import_names);
    names_done(&s->export_names);
    number_map_done(&s->local);
    free(s->bound_imports);
    free(s->bound_exports);
    free(s->definitions);
    free(s);
}

/* ---- appending ---- */

/* Counts one more index of the sort. */
static enum status count_index(struct decoder *d, enum component_sort sort)
{
    if (++d->definitions_count > COMPONENT_DEFINITIONS_MAX)
        return wasm_fail(d->err, ST_LIMIT, d->r.offset, "more than %u definitions",
                         COMPONENT_DEFINITIONS_MAX);
    d->scope->counts[sort]++;
    return ST_OK;
}

#define APPEND(d, array, sort, item)                                                               \
    do {                                                                                           \
        struct scope *append_scope = (d)->scope;                                                   \
        uint32_t append_count = append_scope->counts[sort];                                        \
        TRY(GROW(d, append_scope->array, append_scope->capacities[sort], append_count + 1));       \
        append_scope->array[append_count] = (item);                                                \
        return count_index(d, sort);                                                               \
    } while (0)

enum status add_core(struct decoder *d, enum component_sort sort, const struct core_extern *what)
{
    APPEND(d, core[sort], sort, *what);
}

enum status add_core_type(struct decoder *d, struct core_type *type)
{
    APPEND(d, core_types, COMPONENT_SORT_CORE_TYPE, type);
}

enum status add_module(struct decoder *d, const struct component_module_type *type)
{
    APPEND(d, modules, COMPONENT_SORT_CORE_MODULE, type);
}

enum status add_core_instance(struct decoder *d, const struct core_instance *instance)
{
    APPEND(d, core_instances, COMPONENT_SORT_CORE_INSTANCE, *instance);
}

static uint32_t **entries_of(struct scope *s, enum component_sort sort)
{
    switch (sort) {
    case COMPONENT_SORT_FUNC: return &s->funcs;
    case COMPONENT_SORT_TYPE: return &s->types;
    case COMPONENT_SORT_COMPONENT: return &s->components;
    case COMPONENT_SORT_INSTANCE: return &s->instances;
    default: abort();
    }
}

enum status add_entry(struct decoder *d, enum component_sort sort, uint32_t entry)
{
    struct scope *s = d->scope;
    uint32_t **entries = entries_of(s, sort);
    TRY(GROW(d, *entries, s->capacities[sort], s->counts[sort] + 1));
    (*entries)[s->counts[sort]] = entry;
    return count_index(d, sort);
}

enum status add_entity(struct decoder *d, const struct component_entity *entity)
{
    if (entity->sort == COMPONENT_SORT_CORE_MODULE) return add_module(d, entity->module);
    return add_entry(d, entity->sort, entity->type);
}

enum status add_definition(struct decoder *d, const struct component_definition *what)
{
    struct scope *s = d->scope;
    if (s->kind != SCOPE_COMPONENT) return ST_OK;
    TRY(GROW(d, s->definitions, s->definitions_capacity, s->definitions_count + 1));
    struct component_definition *def = &s->definitions[s->definitions_count++];
    *def = *what;
    def->index = s->counts[what->sort] - 1;
    return ST_OK;
}

/* ---- looking up ---- */

enum status check_index(struct decoder *d, const struct scope *scope, enum component_sort sort,
                        uint32_t index, size_t offset)
{
    if (index < scope->counts[sort]) return ST_OK;
    return wasm_fail(d->err, ST_INVALID, offset, "unknown %s %u: %s index out of bounds",
                     component_sort_name(sort), index, component_sort_name(sort));
}

enum status parse_index(struct decoder *d, enum component_sort sort, uint32_t *ret)
{
    size_t start = d->r.offset;
    TRY(reader_u32(&d->r, ret, d->err));
    return check_index(d, d->scope, sort, *ret, start);
}

static uint32_t scope_entry(const struct scope *scope, enum component_sort sort, uint32_t index)
{
    return (*entries_of((struct scope *)scope, sort))[index];
}

struct component_entity scope_entity(const struct scope *scope, enum component_sort sort,
                                     uint32_t index)
{
    struct component_entity e = {.sort = sort};
    if (sort == COMPONENT_SORT_CORE_MODULE)
        e.module = scope->modules[index];
    else
        e.type = scope_entry(scope, sort, index);
    return e;
}

enum status parse_type_of(struct decoder *d, enum component_kind kind, uint32_t *ret)
{
    size_t start = d->r.offset;
    uint32_t index;
    TRY(parse_index(d, COMPONENT_SORT_TYPE, &index));
    *ret = d->scope->types[index];
    if (type_at(d->store, *ret)->kind == kind) return ST_OK;
    static const char *const articles[] = {"a", "an"};
    const char *name = kind == COMPONENT_FUNC ? "function" : component_kind_name(kind);
    return wasm_fail(d->err, ST_INVALID, start, "type index %u is not %s %s type", index,
                     articles[kind == COMPONENT_INSTANCE], name);
}
