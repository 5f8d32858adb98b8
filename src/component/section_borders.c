/* The import and export sections. */
#include "decode.h"

static enum status parse_import(struct decoder *d)
{
    struct extern_name name;
    struct component_definition def = {.kind = COMPONENT_IMPORT, .offset = d->r.offset};
    TRY(parse_extern_name(d, &name));
    TRY(parse_extern_type(d, true, &def.entity));
    TRY(border_add(d, true, &name, &def.entity, def.offset));
    def.sort = def.entity.sort;
    def.name = name.name;
    return add_definition(d, &def);
}

enum status parse_section_imports(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, COMPONENT_ITEMS_MAX, "imports", &count, d->err));
    for (uint32_t i = 0; i < count; i++) TRY(parse_import(d));
    return ST_OK;
}

/* An export may say a type that it is seen as from outside: one that it can be given as. */
static enum status parse_ascription(struct decoder *d, struct component_entity *entity)
{
    struct component_entity ascribed;
    uint8_t there = 0;
    size_t start = d->r.offset;
    TRY(reader_u8(&d->r, &there, d->err));
    if (there > 1) return parse_bad_byte(d, "optional component export type");
    if (!there && entity->sort == COMPONENT_SORT_TYPE)
        return parse_at(d, start, type_store_again(d->store, entity->type, &entity->type, d->err));
    if (!there) return ST_OK;
    uint32_t resources = d->store->t.resources_count;
    TRY(parse_extern_type(d, false, &ascribed));
    /* (sub resource) hides which resource it is, whichever that is. */
    bool hides = d->store->t.resources_count > resources && entity->sort == COMPONENT_SORT_TYPE &&
                 type_at(d->store, entity->type)->kind == COMPONENT_RESOURCE;
    enum status st = hides ? ST_OK : entity_matches(d, entity, &ascribed);
    if (st) {
        error_prefix(d->err, "ascribed type of export is not compatible");
        return parse_at(d, start, st);
    }
    *entity = ascribed;
    return ST_OK;
}

static enum status parse_export(struct decoder *d)
{
    struct extern_name name;
    struct component_definition def = {.kind = COMPONENT_EXPORT, .offset = d->r.offset};
    TRY(parse_extern_name(d, &name));
    size_t start = d->r.offset;
    TRY(parse_sort(d, "component external kind", &def.sort));
    if (def.sort < COMPONENT_SORT_FUNC && def.sort != COMPONENT_SORT_CORE_MODULE)
        return wasm_fail(d->err, ST_INVALID, start, "a component cannot export a %s",
                         component_sort_name(def.sort));
    TRY(parse_index(d, def.sort, &def.target));
    def.entity = scope_entity(d->scope, def.sort, def.target);
    TRY(parse_ascription(d, &def.entity));
    TRY(border_add(d, false, &name, &def.entity, def.offset));
    def.name = name.name;
    return add_definition(d, &def);
}

enum status parse_section_exports(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, COMPONENT_ITEMS_MAX, "exports", &count, d->err));
    for (uint32_t i = 0; i < count; i++) TRY(parse_export(d));
    return ST_OK;
}
