/* Types of core modules, and core types.
 *
 * What the core format says about types, limits and their validity is left to the core decoder: a
 * core type becomes a module of that one type, a module type a module that imports first what the
 * type imports and then what it exports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

#define LEB_BYTES_MAX  10u
#define BYTE_REC       0x4e
#define BYTE_SUB       0x50
#define BYTE_SUB_FINAL 0x4f
#define BYTE_ARRAY     0x5e
#define BYTE_STRUCT    0x5f
#define BYTE_FUNC      0x60

/* Takes a module that was made for a type into what the component owns. */
static enum status own_module(struct decoder *d, struct wasm_module *module)
{
    struct component_full *full = d->full;
    enum status st = GROW(d, full->owned, full->owned_capacity, full->owned_count + 1);
    if (!st && full->owned_count >= COMPONENT_CORE_TYPES_MAX)
        st = wasm_fail(d->err, ST_LIMIT, d->r.offset, "more than %u core types",
                       COMPONENT_CORE_TYPES_MAX);
    if (st)
        wasm_module_free(module);
    else
        full->owned[full->owned_count++] = module;
    return st;
}

/* ---- moving over what the core decoder will read ---- */

static enum status skip_storage_types(struct decoder *d, bool fields)
{
    struct wasm_valtype type;
    uint32_t count;
    uint8_t mutable = 0;
    TRY(reader_count(&d->r, WASM_STRUCT_FIELDS_MAX, "types", &count, d->err));
    for (uint32_t i = 0; i < count; i++) {
        TRY(reader_storage_type(&d->r, &type, d->err));
        if (fields) TRY(reader_u8(&d->r, &mutable, d->err));
    }
    return ST_OK;
}

static enum status skip_sub_type(struct decoder *d)
{
    struct wasm_valtype type;
    uint8_t form = 0;
    TRY(reader_u8(&d->r, &form, d->err));
    if (form == BYTE_SUB || form == BYTE_SUB_FINAL) {
        uint32_t count, super;
        TRY(reader_count(&d->r, 1, "supertypes", &count, d->err));
        if (count) TRY(reader_u32(&d->r, &super, d->err));
        TRY(reader_u8(&d->r, &form, d->err));
    }
    switch (form) {
    case BYTE_FUNC: TRY(skip_storage_types(d, false)); return skip_storage_types(d, false);
    case BYTE_STRUCT: return skip_storage_types(d, true);
    case BYTE_ARRAY:
        TRY(reader_storage_type(&d->r, &type, d->err));
        return reader_u8(&d->r, &form, d->err);
    default: return parse_bad_byte(d, "core type");
    }
}

static enum status skip_core_type(struct decoder *d)
{
    if (reader_left(&d->r) && d->r.bytes[d->r.offset] == BYTE_REC)
        return wasm_fail(d->err, ST_UNSUPPORTED, d->r.offset,
                         "recursion groups of core types are not supported in components");
    return skip_sub_type(d);
}

static enum status skip_limits(struct decoder *d)
{
    uint8_t flags = 0;
    uint64_t number = 0;
    TRY(reader_u8(&d->r, &flags, d->err));
    TRY(reader_u64(&d->r, &number, d->err));
    return flags & 1 ? reader_u64(&d->r, &number, d->err) : ST_OK;
}

static enum status skip_core_extern(struct decoder *d)
{
    struct wasm_valtype type;
    uint8_t kind = 0, byte = 0;
    uint32_t index;
    TRY(reader_u8(&d->r, &kind, d->err));
    switch (kind) {
    case WASM_EXT_FUNC: return reader_u32(&d->r, &index, d->err);
    case WASM_EXT_TABLE: TRY(reader_reftype(&d->r, &type, d->err)); return skip_limits(d);
    case WASM_EXT_MEMORY: return skip_limits(d);
    case WASM_EXT_GLOBAL:
        TRY(reader_valtype(&d->r, &type, d->err));
        return reader_u8(&d->r, &byte, d->err);
    case WASM_EXT_TAG:
        TRY(reader_u8(&d->r, &byte, d->err));
        return reader_u32(&d->r, &index, d->err);
    default: return parse_bad_byte(d, "core external kind");
    }
}

