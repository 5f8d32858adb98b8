/* What the sections of an artifact hold: every offset, index and order is checked here, once, so
 * that nothing behind artifact_open() has to. Time is linear in the file's size. */
#include <string.h>

#include "base/checked.h"
#include "verify.h"

#define WASM_PAGE        65536u
#define MEMORY_PAGES_MAX (SLOT_MEMORY_BYTES_MAX / WASM_PAGE)
#define TYPE_LETTERS     "ilfdvr"

static bool string_ok(const struct verifier *v, uint32_t offset)
{
    return offset < v->strings_bytes;
}

/* [offset, offset + bytes) lies in the context, aligned. */
static bool context_ok(const struct verifier *v, int32_t offset, uint64_t bytes, uint32_t align)
{
    return offset < 0 && (uint64_t)-(int64_t)offset <= v->h->context_bytes &&
           bytes <= (uint64_t)-(int64_t)offset && (uint32_t)offset % align == 0;
}

static enum status verify_strings(const struct verifier *v, struct error *err)
{
    if (!v->strings_bytes || v->strings[0] || v->strings[v->strings_bytes - 1])
        return bad(err, "strings do not begin and end with NUL");
    return ST_OK;
}

/* Signatures follow each other without gaps, which keeps this linear. */
static enum status verify_types(const struct verifier *v, struct error *err)
{
    size_t bytes, at = 0;
    const char *codes = artifact_section(v->a, ARTIFACT_TYPE_CODES, &bytes);
    if (!v->types_count) return bad(err, "no types");
    for (size_t i = 0; i < v->types_count; i++) {
        const struct artifact_type *t = &v->types[i];
        if (t->signature != at) return bad(err, "type %zu has its signature elsewhere", i);
        uint32_t counts[2] = {0, 0};
        unsigned side = 0;
        for (; at < bytes && codes[at]; at++) {
            if (codes[at] == ':')
                side++;
            else if (!strchr(TYPE_LETTERS, codes[at]))
                side = 2;
            if (side > 1) return bad(err, "type %zu has an unknown letter", i);
            if (codes[at] != ':') counts[side]++;
        }
        if (at == bytes || side != 1) return bad(err, "type %zu has a cut signature", i);
        if (counts[0] != t->params_count || counts[1] != t->results_count)
            return bad(err, "type %zu counts its values wrongly", i);
        if (t->trampoline_offset >= v->code_bytes)
            return bad(err, "type %zu has its trampoline outside of the code", i);
        at++;
    }
    if (at != bytes) return bad(err, "bytes behind the signatures");
    if (codes[0] != ':' || codes[1] || !v->types[0].trampoline_offset)
        return bad(err, "type 0 is not that of init functions");
    return ST_OK;
}

static enum status verify_funcs(const struct verifier *v, struct error *err)
{
    for (size_t i = 0; i < v->funcs_count + v->instances_count; i++) {
        const struct artifact_func *f = &v->funcs[i];
        if (!range_within(f->code_offset, f->code_size, v->code_bytes))
            return bad(err, "function %zu is outside of the code", i);
        if ((f->code_size == 0) != (i == 0) || (f->code_offset == 0) != (i == 0))
            return bad(err, "function %zu: only the null function is without code", i);
        if (f->type >= v->types_count) return bad(err, "function %zu has no type", i);
        if (i && f->instance >= v->instances_count)
            return bad(err, "function %zu has no instance", i);
        if (!string_ok(v, f->name)) return bad(err, "function %zu has its name elsewhere", i);
    }
    return ST_OK;
}

/* As many entries as functions with code, strictly ascending: so each occurs once, and functions
 * do not overlap. */
