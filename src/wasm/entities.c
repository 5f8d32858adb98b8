/* What the import section and the sections of definitions have in common (Core §5.3). */
#include "decode.h"

#define MEMORY_PAGES_MAX_32 (UINT64_C(1) << 16)
#define MEMORY_PAGES_MAX_64 (UINT64_C(1) << 48)

enum status decode_alloc(struct decoder *d, size_t count, size_t item_bytes, void *ret)
{
    void **slot = ret;
    *slot = NULL;
    if (!count) return ST_OK;
    *slot = arena_alloc_array(&d->full->arena, count, item_bytes);
    return *slot ? ST_OK : wasm_fail_memory(d->err, d->r.offset);
}

enum status decode_name(struct decoder *d, struct wasm_name *ret)
{
    const uint8_t *bytes = NULL;
    uint32_t size = 0;
    TRY(reader_name(&d->r, &bytes, &size, d->err));
    ret->text = arena_copy_string(&d->full->arena, (const char *)bytes, size);
    ret->size_bytes = size;
    return ret->text ? ST_OK : wasm_fail_memory(d->err, d->r.offset);
}

enum status decode_valtype(struct decoder *d, struct wasm_valtype *ret)
{
    size_t start = d->r.offset;
    TRY(reader_valtype(&d->r, ret, d->err));
    return types_check_valtype(*ret, d->m->types_count, start, &d->m->features, d->err);
}

enum status decode_reftype(struct decoder *d, struct wasm_valtype *ret)
{
    size_t start = d->r.offset;
    TRY(reader_reftype(&d->r, ret, d->err));
    return types_check_valtype(*ret, d->m->types_count, start, &d->m->features, d->err);
}

enum status decode_index(struct decoder *d, uint32_t count, const char *what, uint32_t *ret)
{
    size_t start = d->r.offset;
    TRY(reader_u32(&d->r, ret, d->err));
    if (*ret >= count) return wasm_fail(d->err, ST_INVALID, start, "unknown %s %u", what, *ret);
    return ST_OK;
}

enum status decode_func_type(struct decoder *d, uint32_t *ret)
{
    size_t start = d->r.offset;
    TRY(decode_index(d, d->m->types_count, "type", ret));
    if (d->m->types[*ret].composite != WASM_FUNC_TYPE)
        return wasm_fail(d->err, ST_INVALID, start, "type %u is not a function type", *ret);
    return ST_OK;
}

/* Flags: 1 a maximum follows, 2 shared (the threads proposal), 4 addresses are i64. */
static enum status decode_limits(struct decoder *d, struct wasm_limits *ret)
{
    size_t start = d->r.offset;
    uint8_t flags = 0;
    TRY(reader_u8(&d->r, &flags, d->err));
    if (flags > 7) return wasm_fail(d->err, ST_INVALID, start, "malformed limits flags");
    if (flags & 2)
        return wasm_fail(d->err, ST_UNSUPPORTED, start,
                         "threads: shared memory is not part of WebAssembly 3.0");
    *ret = (struct wasm_limits){.has_max = flags & 1, .is64 = flags & 4};
    TRY(reader_u64(&d->r, &ret->min, d->err));
    if (ret->has_max) TRY(reader_u64(&d->r, &ret->max, d->err));
    if (ret->is64) d->m->features |= WASM_FEATURE_MEMORY64;
    return ST_OK;
}

static enum status check_limits(struct decoder *d, const struct wasm_limits *l, uint64_t range,
                                const char *what, size_t offset)
{
    if (l->min > range || (l->has_max && l->max > range))
        return wasm_fail(d->err, ST_INVALID, offset, "%s size must be at most %llu", what,
                         (unsigned long long)range);
    if (l->has_max && l->min > l->max)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "size minimum must not be greater than maximum");
    return ST_OK;
}

enum status decode_table(struct decoder *d, struct wasm_table *ret)
{
    size_t start = d->r.offset;
    TRY(decode_reftype(d, &ret->element));
    TRY(decode_limits(d, &ret->limits));
    uint64_t range = ret->limits.is64 ? UINT64_MAX : UINT32_MAX;
    TRY(check_limits(d, &ret->limits, range, "table", start));
    return ST_OK;
}

enum status decode_memory(struct decoder *d, struct wasm_memory *ret)
{
    size_t start = d->r.offset;
    TRY(decode_limits(d, &ret->limits));
    uint64_t range = ret->limits.is64 ? MEMORY_PAGES_MAX_64 : MEMORY_PAGES_MAX_32;
    return check_limits(d, &ret->limits, range, "memory", start);
}

