/* Element and data segments (Core §5.5.12, §5.5.14, §5.5.15). */
#include "decode.h"

/* Bits of an element segment's flags. Bit 1 means "declarative" for one that is not active, and
 * "names its table" for an active one. */
#define ELEMENT_NOT_ACTIVE  1u
#define ELEMENT_DECLARATIVE 2u
#define ELEMENT_TABLE       2u
#define ELEMENT_EXPRESSIONS 4u

static enum status read_functions(struct decoder *d, struct wasm_element_segment *s)
{
    uint32_t *functions = NULL;
    TRY(reader_count(&d->r, UINT32_MAX, "elements", &s->count, d->err));
    TRY(decode_alloc(d, s->count, sizeof *functions, &functions));
    for (uint32_t i = 0; i < s->count; i++) {
        TRY(decode_index(d, d->m->funcs_count, "function", &functions[i]));
        d->full->funcs[functions[i]].referenced = true;
    }
    s->functions = functions;
    return ST_OK;
}

static enum status read_expressions(struct decoder *d, struct wasm_element_segment *s)
{
    struct wasm_expr *exprs = NULL;
    TRY(reader_count(&d->r, UINT32_MAX, "elements", &s->count, d->err));
    TRY(decode_alloc(d, s->count, sizeof *exprs, &exprs));
    for (uint32_t i = 0; i < s->count; i++)
        TRY(validate_constant(d->validator, &d->r, s->type, &exprs[i]));
    s->exprs = exprs;
    return ST_OK;
}

/* The elements' type, which the oldest two forms leave out. */
static enum status read_element_type(struct decoder *d, uint32_t flags, struct wasm_valtype *ret)
{
    bool expressions = flags & ELEMENT_EXPRESSIONS;
    *ret = valtype_ref(WASM_HEAP_FUNC, expressions);
    if (!(flags & (ELEMENT_NOT_ACTIVE | ELEMENT_TABLE))) return ST_OK;
    d->m->features |= WASM_FEATURE_BULK_MEMORY;
    if (expressions) return decode_reftype(d, ret);
    uint8_t kind = 0;
    TRY(reader_u8(&d->r, &kind, d->err));
    if (kind)
        return wasm_fail(d->err, ST_INVALID, d->r.offset - 1, "malformed element kind 0x%02x",
                         kind);
    return ST_OK;
}

static enum status read_element(struct decoder *d, struct wasm_element_segment *s)
{
    size_t start = d->r.offset;
    uint32_t flags;
    TRY(reader_u32(&d->r, &flags, d->err));
    if (flags > 7)
        return wasm_fail(d->err, ST_INVALID, start, "malformed element segment flags %u", flags);
    s->mode = WASM_ACTIVE;
    if (flags & ELEMENT_NOT_ACTIVE)
        s->mode = flags & ELEMENT_DECLARATIVE ? WASM_DECLARATIVE : WASM_PASSIVE;
    if (s->mode == WASM_ACTIVE) {
        if (flags & ELEMENT_TABLE) TRY(reader_u32(&d->r, &s->table, d->err));
        if (s->table >= d->m->tables_count)
            return wasm_fail(d->err, ST_INVALID, start, "unknown table %u", s->table);
        struct wasm_valtype address = valtype_address(d->m->tables[s->table].limits.is64);
        TRY(validate_constant(d->validator, &d->r, address, &s->offset));
    }
    TRY(read_element_type(d, flags, &s->type));
    if (s->mode == WASM_ACTIVE &&
        !wasm_valtype_matches(d->m, s->type, d->m, d->m->tables[s->table].element))
        return wasm_fail(d->err, ST_INVALID, start,
                         "type mismatch: the elements are not of table %u's type", s->table);
    return flags & ELEMENT_EXPRESSIONS ? read_expressions(d, s) : read_functions(d, s);
}

enum status section_elements(struct decoder *d)
{
    struct wasm_element_segment *elements = NULL;
    uint32_t count;
    TRY(reader_count(&d->r, WASM_ELEMENT_SEGMENTS_MAX, "element segments", &count, d->err));
    TRY(decode_alloc(d, count, sizeof *elements, &elements));
    d->m->elements = elements;
    for (uint32_t i = 0; i < count; i++) {
        TRY(read_element(d, &elements[i]));
        d->m->elements_count++;
    }
    return ST_OK;
}

enum status section_data_count(struct decoder *d)
{
    size_t start = d->r.offset;
    TRY(reader_u32(&d->r, &d->validator->data_count, d->err));
    if (d->validator->data_count > WASM_DATA_SEGMENTS_MAX)
        return wasm_fail(d->err, ST_LIMIT, start, "%u data segments, the limit is %u",
                         d->validator->data_count, WASM_DATA_SEGMENTS_MAX);
    d->validator->has_data_count = true;
    return ST_OK;
}

static enum status read_data(struct decoder *d, struct wasm_data_segment *s)
{
    size_t start = d->r.offset;
    uint32_t flags, size;
    TRY(reader_u32(&d->r, &flags, d->err));
    if (flags > 2)
        return wasm_fail(d->err, ST_INVALID, start, "malformed data segment flags %u", flags);
    s->mode = flags == 1 ? WASM_PASSIVE : WASM_ACTIVE;
    if (flags == 1) d->m->features |= WASM_FEATURE_BULK_MEMORY;
    if (flags == 2) TRY(reader_u32(&d->r, &s->memory, d->err));
    if (s->mode == WASM_ACTIVE) {
        if (s->memory >= d->m->memories_count)
            return wasm_fail(d->err, ST_INVALID, start, "unknown memory %u", s->memory);
        struct wasm_valtype address = valtype_address(d->m->memories[s->memory].limits.is64);
        TRY(validate_constant(d->validator, &d->r, address, &s->offset));
    }
    const uint8_t *bytes = NULL;
    TRY(reader_u32(&d->r, &size, d->err));
    s->bytes_offset = d->r.offset;
    s->bytes_size = size;
    return reader_bytes(&d->r, size, &bytes, d->err);
}

enum status section_data(struct decoder *d)
{
    struct wasm_data_segment *datas = NULL;
    size_t start = d->r.offset;
    uint32_t count;
    TRY(reader_count(&d->r, WASM_DATA_SEGMENTS_MAX, "data segments", &count, d->err));
    if (d->validator->has_data_count && count != d->validator->data_count)
        return wasm_fail(d->err, ST_INVALID, start,
                         "data count and data section have inconsistent lengths");
    TRY(decode_alloc(d, count, sizeof *datas, &datas));
    d->m->datas = datas;
    d->has_data = true;
    for (uint32_t i = 0; i < count; i++) {
        TRY(read_data(d, &datas[i]));
        d->m->datas_count++;
    }
    return ST_OK;
}
