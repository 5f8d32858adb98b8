/* What is looked up in the types once, before values cross by them. */
#include <stdlib.h>

#include "state.h"

struct look {
    struct canonical *c;
    uint8_t *depths;
};

static bool take_child(struct look *l, uint32_t type, uint32_t child)
{
    if (child == WIT_TYPE_NONE) return true;
    if (child >= type || l->depths[child] >= WIT_DEPTH_MAX) return false;
    if (l->depths[type] <= l->depths[child]) l->depths[type] = (uint8_t)(l->depths[child] + 1);
    return true;
}

static bool take_fields(struct look *l, uint32_t type)
{
    const struct canonical *c = l->c;
    const struct artifact_wit_type *t = &c->types[type];
    if (t->fields_first > c->fields_count || t->fields_count > c->fields_count - t->fields_first)
        return false;
    for (uint32_t k = 0; k < t->fields_count; k++) {
        const struct artifact_wit_field *f = &c->fields[t->fields_first + k];
        if (f->type >= c->types_count) return false;
        if (t->kind != WIT_FLAGS && t->kind != WIT_ENUM && !take_child(l, type, f->type))
            return false;
    }
    return true;
}

/* Fields that follow each other without a gap, to the end. */
static bool is_packed(const struct canonical *c, const struct artifact_wit_type *t)
{
    uint32_t offset = 0;
    for (uint32_t k = 0; k < t->fields_count; k++) {
        const struct artifact_wit_field *f = &c->fields[t->fields_first + k];
        if (!c->plain[f->type] || f->offset != offset) return false;
        offset += c->types[f->type].size_bytes;
    }
    return offset == t->size_bytes;
}

static bool look_at(struct look *l, uint32_t type)
{
    struct canonical *c = l->c;
    const struct artifact_wit_type *t = &c->types[type];
    switch ((enum wit_kind)t->kind) {
    case WIT_S8:
    case WIT_U8:
    case WIT_S16:
    case WIT_U16:
    case WIT_S32:
    case WIT_U32:
    case WIT_S64:
    case WIT_U64:
    case WIT_F32:
    case WIT_F64: c->plain[type] = true; return true;
    case WIT_RECORD:
        if (!take_fields(l, type)) return false;
        c->plain[type] = is_packed(c, t);
        return true;
    case WIT_FIXED_LIST:
        if (!take_child(l, type, t->element)) return false;
        c->plain[type] = c->plain[t->element];
        return true;
    case WIT_FLAGS:
        c->plain[type] = t->fields_count == 8 * t->size_bytes;
        return take_fields(l, type);
    case WIT_ENUM:
    case WIT_VARIANT: return take_fields(l, type);
    case WIT_FUNC: return take_fields(l, type) && take_child(l, type, t->element);
    case WIT_LIST:
    case WIT_STREAM:
    case WIT_FUTURE: return take_child(l, type, t->element);
    case WIT_OWN:
    case WIT_BORROW: return t->element < c->resources_count;
    default: return t->kind < WIT_KINDS_COUNT;
    }
}

enum status types_look(struct canonical *c, struct error *err)
{
    struct look l = {.c = c, .depths = calloc(c->types_count + 1, 1)};
    if (!l.depths) return error_set(err, ST_NO_MEMORY, "component instance");
    enum status st = ST_OK;
    for (size_t k = 0; k < c->types_count && !st; k++)
        if (!look_at(&l, (uint32_t)k)) st = error_set(err, ST_CORRUPT, "WIT type %zu", k);
    free(l.depths);
    return st;
}
