/* The artifact's tables that follow from the program, its layout and the linked symbols. */
#include <string.h>

#include <stdlib.h>

#include "facts.h"
#include "linker_state.h"

#define MEMORY_PAGES_MAX (SLOT_MEMORY_BYTES_MAX / WASM_PAGE_BYTES)
#define DATA_ALIGN_BYTES 16u

/* A NUL would end the text early and let "a\0b" pass for "a": it becomes C0 80, which no valid
 * UTF-8 holds. */
uint32_t linker_add_string(struct linker *l, const char *text, size_t size_bytes)
{
    struct buffer *b = &l->parts[ARTIFACT_STRINGS];
    if (!size_bytes) return 0;
    uint32_t offset = (uint32_t)b->size_bytes;
    while (size_bytes) {
        const char *nul = memchr(text, 0, size_bytes);
        size_t run = nul ? (size_t)(nul - text) : size_bytes;
        buffer_append(b, text, run);
        if (nul) buffer_append(b, "\xc0\x80", 2);
        text += nul ? run + 1 : run;
        size_bytes -= nul ? run + 1 : run;
    }
    buffer_append(b, "", 1);
    return offset;
}

static uint32_t add_name(struct linker *l, struct wasm_name name)
{
    return linker_add_string(l, name.text, name.size_bytes);
}

enum status linker_check_parts(const struct linker *l, struct error *err)
{
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) {
        const struct buffer *b = &l->parts[i];
        if (!b->failed) continue;
        if (b->size_bytes > b->cap_bytes / 2)
            return error_set(err, ST_LIMIT, "artifact larger than %llu bytes", ARTIFACT_BYTES_MAX);
        return error_set(err, ST_NO_MEMORY, "linker");
    }
    return ST_OK;
}

static void append(struct linker *l, enum artifact_section section, const void *element,
                   size_t size_bytes)
{
    buffer_append(&l->parts[section], element, size_bytes);
}

/* "module.field" of a host import without a name of its own. */
static uint32_t add_host_name(struct linker *l, const struct program_host_import *h)
{
    uint32_t offset = add_name(l, h->module);
    struct buffer *b = &l->parts[ARTIFACT_STRINGS];
    if (!offset || b->failed) return offset;
    b->data[b->size_bytes - 1] = '.';
    if (!h->field.size_bytes) buffer_append(b, "", 1);
    add_name(l, h->field);
    return offset;
}

uint32_t linker_origin(const struct program *p, uint32_t func)
{
    const struct program_func *def = &p->funcs[func];
    if (def->is_host) return 0;
    return (uint32_t)fact_origin(&p->instances[def->instance].module->funcs[def->index]);
}

static void build_funcs(struct linker *l)
{
    const struct program *p = l->program;
    struct artifact_func f = {0};
    append(l, ARTIFACT_FUNCS, &f, sizeof f);
    for (uint32_t i = 1; i < p->funcs_count; i++) {
        const struct program_func *def = &p->funcs[i];
        const struct wasm_name *names = p->instances[def->instance].module->func_names;
        f = (struct artifact_func){
            .code_offset = l->funcs[i].code_offset,
            .code_size = l->funcs[i].size_bytes,
            .type = def->type_id,
            .instance = def->instance,
            .index = def->index,
            .wasm_origin = linker_origin(p, i),
        };
        if (names && names[def->index].text) f.name = add_name(l, names[def->index]);
        if (!f.name && def->is_host) f.name = add_host_name(l, &p->hosts[def->host]);
        append(l, ARTIFACT_FUNCS, &f, sizeof f);
    }
    uint32_t init_name = linker_add_string(l, "(init)", strlen("(init)"));
    for (uint32_t i = 0; i < p->instances_count; i++) {
        f = (struct artifact_func){
            .code_offset = l->inits[i].code_offset,
            .code_size = l->inits[i].size_bytes,
            .instance = i,
            .name = init_name,
        };
        append(l, ARTIFACT_FUNCS, &f, sizeof f);
    }
}

static int compare_code_offsets(const void *a, const void *b, void *context)
{
    const struct artifact_func *funcs = context;
    uint32_t x = funcs[*(const uint32_t *)a].code_offset;
    uint32_t y = funcs[*(const uint32_t *)b].code_offset;
    return (x > y) - (x < y);
}

