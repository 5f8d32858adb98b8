/* Value types and function types (Binary.md "Type Definitions"). */
#include "decode.h"

#define BYTE_PRIMITIVE_FIRST 0x73 /* string */
#define BYTE_PRIMITIVE_LAST  0x7f /* bool */
#define BYTE_ERROR_CONTEXT   0x64

/* The kind behind a primitive type's byte, or COMPONENT_NONE. */
static enum component_kind primitive_kind(uint8_t byte)
{
    if (byte == BYTE_ERROR_CONTEXT) return COMPONENT_ERROR_CONTEXT;
    if (byte < BYTE_PRIMITIVE_FIRST || byte > BYTE_PRIMITIVE_LAST) return COMPONENT_NONE;
    return COMPONENT_BOOL + (BYTE_PRIMITIVE_LAST - byte);
}

static enum status parse_valtype(struct decoder *d, uint32_t *ret)
{
    size_t start = d->r.offset;
    int64_t code = 0;
    TRY(reader_s33(&d->r, &code, d->err));
    if (code < 0) {
        enum component_kind kind = code >= -64 ? primitive_kind((uint8_t)(code + 128)) : 0;
        if (kind == COMPONENT_NONE || d->r.offset != start + 1)
            return wasm_fail(d->err, ST_INVALID, start,
                             "invalid leading byte (0x%x) for a value type", d->r.bytes[start]);
        *ret = (uint32_t)kind;
        return ST_OK;
    }
    TRY(check_index(d, d->scope, COMPONENT_SORT_TYPE, (uint32_t)code, start));
    *ret = d->scope->types[code];
    if (component_kind_is_value(type_at(d->store, *ret)->kind)) return ST_OK;
    return wasm_fail(d->err, ST_INVALID, start, "type index %u is not a defined type",
                     (uint32_t)code);
}

static enum status parse_optional_valtype(struct decoder *d, uint32_t *ret)
{
    bool there = false;
    uint8_t byte = 0;
    TRY(reader_u8(&d->r, &byte, d->err));
    if (byte > 1) return parse_bad_byte(d, "optional value type");
    there = byte;
    *ret = COMPONENT_TYPE_NONE;
    return there ? parse_valtype(d, ret) : ST_OK;
}

enum status parse_result_list(struct decoder *d, uint32_t *ret)
{
    uint8_t form = 0;
    *ret = COMPONENT_TYPE_NONE;
    TRY(reader_u8(&d->r, &form, d->err));
    if (form == 0) return parse_valtype(d, ret);
    if (form != 1) return parse_bad_byte(d, "component function results");
    TRY(reader_u8(&d->r, &form, d->err));
    return form ? parse_bad_byte(d, "number of results") : ST_OK;
}

/* What a list of fields consists of. */
struct field_rules {
    const char *what, *empty; /* `empty`: the error when there are none, or NULL */
    uint32_t max;
    bool has_name, has_type, is_case;
};

static enum status parse_field(struct decoder *d, const struct field_rules *rules,
                               struct component_field *ret)
{
    uint8_t zero = 0;
    if (rules->has_name) TRY(parse_label(d, rules->what, &ret->name));
    if (rules->has_type) TRY(parse_valtype(d, &ret->type));
    if (!rules->is_case) return ST_OK;
    TRY(parse_optional_valtype(d, &ret->type));
    TRY(reader_u8(&d->r, &zero, d->err));
    return zero ? parse_bad_byte(d, "zero byte required") : ST_OK;
}

static enum status parse_fields(struct decoder *d, const struct field_rules *rules,
                                struct component_type *t)
{
    struct component_field *fields = NULL;
    size_t start = d->r.offset;
    TRY(reader_count(&d->r, rules->max, rules->what, &t->fields_count, d->err));
    if (!t->fields_count && rules->empty)
        return wasm_fail(d->err, ST_INVALID, start, "%s", rules->empty);
    TRY(parse_alloc(d, t->fields_count, sizeof *fields, &fields));
    struct byte_map unique = {0};
    enum status st = ST_OK;
    for (uint32_t i = 0; i < t->fields_count && !st; i++) {
        size_t offset = d->r.offset;
        st = parse_field(d, rules, &fields[i]);
        if (!st && rules->has_name)
            st = unique_add(d, &unique, fields[i].name, rules->what, offset);
    }
    byte_map_done(&unique);
    t->fields = fields;
    return st;
}

static enum status parse_flags(struct decoder *d, struct component_type *t)
{
    static const struct field_rules rules = {
        "flag", "flags must have at least one entry", COMPONENT_FIELDS_MAX, true, false, false};
    size_t start = d->r.offset;
    TRY(parse_fields(d, &rules, t));
    if (t->fields_count > COMPONENT_FLAGS_MAX)
        return wasm_fail(d->err, ST_INVALID, start, "cannot have more than %u flags",
                         COMPONENT_FLAGS_MAX);
    return ST_OK;
}