static enum status verify_order(const struct verifier *v, struct error *err)
{
    size_t count, all = v->funcs_count + v->instances_count;
    const uint32_t *order = artifact_section(v->a, ARTIFACT_FUNC_ORDER, &count);
    if (count != all - 1) return bad(err, "the order of functions is incomplete");
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        if (!order[i] || order[i] >= all) return bad(err, "the order names no function at %zu", i);
        const struct artifact_func *f = &v->funcs[order[i]];
        if (f->code_offset < end) return bad(err, "functions overlap at %u", order[i]);
        end = (uint64_t)f->code_offset + f->code_size;
    }
    return ST_OK;
}

static enum status verify_instances(const struct verifier *v, struct error *err)
{
    const struct artifact_instance *in = artifact_section(v->a, ARTIFACT_INSTANCES, NULL);
    for (size_t i = 0; i < v->instances_count; i++) {
        if (in[i].init_func != v->funcs_count + i || v->funcs[in[i].init_func].type)
            return bad(err, "instance %zu has a wrong init function", i);
        if (in[i].start_func) {
            const struct artifact_type *t;
            if (!verify_callable(v, in[i].start_func))
                return bad(err, "instance %zu has a wrong start function", i);
            t = &v->types[v->funcs[in[i].start_func].type];
            if (t->params_count || t->results_count)
                return bad(err, "instance %zu has a start function with parameters", i);
        }
        if (!string_ok(v, in[i].name)) return bad(err, "instance %zu has its name elsewhere", i);
        if (in[i].pad) return bad(err, "instance %zu: padding is not zero", i);
    }
    return ST_OK;
}

static enum status verify_imports(const struct verifier *v, struct error *err)
{
    size_t count;
    const struct artifact_import *imports = artifact_section(v->a, ARTIFACT_IMPORTS, &count);
    for (size_t i = 0; i < count; i++) {
        if (!string_ok(v, imports[i].module) || !string_ok(v, imports[i].field))
            return bad(err, "import %zu has its name elsewhere", i);
        if (!imports[i].func || imports[i].func >= v->funcs_count)
            return bad(err, "import %zu names no function", i);
    }
    return ST_OK;
}

static enum status verify_exports(const struct verifier *v, struct error *err)
{
    size_t count;
    const struct artifact_export *exports = artifact_section(v->a, ARTIFACT_EXPORTS, &count);
    for (size_t i = 0; i < count; i++) {
        const struct artifact_export *x = &exports[i];
        if (!string_ok(v, x->name)) return bad(err, "export %zu has its name elsewhere", i);
        if (x->instance >= v->instances_count) return bad(err, "export %zu has no instance", i);
        if (x->kind >= EXPORT_KINDS) return bad(err, "export %zu has an unknown kind", i);
        if (x->index >= v->counts[x->kind] ||
            (x->kind == EXPORT_FUNC && !verify_callable(v, x->index)))
            return bad(err, "export %zu names nothing", i);
    }
    return ST_OK;
}

static enum status verify_memories(const struct verifier *v, struct error *err)
{
    size_t count = v->counts[EXPORT_MEMORY];
    if (count > SLOT_LANES_MAX) return bad(err, "too many memories");
    for (size_t i = 0; i < count; i++) {
        const struct artifact_memory *m = &v->memories[i];
        if (m->pages_min > m->pages_max || m->pages_max > MEMORY_PAGES_MAX || m->is64 > 1)
            return bad(err, "memory %zu has wrong limits", i);
        if (!context_ok(v, m->size_offset, sizeof(uint64_t), sizeof(uint64_t)))
            return bad(err, "memory %zu is outside of the context", i);
    }
    return ST_OK;
}

static enum status verify_tables(const struct verifier *v, struct error *err)
{
    size_t count;
    const struct artifact_table *tables = artifact_section(v->a, ARTIFACT_TABLES, &count);
    for (size_t i = 0; i < count; i++) {
        const struct artifact_table *t = &tables[i];
        if (t->min > t->capacity || t->capacity > t->max || t->is64 > 1)
            return bad(err, "table %zu has wrong limits", i);
        if (!context_ok(v, t->size_offset, sizeof(uint32_t), sizeof(uint32_t)) ||
            !context_ok(v, t->elements_offset, (uint64_t)t->capacity * sizeof(uint32_t), 8))
            return bad(err, "table %zu is outside of the context", i);
    }
    return ST_OK;
}