static enum status build_order(struct linker *l, struct error *err)
{
    const struct buffer *b = &l->parts[ARTIFACT_FUNCS];
    const struct artifact_func *funcs = (const void *)b->data;
    uint32_t count = (uint32_t)(b->size_bytes / sizeof *funcs);
    for (uint32_t i = 1; i < count; i++) append(l, ARTIFACT_FUNC_ORDER, &i, sizeof i);
    enum status st = linker_check_parts(l, err);
    if (st || count < 2) return st;
    uint32_t *order = (void *)l->parts[ARTIFACT_FUNC_ORDER].data;
    qsort_r(order, count - 1, sizeof *order, compare_code_offsets, (void *)(uintptr_t)funcs);
    for (uint32_t i = 1; i + 1 < count; i++) {
        const struct artifact_func *f = &funcs[order[i - 1]], *next = &funcs[order[i]];
        if (f->code_offset + f->code_size > next->code_offset)
            return linker_bad(err, "functions %u and %u overlap", order[i - 1], order[i]);
    }
    return ST_OK;
}

static void append_letters(struct buffer *b, const struct wasm_valtype *types, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char letter = layout_type_letter(types[i]);
        buffer_append(b, &letter, 1);
    }
}

static void build_types(struct linker *l)
{
    const struct program *p = l->program;
    struct buffer *codes = &l->parts[ARTIFACT_TYPE_CODES];
    struct artifact_type t = {.trampoline_offset = l->trampolines[0].code_offset};
    buffer_append(codes, ":", 2);
    append(l, ARTIFACT_TYPES, &t, sizeof t);
    for (uint32_t i = 1; i < p->types_count; i++) {
        const struct wasm_type *type = &p->types[i].module->types[p->types[i].type];
        t = (struct artifact_type){
            .signature = (uint32_t)codes->size_bytes,
            .trampoline_offset = l->trampolines[i].code_offset,
            .params_count = type->params_count,
            .results_count = type->results_count,
        };
        append_letters(codes, type->params, type->params_count);
        buffer_append(codes, ":", 1);
        append_letters(codes, type->results, type->results_count);
        buffer_append(codes, "", 1);
        append(l, ARTIFACT_TYPES, &t, sizeof t);
    }
}

static void build_imports(struct linker *l)
{
    for (uint32_t i = 0; i < l->program->hosts_count; i++) {
        const struct program_host_import *h = &l->program->hosts[i];
        if (h->canon != PROGRAM_CANON_NONE) continue; /* among the component's tables */
        struct artifact_import import = {
            .module = add_name(l, h->module),
            .field = add_name(l, h->field),
            .func = h->func,
        };
        append(l, ARTIFACT_IMPORTS, &import, sizeof import);
    }
}

static uint32_t program_index(const struct program_instance *in, const struct wasm_export *x)
{
    switch (x->kind) {
    case WASM_EXT_FUNC: return in->funcs[x->index];
    case WASM_EXT_TABLE: return in->tables[x->index];
    case WASM_EXT_MEMORY: return in->memories[x->index];
    case WASM_EXT_GLOBAL: return in->globals[x->index];
    default: return in->tags[x->index];
    }
}

/* A function without a name of its own is known by that of its first export. */
static void name_func(struct linker *l, uint32_t func, uint32_t name)
{
    struct buffer *b = &l->parts[ARTIFACT_FUNCS];
    struct artifact_func *funcs = (void *)b->data;
    if (!b->failed && !funcs[func].name) funcs[func].name = name;
}

static void build_instances(struct linker *l)
{
    const struct program *p = l->program;
    for (uint32_t i = 0; i < p->instances_count; i++) {
        const struct program_instance *in = &p->instances[i];
        struct artifact_instance instance = {
            .init_func = p->funcs_count + i,
            .start_func = in->module->has_start ? in->funcs[in->module->start] : 0,
            .name = add_name(l, in->module->module_name),
        };
        append(l, ARTIFACT_INSTANCES, &instance, sizeof instance);
        for (uint32_t k = 0; k < in->module->exports_count; k++) {
            const struct wasm_export *x = &in->module->exports[k];
            struct artifact_export e = {
                .name = add_name(l, x->name),
                .instance = i,
                .kind = x->kind,
                .index = program_index(in, x),
            };
            append(l, ARTIFACT_EXPORTS, &e, sizeof e);
            if (x->kind == WASM_EXT_FUNC) name_func(l, e.index, e.name);
        }
    }
}

static void build_memories(struct linker *l)
{
    const struct program *p = l->program;
    for (uint32_t i = 0; i < p->memories_count; i++) {
        struct program_definition d = p->memories[i];
        const struct wasm_limits *limits =
            &p->instances[d.instance].module->memories[d.index].limits;
        struct artifact_memory m = {
            .pages_min = limits->min,
            .pages_max =
                limits->has_max && limits->max < MEMORY_PAGES_MAX ? limits->max : MEMORY_PAGES_MAX,
            .size_offset = l->layout->memory_sizes[i],
            .is64 = limits->is64,
        };
        append(l, ARTIFACT_MEMORIES, &m, sizeof m);
    }
}

