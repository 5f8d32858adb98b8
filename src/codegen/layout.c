#include "layout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "wasm/instr.h"

/* Element arrays of tables start on their own cache line. */
#define TABLE_ALIGN_BYTES 64u

/* Arrays by program index: at most a few dozen bytes a definition. */
#define LAYOUT_ARENA_BYTES_MAX (1ull << 30)

#define OP_PREFIX_BULK 0xfcu

struct layout_made {
    struct layout layout; /* first: what callers hold */
    struct arena arena;
    uint64_t cursor; /* bytes below the base that are taken */
    int32_t *memory_sizes, *globals, *data_dropped;
    struct layout_table *tables;
    struct layout_element *elements;
    bool *table_grows;
};

char layout_type_letter(struct wasm_valtype type)
{
    switch (type.kind) {
    case WASM_I32: return 'i';
    case WASM_I64: return 'l';
    case WASM_F32: return 'f';
    case WASM_F64: return 'd';
    case WASM_V128: return 'v';
    default: return 'r';
    }
}

uint32_t layout_type_bytes(struct wasm_valtype type)
{
    switch (type.kind) {
    case WASM_I64:
    case WASM_F64: return 8;
    case WASM_V128: return 16;
    default: return 4;
    }
}

bool layout_constant_reference(const struct program *p, uint32_t instance, struct wasm_expr expr,
                               uint32_t *ret)
{
    const struct program_instance *in = &p->instances[instance];
    struct wasm_reader r = {in->module->bytes, expr.offset, expr.offset + expr.size_bytes};
    struct wasm_instr first, last;
    if (wasm_instr_next(&r, &first, NULL) || wasm_instr_next(&r, &last, NULL)) return false;
    if (last.op != WASM_OP_END || r.offset != r.end) return false;
    if (first.op == WASM_OP_REF_NULL) {
        *ret = PROGRAM_FUNCTION_NULL;
        return true;
    }
    if (first.op != WASM_OP_REF_FUNC) return false;
    *ret = in->funcs[first.index];
    return true;
}

/* Takes `bytes` more below what is taken, aligned; the offset of their first byte. */
static enum status place(struct layout_made *m, uint64_t bytes, uint64_t align, int32_t *ret,
                         struct error *err)
{
    if (bytes > SLOT_CONTEXT_BYTES_MAX) bytes = SLOT_CONTEXT_BYTES_MAX + 1;
    uint64_t end = (m->cursor + bytes + align - 1) & ~(align - 1);
    if (end > SLOT_CONTEXT_BYTES_MAX)
        return error_set(err, ST_LIMIT,
                         "globals, tables and segments need more than %llu bytes of context",
                         (unsigned long long)SLOT_CONTEXT_BYTES_MAX);
    m->cursor = end;
    *ret = (int32_t)-(int64_t)end;
    return ST_OK;
}

/* Whether a body holds a table.grow is asked of whole modules of many MiB: only bodies that hold
 * the opcode's prefix byte at all are read instruction by instruction. */
static void find_grows_in_body(struct layout_made *m, const struct program_instance *in,
                               const struct wasm_func *f)
{
    size_t size = f->body_end - f->body_offset;
    if (!memchr(in->module->bytes + f->body_offset, OP_PREFIX_BULK, size)) return;
    struct wasm_reader r = {in->module->bytes, f->body_offset, f->body_end};
    while (r.offset < r.end) {
        struct wasm_instr i;
        if (wasm_instr_next(&r, &i, NULL)) return;
        if (i.op == WASM_OP_TABLE_GROW) m->table_grows[in->tables[i.index]] = true;
    }
}

static bool limits_fixed(const struct wasm_limits *limits)
{
    return limits->has_max && limits->max <= limits->min;
}

static void find_grows(struct layout_made *m, const struct program_instance *in)
{
    bool any = false;
    for (uint32_t t = 0; t < in->module->tables_count; t++)
        any = any || !limits_fixed(&in->module->tables[t].limits);
    if (!any) return;
    for (uint32_t e = 0; e < in->module->exports_count; e++) {
        const struct wasm_export *x = &in->module->exports[e];
        if (x->kind == WASM_EXT_TABLE) m->table_grows[in->tables[x->index]] = true;
    }
    for (uint32_t f = 0; f < in->module->funcs_count; f++)
        if (!in->module->funcs[f].imported) find_grows_in_body(m, in, &in->module->funcs[f]);
}

static uint32_t table_capacity(const struct wasm_limits *limits, bool grows)
{
    uint64_t capacity = limits->min;
    if (grows) {
        if (capacity < LAYOUT_TABLE_GROWTH_MAX) capacity = LAYOUT_TABLE_GROWTH_MAX;
        if (limits->has_max && limits->max < capacity) capacity = limits->max;
    }
    /* What does not fit 32 bits does not fit the context either, which place() says. */
    return capacity > UINT32_MAX ? UINT32_MAX : (uint32_t)capacity;
}

static const struct wasm_table *table_definition(const struct program *p, uint32_t t)
{
    struct program_definition d = p->tables[t];
    return &p->instances[d.instance].module->tables[d.index];
}

