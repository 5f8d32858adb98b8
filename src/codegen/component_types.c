/* A plan's types as entries of ARTIFACT_WIT_TYPES: what despecializes is despecialized
 * (CanonicalABI.md "Despecialization"), each type once, parts before what is made of them. */
#include <assert.h>

#include "component_tables.h"

static const struct artifact_wit_type *entry(const struct component_tables *t, uint32_t index)
{
    const struct artifact_wit_type *entries =
        (const void *)COMPONENT_PART(t, ARTIFACT_WIT_TYPES)->data;
    return &entries[index];
}

static const struct component_type *type_of(const struct component_tables *t, uint32_t type)
{
    return &t->plan->types->entries[type];
}

static uint16_t flat(uint32_t count)
{
    return count > WIT_FLAT_PARAMS ? WIT_FLAT_MANY : (uint16_t)count;
}

static uint32_t align_to(uint32_t offset, uint32_t align)
{
    return (offset + align - 1) / align * align;
}

/* What a type has because a part of it does. */
static uint8_t inherited(const struct component_tables *t, uint32_t index)
{
    return entry(t, index)->flags & (WIT_HAS_POINTER | WIT_HAS_HANDLE | WIT_HAS_CHECK);
}

/* How deep the entry is whose fields are the last `count` of ARTIFACT_WIT_FIELDS. */
static uint32_t depth_of(const struct component_tables *t, const struct artifact_wit_type *w)
{
    const struct buffer *b = COMPONENT_PART(t, ARTIFACT_WIT_FIELDS);
    const uint8_t *depths = t->depths.data;
    bool is_handle = w->kind == WIT_OWN || w->kind == WIT_BORROW;
    uint32_t depth = w->element && !is_handle ? depths[w->element] + 1u : 0;
    if (b->failed || !w->fields_count) return depth;
    const struct artifact_wit_field *fields =
        (const struct artifact_wit_field *)(const void *)(b->data + b->size_bytes) -
        w->fields_count;
    for (uint32_t i = 0; i < w->fields_count; i++)
        if (depths[fields[i].type] >= depth) depth = depths[fields[i].type] + 1u;
    return depth;
}

/* Appends the entry, whose fields are the last of ARTIFACT_WIT_FIELDS. */
static enum status add(struct component_tables *t, struct artifact_wit_type *w, uint32_t *ret,
                       struct error *err)
{
    struct buffer *types = COMPONENT_PART(t, ARTIFACT_WIT_TYPES);
    const struct buffer *fields = COMPONENT_PART(t, ARTIFACT_WIT_FIELDS);
    w->fields_first =
        (uint32_t)(fields->size_bytes / sizeof(struct artifact_wit_field)) - w->fields_count;
    *ret = (uint32_t)(types->size_bytes / sizeof *w);
    uint32_t depth = depth_of(t, w);
    if (depth > WIT_DEPTH_MAX)
        return error_set(err, ST_LIMIT, "component: types more than %u deep", WIT_DEPTH_MAX);
    buffer_append(&t->depths, &(uint8_t){(uint8_t)depth}, 1);
    component_put(t, ARTIFACT_WIT_TYPES, w, sizeof *w);
    if (fields->failed) return component_full(fields, err);
    if (t->depths.failed) return component_full(&t->depths, err);
    return types->failed ? component_full(types, err) : ST_OK;
}

/* Appends fields whose types are all there. */
static enum status put_fields(struct component_tables *t, struct artifact_wit_type *w,
                              const struct component_field *fields, uint32_t count,
                              struct error *err)
{
    enum status st = ST_OK;
    for (uint32_t i = 0; i < count && !st; i++) {
        struct artifact_wit_field f = {0};
        st = component_string(t, fields[i].name, &f.name, err);
        if (!st && fields[i].type) st = component_wit_type(t, fields[i].type, &f.type, err);
        if (st) return st;
        if (f.type) w->flags |= inherited(t, f.type);
        component_put(t, ARTIFACT_WIT_FIELDS, &f, sizeof f);
    }
    w->fields_count = count;
    return st;
}

/* "alignment_record", "elem_size_record", "flatten_record" of the fields put last. False: a record
 * of parameters that is larger than values may be. */