static uint32_t letter_bytes(uint8_t letter)
{
    if (!letter || !strchr(TYPE_LETTERS, letter)) return 0;
    if (letter == 'v') return 16;
    return letter == 'l' || letter == 'd' ? 8 : 4;
}

static enum status verify_globals(const struct verifier *v, struct error *err)
{
    size_t count;
    const struct artifact_global *globals = artifact_section(v->a, ARTIFACT_GLOBALS, &count);
    for (size_t i = 0; i < count; i++) {
        const struct artifact_global *g = &globals[i];
        uint32_t bytes = letter_bytes(g->type);
        if (!bytes || g->mutable > 1 || g->pad[0] || g->pad[1])
            return bad(err, "global %zu has a wrong type", i);
        if (!context_ok(v, g->offset, bytes, bytes))
            return bad(err, "global %zu is outside of the context", i);
    }
    return ST_OK;
}

static enum status verify_segments(const struct verifier *v, struct error *err)
{
    size_t count;
    const struct artifact_data *datas = artifact_section(v->a, ARTIFACT_DATAS, &count);
    for (size_t i = 0; i < count; i++) {
        if (!range_within(datas[i].rodata_offset, datas[i].size_bytes, v->rodata_bytes))
            return bad(err, "data segment %zu is outside of rodata", i);
        if (datas[i].dropped_offset && !context_ok(v, datas[i].dropped_offset, 1, 1))
            return bad(err, "data segment %zu is outside of the context", i);
    }
    const struct artifact_element *elements = artifact_section(v->a, ARTIFACT_ELEMENTS, &count);
    for (size_t i = 0; i < count; i++) {
        const struct artifact_element *e = &elements[i];
        uint64_t bytes = (uint64_t)e->count * sizeof(uint32_t);
        bool in_context = e->in_context == 1 && context_ok(v, e->elements_offset, bytes, 4);
        bool in_rodata = e->in_context == 0 && e->elements_offset >= 0 &&
                         e->elements_offset % 4 == 0 &&
                         range_within((uint64_t)e->elements_offset, bytes, v->rodata_bytes);
        if (e->count && !in_context && !in_rodata)
            return bad(err, "element segment %zu has its elements elsewhere", i);
        if (e->in_context > 1 || (e->dropped_offset && !context_ok(v, e->dropped_offset, 1, 1)))
            return bad(err, "element segment %zu is outside of the context", i);
    }
    return ST_OK;
}

static enum status verify_addresses(const struct verifier *v, struct error *err)
{
    size_t count;
    const struct artifact_address *rows = artifact_section(v->a, ARTIFACT_ADDRESSES, &count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].code_offset >= v->code_bytes)
            return bad(err, "address %zu is outside of the code", i);
        if (i && rows[i].code_offset <= rows[i - 1].code_offset)
            return bad(err, "addresses are not sorted at %zu", i);
    }
    const struct artifact_line *lines = artifact_section(v->a, ARTIFACT_LINES, &count);
    for (size_t i = 0; i < count; i++) {
        const struct artifact_line *l = &lines[i];
        if (l->instance >= v->instances_count || !string_ok(v, l->file))
            return bad(err, "line %zu has no instance or file", i);
        if (i && (l->instance < l[-1].instance ||
                  (l->instance == l[-1].instance && l->wasm_offset <= l[-1].wasm_offset)))
            return bad(err, "lines are not sorted at %zu", i);
    }
    return ST_OK;
}

