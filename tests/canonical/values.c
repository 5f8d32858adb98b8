#include "values.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct artifact_wit_type *type_at(const struct values *s, uint32_t type)
{
    return &s->side.c->types[type];
}

static const struct artifact_wit_field *field_at(const struct values *s,
                                                 const struct artifact_wit_type *t, uint32_t k)
{
    return &s->side.c->fields[t->fields_first + k];
}

static struct canonical_call call_of(const struct values *s)
{
    return (struct canonical_call){
        .instance = s->side.i, .canonical = s->side.c, .options = s->side.options};
}

static void make_items(struct val *v, uint32_t count)
{
    v->items = calloc((size_t)count + 1, sizeof *v->items);
    assert(v->items);
    v->count = count;
}

static uint8_t *bytes_at(const struct values *s, uint32_t at, uint32_t size)
{
    uint8_t *bytes = NULL;
    return guest_slice(s->side.i, s->side.options->memory, at, size, &bytes) ? bytes : NULL;
}

static bool say(struct values *s, const char *text)
{
    return trap_say(s->side.i, text);
}

/* ---- of values that are one number ---- */

/* What the host is given leaves the guest's table ("lift_own"). */
static bool read_own(struct values *s, const struct artifact_wit_type *t, uint64_t bits,
                     struct val *ret)
{
    struct canonical *c = s->side.c;
    struct handle taken;
    ret->bits = bits;
    return !s->side.with_host || handle_take(c, s->side.i, s->side.options->component,
                                             (uint32_t)bits, c->resource_types[t->element], &taken);
}

/* "lift": what the bits of a core value or of memory mean. */
static bool read_bits(struct values *s, const struct artifact_wit_type *t, uint64_t bits,
                      struct val *ret)
{
    uint32_t left = t->fields_count;
    switch ((enum wit_kind)t->kind) {
    case WIT_BOOL: ret->bits = bits != 0; break;
    case WIT_U8: ret->bits = bits & 0xff; break;
    case WIT_U16: ret->bits = bits & 0xffff; break;
    case WIT_S8: ret->bits = (uint64_t)(int64_t)(int8_t)(bits & 0xff); break;
    case WIT_S16: ret->bits = (uint64_t)(int64_t)(int16_t)(bits & 0xffff); break;
    case WIT_S32: ret->bits = (uint64_t)(int64_t)(int32_t)(uint32_t)bits; break;
    case WIT_S64:
    case WIT_U64:
    case WIT_F64: ret->bits = bits; break;
    case WIT_CHAR:
        if (bits >= 0x110000 || (bits >= 0xd800 && bits < 0xe000))
            return say(s, "invalid `char` bit pattern");
        ret->bits = bits;
        break;
    case WIT_FLAGS: ret->bits = left >= 32 ? bits : bits & ((UINT64_C(1) << left) - 1); break;
    case WIT_OWN: return read_own(s, t, bits, ret);
    default: ret->bits = bits; break;
    }
    return true;
}

/* ---- lifting ---- */

static bool lift_text(struct values *s, uint32_t at, uint32_t units, struct val *ret)
{
    struct canonical_call call = call_of(s);
    struct canonical_text found;
    if (!canonical_text(&call, at, units, &found)) return false;
    char *copy = malloc(found.size_bytes + 1);
    assert(copy);
    if (found.size_bytes) memcpy(copy, found.bytes, found.size_bytes);
    ret->text = (struct canonical_text){copy, found.size_bytes};
    return true;
}

static bool lift_list(struct values *s, const struct artifact_wit_type *t, uint32_t at,
                      uint32_t count, struct val *ret)
{
    const struct artifact_wit_type *e = type_at(s, t->element);
    uint8_t *bytes;
    if (!side_range(&s->side, at, (uint64_t)count * e->size_bytes, e->align_bytes, SIDE_LIST,
                    &bytes))
        return false;
    make_items(ret, count);
    for (uint32_t k = 0; k < count; k++)
        if (!val_load(s, t->element, at + k * e->size_bytes, &ret->items[k])) return false;
    return true;
}

static bool load_variant(struct values *s, const struct artifact_wit_type *t, uint32_t at,
                         struct val *ret)
{
    uint32_t chosen = 0;
    memcpy(&chosen, bytes_at(s, at, t->size_bytes), t->discriminant_bytes);
    if (chosen >= t->fields_count) return say(s, "invalid variant discriminant");
    ret->bits = chosen;
    uint32_t payload = t->kind == WIT_VARIANT ? field_at(s, t, chosen)->type : 0;
    if (!payload) return true;
    make_items(ret, 1);
    return val_load(s, payload, at + t->payload_offset, &ret->items[0]);
}

