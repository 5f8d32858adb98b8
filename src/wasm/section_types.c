/* The type section: recursion groups of sub types (Core §5.3.6, §5.5.4). */
#include <string.h>

#include "decode.h"

#define BYTE_FUNC      0x60
#define BYTE_STRUCT    0x5f
#define BYTE_ARRAY     0x5e
#define BYTE_SUB       0x50
#define BYTE_SUB_FINAL 0x4f
#define BYTE_REC       0x4e

/* `limit`: types below it may be named, those of the own group included. */
static enum status read_list(struct decoder *d, uint32_t limit, uint32_t max, const char *what,
                             const struct wasm_valtype **ret, uint32_t *ret_count)
{
    struct wasm_valtype *items = NULL;
    TRY(reader_count(&d->r, max, what, ret_count, d->err));
    TRY(decode_alloc(d, *ret_count, sizeof *items, &items));
    for (uint32_t i = 0; i < *ret_count; i++) {
        size_t start = d->r.offset;
        TRY(reader_valtype(&d->r, &items[i], d->err));
        TRY(types_check_valtype(items[i], limit, start, &d->m->features, d->err));
    }
    *ret = items;
    return ST_OK;
}

static enum status read_field(struct decoder *d, uint32_t limit, struct wasm_field *ret)
{
    size_t start = d->r.offset;
    uint8_t mutable = 0;
    TRY(reader_storage_type(&d->r, &ret->storage, d->err));
    TRY(types_check_valtype(ret->storage, limit, start, &d->m->features, d->err));
    start = d->r.offset;
    TRY(reader_u8(&d->r, &mutable, d->err));
    if (mutable > 1)
        return wasm_fail(d->err, ST_INVALID, start, "malformed mutability 0x%02x", mutable);
    ret->mutable = mutable;
    return ST_OK;
}

static enum status read_fields(struct decoder *d, uint32_t limit, uint32_t count,
                               struct wasm_type *type)
{
    struct wasm_field *fields = NULL;
    TRY(decode_alloc(d, count, sizeof *fields, &fields));
    type->defaultable = true;
    for (uint32_t i = 0; i < count; i++) {
        TRY(read_field(d, limit, &fields[i]));
        if (!valtype_is_defaultable(fields[i].storage)) type->defaultable = false;
    }
    type->fields = fields;
    type->fields_count = count;
    d->m->features |= WASM_FEATURE_GC;
    return ST_OK;
}

static enum status read_composite(struct decoder *d, uint32_t limit, uint8_t form,
                                  struct wasm_type *type)
{
    uint32_t count = 0;
    switch (form) {
    case BYTE_FUNC:
        type->composite = WASM_FUNC_TYPE;
        TRY(read_list(d, limit, WASM_PARAMS_MAX, "parameters", &type->params, &type->params_count));
        TRY(read_list(d, limit, WASM_RESULTS_MAX, "results", &type->results, &type->results_count));
        if (type->results_count > 1) d->m->features |= WASM_FEATURE_MULTI_VALUE;
        return ST_OK;
    case BYTE_STRUCT:
        type->composite = WASM_STRUCT_TYPE;
        TRY(reader_count(&d->r, WASM_STRUCT_FIELDS_MAX, "fields", &count, d->err));
        return read_fields(d, limit, count, type);
    case BYTE_ARRAY: type->composite = WASM_ARRAY_TYPE; return read_fields(d, limit, 1, type);
    default:
        return wasm_fail(d->err, ST_INVALID, d->r.offset - 1, "malformed type form 0x%02x", form);
    }
}

/* A supertype comes before its subtypes, so walking up always ends; and soon, since the depth is
 * bounded at once and not when the group is complete. */
static enum status read_super(struct decoder *d, uint32_t own, struct wasm_type *type)
{
    size_t start = d->r.offset;
    uint32_t count, depth = 1;
    TRY(reader_count(&d->r, UINT32_MAX, "supertypes", &count, d->err));
    if (count > 1) return wasm_fail(d->err, ST_INVALID, start, "more than one supertype");
    if (!count) return ST_OK;
    type->has_super = true;
    d->m->features |= WASM_FEATURE_GC;
    TRY(reader_u32(&d->r, &type->super, d->err));
    if (type->super >= own)
        return wasm_fail(d->err, ST_INVALID, start,
                         "unknown type %u: a supertype must come before type %u", type->super, own);
    const struct wasm_type *up = &d->m->types[type->super];
    for (; up->has_super; up = &d->m->types[up->super]) depth++;
    if (depth > WASM_SUBTYPE_DEPTH_MAX)
        return wasm_fail(d->err, ST_LIMIT, start, "type %u has more than %u supertypes", own,
                         WASM_SUBTYPE_DEPTH_MAX);
    return ST_OK;
}

static enum status read_sub(struct decoder *d, uint32_t own, uint32_t limit, struct wasm_type *type)
{
    uint8_t form = 0;
    TRY(reader_u8(&d->r, &form, d->err));
    type->final = true;
    if (form == BYTE_SUB || form == BYTE_SUB_FINAL) {
        type->final = form == BYTE_SUB_FINAL;
        if (!type->final) d->m->features |= WASM_FEATURE_GC;
        TRY(read_super(d, own, type));
        TRY(reader_u8(&d->r, &form, d->err));
    }
    return read_composite(d, limit, form, type);
}

static enum status read_group(struct decoder *d)
{
    size_t offset = d->r.offset;
    uint32_t start = d->m->types_count, count = 1;
    if (reader_left(&d->r) && d->r.bytes[d->r.offset] == BYTE_REC) {
        d->r.offset++;
        TRY(reader_count(&d->r, WASM_TYPES_MAX, "types", &count, d->err));
    }
    if (count > WASM_TYPES_MAX - start)
        return wasm_fail(d->err, ST_LIMIT, offset, "more than %u types", WASM_TYPES_MAX);
    if (!GROW(d->full->types, d->full->types_capacity, start + count))
        return wasm_fail_memory(d->err, offset);
    d->m->types = d->full->types;
    for (uint32_t i = 0; i < count; i++) {
        struct wasm_type type = {.group_start = start, .group_count = count};
        TRY(read_sub(d, start + i, start + count, &type));
        d->full->types[start + i] = type;
    }
    TRY(types_close_group(d->full, start, count, &d->groups, &d->type_scratch, d->err));
    d->m->types_count = start + count;
    for (uint32_t i = 0; i < count; i++) TRY(types_check_super(d->m, start + i, offset, d->err));
    return ST_OK;
}

enum status section_types(struct decoder *d)
{
    uint32_t groups;
    TRY(reader_count(&d->r, WASM_TYPES_MAX, "types", &groups, d->err));
    for (uint32_t i = 0; i < groups; i++) TRY(read_group(d));
    return ST_OK;
}