/* [start, start + bytes) is inside the context or inside what one memory may reach. */
static bool extent_inside(const struct verifier *v, int64_t start, uint64_t bytes)
{
    if (start < 0) return start >= -(int64_t)v->h->context_bytes && bytes <= (uint64_t)-start;
    uint64_t lane = (uint64_t)start / SLOT_LANE_BYTES;
    if (lane >= v->counts[EXPORT_MEMORY]) return false;
    return range_within((uint64_t)start % SLOT_LANE_BYTES, bytes,
                        v->memories[lane].pages_max * WASM_PAGE);
}

static enum status verify_image(const struct verifier *v, struct error *err)
{
    size_t count;
    uint64_t image_bytes = v->h->sections[ARTIFACT_IMAGE].size_bytes, at = 0;
    int64_t end = INT64_MIN;
    const struct artifact_extent *extents = artifact_section(v->a, ARTIFACT_EXTENTS, &count);
    if (!(v->h->flags & ARTIFACT_INITIALISED) && (count || image_bytes))
        return bad(err, "an image without its flag");
    for (size_t i = 0; i < count; i++) {
        const struct artifact_extent *e = &extents[i];
        if (!e->size_bytes || e->size_bytes % ARTIFACT_PAGE || e->slot_offset % ARTIFACT_PAGE)
            return bad(err, "extent %zu is not of whole pages", i);
        if (!extent_inside(v, e->slot_offset, e->size_bytes))
            return bad(err, "extent %zu is outside of the slot", i);
        if (e->slot_offset < end) return bad(err, "extents are not sorted at %zu", i);
        if (e->image_offset != at || e->size_bytes > image_bytes - at)
            return bad(err, "extent %zu is outside of the image", i);
        end = e->slot_offset + (int64_t)e->size_bytes;
        at += e->size_bytes;
    }
    if (at != image_bytes) return bad(err, "image bytes that no extent names");
    return ST_OK;
}

/* Functions first of all: the counts that the others are checked against come from here. */
static enum status verifier_init(struct verifier *v, const struct artifact *a, struct error *err)
{
    size_t funcs_all;
    *v = (struct verifier){.a = a, .h = artifact_header(a)};
    v->funcs = artifact_section(a, ARTIFACT_FUNCS, &funcs_all);
    v->types = artifact_section(a, ARTIFACT_TYPES, &v->types_count);
    v->memories = artifact_section(a, ARTIFACT_MEMORIES, &v->counts[EXPORT_MEMORY]);
    v->strings = artifact_section(a, ARTIFACT_STRINGS, NULL);
    v->strings_bytes = v->h->sections[ARTIFACT_STRINGS].size_bytes;
    v->code_bytes = v->h->sections[ARTIFACT_CODE].size_bytes;
    v->rodata_bytes = v->h->sections[ARTIFACT_RODATA].size_bytes;
    v->instances_count = verify_count(a, ARTIFACT_INSTANCES);
    if (funcs_all < v->instances_count + 1 || funcs_all > UINT32_MAX)
        return bad(err, "fewer functions than instances");
    v->funcs_count = funcs_all - v->instances_count;
    v->counts[EXPORT_FUNC] = v->funcs_count;
    v->counts[EXPORT_TABLE] = verify_count(a, ARTIFACT_TABLES);
    v->counts[EXPORT_GLOBAL] = verify_count(a, ARTIFACT_GLOBALS);
    v->counts[EXPORT_TAG] = UINT32_MAX; /* tags have no section */
    return ST_OK;
}

enum status artifact_verify(const struct artifact *a, bool draft, struct error *err)
{
    static enum status (*const checks[])(const struct verifier *, struct error *) = {
        verify_strings,  verify_types,     verify_funcs,    verify_order,     verify_instances,
        verify_imports,  verify_exports,   verify_memories, verify_tables,    verify_globals,
        verify_segments, verify_addresses, verify_image,    verify_component,
    };
    struct verifier v;
    enum status st = artifact_verify_header(a, draft, err);
    if (!st) st = verifier_init(&v, a, err);
    for (size_t i = 0; !st && i < ARRAY_COUNT(checks); i++) st = checks[i](&v, err);
    return st;
}
