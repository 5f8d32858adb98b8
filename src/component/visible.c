/* External visibility (Explainer.md): what is imported or exported may refer only to types that
 * have a name on that border themselves. Records, variants, enums, flags and resources need one;
 * what is built of them by tuples, lists and the like does not. */
#include "decode.h"

struct visit {
    struct decoder *d;
    const struct number_map *named;
    bool hidden; /* the answer: something has no name */
};

static enum status visit_value(struct visit *v, uint32_t entry);
static enum status visit_type(struct visit *v, uint32_t entry);

static enum status visit_fields(struct visit *v, const struct component_type *t)
{
    for (uint32_t i = 0; i < t->fields_count && !v->hidden; i++)
        TRY(visit_value(v, t->fields[i].type));
    return ST_OK;
}

static enum status visit_parts(struct visit *v, const struct component_type *t)
{
    TRY(visit_fields(v, t));
    TRY(visit_value(v, t->element));
    return visit_value(v, t->other);
}

/* A type that something refers to. */
static enum status visit_value(struct visit *v, uint32_t entry)
{
    const struct component_type *t = type_at(v->d->store, entry);
    if (v->hidden || t->kind <= COMPONENT_ERROR_CONTEXT) return ST_OK;
    TRY(parse_work(v->d, 1u + t->fields_count));
    switch (t->kind) {
    case COMPONENT_RECORD:
    case COMPONENT_VARIANT:
    case COMPONENT_FLAGS:
    case COMPONENT_ENUM: v->hidden = !number_map_get(v->named, entry); return ST_OK;
    case COMPONENT_OWN:
    case COMPONENT_BORROW: v->hidden = !number_map_get(v->named, t->element); return ST_OK;
    default: return visit_parts(v, t);
    }
}

static enum status visit_exports(struct visit *v, const struct component_type *t)
{
    for (uint32_t i = 0; i < t->exports_count && !v->hidden; i++)
        TRY(visit_type(v, t->exports[i].entity.type));
    return ST_OK;
}

/* A type that gets a name now: its parts must have theirs. Component types were looked at when they
 * were made, and a resource has no parts. */
static enum status visit_type(struct visit *v, uint32_t entry)
{
    const struct component_type *t = type_at(v->d->store, entry);
    TRY(parse_work(v->d, 1u + t->fields_count + t->exports_count));
    switch (t->kind) {
    case COMPONENT_RESOURCE:
    case COMPONENT_COMPONENT: return ST_OK;
    case COMPONENT_OWN:
    case COMPONENT_BORROW: return visit_value(v, entry);
    case COMPONENT_INSTANCE: return visit_exports(v, t);
    default: return visit_parts(v, t);
    }
}

static enum status name_entry(struct decoder *d, bool is_import, uint32_t entry)
{
    struct scope *s = d->scope;
    if ((is_import && !number_map_put(&s->imported, entry, 1)) ||
        !number_map_put(&s->exported, entry, 1))
        return wasm_fail_memory(d->err, d->r.offset);
    return ST_OK;
}

/* What an instance exports is named by it, one after the other. */
static enum status register_entity(struct visit *v, bool is_import,
                                   const struct component_entity *entity)
{
    switch (entity->sort) {
    case COMPONENT_SORT_FUNC: return visit_type(v, entity->type);
    case COMPONENT_SORT_TYPE:
        TRY(visit_type(v, entity->type));
        return v->hidden ? ST_OK : name_entry(v->d, is_import, entity->type);
    case COMPONENT_SORT_INSTANCE: {
        const struct component_type t = *type_at(v->d->store, entity->type);
        TRY(parse_work(v->d, 1u + t.exports_count));
        for (uint32_t i = 0; i < t.exports_count && !v->hidden; i++)
            TRY(register_entity(v, is_import, &t.exports[i].entity));
        return ST_OK;
    }
    default: return ST_OK;
    }
}

enum status visible_register(struct decoder *d, bool is_import,
                             const struct component_entity *entity, bool *ret)
{
    struct visit v = {d, is_import ? &d->scope->imported : &d->scope->exported, false};
    TRY(register_entity(&v, is_import, entity));
    *ret = !v.hidden;
    return ST_OK;
}
