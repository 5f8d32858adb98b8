#include "types.h"

#include <stdio.h>
#include <string.h>

#include "reader.h"

/* The encoding of a group under its digest. Not the binary format's: fixed widths, no two groups
 * alike. A reference inside of the group is its position there, one to the outside the digest of
 * the other group and the position in it. */
static void encode_u32(struct buffer *b, uint32_t value)
{
    buffer_append(b, &value, sizeof value);
}

static void encode_index(struct buffer *b, const struct module_full *full, uint32_t start,
                         uint32_t index)
{
    if (index >= start) {
        buffer_append(b, "i", 1);
        encode_u32(b, index - start);
        return;
    }
    uint32_t group = full->types[index].group_start;
    buffer_append(b, "o", 1);
    buffer_append(b, &full->digests[group], sizeof full->digests[group]);
    encode_u32(b, index - group);
}

static void encode_valtype(struct buffer *b, const struct module_full *full, uint32_t start,
                           struct wasm_valtype type)
{
    uint8_t head[3] = {type.kind, type.heap, type.nullable};
    buffer_append(b, head, sizeof head);
    if (type.kind == WASM_REF && type.heap == WASM_HEAP_TYPE)
        encode_index(b, full, start, type.type);
}

static void encode_type(struct buffer *b, const struct module_full *full, uint32_t start,
                        const struct wasm_type *type)
{
    uint8_t head[3] = {(uint8_t)type->composite, type->final, type->has_super};
    buffer_append(b, head, sizeof head);
    if (type->has_super) encode_index(b, full, start, type->super);
    encode_u32(b, type->params_count);
    for (uint32_t i = 0; i < type->params_count; i++)
        encode_valtype(b, full, start, type->params[i]);
    encode_u32(b, type->results_count);
    for (uint32_t i = 0; i < type->results_count; i++)
        encode_valtype(b, full, start, type->results[i]);
    encode_u32(b, type->fields_count);
    for (uint32_t i = 0; i < type->fields_count; i++) {
        encode_valtype(b, full, start, type->fields[i].storage);
        buffer_append(b, type->fields[i].mutable ? "m" : "c", 1);
    }
}

enum status types_close_group(struct module_full *full, uint32_t start, uint32_t count,
                              struct type_map *groups, struct buffer *scratch, struct error *err)
{
    if (!count) return ST_OK;
    if (!GROW(full->digests, full->digests_capacity, start + count)) goto no_memory;
    buffer_clear(scratch);
    encode_u32(scratch, count);
    for (uint32_t i = 0; i < count; i++) encode_type(scratch, full, start, &full->types[start + i]);
    if (scratch->failed) goto no_memory;
    sha256(scratch->data, scratch->size_bytes, full->digests[start].bytes);
    uint32_t first;
    if (type_map_put(groups, &full->digests[start], 0, start, &first)) goto no_memory;
    for (uint32_t i = 0; i < count; i++) full->types[start + i].canonical = first + i;
    return ST_OK;
no_memory:
    return error_set(err, ST_NO_MEMORY, "out of memory for types");
}

const struct type_digest *types_group_digest(const struct wasm_module *m, uint32_t index)
{
    return &module_full_of(m)->digests[m->types[index].group_start];
}

bool wasm_type_equal(const struct wasm_module *am, uint32_t a, const struct wasm_module *bm,
                     uint32_t b)
{
    if (am == bm) return am->types[a].canonical == am->types[b].canonical;
    if (a - am->types[a].group_start != b - bm->types[b].group_start) return false;
    const struct type_digest *da = types_group_digest(am, a), *db = types_group_digest(bm, b);
    return !memcmp(da, db, sizeof *da);
}

bool wasm_type_matches(const struct wasm_module *am, uint32_t a, const struct wasm_module *bm,
                       uint32_t b)
{
    for (;;) {
        if (wasm_type_equal(am, a, bm, b)) return true;
        if (!am->types[a].has_super) return false;
        a = am->types[a].super;
    }
}

static enum wasm_heap heap_of_composite(enum wasm_composite composite)
{
    switch (composite) {
    case WASM_FUNC_TYPE: return WASM_HEAP_FUNC;
    case WASM_STRUCT_TYPE: return WASM_HEAP_STRUCT;
    case WASM_ARRAY_TYPE: return WASM_HEAP_ARRAY;
    }
    return WASM_HEAP_FUNC;
}

