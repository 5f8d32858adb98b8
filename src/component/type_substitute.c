#include "type_store.h"

void substitution_init(struct substitution *s, const struct component_types *from,
                       struct type_store *to)
{
    *s = (struct substitution){.from = from, .to = to};
}

void substitution_done(struct substitution *s)
{
    number_map_done(&s->resources);
    number_map_done(&s->done);
}

static enum status no_memory(struct error *err)
{
    return error_set(err, ST_NO_MEMORY, "out of memory");
}

enum status substitution_map(struct substitution *s, uint32_t resource, uint32_t entry,
                             struct error *err)
{
    return number_map_put(&s->resources, resource, entry) ? ST_OK : no_memory(err);
}

static bool is_same_store(const struct substitution *s)
{
    return s->from == &s->to->t;
}

enum status substitute_entity(struct substitution *s, const struct component_entity *entity,
                              struct component_entity *ret, struct error *err)
{
    uint32_t type;
    enum status st = substitute(s, entity->type, &type, err);
    if (st) return st;
    *ret = *entity;
    ret->type = type;
    return ST_OK;
}

static enum status substitute_items(struct substitution *s, const struct component_item *items,
                                    uint32_t count, const struct component_item **ret,
                                    bool *changed, struct error *err)
{
    struct component_item *copy = arena_array(s->to->arena, struct component_item, count);
    if (!copy) return no_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = items[i];
        enum status st = substitute_entity(s, &items[i].entity, &copy[i].entity, err);
        if (st) return st;
        *changed |= copy[i].entity.type != items[i].entity.type;
    }
    *ret = copy;
    return ST_OK;
}

static enum status substitute_fields(struct substitution *s, struct component_type *t,
                                     bool *changed, struct error *err)
{
    struct component_field *copy =
        arena_array(s->to->arena, struct component_field, t->fields_count);
    if (!copy) return no_memory(err);
    for (uint32_t i = 0; i < t->fields_count; i++) {
        copy[i] = t->fields[i];
        enum status st = substitute(s, t->fields[i].type, &copy[i].type, err);
        if (st) return st;
        *changed |= copy[i].type != t->fields[i].type;
    }
    t->fields = copy;
    return ST_OK;
}

static enum status substitute_parts(struct substitution *s, struct component_type *t, bool *changed,
                                    struct error *err)
{
    uint32_t element = 0, other = 0;
    enum status st = substitute(s, t->element, &element, err);
    if (!st) st = substitute(s, t->other, &other, err);
    if (st) return st;
    *changed = !is_same_store(s) || element != t->element || other != t->other;
    t->element = element;
    t->other = other;
    if (t->fields_count) st = substitute_fields(s, t, changed, err);
    if (!st && t->imports_count)
        st = substitute_items(s, t->imports, t->imports_count, &t->imports, changed, err);
    if (!st && t->exports_count)
        st = substitute_items(s, t->exports, t->exports_count, &t->exports, changed, err);
    return st;
}

static enum status substitute_resource(struct substitution *s, uint32_t type,
                                       const struct component_type *t, uint32_t *ret,
                                       struct error *err)
{
    uint32_t entry = number_map_get(&s->resources, t->resource);
    if (!entry && !is_same_store(s))
        return error_set(err, ST_INTERNAL, "resource %u is not known", t->resource);
    *ret = entry ? entry : type;
    return ST_OK;
}

/* As deep as types are: COMPONENT_TYPE_DEPTH_MAX. */
enum status substitute(struct substitution *s, uint32_t type, uint32_t *ret, struct error *err)
{
    struct component_type t = s->from->entries[type];
    if (t.kind <= COMPONENT_ERROR_CONTEXT && type <= COMPONENT_ERROR_CONTEXT) {
        *ret = type;
        return ST_OK;
    }
    if (is_same_store(s) && !t.has_resource && !s->maps_types) {
        *ret = type;
        return ST_OK;
    }
    uint32_t done = number_map_get(&s->done, type);
    if (t.kind == COMPONENT_RESOURCE && !done) return substitute_resource(s, type, &t, ret, err);
    if (!done) {
        bool changed = false;
        enum status st = substitute_parts(s, &t, &changed, err);
        if (!st && changed) st = type_store_add(s->to, &t, &done, err);
        if (!st && !changed)
            st = type_store_work(s->to, 1u + t.fields_count + t.exports_count, err);
        if (st) return st;
        if (!changed) done = type;
        if (!number_map_put(&s->done, type, done)) return no_memory(err);
    }
    *ret = done;
    return ST_OK;
}