enum status decode_global(struct decoder *d, struct wasm_global *ret)
{
    uint8_t mutable = 0;
    TRY(decode_valtype(d, &ret->type));
    TRY(reader_u8(&d->r, &mutable, d->err));
    if (mutable > 1)
        return wasm_fail(d->err, ST_INVALID, d->r.offset - 1, "malformed mutability 0x%02x",
                         mutable);
    ret->mutable = mutable;
    return ST_OK;
}

enum status decode_tag(struct decoder *d, struct wasm_tag *ret)
{
    uint8_t attribute = 0;
    size_t start = d->r.offset;
    TRY(reader_u8(&d->r, &attribute, d->err));
    if (attribute) return wasm_fail(d->err, ST_INVALID, start, "malformed tag attribute");
    TRY(decode_func_type(d, &ret->type));
    if (d->m->types[ret->type].results_count)
        return wasm_fail(d->err, ST_INVALID, start, "non-empty tag result type");
    d->m->features |= WASM_FEATURE_EXCEPTIONS;
    return ST_OK;
}

static enum status fail_full(struct decoder *d, const char *what, uint32_t max)
{
    return wasm_fail(d->err, ST_LIMIT, d->r.offset, "more than %u %s", max, what);
}

enum status add_func(struct decoder *d, const struct wasm_func *f)
{
    struct module_full *full = d->full;
    if (d->m->funcs_count >= WASM_FUNCTIONS_MAX)
        return fail_full(d, "functions", WASM_FUNCTIONS_MAX);
    if (!GROW(full->funcs, full->funcs_capacity, d->m->funcs_count + 1))
        return wasm_fail_memory(d->err, d->r.offset);
    full->funcs[d->m->funcs_count++] = *f;
    d->m->funcs = full->funcs;
    return ST_OK;
}

enum status add_table(struct decoder *d, const struct wasm_table *t)
{
    struct module_full *full = d->full;
    if (d->m->tables_count >= WASM_TABLES_MAX) return fail_full(d, "tables", WASM_TABLES_MAX);
    if (t->limits.min > WASM_TABLE_ELEMENTS_MAX)
        return wasm_fail(d->err, ST_LIMIT, d->r.offset, "table of %llu elements, the limit is %u",
                         (unsigned long long)t->limits.min, WASM_TABLE_ELEMENTS_MAX);
    if (!GROW(full->tables, full->tables_capacity, d->m->tables_count + 1))
        return wasm_fail_memory(d->err, d->r.offset);
    full->tables[d->m->tables_count++] = *t;
    d->m->tables = full->tables;
    if (d->m->tables_count > 1) d->m->features |= WASM_FEATURE_REFERENCE_TYPES;
    return ST_OK;
}

enum status add_memory(struct decoder *d, const struct wasm_memory *mem)
{
    struct module_full *full = d->full;
    if (d->m->memories_count >= WASM_MEMORIES_MAX)
        return fail_full(d, "memories", WASM_MEMORIES_MAX);
    if (!GROW(full->memories, full->memories_capacity, d->m->memories_count + 1))
        return wasm_fail_memory(d->err, d->r.offset);
    full->memories[d->m->memories_count++] = *mem;
    d->m->memories = full->memories;
    if (d->m->memories_count > 1) d->m->features |= WASM_FEATURE_MULTI_MEMORY;
    return ST_OK;
}

enum status add_global(struct decoder *d, const struct wasm_global *g)
{
    struct module_full *full = d->full;
    if (d->m->globals_count >= WASM_GLOBALS_MAX) return fail_full(d, "globals", WASM_GLOBALS_MAX);
    if (!GROW(full->globals, full->globals_capacity, d->m->globals_count + 1))
        return wasm_fail_memory(d->err, d->r.offset);
    full->globals[d->m->globals_count++] = *g;
    d->m->globals = full->globals;
    return ST_OK;
}

enum status add_tag(struct decoder *d, const struct wasm_tag *t)
{
    struct module_full *full = d->full;
    if (d->m->tags_count >= WASM_TAGS_MAX) return fail_full(d, "tags", WASM_TAGS_MAX);
    if (!GROW(full->tags, full->tags_capacity, d->m->tags_count + 1))
        return wasm_fail_memory(d->err, d->r.offset);
    full->tags[d->m->tags_count++] = *t;
    d->m->tags = full->tags;
    return ST_OK;
}