static void build_tables(struct linker *l)
{
    const struct program *p = l->program;
    for (uint32_t i = 0; i < p->tables_count; i++) {
        struct program_definition d = p->tables[i];
        const struct wasm_limits *limits = &p->instances[d.instance].module->tables[d.index].limits;
        const struct layout_table *at = &l->layout->tables[i];
        struct artifact_table t = {
            .min = limits->min,
            .max = limits->has_max ? limits->max
                   : limits->is64  ? UINT64_MAX
                                   : UINT32_MAX,
            .size_offset = at->size_offset,
            .elements_offset = at->elements_offset,
            .capacity = at->capacity,
            .is64 = limits->is64,
        };
        append(l, ARTIFACT_TABLES, &t, sizeof t);
    }
}

static void build_globals(struct linker *l)
{
    const struct program *p = l->program;
    for (uint32_t i = 0; i < p->globals_count; i++) {
        struct program_definition d = p->globals[i];
        const struct wasm_global *def = &p->instances[d.instance].module->globals[d.index];
        struct artifact_global g = {
            .offset = l->layout->globals[i],
            .type = (uint8_t)layout_type_letter(def->type),
            .mutable = def->mutable,
        };
        append(l, ARTIFACT_GLOBALS, &g, sizeof g);
    }
}

static uint32_t element_reference(const struct program *p, uint32_t instance,
                                  const struct wasm_element_segment *s, uint32_t k)
{
    uint32_t reference = PROGRAM_FUNCTION_NULL;
    if (s->functions) return p->instances[instance].funcs[s->functions[k]];
    return layout_constant_reference(p, instance, s->exprs[k], &reference) ? reference : 0;
}

static void build_elements(struct linker *l)
{
    const struct program *p = l->program;
    struct buffer *rodata = &l->parts[ARTIFACT_RODATA];
    buffer_align(rodata, DATA_ALIGN_BYTES);
    for (uint32_t i = 0; i < p->elements_count; i++) {
        struct program_definition d = p->elements[i];
        const struct wasm_element_segment *s = &p->instances[d.instance].module->elements[d.index];
        const struct layout_element *at = &l->layout->elements[i];
        struct artifact_element e = {
            .count = at->count,
            .dropped_offset = at->dropped_offset,
            .in_context = at->in_context,
            .elements_offset = at->in_context ? at->elements_offset : (int32_t)rodata->size_bytes,
        };
        append(l, ARTIFACT_ELEMENTS, &e, sizeof e);
        for (uint32_t k = 0; !at->in_context && k < at->count; k++) {
            uint32_t reference = element_reference(p, d.instance, s, k);
            buffer_append(rodata, &reference, sizeof reference);
        }
    }
}

static void build_datas(struct linker *l)
{
    const struct program *p = l->program;
    struct buffer *rodata = &l->parts[ARTIFACT_RODATA];
    for (uint32_t i = 0; i < p->datas_count; i++) {
        struct program_definition d = p->datas[i];
        const struct wasm_module *m = p->instances[d.instance].module;
        const struct wasm_data_segment *s = &m->datas[d.index];
        buffer_align(rodata, DATA_ALIGN_BYTES);
        struct artifact_data data = {
            .rodata_offset = (uint32_t)rodata->size_bytes,
            .size_bytes = (uint32_t)s->bytes_size,
            .dropped_offset = l->layout->data_dropped[i],
        };
        append(l, ARTIFACT_DATAS, &data, sizeof data);
        buffer_append(rodata, m->bytes + s->bytes_offset, s->bytes_size);
    }
}

enum status linker_build_sections(struct linker *l, struct error *err)
{
    buffer_append(&l->parts[ARTIFACT_STRINGS], "", 1);
    build_funcs(l);
    build_types(l);
    build_imports(l);
    build_instances(l);
    build_memories(l);
    build_tables(l);
    build_globals(l);
    build_elements(l);
    build_datas(l);
    enum status st = linker_check_parts(l, err);
    if (!st) st = build_order(l, err);
    uint64_t total =
        l->parts[ARTIFACT_CODE].size_bytes + (uint64_t)l->parts[ARTIFACT_RODATA].size_bytes;
    if (!st && total > LINKER_CODE_MAX)
        return error_set(err, ST_LIMIT, "code and data larger than %llu bytes", LINKER_CODE_MAX);
    return st;
}