static enum status place_hot(struct layout_made *m, const struct program *p, struct error *err)
{
    enum status st = ST_OK;
    for (uint32_t i = 0; !st && i < p->memories_count; i++)
        st = place(m, sizeof(uint64_t), sizeof(uint64_t), &m->memory_sizes[i], err);
    for (uint32_t i = 0; !st && i < p->tables_count; i++)
        st = place(m, sizeof(uint32_t), sizeof(uint32_t), &m->tables[i].size_offset, err);
    for (uint32_t i = 0; !st && i < p->globals_count; i++) {
        struct program_definition d = p->globals[i];
        uint32_t bytes = layout_type_bytes(p->instances[d.instance].module->globals[d.index].type);
        st = place(m, bytes, bytes, &m->globals[i], err);
    }
    for (uint32_t i = 0; !st && i < p->datas_count; i++)
        st = place(m, 1, 1, &m->data_dropped[i], err);
    for (uint32_t i = 0; !st && i < p->elements_count; i++)
        st = place(m, 1, 1, &m->elements[i].dropped_offset, err);
    return st;
}

static bool segment_is_constant(const struct program *p, uint32_t instance,
                                const struct wasm_element_segment *s)
{
    if (s->functions) return true;
    for (uint32_t k = 0; k < s->count; k++) {
        uint32_t reference;
        if (!layout_constant_reference(p, instance, s->exprs[k], &reference)) return false;
    }
    return true;
}

static enum status place_elements(struct layout_made *m, const struct program *p, struct error *err)
{
    enum status st = ST_OK;
    for (uint32_t i = 0; !st && i < p->elements_count; i++) {
        struct program_definition d = p->elements[i];
        const struct wasm_element_segment *s = &p->instances[d.instance].module->elements[d.index];
        struct layout_element *e = &m->elements[i];
        if (s->mode == WASM_DECLARATIVE) continue;
        e->count = s->count;
        e->in_context = !segment_is_constant(p, d.instance, s);
        if (e->in_context)
            st = place(m, (uint64_t)e->count * sizeof(uint32_t), sizeof(uint64_t),
                       &e->elements_offset, err);
    }
    return st;
}

static enum status place_tables(struct layout_made *m, const struct program *p, struct error *err)
{
    for (uint32_t i = 0; i < p->instances_count; i++) find_grows(m, &p->instances[i]);
    enum status st = ST_OK;
    for (uint32_t i = 0; !st && i < p->tables_count; i++) {
        struct layout_table *t = &m->tables[i];
        t->capacity = table_capacity(&table_definition(p, i)->limits, m->table_grows[i]);
        st = place(m, (uint64_t)t->capacity * sizeof(uint32_t), TABLE_ALIGN_BYTES,
                   &t->elements_offset, err);
    }
    return st;
}

static enum status allocate(struct layout_made *m, const struct program *p, struct error *err)
{
    struct layout *l = &m->layout;
    l->memory_sizes = m->memory_sizes = arena_array(&m->arena, int32_t, p->memories_count);
    l->globals = m->globals = arena_array(&m->arena, int32_t, p->globals_count);
    l->data_dropped = m->data_dropped = arena_array(&m->arena, int32_t, p->datas_count);
    l->tables = m->tables = arena_array(&m->arena, struct layout_table, p->tables_count);
    l->elements = m->elements = arena_array(&m->arena, struct layout_element, p->elements_count);
    m->table_grows = arena_array(&m->arena, bool, p->tables_count);
    if (!m->memory_sizes || !m->globals || !m->data_dropped || !m->tables || !m->elements ||
        !m->table_grows)
        return error_set(err, ST_NO_MEMORY, "layout of the context");
    return ST_OK;
}

static uint32_t power_of_two_above(uint32_t count)
{
    uint32_t n = 1;
    while (n < count) n *= 2;
    return n;
}

static enum status check_memories(const struct program *program, struct error *err)
{
    if (program->memories_count > SLOT_LANES_MAX)
        return error_set(err, ST_LIMIT, "%u memories; at most %u", program->memories_count,
                         SLOT_LANES_MAX);
    for (uint32_t i = 0; i < program->memories_count; i++) {
        struct program_definition d = program->memories[i];
        const struct wasm_memory *memory =
            &program->instances[d.instance].module->memories[d.index];
        if (memory->limits.min > SLOT_MEMORY_BYTES_MAX / WASM_PAGE_BYTES)
            return error_set(err, ST_LIMIT, "a memory of %llu pages; at most %llu",
                             (unsigned long long)memory->limits.min,
                             SLOT_MEMORY_BYTES_MAX / WASM_PAGE_BYTES);
    }
    return ST_OK;
}

enum status layout_new(const struct program *program, struct layout **ret, struct error *err)
{
    assert(program && ret);
    enum status st = check_memories(program, err);
    if (st) return st;
    struct layout_made *m = calloc(1, sizeof *m);
    if (!m) return error_set(err, ST_NO_MEMORY, "layout of the context");
    arena_init(&m->arena, LAYOUT_ARENA_BYTES_MAX);
    st = allocate(m, program, err);
    if (!st) st = place_hot(m, program, err);
    if (!st) st = place_elements(m, program, err);
    if (!st) st = place_tables(m, program, err);
    int32_t last;
    if (!st) st = place(m, 0, ARTIFACT_PAGE, &last, err);
    if (st) {
        layout_free(&m->layout);
        return st;
    }
    m->layout.program = program;
    m->layout.context_bytes = m->cursor ? m->cursor : ARTIFACT_PAGE;
    m->layout.lanes_count = program->memories_count ? program->memories_count : 1;
    m->layout.functable_count = power_of_two_above(program->funcs_count);
    *ret = &m->layout;
    return ST_OK;
}

void layout_free(struct layout *l)
{
    if (!l) return;
    struct layout_made *m = (struct layout_made *)l;
    arena_done(&m->arena);
    free(m);
}
