/* The instance section: instances of components, and bags of exports. */
#include <stdlib.h>

#include "decode.h"

static enum status parse_arg(struct decoder *d, struct byte_map *seen, struct component_arg *arg,
                             struct component_item *item)
{
    size_t start = d->r.offset;
    TRY(parse_name(d, &arg->name));
    if (byte_map_find(seen, arg->name.text, arg->name.size_bytes))
        return wasm_fail(d->err, ST_INVALID, start,
                         "instantiation argument `%s` conflicts with previous argument `%s`",
                         arg->name.text, arg->name.text);
    if (!byte_map_add(seen, arg->name.text, arg->name.size_bytes, 0))
        return wasm_fail_memory(d->err, start);
    start = d->r.offset;
    TRY(parse_sort(d, "component external kind", &arg->sort));
    if (arg->sort < COMPONENT_SORT_FUNC && arg->sort != COMPONENT_SORT_CORE_MODULE)
        return wasm_fail(d->err, ST_INVALID, start, "a %s cannot be an argument",
                         component_sort_name(arg->sort));
    TRY(parse_index(d, arg->sort, &arg->index));
    item->name = arg->name;
    item->entity = scope_entity(d->scope, arg->sort, arg->index);
    return ST_OK;
}

static enum status parse_args(struct decoder *d, struct component_definition *def,
                              const struct component_item **ret)
{
    struct component_arg *args = NULL;
    struct component_item *items = NULL;
    struct byte_map seen = {0};
    TRY(reader_count(&d->r, COMPONENT_ARGS_MAX, "arguments", &def->args_count, d->err));
    TRY(parse_alloc(d, def->args_count, sizeof *args, &args));
    TRY(parse_alloc(d, def->args_count, sizeof *items, &items));
    enum status st = ST_OK;
    for (uint32_t i = 0; i < def->args_count && !st; i++)
        st = parse_arg(d, &seen, &args[i], &items[i]);
    if (!st) st = parse_work(d, seen.steps);
    byte_map_done(&seen);
    def->args = args;
    *ret = items;
    return st;
}

static enum status parse_instantiate(struct decoder *d, struct component_definition *def)
{
    const struct component_item *args = NULL;
    def->kind = COMPONENT_INSTANTIATE;
    TRY(parse_index(d, COMPONENT_SORT_COMPONENT, &def->target));
    TRY(parse_args(d, def, &args));
    return parse_at(d, def->offset,
                    instantiate(d, d->scope->components[def->target], args, def->args_count,
                                &def->entity.type));
}

static enum status parse_bag_export(struct decoder *d, struct items *items,
                                    struct component_arg *arg)
{
    struct extern_name name;
    size_t start = d->r.offset;
    TRY(parse_extern_name(d, &name));
    TRY(parse_sort(d, "component external kind", &arg->sort));
    if (arg->sort < COMPONENT_SORT_FUNC && arg->sort != COMPONENT_SORT_CORE_MODULE)
        return wasm_fail(d->err, ST_INVALID, start, "an instance cannot export a %s",
                         component_sort_name(arg->sort));
    TRY(parse_index(d, arg->sort, &arg->index));
    struct component_entity entity = scope_entity(d->scope, arg->sort, arg->index);
    arg->name = name.name;
    return border_add_to_bag(d, items, &name, &entity, start);
}

static enum status parse_bag(struct decoder *d, struct component_definition *def)
{
    struct component_type t = {.kind = COMPONENT_INSTANCE};
    struct component_arg *args = NULL;
    struct items items = {0};
    def->kind = COMPONENT_BAG;
    TRY(reader_count(&d->r, COMPONENT_ARGS_MAX, "exports", &def->args_count, d->err));
    TRY(parse_alloc(d, def->args_count, sizeof *args, &args));
    enum status st = ST_OK;
    for (uint32_t i = 0; i < def->args_count && !st; i++)
        st = parse_bag_export(d, &items, &args[i]);
    def->args = args;
    t.exports_count = items.count;
    if (!st) st = items_keep(d, &items, &t.exports);
    items_done(&items);
    if (st) return st;
    return parse_at(d, def->offset, type_store_add(d->store, &t, &def->entity.type, d->err));
}

static enum status parse_instance(struct decoder *d)
{
    struct component_definition def = {.sort = COMPONENT_SORT_INSTANCE, .offset = d->r.offset};
    uint8_t form = 0;
    TRY(reader_u8(&d->r, &form, d->err));
    if (form > 1) return parse_bad_byte(d, "instance");
    TRY(form ? parse_bag(d, &def) : parse_instantiate(d, &def));
    def.entity.sort = COMPONENT_SORT_INSTANCE;
    TRY(add_entity(d, &def.entity));
    return add_definition(d, &def);
}

enum status parse_section_instances(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, COMPONENT_DEFINITIONS_MAX, "instances", &count, d->err));
    for (uint32_t i = 0; i < count; i++) TRY(parse_instance(d));
    return ST_OK;
}
