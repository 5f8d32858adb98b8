/* The import and export sections (Core §5.5.5, §5.5.10). */
#include <stdlib.h>
#include <string.h>

#include "decode.h"

static enum status import_func(struct decoder *d, struct wasm_import *import)
{
    struct wasm_func f = {.imported = true};
    TRY(decode_func_type(d, &f.type));
    import->index = d->m->funcs_count;
    d->m->imported_funcs_count++;
    return add_func(d, &f);
}

static enum status import_table(struct decoder *d, struct wasm_import *import)
{
    struct wasm_table t = {0};
    TRY(decode_table(d, &t));
    import->index = d->m->tables_count;
    d->m->imported_tables_count++;
    return add_table(d, &t);
}

static enum status import_memory(struct decoder *d, struct wasm_import *import)
{
    struct wasm_memory memory = {0};
    TRY(decode_memory(d, &memory));
    import->index = d->m->memories_count;
    d->m->imported_memories_count++;
    return add_memory(d, &memory);
}

static enum status import_global(struct decoder *d, struct wasm_import *import)
{
    struct wasm_global g = {0};
    TRY(decode_global(d, &g));
    import->index = d->m->globals_count;
    d->m->imported_globals_count++;
    return add_global(d, &g);
}

static enum status import_tag(struct decoder *d, struct wasm_import *import)
{
    struct wasm_tag t = {0};
    TRY(decode_tag(d, &t));
    import->index = d->m->tags_count;
    d->m->imported_tags_count++;
    return add_tag(d, &t);
}

static enum status read_kind(struct decoder *d, enum wasm_external *ret)
{
    uint8_t kind = 0;
    TRY(reader_u8(&d->r, &kind, d->err));
    if (kind > WASM_EXT_TAG)
        return wasm_fail(d->err, ST_INVALID, d->r.offset - 1,
                         "malformed import or export kind 0x%02x", kind);
    *ret = kind;
    return ST_OK;
}

static enum status read_import(struct decoder *d, struct wasm_import *import)
{
    TRY(decode_name(d, &import->module));
    TRY(decode_name(d, &import->field));
    TRY(read_kind(d, &import->kind));
    switch (import->kind) {
    case WASM_EXT_FUNC: return import_func(d, import);
    case WASM_EXT_TABLE: return import_table(d, import);
    case WASM_EXT_MEMORY: return import_memory(d, import);
    case WASM_EXT_GLOBAL: return import_global(d, import);
    case WASM_EXT_TAG: return import_tag(d, import);
    }
    return ST_INTERNAL;
}

enum status section_imports(struct decoder *d)
{
    struct wasm_import *imports = NULL;
    uint32_t count;
    TRY(reader_count(&d->r, WASM_IMPORTS_MAX, "imports", &count, d->err));
    TRY(decode_alloc(d, count, sizeof *imports, &imports));
    d->m->imports = imports;
    for (uint32_t i = 0; i < count; i++) {
        TRY(read_import(d, &imports[i]));
        d->m->imports_count++;
    }
    return ST_OK;
}

static uint32_t external_count(const struct wasm_module *m, enum wasm_external kind)
{
    switch (kind) {
    case WASM_EXT_FUNC: return m->funcs_count;
    case WASM_EXT_TABLE: return m->tables_count;
    case WASM_EXT_MEMORY: return m->memories_count;
    case WASM_EXT_GLOBAL: return m->globals_count;
    case WASM_EXT_TAG: return m->tags_count;
    }
    return 0;
}

static enum status read_export(struct decoder *d, struct wasm_export *export)
{
    TRY(decode_name(d, &export->name));
    TRY(read_kind(d, &export->kind));
    TRY(decode_index(d, external_count(d->m, export->kind), wasm_external_name(export->kind),
                     &export->index));
    if (export->kind == WASM_EXT_FUNC) d->full->funcs[export->index].referenced = true;
    return ST_OK;
}

static int compare_names(const void *a, const void *b)
{
    const struct wasm_name *x = a, *y = b;
    uint32_t shorter = x->size_bytes < y->size_bytes ? x->size_bytes : y->size_bytes;
    int order = memcmp(x->text, y->text, shorter);
    if (order) return order;
    return (x->size_bytes > y->size_bytes) - (x->size_bytes < y->size_bytes);
}

/* By sorting: no choice of names makes it quadratic, as it could with a hash table. */
static enum status check_export_names(struct decoder *d, size_t offset)
{
    uint32_t count = d->m->exports_count;
    if (count < 2) return ST_OK;
    struct wasm_name *names = calloc(count, sizeof *names);
    if (!names) return wasm_fail_memory(d->err, offset);
    for (uint32_t i = 0; i < count; i++) names[i] = d->m->exports[i].name;
    qsort(names, count, sizeof *names, compare_names);
    enum status st = ST_OK;
    for (uint32_t i = 1; i < count && !st; i++)
        if (!compare_names(&names[i - 1], &names[i]))
            st = wasm_fail(d->err, ST_INVALID, offset, "duplicate export name \"%.64s\"",
                           names[i].text);
    free(names);
    return st;
}

enum status section_exports(struct decoder *d)
{
    struct wasm_export *exports = NULL;
    size_t start = d->r.offset;
    uint32_t count;
    TRY(reader_count(&d->r, WASM_EXPORTS_MAX, "exports", &count, d->err));
    TRY(decode_alloc(d, count, sizeof *exports, &exports));
    d->m->exports = exports;
    for (uint32_t i = 0; i < count; i++) {
        TRY(read_export(d, &exports[i]));
        d->m->exports_count++;
    }
    return check_export_names(d, start);
}