/* ---- making modules ---- */

/* Sections under construction: counts and entries. */
struct module_parts {
    struct buffer types, imports, exports;
    uint32_t types_count, imports_count, exports_count;
    struct core_type **type_list; /* one an entry of the type section, for aliases */
    uint32_t type_list_capacity;
    struct byte_map export_names;
};

static size_t write_leb(uint64_t number, uint8_t *to)
{
    size_t size = 0;
    do {
        uint8_t more = number > 0x7f ? 0x80 : 0;
        to[size++] = (uint8_t)(number & 0x7f) | more;
        number >>= 7;
    } while (number);
    return size;
}

static void put_section(struct buffer *b, uint8_t id, uint32_t count, const struct buffer *first,
                        const struct buffer *second)
{
    uint8_t counted[LEB_BYTES_MAX], sized[LEB_BYTES_MAX];
    size_t counted_bytes = write_leb(count, counted);
    size_t size = counted_bytes + first->size_bytes + (second ? second->size_bytes : 0);
    buffer_append(b, &id, 1);
    buffer_append(b, sized, write_leb(size, sized));
    buffer_append(b, counted, counted_bytes);
    if (first->size_bytes) buffer_append(b, first->data, first->size_bytes);
    if (second && second->size_bytes) buffer_append(b, second->data, second->size_bytes);
}

/* The module lives with the component; its bytes lie in the arena, since it borrows them. */
static enum status make_module(struct decoder *d, const struct module_parts *p, size_t offset,
                               const struct wasm_module **ret)
{
    static const uint8_t preamble[8] = {0, 'a', 's', 'm', 1};
    struct wasm_module *module = NULL;
    struct buffer b;
    buffer_init(&b, COMPONENT_BYTES_MAX);
    buffer_append(&b, preamble, sizeof preamble);
    put_section(&b, 1, p->types_count, &p->types, NULL);
    put_section(&b, 2, p->imports_count + p->exports_count, &p->imports, &p->exports);
    bool failed = b.failed || p->types.failed || p->imports.failed || p->exports.failed;
    uint8_t *bytes = failed ? NULL : arena_alloc(&d->full->arena, b.size_bytes);
    if (bytes) memcpy(bytes, b.data, b.size_bytes);
    size_t size = b.size_bytes;
    buffer_done(&b);
    if (!bytes) return wasm_fail_memory(d->err, offset);
    enum status st = wasm_module_decode(bytes, size, 1, &module, d->err);
    if (st) {
        const char *text = strstr(d->err->text, ": ");
        char copy[ERROR_TEXT_MAX];
        snprintf(copy, sizeof copy, "%s", text ? text + 2 : d->err->text);
        return wasm_fail(d->err, st, offset, "core type: %s", copy);
    }
    *ret = module;
    return own_module(d, module);
}

static void parts_done(struct module_parts *p)
{
    buffer_done(&p->types);
    buffer_done(&p->imports);
    buffer_done(&p->exports);
    free(p->type_list);
    byte_map_done(&p->export_names);
}

/* ---- a core type on its own ---- */

static enum status parse_plain_type(struct decoder *d, struct core_type **ret)
{
    struct core_type *type = NULL;
    size_t start = d->r.offset;
    TRY(skip_core_type(d));
    TRY(parse_alloc(d, 1, sizeof *type, &type));
    type->bytes = d->r.bytes + start;
    type->size_bytes = d->r.offset - start;
    struct module_parts p = {.types_count = 1};
    buffer_init(&p.types, COMPONENT_BYTES_MAX);
    buffer_append(&p.types, type->bytes, type->size_bytes);
    enum status st = make_module(d, &p, start, &type->module);
    parts_done(&p);
    *ret = type;
    return st;
}