static bool lay_out_record(struct component_tables *t, struct artifact_wit_type *w)
{
    struct buffer *b = COMPONENT_PART(t, ARTIFACT_WIT_FIELDS);
    uint32_t flat_count = 0;
    w->align_bytes = 1;
    if (b->failed || !w->fields_count) return true;
    struct artifact_wit_field *fields =
        (struct artifact_wit_field *)(void *)(b->data + b->size_bytes) - w->fields_count;
    for (uint32_t i = 0; i < w->fields_count; i++) {
        const struct artifact_wit_type *part = entry(t, fields[i].type);
        fields[i].offset = align_to(w->size_bytes, part->align_bytes);
        w->size_bytes = fields[i].offset + part->size_bytes;
        if (part->align_bytes > w->align_bytes) w->align_bytes = part->align_bytes;
        flat_count += part->flat_count;
        if (flat_count > WIT_FLAT_MANY) flat_count = WIT_FLAT_MANY;
        if (w->size_bytes > WIT_SIZE_MAX) return false;
    }
    w->size_bytes = align_to(w->size_bytes, w->align_bytes);
    w->flat_count = flat(flat_count);
    return true;
}

static enum status add_record(struct component_tables *t, const struct component_field *fields,
                              uint32_t count, uint32_t *ret, struct error *err)
{
    struct artifact_wit_type w = {.kind = WIT_RECORD};
    enum status st = put_fields(t, &w, fields, count, err);
    if (st) return st;
    if (!lay_out_record(t, &w))
        return error_set(err, ST_LIMIT, "component: parameters of more than %u bytes",
                         WIT_SIZE_MAX);
    return add(t, &w, ret, err);
}

static enum status add_variant(struct component_tables *t, const struct component_type *from,
                               struct artifact_wit_type *w, uint32_t *ret, struct error *err)
{
    const struct component_field *cases = from->fields;
    uint32_t count = from->fields_count;
    struct component_field option[2] = {{{"none", 4}, 0}, {{"some", 4}, from->element}};
    struct component_field result[2] = {{{"ok", 2}, from->element}, {{"error", 5}, from->other}};
    if (from->kind == COMPONENT_OPTION || from->kind == COMPONENT_RESULT) {
        cases = from->kind == COMPONENT_OPTION ? option : result;
        count = 2;
    }
    w->kind = WIT_VARIANT;
    w->flags |= WIT_HAS_CHECK;
    w->discriminant_bytes = from->layout.discriminant_bytes;
    w->payload_offset = from->layout.payload_offset;
    enum status st = put_fields(t, w, cases, count, err);
    return st ? st : add(t, w, ret, err);
}

/* A flags value of which every bit has a name needs no check. */
static enum status add_names(struct component_tables *t, const struct component_type *from,
                             struct artifact_wit_type *w, uint32_t *ret, struct error *err)
{
    bool is_enum = from->kind == COMPONENT_ENUM;
    w->kind = is_enum ? WIT_ENUM : WIT_FLAGS;
    if (is_enum) w->discriminant_bytes = from->layout.discriminant_bytes;
    if (is_enum) w->payload_offset = from->layout.payload_offset;
    if (is_enum || from->fields_count != 8 * w->size_bytes) w->flags |= WIT_HAS_CHECK;
    enum status st = put_fields(t, w, from->fields, from->fields_count, err);
    return st ? st : add(t, w, ret, err);
}

static enum status add_list(struct component_tables *t, const struct component_type *from,
                            struct artifact_wit_type *w, uint32_t *ret, struct error *err)
{
    struct component_field pair[2] = {{{"", 0}, from->element}, {{"", 0}, from->other}};
    enum status st = from->kind == COMPONENT_MAP
                         ? add_record(t, pair, 2, &w->element, err)
                         : component_wit_type(t, from->element, &w->element, err);
    if (st) return st;
    bool is_fixed = from->kind == COMPONENT_FIXED_LIST;
    w->kind = is_fixed ? WIT_FIXED_LIST : WIT_LIST;
    w->length = is_fixed ? from->length : 0;
    w->flags = inherited(t, w->element);
    if (!is_fixed) w->flags |= WIT_HAS_POINTER;
    return add(t, w, ret, err);
}

