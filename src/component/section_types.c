/* The type section, and the declarations within types of components and instances. */
#include <string.h>

#include "decode.h"

static enum status keep_bound(struct decoder *d, const uint32_t *list, uint32_t count,
                              const uint32_t **ret)
{
    uint32_t *copy = NULL;
    TRY(parse_alloc(d, count, sizeof *copy, &copy));
    if (count) memcpy(copy, list, count * sizeof *copy);
    *ret = copy;
    return ST_OK;
}

/* Of a component's new resources only those matter outside that it exports. */
static enum status find_exported(struct decoder *d, const struct component_item *items,
                                 uint32_t count, const struct number_map *own,
                                 struct number_map *ret)
{
    TRY(parse_work(d, count));
    for (uint32_t i = 0; i < count; i++) {
        const struct component_entity *e = &items[i].entity;
        const struct component_type *t = type_at(d->store, e->type);
        if (e->sort == COMPONENT_SORT_INSTANCE)
            TRY(find_exported(d, t->exports, t->exports_count, own, ret));
        if (e->sort == COMPONENT_SORT_TYPE && t->kind == COMPONENT_RESOURCE &&
            number_map_get(own, t->resource) && !number_map_put(ret, t->resource, 1))
            return wasm_fail_memory(d->err, d->r.offset);
    }
    return ST_OK;
}

static enum status keep_exported(struct decoder *d, const struct scope *s, struct component_type *t)
{
    struct number_map own = {0}, exported = {0};
    uint32_t *copy = NULL, count = 0;
    bool in_imports = false;
    enum status st =
        parse_at(d, d->r.offset, bound_set(d, s->bound_exports, s->bound_exports_count, &own));
    if (!st)
        st = parse_at(
            d, d->r.offset,
            type_find_any(d->store, s->imports.list, s->imports.count, &own, &in_imports, d->err));
    if (!st && in_imports)
        st = wasm_fail(d->err, ST_INVALID, d->r.offset, "local resource type found in imports");
    if (!st) st = find_exported(d, s->exports.list, s->exports.count, &own, &exported);
    if (!st) st = parse_alloc(d, exported.count, sizeof *copy, &copy);
    for (uint32_t i = 0; i < s->bound_exports_count && !st; i++)
        if (number_map_get(&exported, s->bound_exports[i])) copy[count++] = s->bound_exports[i];
    number_map_done(&own);
    number_map_done(&exported);
    t->bound_exports = copy;
    t->bound_exports_count = count;
    return st;
}

enum status scope_type(struct decoder *d, const struct scope *s, uint32_t *ret)
{
    struct component_type t = {.kind = COMPONENT_COMPONENT};
    if (s->kind == SCOPE_INSTANCE_TYPE) t.kind = COMPONENT_INSTANCE;
    TRY(items_keep(d, &s->imports, &t.imports));
    TRY(items_keep(d, &s->exports, &t.exports));
    t.imports_count = s->imports.count;
    t.exports_count = s->exports.count;
    TRY(keep_bound(d, s->bound_imports, s->bound_imports_count, &t.bound_imports));
    t.bound_imports_count = s->bound_imports_count;
    TRY(keep_exported(d, s, &t));
    return parse_at(d, d->r.offset, type_store_add(d->store, &t, ret, d->err));
}

/* ---- resources ---- */

static enum status check_destructor(struct decoder *d, struct component_definition *def)
{
    static const uint8_t params[] = {WASM_I32};
    size_t start = d->r.offset;
    TRY(parse_index(d, COMPONENT_SORT_CORE_FUNC, &def->destructor));
    const struct core_extern *f = &d->scope->core[COMPONENT_SORT_CORE_FUNC][def->destructor];
    if (core_func_is(f, params, 1, NULL, 0)) return ST_OK;
    return wasm_fail(d->err, ST_INVALID, start,
                     "core function %u has the wrong signature for a destructor", def->destructor);
}

