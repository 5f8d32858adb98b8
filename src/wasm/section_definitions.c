/* The function, table, memory, tag, global and start sections (Core §5.5.6 and following). */
#include "decode.h"

#define BYTE_TABLE_INIT 0x40

enum status section_functions(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, WASM_FUNCTIONS_MAX, "functions", &count, d->err));
    for (uint32_t i = 0; i < count; i++) {
        struct wasm_func f = {0};
        TRY(decode_func_type(d, &f.type));
        TRY(add_func(d, &f));
    }
    return ST_OK;
}

static enum status read_table(struct decoder *d, struct wasm_table *t)
{
    size_t start = d->r.offset;
    if (reader_left(&d->r) && d->r.bytes[start] == BYTE_TABLE_INIT) {
        uint8_t reserved = 0;
        d->r.offset++;
        TRY(reader_u8(&d->r, &reserved, d->err));
        if (reserved) return wasm_fail(d->err, ST_INVALID, start + 1, "zero byte expected");
        TRY(decode_table(d, t));
        t->has_init = true;
        return validate_constant(d->validator, &d->r, t->element, &t->init);
    }
    TRY(decode_table(d, t));
    if (!valtype_is_defaultable(t->element))
        return wasm_fail(d->err, ST_INVALID, start,
                         "type mismatch: a table of non-null references needs an initial value");
    return ST_OK;
}

enum status section_tables(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, WASM_TABLES_MAX, "tables", &count, d->err));
    for (uint32_t i = 0; i < count; i++) {
        struct wasm_table t = {0};
        TRY(read_table(d, &t));
        TRY(add_table(d, &t));
    }
    return ST_OK;
}

enum status section_memories(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, WASM_MEMORIES_MAX, "memories", &count, d->err));
    for (uint32_t i = 0; i < count; i++) {
        struct wasm_memory memory = {0};
        TRY(decode_memory(d, &memory));
        TRY(add_memory(d, &memory));
    }
    return ST_OK;
}

enum status section_tags(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, WASM_TAGS_MAX, "tags", &count, d->err));
    for (uint32_t i = 0; i < count; i++) {
        struct wasm_tag tag = {0};
        TRY(decode_tag(d, &tag));
        TRY(add_tag(d, &tag));
    }
    return ST_OK;
}

/* A global's initial value sees the globals before it. */
enum status section_globals(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, WASM_GLOBALS_MAX, "globals", &count, d->err));
    for (uint32_t i = 0; i < count; i++) {
        struct wasm_global global = {0};
        TRY(decode_global(d, &global));
        TRY(validate_constant(d->validator, &d->r, global.type, &global.init));
        TRY(add_global(d, &global));
    }
    return ST_OK;
}

enum status section_start(struct decoder *d)
{
    size_t offset = d->r.offset;
    TRY(decode_index(d, d->m->funcs_count, "function", &d->m->start));
    const struct wasm_type *type = &d->m->types[d->m->funcs[d->m->start].type];
    if (type->params_count || type->results_count)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "the start function must take and return nothing");
    d->m->has_start = true;
    return ST_OK;
}