static enum status add_func(struct component_tables *t, const struct component_type *from,
                            uint32_t *ret, struct error *err)
{
    struct artifact_wit_type w = {.kind = WIT_FUNC, .align_bytes = 1};
    uint32_t params = 0, record = 0;
    for (uint32_t i = 0; i < from->fields_count; i++) {
        params += flat(type_of(t, from->fields[i].type)->layout.flat_count);
        if (params > WIT_FLAT_PARAMS) params = WIT_FLAT_MANY;
    }
    enum status st = ST_OK;
    if (params == WIT_FLAT_MANY) st = add_record(t, from->fields, from->fields_count, &record, err);
    if (!st) st = put_fields(t, &w, from->fields, from->fields_count, err);
    if (!st && from->element) st = component_wit_type(t, from->element, &w.element, err);
    if (st) return st;
    w.params_record = record;
    w.flat_count = (uint16_t)params;
    w.flat_results = flat(type_of(t, from->element)->layout.flat_count);
    if (w.element) w.flags |= inherited(t, w.element);
    if (from->is_async) w.flags |= WIT_IS_ASYNC;
    return add(t, &w, ret, err);
}

static enum status add_primitive(struct component_tables *t, const struct component_type *from,
                                 struct artifact_wit_type *w, uint32_t *ret, struct error *err)
{
    w->kind = (uint8_t)from->kind;
    if (from->kind == COMPONENT_STRING) w->flags |= WIT_HAS_POINTER | WIT_HAS_CHECK;
    if (from->kind == COMPONENT_BOOL || from->kind == COMPONENT_CHAR) w->flags |= WIT_HAS_CHECK;
    return add(t, w, ret, err);
}

static enum status add_type(struct component_tables *t, const struct component_type *from,
                            uint32_t *ret, struct error *err)
{
    struct artifact_wit_type w = {
        .size_bytes = from->layout.size_bytes,
        .align_bytes = (uint8_t)from->layout.align_bytes,
        .flat_count = flat(from->layout.flat_count),
    };
    switch (from->kind) {
    case COMPONENT_RECORD:
    case COMPONENT_TUPLE: return add_record(t, from->fields, from->fields_count, ret, err);
    case COMPONENT_VARIANT:
    case COMPONENT_OPTION:
    case COMPONENT_RESULT: return add_variant(t, from, &w, ret, err);
    case COMPONENT_FLAGS:
    case COMPONENT_ENUM: return add_names(t, from, &w, ret, err);
    case COMPONENT_LIST:
    case COMPONENT_FIXED_LIST:
    case COMPONENT_MAP: return add_list(t, from, &w, ret, err);
    case COMPONENT_FUNC: return add_func(t, from, ret, err);
    case COMPONENT_OWN:
    case COMPONENT_BORROW:
        w.kind = from->kind == COMPONENT_OWN ? WIT_OWN : WIT_BORROW;
        w.flags = WIT_HAS_HANDLE;
        w.element = type_of(t, from->element)->resource - 1;
        return add(t, &w, ret, err);
    case COMPONENT_STREAM:
    case COMPONENT_FUTURE:
    case COMPONENT_ERROR_CONTEXT:
        return error_set(err, ST_UNSUPPORTED,
                         "the component passes a value of type %s, of WASI 0.3, which is not "
                         "supported yet",
                         component_kind_name(from->kind));
    default: return add_primitive(t, from, &w, ret, err);
    }
}

/* As deep as types are: COMPONENT_TYPE_DEPTH_MAX. */
enum status component_wit_type(struct component_tables *t, uint32_t type, uint32_t *ret,
                               struct error *err)
{
    const struct component_type *from = type_of(t, type);
    assert(component_kind_is_value(from->kind) || from->kind == COMPONENT_FUNC);
    *ret = t->types[from->equal];
    if (*ret) return ST_OK;
    uint32_t part;
    enum status st = ST_OK;
    bool is_handle = from->kind == COMPONENT_OWN || from->kind == COMPONENT_BORROW;
    /* Parts first: an entry's fields stand together. */
    if (from->element && !is_handle) st = component_wit_type(t, from->element, &part, err);
    if (!st && from->other) st = component_wit_type(t, from->other, &part, err);
    for (uint32_t i = 0; i < from->fields_count && !st; i++)
        if (from->fields[i].type) st = component_wit_type(t, from->fields[i].type, &part, err);
    if (!st) st = add_type(t, from, ret, err);
    if (!st) t->types[from->equal] = *ret;
    return st;
}