static enum status parse_resource(struct decoder *d, size_t offset,
                                  struct component_definition *def, uint32_t *ret)
{
    struct scope *s = d->scope;
    uint8_t byte = 0;
    if (s->kind != SCOPE_COMPONENT)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "resources can only be defined within a concrete component");
    TRY(reader_u8(&d->r, &byte, d->err));
    if (byte == 0x7e)
        return wasm_fail(d->err, ST_UNSUPPORTED, offset,
                         "resources represented by i64 are not supported");
    if (byte != 0x7f)
        return wasm_fail(d->err, ST_INVALID, offset, "resources can only be represented by `i32`");
    TRY(reader_u8(&d->r, &byte, d->err));
    if (byte > 1) return parse_bad_byte(d, "resource destructor");
    def->has_destructor = byte;
    if (byte) TRY(check_destructor(d, def));
    TRY(parse_at(d, offset, type_store_add_resource(d->store, ret, d->err)));
    def->kind = COMPONENT_DEFINE_RESOURCE;
    def->resource = type_at(d->store, *ret)->resource;
    if (!number_map_put(&s->local, def->resource, 1)) return wasm_fail_memory(d->err, offset);
    TRY(GROW(d, s->bound_exports, s->bound_exports_capacity, s->bound_exports_count + 1));
    s->bound_exports[s->bound_exports_count++] = def->resource;
    return ST_OK;
}

/* ---- declarations ---- */

static enum status parse_declared_border(struct decoder *d, bool is_import)
{
    struct extern_name name;
    struct component_entity entity;
    size_t start = d->r.offset;
    TRY(parse_extern_name(d, &name));
    TRY(parse_extern_type(d, is_import, &entity));
    return border_add(d, is_import, &name, &entity, start);
}

static enum status parse_declaration(struct decoder *d, enum scope_kind kind)
{
    uint8_t form = 0;
    TRY(reader_u8(&d->r, &form, d->err));
    switch (form) {
    case 0x00: return parse_core_type(d);
    case 0x01: return parse_type(d);
    case 0x02: return parse_alias(d);
    case 0x03:
        if (kind == SCOPE_COMPONENT_TYPE) return parse_declared_border(d, true);
        break;
    case 0x04: return parse_declared_border(d, false);
    default: break;
    }
    return parse_bad_byte(d, "component or instance type declaration");
}

static enum status parse_declarations(struct decoder *d, enum scope_kind kind, uint32_t *ret)
{
    uint32_t count;
    struct scope *s = NULL;
    TRY(reader_count(&d->r, COMPONENT_DEFINITIONS_MAX, "declarations", &count, d->err));
    TRY(scope_open(d, kind, &s));
    enum status st = ST_OK;
    for (uint32_t i = 0; i < count && !st; i++) st = parse_declaration(d, kind);
    if (!st) st = scope_type(d, s, ret);
    scope_close(d, s);
    return st;
}

enum status parse_type(struct decoder *d)
{
    size_t start = d->r.offset;
    uint8_t form = 0;
    uint32_t entry = 0;
    struct component_definition def = {
        .kind = COMPONENT_DEFINE_TYPE, .sort = COMPONENT_SORT_TYPE, .offset = start};
    TRY(reader_u8(&d->r, &form, d->err));
    switch (form) {
    case 0x3f: TRY(parse_resource(d, start, &def, &entry)); break;
    case 0x41: TRY(parse_declarations(d, SCOPE_COMPONENT_TYPE, &entry)); break;
    case 0x42: TRY(parse_declarations(d, SCOPE_INSTANCE_TYPE, &entry)); break;
    default: TRY(parse_defined(d, form, start, &entry)); break;
    }
    TRY(add_entry(d, COMPONENT_SORT_TYPE, entry));
    return add_definition(d, &def);
}

enum status parse_section_types(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, COMPONENT_DEFINITIONS_MAX, "types", &count, d->err));
    for (uint32_t i = 0; i < count; i++) TRY(parse_type(d));
    return ST_OK;
}