/* ---- module types ---- */

static enum status keep_bytes(struct decoder *d, struct buffer *b, size_t start)
{
    buffer_append(b, d->r.bytes + start, d->r.offset - start);
    return b->failed ? wasm_fail_memory(d->err, start) : ST_OK;
}

static enum status add_type(struct decoder *d, struct module_parts *p, struct core_type *type)
{
    TRY(GROW(d, p->type_list, p->type_list_capacity, p->types_count + 1));
    p->type_list[p->types_count++] = type;
    buffer_append(&p->types, type->bytes, type->size_bytes);
    return p->types.failed ? wasm_fail_memory(d->err, d->r.offset) : ST_OK;
}

static enum status declare_type(struct decoder *d, struct module_parts *p)
{
    struct core_type *type = NULL;
    size_t start = d->r.offset;
    TRY(parse_alloc(d, 1, sizeof *type, &type));
    TRY(skip_core_type(d));
    type->bytes = d->r.bytes + start;
    type->size_bytes = d->r.offset - start;
    return add_type(d, p, type);
}

static enum status declare_alias(struct decoder *d, struct module_parts *p)
{
    uint8_t byte = 0;
    uint32_t count, index;
    size_t start = d->r.offset;
    TRY(reader_u8(&d->r, &byte, d->err));
    if (byte != 0x10) return parse_bad_byte(d, "outer alias kind");
    TRY(reader_u8(&d->r, &byte, d->err));
    if (byte != 0x01) return parse_bad_byte(d, "outer alias target");
    TRY(reader_u32(&d->r, &count, d->err));
    TRY(reader_u32(&d->r, &index, d->err));
    if (!count) { /* the module type's own space */
        if (index >= p->types_count)
            return wasm_fail(d->err, ST_INVALID, start, "type index %u out of bounds", index);
        return add_type(d, p, p->type_list[index]);
    }
    const struct scope *s = d->scope;
    for (; count > 1 && s; count--) s = s->parent;
    if (!s) return wasm_fail(d->err, ST_INVALID, start, "invalid outer alias count");
    TRY(check_index(d, s, COMPONENT_SORT_CORE_TYPE, index, start));
    if (s->core_types[index]->is_module)
        return wasm_fail(d->err, ST_INVALID, start,
                         "an alias of a module type within a module type");
    return add_type(d, p, s->core_types[index]);
}

static enum status declare_import(struct decoder *d, struct module_parts *p)
{
    const uint8_t *name = NULL;
    uint32_t size;
    size_t start = d->r.offset;
    TRY(reader_name(&d->r, &name, &size, d->err));
    TRY(reader_name(&d->r, &name, &size, d->err));
    TRY(skip_core_extern(d));
    p->imports_count++;
    return keep_bytes(d, &p->imports, start);
}

static enum status declare_export(struct decoder *d, struct module_parts *p)
{
    const uint8_t *name = NULL;
    uint32_t size;
    size_t start = d->r.offset;
    TRY(reader_name(&d->r, &name, &size, d->err));
    uint64_t before = p->export_names.steps;
    if (byte_map_find(&p->export_names, name, size))
        return wasm_fail(d->err, ST_INVALID, start, "export name `%.*s` already defined", (int)size,
                         (const char *)name);
    if (!byte_map_add(&p->export_names, name, size, 0)) return wasm_fail_memory(d->err, start);
    TRY(parse_work(d, p->export_names.steps - before));
    TRY(skip_core_extern(d));
    p->exports_count++;
    buffer_append(&p->exports, "", 1); /* the module name of the import that stands for it */
    return keep_bytes(d, &p->exports, start);
}

static enum status declare(struct decoder *d, struct module_parts *p)
{
    uint8_t form = 0;
    TRY(reader_u8(&d->r, &form, d->err));
    switch (form) {
    case 0x00: return declare_import(d, p);
    case 0x01: return declare_type(d, p);
    case 0x02: return declare_alias(d, p);
    case 0x03: return declare_export(d, p);
    default: return parse_bad_byte(d, "type definition");
    }
}

