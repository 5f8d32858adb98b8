/* What imports and exports have in common, in components and in types of components and
 * instances. */
#include <stdlib.h>
#include <string.h>

#include "decode.h"

void items_done(struct items *items)
{
    free(items->list);
    byte_map_done(&items->unique);
}

enum status items_keep(struct decoder *d, const struct items *items,
                       const struct component_item **ret)
{
    struct component_item *copy = NULL;
    TRY(parse_alloc(d, items->count, sizeof *copy, &copy));
    if (items->count) memcpy(copy, items->list, items->count * sizeof *copy);
    *ret = copy;
    return ST_OK;
}

static enum status items_add(struct decoder *d, struct items *items, const struct extern_name *name,
                             const struct component_entity *entity, size_t offset)
{
    if (items->count >= COMPONENT_ITEMS_MAX)
        return wasm_fail(d->err, ST_LIMIT, offset, "more than %u imports or exports",
                         COMPONENT_ITEMS_MAX);
    TRY(GROW(d, items->list, items->capacity, items->count + 1));
    items->list[items->count++] = (struct component_item){.name = name->name,
                                                          .entity = *entity,
                                                          .implements = name->implements,
                                                          .external_id = name->external_id};
    return ST_OK;
}

static enum status check_name(struct decoder *d, bool is_import, struct items *items,
                              const struct extern_name *name, const struct component_entity *entity,
                              size_t offset)
{
    if (!is_import && extern_name_kind(name->name) == NAME_DEPENDENCY)
        return wasm_fail(d->err, ST_INVALID, offset, "name `%s` is not a valid export name",
                         name->name.text);
    if (name->implements.text && entity->sort != COMPONENT_SORT_INSTANCE)
        return wasm_fail(d->err, ST_INVALID, offset, "only instances can have an `implements`");
    return unique_add(d, &items->unique, name->name, is_import ? "import" : "export", offset);
}

enum status border_add_to_bag(struct decoder *d, struct items *items,
                              const struct extern_name *name, const struct component_entity *entity,
                              size_t offset)
{
    struct name_context nothing = {0};
    TRY(check_name(d, false, items, name, entity, offset));
    TRY(annotated_check(d, &nothing, name->name, entity, offset));
    return items_add(d, items, name, entity, offset);
}

static enum status bind_resource(struct decoder *d, bool is_import, uint32_t resource)
{
    struct scope *s = d->scope;
    uint32_t **list = is_import ? &s->bound_imports : &s->bound_exports;
    uint32_t *count = is_import ? &s->bound_imports_count : &s->bound_exports_count;
    uint32_t *capacity = is_import ? &s->bound_imports_capacity : &s->bound_exports_capacity;
    TRY(GROW(d, *list, *capacity, *count + 1));
    (*list)[(*count)++] = resource;
    return ST_OK;
}

/* An instance of a type that introduces resources introduces new ones; they belong to the scope. */
static enum status renew_instance(struct decoder *d, bool is_import, uint32_t *entry)
{
    struct component_type t = *type_at(d->store, *entry);
    if (!t.bound_exports_count) return ST_OK;
    struct substitution sub;
    substitution_init(&sub, &d->store->t, d->store);
    enum status st = ST_OK;
    for (uint32_t i = 0; i < t.bound_exports_count && !st; i++) {
        uint32_t resource = 0;
        st = type_store_add_resource(d->store, &resource, d->err);
        if (!st) st = substitution_map(&sub, t.bound_exports[i], resource, d->err);
        if (!st) st = bind_resource(d, is_import, type_at(d->store, resource)->resource);
    }
    t.bound_exports_count = 0;
    struct component_item *exports = NULL;
    if (!st) st = parse_alloc(d, t.exports_count, sizeof *exports, &exports);
    for (uint32_t i = 0; i < t.exports_count && !st; i++) {
        exports[i] = t.exports[i];
        st = substitute_entity(&sub, &t.exports[i].entity, &exports[i].entity, d->err);
    }
    t.exports = exports;
    if (!st) st = type_store_add(d->store, &t, entry, d->err);
    substitution_done(&sub);
    return parse_at(d, d->r.offset, st);
}