static bool load_items(struct values *s, const struct artifact_wit_type *t, uint32_t at,
                       struct val *ret)
{
    bool record = t->kind == WIT_RECORD;
    make_items(ret, record ? t->fields_count : t->length);
    for (uint32_t k = 0; k < ret->count; k++) {
        uint32_t type = record ? field_at(s, t, k)->type : t->element;
        uint32_t offset = record ? field_at(s, t, k)->offset : k * type_at(s, type)->size_bytes;
        if (!val_load(s, type, at + offset, &ret->items[k])) return false;
    }
    return true;
}

bool val_load(struct values *s, uint32_t type, uint32_t at, struct val *ret)
{
    const struct artifact_wit_type *t = type_at(s, type);
    const uint8_t *bytes = bytes_at(s, at, t->size_bytes);
    uint64_t bits = 0;
    uint32_t pair[2];
    *ret = (struct val){0};
    assert(bytes);
    switch ((enum wit_kind)t->kind) {
    case WIT_STRING: memcpy(pair, bytes, sizeof pair); return lift_text(s, pair[0], pair[1], ret);
    case WIT_LIST: memcpy(pair, bytes, sizeof pair); return lift_list(s, t, pair[0], pair[1], ret);
    case WIT_RECORD:
    case WIT_FIXED_LIST: return load_items(s, t, at, ret);
    case WIT_VARIANT:
    case WIT_ENUM: return load_variant(s, t, at, ret);
    default:
        memcpy(&bits, bytes, t->size_bytes < 8 ? t->size_bytes : 8);
        return read_bits(s, t, bits, ret);
    }
}

static bool lift_items(struct values *s, const struct artifact_wit_type *t,
                       const struct value *flat, struct val *ret)
{
    bool record = t->kind == WIT_RECORD;
    make_items(ret, record ? t->fields_count : t->length);
    for (uint32_t k = 0; k < ret->count; k++) {
        uint32_t type = record ? field_at(s, t, k)->type : t->element;
        if (!val_lift(s, type, flat, &ret->items[k])) return false;
        flat += type_at(s, type)->flat_count;
    }
    return true;
}

static bool lift_variant(struct values *s, const struct artifact_wit_type *t,
                         const struct value *flat, struct val *ret)
{
    uint32_t chosen = flat[0].i32;
    if (chosen >= t->fields_count) return say(s, "invalid variant discriminant");
    ret->bits = chosen;
    uint32_t payload = t->kind == WIT_VARIANT ? field_at(s, t, chosen)->type : 0;
    if (!payload) return true;
    make_items(ret, 1);
    return val_lift(s, payload, flat + 1, &ret->items[0]);
}

bool val_lift(struct values *s, uint32_t type, const struct value *flat, struct val *ret)
{
    const struct artifact_wit_type *t = type_at(s, type);
    *ret = (struct val){0};
    switch ((enum wit_kind)t->kind) {
    case WIT_STRING: return lift_text(s, flat[0].i32, flat[1].i32, ret);
    case WIT_LIST: return lift_list(s, t, flat[0].i32, flat[1].i32, ret);
    case WIT_RECORD:
    case WIT_FIXED_LIST: return lift_items(s, t, flat, ret);
    case WIT_VARIANT:
    case WIT_ENUM: return lift_variant(s, t, flat, ret);
    case WIT_S64:
    case WIT_U64:
    case WIT_F64: return read_bits(s, t, flat[0].i64, ret);
    default: return read_bits(s, t, flat[0].i32, ret);
    }
}

/* ---- lowering ---- */

static bool lower_list(struct values *s, const struct artifact_wit_type *t, const struct val *v,
                       uint32_t *ret_at)
{
    const struct artifact_wit_type *e = type_at(s, t->element);
    uint8_t *bytes;
    if (!side_realloc(&s->side, 0, 0, e->align_bytes, (uint64_t)v->count * e->size_bytes, SIDE_LIST,
                      ret_at, &bytes))
        return false;
    for (uint32_t k = 0; k < v->count; k++)
        if (!val_store(s, t->element, &v->items[k], *ret_at + k * e->size_bytes)) return false;
    return true;
}

static bool lower_pair(struct values *s, const struct artifact_wit_type *t, const struct val *v,
                       uint32_t pair[2])
{
    struct canonical_call call = call_of(s);
    if (t->kind == WIT_STRING)
        return canonical_put_text(&call, v->text.bytes, v->text.size_bytes, &pair[0], &pair[1]);
    pair[1] = v->count;
    return lower_list(s, t, v, &pair[0]);
}

static bool store_items(struct values *s, const struct artifact_wit_type *t, const struct val *v,
                        uint32_t at)
{
    bool record = t->kind == WIT_RECORD;
    for (uint32_t k = 0; k < v->count; k++) {
        uint32_t type = record ? field_at(s, t, k)->type : t->element;
        uint32_t offset = record ? field_at(s, t, k)->offset : k * type_at(s, type)->size_bytes;
        if (!val_store(s, type, &v->items[k], at + offset)) return false;
    }
    return true;
}