/* Core §3.3.2, abstract heap types. */
static bool abstract_matches(enum wasm_heap a, enum wasm_heap b)
{
    if (a == b) return true;
    switch (b) {
    case WASM_HEAP_FUNC: return a == WASM_HEAP_NOFUNC;
    case WASM_HEAP_EXTERN: return a == WASM_HEAP_NOEXTERN;
    case WASM_HEAP_EXN: return a == WASM_HEAP_NOEXN;
    case WASM_HEAP_ANY:
        return a == WASM_HEAP_EQ || a == WASM_HEAP_I31 || a == WASM_HEAP_STRUCT ||
               a == WASM_HEAP_ARRAY || a == WASM_HEAP_NONE;
    case WASM_HEAP_EQ:
        return a == WASM_HEAP_I31 || a == WASM_HEAP_STRUCT || a == WASM_HEAP_ARRAY ||
               a == WASM_HEAP_NONE;
    case WASM_HEAP_I31:
    case WASM_HEAP_STRUCT:
    case WASM_HEAP_ARRAY: return a == WASM_HEAP_NONE;
    default: return false;
    }
}

static bool heap_matches(const struct wasm_module *am, struct wasm_valtype a,
                         const struct wasm_module *bm, struct wasm_valtype b)
{
    if (a.heap == HEAP_BOTTOM) return true;
    if (b.heap == HEAP_BOTTOM) return false;
    if (b.heap != WASM_HEAP_TYPE) {
        enum wasm_heap heap = a.heap;
        if (a.heap == WASM_HEAP_TYPE) heap = heap_of_composite(am->types[a.type].composite);
        return abstract_matches(heap, b.heap);
    }
    if (a.heap == WASM_HEAP_TYPE) return wasm_type_matches(am, a.type, bm, b.type);
    bool is_func = bm->types[b.type].composite == WASM_FUNC_TYPE;
    return a.heap == (is_func ? WASM_HEAP_NOFUNC : WASM_HEAP_NONE);
}

bool wasm_valtype_matches(const struct wasm_module *am, struct wasm_valtype a,
                          const struct wasm_module *bm, struct wasm_valtype b)
{
    if (a.kind != WASM_REF || b.kind != WASM_REF) return a.kind == b.kind || a.kind == WASM_BOTTOM;
    if (a.nullable && !b.nullable) return false;
    return heap_matches(am, a, bm, b);
}

bool types_equal(const struct wasm_module *am, struct wasm_valtype a, const struct wasm_module *bm,
                 struct wasm_valtype b)
{
    if (a.kind != b.kind) return false;
    if (a.kind != WASM_REF) return true;
    if (a.nullable != b.nullable || a.heap != b.heap) return false;
    return a.heap != WASM_HEAP_TYPE || wasm_type_equal(am, a.type, bm, b.type);
}

static bool field_matches(const struct wasm_module *m, struct wasm_field a, struct wasm_field b)
{
    if (a.mutable != b.mutable) return false;
    if (a.mutable) return types_equal(m, a.storage, m, b.storage);
    return wasm_valtype_matches(m, a.storage, m, b.storage);
}

/* Core §3.3.6: functions contravariant in parameters, structs in width and depth. */
static bool composite_matches(const struct wasm_module *m, const struct wasm_type *a,
                              const struct wasm_type *b)
{
    if (a->composite != b->composite) return false;
    if (a->params_count != b->params_count || a->results_count != b->results_count) return false;
    for (uint32_t i = 0; i < a->params_count; i++)
        if (!wasm_valtype_matches(m, b->params[i], m, a->params[i])) return false;
    for (uint32_t i = 0; i < a->results_count; i++)
        if (!wasm_valtype_matches(m, a->results[i], m, b->results[i])) return false;
    if (a->fields_count < b->fields_count) return false;
    for (uint32_t i = 0; i < b->fields_count; i++)
        if (!field_matches(m, a->fields[i], b->fields[i])) return false;
    return true;
}