/* The names by which later [method]s and the like know a resource. */
static enum status register_name(struct decoder *d, struct name_context *names,
                                 const struct extern_name *name,
                                 const struct component_entity *entity)
{
    if (entity->sort != COMPONENT_SORT_TYPE ||
        type_at(d->store, entity->type)->kind != COMPONENT_RESOURCE)
        return ST_OK;
    return annotated_register(d, names, name->name, entity->type);
}

enum status border_add(struct decoder *d, bool is_import, const struct extern_name *name,
                       struct component_entity *entity, size_t offset)
{
    struct scope *s = d->scope;
    struct items *items = is_import ? &s->imports : &s->exports;
    struct name_context *names = is_import ? &s->import_names : &s->export_names;
    bool visible = true;
    TRY(check_name(d, is_import, items, name, entity, offset));
    if (entity->sort == COMPONENT_SORT_INSTANCE) TRY(renew_instance(d, is_import, &entity->type));
    TRY(annotated_check(d, names, name->name, entity, offset));
    TRY(register_name(d, names, name, entity));
    if (s->kind != SCOPE_INSTANCE_TYPE) TRY(visible_register(d, is_import, entity, &visible));
    if (!visible)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "`%s`: %s not valid to be used as %s: it refers to a type without a name",
                         name->name.text, component_sort_name(entity->sort),
                         is_import ? "import" : "export");
    TRY(items_add(d, items, name, entity, offset));
    return add_entity(d, entity);
}

/* ---- what an import or export is: externdesc ---- */

static enum status parse_type_bound(struct decoder *d, bool is_import, struct component_entity *ret)
{
    uint8_t bound = 0;
    uint32_t index = 0;
    size_t start = d->r.offset;
    TRY(reader_u8(&d->r, &bound, d->err));
    ret->sort = COMPONENT_SORT_TYPE;
    if (bound == 0) {
        TRY(parse_index(d, COMPONENT_SORT_TYPE, &index));
        return parse_at(d, start,
                        type_store_again(d->store, d->scope->types[index], &ret->type, d->err));
    }
    if (bound != 1) return parse_bad_byte(d, "type bound");
    TRY(parse_at(d, start, type_store_add_resource(d->store, &ret->type, d->err)));
    return bind_resource(d, is_import, type_at(d->store, ret->type)->resource);
}

static enum status parse_module_bound(struct decoder *d, struct component_entity *ret)
{
    uint8_t byte = 0;
    uint32_t index = 0;
    TRY(reader_u8(&d->r, &byte, d->err));
    if (byte != 0x11) return parse_bad_byte(d, "component external kind");
    size_t start = d->r.offset;
    TRY(parse_index(d, COMPONENT_SORT_CORE_TYPE, &index));
    const struct core_type *type = d->scope->core_types[index];
    if (!type->is_module)
        return wasm_fail(d->err, ST_INVALID, start, "core type index %u is not a module type",
                         index);
    ret->sort = COMPONENT_SORT_CORE_MODULE;
    ret->module = &type->module_type;
    return ST_OK;
}

enum status parse_extern_type(struct decoder *d, bool is_import, struct component_entity *ret)
{
    uint8_t byte = 0;
    *ret = (struct component_entity){0};
    TRY(reader_u8(&d->r, &byte, d->err));
    switch (byte) {
    case 0x00: return parse_module_bound(d, ret);
    case 0x01: ret->sort = COMPONENT_SORT_FUNC; return parse_type_of(d, COMPONENT_FUNC, &ret->type);
    case 0x02:
        return wasm_fail(d->err, ST_UNSUPPORTED, d->r.offset - 1, "values are not supported");
    case 0x03: return parse_type_bound(d, is_import, ret);
    case 0x04:
        ret->sort = COMPONENT_SORT_COMPONENT;
        return parse_type_of(d, COMPONENT_COMPONENT, &ret->type);
    case 0x05:
        ret->sort = COMPONENT_SORT_INSTANCE;
        return parse_type_of(d, COMPONENT_INSTANCE, &ret->type);
    default: return parse_bad_byte(d, "component external kind");
    }
}