bool val_store(struct values *s, uint32_t type, const struct val *v, uint32_t at)
{
    const struct artifact_wit_type *t = type_at(s, type);
    uint32_t pair[2], chosen = (uint32_t)v->bits;
    assert(bytes_at(s, at, t->size_bytes));
    switch ((enum wit_kind)t->kind) {
    case WIT_STRING:
    case WIT_LIST:
        if (!lower_pair(s, t, v, pair)) return false;
        memcpy(bytes_at(s, at, 8), pair, sizeof pair);
        return true;
    case WIT_RECORD:
    case WIT_FIXED_LIST: return store_items(s, t, v, at);
    case WIT_VARIANT:
    case WIT_ENUM:
        memcpy(bytes_at(s, at, t->size_bytes), &chosen, t->discriminant_bytes);
        return !v->count ||
               val_store(s, field_at(s, t, chosen)->type, &v->items[0], at + t->payload_offset);
    default:
        memcpy(bytes_at(s, at, t->size_bytes), &v->bits, t->size_bytes < 8 ? t->size_bytes : 8);
        return true;
    }
}

static bool lower_items(struct values *s, const struct artifact_wit_type *t, const struct val *v,
                        struct value *flat)
{
    for (uint32_t k = 0; k < v->count; k++) {
        uint32_t type = t->kind == WIT_FIXED_LIST ? t->element : field_at(s, t, k)->type;
        if (!val_lower(s, type, &v->items[k], flat)) return false;
        flat += type_at(s, type)->flat_count;
    }
    return true;
}

bool val_lower(struct values *s, uint32_t type, const struct val *v, struct value *flat)
{
    const struct artifact_wit_type *t = type_at(s, type);
    uint32_t pair[2];
    switch ((enum wit_kind)t->kind) {
    case WIT_STRING:
    case WIT_LIST:
        if (!lower_pair(s, t, v, pair)) return false;
        flat[0].i64 = pair[0];
        flat[1].i64 = pair[1];
        return true;
    case WIT_RECORD:
    case WIT_FIXED_LIST: return lower_items(s, t, v, flat);
    case WIT_VARIANT:
    case WIT_ENUM:
        flat[0].i64 = v->bits;
        for (uint32_t k = 1; k < t->flat_count; k++) flat[k].i64 = 0;
        return !v->count ||
               val_lower(s, field_at(s, t, (uint32_t)v->bits)->type, &v->items[0], flat + 1);
    case WIT_S64:
    case WIT_U64:
    case WIT_F64: flat[0].i64 = v->bits; return true;
    default: flat[0].i64 = (uint32_t)v->bits; return true;
    }
}

/* ---- functions ---- */

static bool parse_params(struct values *s, const struct artifact_wit_type *t, const char *text,
                         struct val *ret)
{
    make_items(ret, t->fields_count);
    for (uint32_t k = 0; k < t->fields_count; k++) {
        while (*text == ' ') text++;
        if (!val_parse(s, field_at(s, t, k)->type, &text, &ret->items[k])) return false;
    }
    return true;
}

static bool lower_params(struct values *s, const struct artifact_wit_type *t, const struct val *v,
                         struct value *flat)
{
    uint8_t *bytes;
    uint32_t at;
    const struct artifact_wit_type *record = type_at(s, t->params_record);
    if (t->flat_count != WIT_FLAT_MANY) return lower_items(s, t, v, flat);
    if (!side_realloc(&s->side, 0, 0, record->align_bytes, record->size_bytes, SIDE_VALUE, &at,
                      &bytes))
        return false;
    flat[0].i64 = at;
    return val_store(s, t->params_record, v, at);
}

bool val_lower_params(struct values *s, uint32_t type, const char *text, struct value *flat)
{
    const struct artifact_wit_type *t = type_at(s, type);
    struct val v = {0};
    s->fault = NULL;
    bool lowered = parse_params(s, t, text, &v) && lower_params(s, t, &v, flat);
    val_free(&v);
    return lowered;
}

bool val_lift_result(struct values *s, uint32_t type, const struct value *flat, struct val *ret)
{
    const struct artifact_wit_type *t = type_at(s, type);
    *ret = (struct val){0};
    s->fault = NULL;
    if (!t->element) return true;
    if (t->flat_results <= WIT_FLAT_RESULTS) return val_lift(s, t->element, flat, ret);
    const struct artifact_wit_type *result = type_at(s, t->element);
    uint8_t *bytes;
    return side_range(&s->side, flat[0].i32, result->size_bytes, result->align_bytes, SIDE_VALUE,
                      &bytes) &&
           val_load(s, t->element, flat[0].i32, ret);
}