static enum status declare_all(struct decoder *d, struct module_parts *p)
{
    uint32_t count;
    TRY(reader_count(&d->r, COMPONENT_DEFINITIONS_MAX, "declarations", &count, d->err));
    for (uint32_t i = 0; i < count; i++) TRY(declare(d, p));
    return ST_OK;
}

/* Two imports of one name would be one import of the component level. */
static enum status check_imports(struct decoder *d, const struct component_module_type *t,
                                 size_t offset)
{
    struct byte_map seen = {0};
    enum status st = ST_OK;
    for (uint32_t i = 0; i < t->imports_count && !st; i++) {
        const struct wasm_import *import = &t->module->imports[i];
        size_t size = sizeof size + import->module.size_bytes + import->field.size_bytes;
        uint8_t *key = NULL;
        st = parse_alloc(d, size, 1, &key);
        if (st) break;
        size_t module_bytes = import->module.size_bytes;
        memcpy(key, &module_bytes, sizeof module_bytes);
        memcpy(key + sizeof module_bytes, import->module.text, module_bytes);
        memcpy(key + sizeof module_bytes + module_bytes, import->field.text,
               import->field.size_bytes);
        if (byte_map_find(&seen, key, size))
            st = wasm_fail(d->err, ST_INVALID, offset, "duplicate import name `%s:%s`",
                           import->module.text, import->field.text);
        else if (!byte_map_add(&seen, key, size, 0))
            st = wasm_fail_memory(d->err, offset);
    }
    if (!st) st = parse_work(d, seen.steps);
    byte_map_done(&seen);
    return st;
}

enum status module_type_of(struct decoder *d, const struct wasm_module *module, size_t offset,
                           struct component_module_type *ret)
{
    *ret = (struct component_module_type){.module = module,
                                          .imports_count = module->imports_count,
                                          .exports_count = module->exports_count};
    return check_imports(d, ret, offset);
}

static enum status parse_module_type(struct decoder *d, struct component_module_type *ret)
{
    struct module_parts p = {0};
    size_t start = d->r.offset;
    buffer_init(&p.types, COMPONENT_BYTES_MAX);
    buffer_init(&p.imports, COMPONENT_BYTES_MAX);
    buffer_init(&p.exports, COMPONENT_BYTES_MAX);
    ret->is_type = true;
    enum status st = declare_all(d, &p);
    if (!st) st = make_module(d, &p, start, &ret->module);
    ret->imports_count = p.imports_count;
    ret->exports_count = p.exports_count;
    parts_done(&p);
    return st ? st : check_imports(d, ret, start);
}

/* ---- the core type section ---- */

enum status parse_core_type(struct decoder *d)
{
    struct core_type *type = NULL;
    struct component_definition def = {
        .kind = COMPONENT_DEFINE_TYPE, .sort = COMPONENT_SORT_CORE_TYPE, .offset = d->r.offset};
    uint8_t form = reader_left(&d->r) ? d->r.bytes[d->r.offset] : 0;
    if (form == BYTE_SUB) {
        d->r.offset++;
        TRY(parse_alloc(d, 1, sizeof *type, &type));
        type->is_module = true;
        TRY(parse_module_type(d, &type->module_type));
    } else {
        /* A zero tells a sub type that is not final from a module type. */
        if (form == 0 && reader_left(&d->r) > 1 && d->r.bytes[d->r.offset + 1] == BYTE_SUB)
            d->r.offset++;
        TRY(parse_plain_type(d, &type));
    }
    TRY(add_core_type(d, type));
    return add_definition(d, &def);
}

enum status parse_section_core_types(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, COMPONENT_DEFINITIONS_MAX, "core types", &count, d->err));
    for (uint32_t i = 0; i < count; i++) TRY(parse_core_type(d));
    return ST_OK;
}
