/* The alias section, and aliases within types. */
#include "decode.h"

static bool sort_is_outer(enum component_sort sort)
{
    return sort == COMPONENT_SORT_CORE_MODULE || sort == COMPONENT_SORT_CORE_TYPE ||
           sort == COMPONENT_SORT_TYPE || sort == COMPONENT_SORT_COMPONENT;
}

/* Within a type only types and instances can be aliased. */
static enum status check_declarator(struct decoder *d, enum component_sort sort, size_t offset)
{
    if (d->scope->kind == SCOPE_COMPONENT || sort == COMPONENT_SORT_TYPE ||
        sort == COMPONENT_SORT_INSTANCE || sort == COMPONENT_SORT_CORE_TYPE)
        return ST_OK;
    return wasm_fail(d->err, ST_INVALID, offset,
                     "an alias within a type may only refer to types or instances");
}

static enum status alias_export(struct decoder *d, struct component_definition *def)
{
    const struct component_item *item = NULL;
    def->kind = COMPONENT_ALIAS_EXPORT;
    TRY(parse_index(d, COMPONENT_SORT_INSTANCE, &def->target));
    TRY(parse_name(d, &def->name));
    const struct component_type *t = type_at(d->store, d->scope->instances[def->target]);
    TRY(parse_at(d, def->offset, items_find(d, t->exports, t->exports_count, def->name, &item)));
    if (!item)
        return wasm_fail(d->err, ST_INVALID, def->offset, "instance %u has no export named `%s`",
                         def->target, def->name.text);
    if (item->entity.sort != def->sort)
        return wasm_fail(d->err, ST_INVALID, def->offset, "export `%s` of instance %u is not a %s",
                         def->name.text, def->target,
                         def->sort == COMPONENT_SORT_CORE_MODULE ? "module"
                                                                 : component_sort_name(def->sort));
    def->entity = item->entity;
    return add_entity(d, &item->entity);
}

static enum status alias_core_export(struct decoder *d, struct component_definition *def)
{
    static const enum wasm_external kinds[] = {
        [COMPONENT_SORT_CORE_FUNC] = WASM_EXT_FUNC,
        [COMPONENT_SORT_CORE_TABLE] = WASM_EXT_TABLE,
        [COMPONENT_SORT_CORE_MEMORY] = WASM_EXT_MEMORY,
        [COMPONENT_SORT_CORE_GLOBAL] = WASM_EXT_GLOBAL,
        [COMPONENT_SORT_CORE_TAG] = WASM_EXT_TAG,
    };
    struct core_extern what = {0};
    bool found = false;
    def->kind = COMPONENT_ALIAS_CORE_EXPORT;
    if (def->sort > COMPONENT_SORT_CORE_TAG)
        return wasm_fail(d->err, ST_INVALID, def->offset, "a core instance cannot export a %s",
                         component_sort_name(def->sort));
    TRY(parse_index(d, COMPONENT_SORT_CORE_INSTANCE, &def->target));
    TRY(parse_name(d, &def->name));
    TRY(parse_at(
        d, def->offset,
        core_instance_find(d, &d->scope->core_instances[def->target], def->name, &what, &found)));
    if (!found)
        return wasm_fail(d->err, ST_INVALID, def->offset,
                         "core instance %u has no export named `%s`", def->target, def->name.text);
    if (what.kind != kinds[def->sort])
        return wasm_fail(d->err, ST_INVALID, def->offset,
                         "export `%s` of core instance %u is a %s, not a %s", def->name.text,
                         def->target, wasm_external_name(what.kind),
                         component_sort_name(def->sort));
    return add_core(d, def->sort, &what);
}

/* Resources are made anew with each instance of the component that defines them: nothing that
 * refers to one can be taken into another component. */
static enum status check_outer_type(struct decoder *d, uint32_t entry, bool crosses, size_t offset)
{
    if (!crosses || !type_at(d->store, entry)->has_resource) return ST_OK;
    return wasm_fail(d->err, ST_INVALID, offset,
                     "cannot alias an outer type which transitively refers to resources not "
                     "defined in the current component");
}

static enum status add_outer(struct decoder *d, const struct scope *from, bool crosses,
                             const struct component_definition *def)
{
    switch (def->sort) {
    case COMPONENT_SORT_CORE_MODULE: return add_module(d, from->modules[def->target]);
    case COMPONENT_SORT_CORE_TYPE: return add_core_type(d, from->core_types[def->target]);
    case COMPONENT_SORT_COMPONENT:
        return add_entry(d, COMPONENT_SORT_COMPONENT, from->components[def->target]);
    default: {
        uint32_t entry = from->types[def->target];
        TRY(check_outer_type(d, entry, crosses, def->offset));
        return add_entry(d, COMPONENT_SORT_TYPE, entry);
    }
    }
}

static enum status alias_outer(struct decoder *d, struct component_definition *def)
{
    const struct scope *from = d->scope;
    bool crosses = false;
    def->kind = COMPONENT_ALIAS_OUTER;
    TRY(reader_u32(&d->r, &def->depth, d->err));
    TRY(reader_u32(&d->r, &def->target, d->err));
    for (uint32_t i = 0; i < def->depth && from; i++) {
        crosses |= from->kind == SCOPE_COMPONENT;
        from = from->parent;
    }
    if (!from)
        return wasm_fail(d->err, ST_INVALID, def->offset, "invalid outer alias count of %u",
                         def->depth);
    TRY(check_index(d, from, def->sort, def->target, def->offset));
    return add_outer(d, from, crosses, def);
}

enum status parse_alias(struct decoder *d)
{
    static const char what[] = "component outer alias kind";
    struct component_definition def = {.offset = d->r.offset};
    uint8_t form = 0;
    TRY(parse_sort(d, what, &def.sort));
    TRY(reader_u8(&d->r, &form, d->err));
    if (form > 2) return parse_bad_byte(d, "alias");
    if (form == 2 && !sort_is_outer(def.sort)) {
        d->r.offset = def.offset + 1;
        return parse_bad_byte(d, what);
    }
    TRY(check_declarator(d, def.sort, def.offset));
    if (form == 1 && d->scope->kind != SCOPE_COMPONENT)
        return wasm_fail(d->err, ST_INVALID, def.offset,
                         "an alias within a type may only refer to types or instances");
    switch (form) {
    case 0: TRY(alias_export(d, &def)); break;
    case 1: TRY(alias_core_export(d, &def)); break;
    default: TRY(alias_outer(d, &def)); break;
    }
    return add_definition(d, &def);
}

enum status parse_section_aliases(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, COMPONENT_DEFINITIONS_MAX, "aliases", &count, d->err));
    for (uint32_t i = 0; i < count; i++) TRY(parse_alias(d));
    return ST_OK;
}