enum status types_check_super(const struct wasm_module *m, uint32_t index, size_t offset,
                              struct error *err)
{
    const struct wasm_type *type = &m->types[index];
    if (!type->has_super) return ST_OK;
    if (m->types[type->super].final)
        return wasm_fail(err, ST_INVALID, offset, "type %u: sub type of the final type %u", index,
                         type->super);
    if (!composite_matches(m, type, &m->types[type->super]))
        return wasm_fail(err, ST_INVALID, offset, "type %u: sub type does not match super type %u",
                         index, type->super);
    return ST_OK;
}

static uint32_t heap_features(const struct wasm_valtype *t)
{
    switch ((enum wasm_heap)t->heap) {
    case WASM_HEAP_TYPE: return WASM_FEATURE_FUNCTION_REFS;
    case WASM_HEAP_FUNC:
    case WASM_HEAP_EXTERN:
        return t->nullable ? WASM_FEATURE_REFERENCE_TYPES : WASM_FEATURE_FUNCTION_REFS;
    case WASM_HEAP_EXN:
    case WASM_HEAP_NOEXN: return WASM_FEATURE_EXCEPTIONS;
    default: return WASM_FEATURE_GC;
    }
}

enum status types_check_valtype(struct wasm_valtype type, uint32_t types_limit, size_t offset,
                                uint32_t *features, struct error *err)
{
    if (type.kind == WASM_V128) *features |= WASM_FEATURE_SIMD;
    if (type.kind != WASM_REF) return ST_OK;
    *features |= heap_features(&type);
    if (type.heap == WASM_HEAP_TYPE && type.type >= types_limit)
        return wasm_fail(err, ST_INVALID, offset, "unknown type %u", type.type);
    return ST_OK;
}

struct wasm_valtype types_top(const struct wasm_module *m, struct wasm_valtype ref)
{
    enum wasm_heap heap = ref.heap;
    if (heap == WASM_HEAP_TYPE) heap = heap_of_composite(m->types[ref.type].composite);
    switch (heap) {
    case WASM_HEAP_FUNC:
    case WASM_HEAP_NOFUNC: return valtype_ref(WASM_HEAP_FUNC, true);
    case WASM_HEAP_EXTERN:
    case WASM_HEAP_NOEXTERN: return valtype_ref(WASM_HEAP_EXTERN, true);
    case WASM_HEAP_EXN:
    case WASM_HEAP_NOEXN: return valtype_ref(WASM_HEAP_EXN, true);
    default: return valtype_ref(WASM_HEAP_ANY, true);
    }
}

static const char *heap_text(uint8_t heap)
{
    static const char *const names[] = {
        [WASM_HEAP_FUNC] = "func",     [WASM_HEAP_NOFUNC] = "nofunc",
        [WASM_HEAP_EXTERN] = "extern", [WASM_HEAP_NOEXTERN] = "noextern",
        [WASM_HEAP_ANY] = "any",       [WASM_HEAP_EQ] = "eq",
        [WASM_HEAP_I31] = "i31",       [WASM_HEAP_STRUCT] = "struct",
        [WASM_HEAP_ARRAY] = "array",   [WASM_HEAP_NONE] = "none",
        [WASM_HEAP_EXN] = "exn",       [WASM_HEAP_NOEXN] = "noexn",
    };
    return heap < ARRAY_COUNT(names) && names[heap] ? names[heap] : "unknown";
}

void wasm_valtype_print(struct wasm_valtype type, char *text, size_t size_bytes)
{
    static const char *const names[] = {
        [WASM_BOTTOM] = "unknown", [WASM_I32] = "i32", [WASM_I64] = "i64",
        [WASM_F32] = "f32",        [WASM_F64] = "f64", [WASM_V128] = "v128",
        [WASM_REF] = "ref",        [WASM_I8] = "i8",   [WASM_I16] = "i16",
    };
    const char *null = type.nullable ? "null " : "";
    if (type.kind != WASM_REF)
        snprintf(text, size_bytes, "%s", type.kind < ARRAY_COUNT(names) ? names[type.kind] : "?");
    else if (type.heap == WASM_HEAP_TYPE)
        snprintf(text, size_bytes, "(ref %s%u)", null, type.type);
    else
        snprintf(text, size_bytes, "(ref %s%s)", null, heap_text(type.heap));
}