static enum status parse_fixed_list(struct decoder *d, struct component_type *t)
{
    TRY(parse_valtype(d, &t->element));
    size_t start = d->r.offset;
    TRY(reader_u32(&d->r, &t->length, d->err));
    if (t->length) return ST_OK;
    return wasm_fail(d->err, ST_INVALID, start,
                     "a fixed-length list must have at least one element");
}

/* Keys are what every language can hash: numbers, bool, char and string. */
static enum status parse_map(struct decoder *d, struct component_type *t)
{
    size_t start = d->r.offset;
    TRY(parse_valtype(d, &t->element));
    enum component_kind key = type_at(d->store, t->element)->kind;
    if (key > COMPONENT_STRING || key == COMPONENT_F32 || key == COMPONENT_F64)
        return wasm_fail(d->err, ST_INVALID, start, "a map's key type cannot be %s",
                         component_kind_name(key));
    return parse_valtype(d, &t->other);
}

static enum status parse_stream(struct decoder *d, struct component_type *t)
{
    size_t start = d->r.offset;
    TRY(parse_optional_valtype(d, &t->element));
    const struct component_type *element = type_at(d->store, t->element);
    if (element->has_borrow)
        return wasm_fail(d->err, ST_INVALID, start, "`%s` cannot contain a `borrow` type",
                         component_kind_name(t->kind));
    if (t->kind == COMPONENT_STREAM && element->kind == COMPONENT_CHAR)
        return wasm_fail(d->err, ST_INVALID, start, "`stream<char>` is not valid at this time");
    return ST_OK;
}

static enum status parse_handle(struct decoder *d, struct component_type *t)
{
    return parse_type_of(d, COMPONENT_RESOURCE, &t->element);
}

static enum status parse_defined_parts(struct decoder *d, uint8_t form, struct component_type *t)
{
    static const struct field_rules record = {"record field",
                                              "record type must have at least one field",
                                              COMPONENT_FIELDS_MAX,
                                              true,
                                              true,
                                              false},
                                    variant = {"variant case",
                                               "variant type must have at least one case",
                                               COMPONENT_FIELDS_MAX,
                                               true,
                                               false,
                                               true},
                                    tuple = {"tuple field",
                                             "tuple type must have at least one type",
                                             COMPONENT_FIELDS_MAX,
                                             false,
                                             true,
                                             false},
                                    enumeration = {"enum tag",
                                                   "enum type must have at least one variant",
                                                   COMPONENT_FIELDS_MAX,
                                                   true,
                                                   false,
                                                   false};
    switch (form) {
    case 0x72: t->kind = COMPONENT_RECORD; return parse_fields(d, &record, t);
    case 0x71: t->kind = COMPONENT_VARIANT; return parse_fields(d, &variant, t);
    case 0x70: t->kind = COMPONENT_LIST; return parse_valtype(d, &t->element);
    case 0x6f: t->kind = COMPONENT_TUPLE; return parse_fields(d, &tuple, t);
    case 0x6e: t->kind = COMPONENT_FLAGS; return parse_flags(d, t);
    case 0x6d: t->kind = COMPONENT_ENUM; return parse_fields(d, &enumeration, t);
    case 0x6b: t->kind = COMPONENT_OPTION; return parse_valtype(d, &t->element);
    case 0x6a:
        t->kind = COMPONENT_RESULT;
        TRY(parse_optional_valtype(d, &t->element));
        return parse_optional_valtype(d, &t->other);
    case 0x69: t->kind = COMPONENT_OWN; return parse_handle(d, t);
    case 0x68: t->kind = COMPONENT_BORROW; return parse_handle(d, t);
    case 0x67: t->kind = COMPONENT_FIXED_LIST; return parse_fixed_list(d, t);
    case 0x66: t->kind = COMPONENT_STREAM; return parse_stream(d, t);
    case 0x65: t->kind = COMPONENT_FUTURE; return parse_stream(d, t);
    case 0x63: t->kind = COMPONENT_MAP; return parse_map(d, t);
    default: return parse_bad_byte(d, "component defined type");
    }
}

static enum status parse_func(struct decoder *d, struct component_type *t)
{
    static const struct field_rules rules = {
        "function parameter", NULL, COMPONENT_PARAMS_MAX, true, true, false};
    TRY(parse_fields(d, &rules, t));
    size_t start = d->r.offset;
    TRY(parse_result_list(d, &t->element));
    if (type_at(d->store, t->element)->has_borrow)
        return wasm_fail(d->err, ST_INVALID, start,
                         "function result cannot contain a `borrow` type");
    return ST_OK;
}

enum status parse_defined(struct decoder *d, uint8_t form, size_t offset, uint32_t *ret)
{
    struct component_type t = {0};
    enum component_kind primitive = primitive_kind(form);
    if (primitive) {
        *ret = (uint32_t)primitive;
        return ST_OK;
    }
    if (form == 0x40 || form == 0x43) {
        t.kind = COMPONENT_FUNC;
        t.is_async = form == 0x43;
        TRY(parse_func(d, &t));
    } else {
        TRY(parse_defined_parts(d, form, &t));
    }
    return parse_at(d, offset, type_store_add(d->store, &t, ret, d->err));
}
