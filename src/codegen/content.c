#include "content.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "facts.h"
#include "wasm/instr.h"

#define CHUNK_FUNCTIONS  32u /* that a thread takes at a time */
#define ARENA_BYTES_MAX  ((size_t)1 << 32)
#define STREAM_BYTES_MAX ((size_t)1 << 33)
#define CALLEES_FIRST    64u
#define STREAM_END       UINT32_MAX /* where the number of an opcode would stand */
#define CONTENT_FUNCTION 1u
#define CONTENT_THUNK    2u

/* What a thread works with: the bytes that a digest is of, and who was called so far. */
struct reader {
    const struct program *program;
    const struct layout *layout;
    struct contents *contents;
    struct arena *arena;
    struct buffer stream;
    uint32_t *callees;
    uint32_t callees_count, callees_capacity;
    uint32_t *stamps, *numbers; /* by program function: valid when the stamp is `serial` */
    uint32_t serial;
    bool failed; /* out of memory */
};

static void add(struct reader *r, const void *bytes, size_t size_bytes)
{
    buffer_append(&r->stream, bytes, size_bytes);
}

static void add_u32(struct reader *r, uint32_t value)
{
    add(r, &value, sizeof value);
}

static void add_letters(struct buffer *b, const struct wasm_valtype *types, uint32_t count)
{
    buffer_append(b, &count, sizeof count);
    for (uint32_t i = 0; i < count; i++) {
        char letter = layout_type_letter(types[i]);
        buffer_append(b, &letter, 1);
    }
}

void content_add_type(struct buffer *b, const struct wasm_type *type)
{
    add_letters(b, type->params, type->params_count);
    add_letters(b, type->results, type->results_count);
}

/* ---- indices ---- */

/* The callee's number in the list of callees. */
static void add_callee(struct reader *r, uint32_t func)
{
    if (r->stamps[func] != r->serial) {
        if (r->callees_count == r->callees_capacity) {
            uint32_t capacity = r->callees_capacity ? r->callees_capacity * 2 : CALLEES_FIRST;
            uint32_t *callees = realloc(r->callees, capacity * sizeof *callees);
            if (!callees) {
                r->failed = true;
                return;
            }
            r->callees = callees;
            r->callees_capacity = capacity;
        }
        r->stamps[func] = r->serial;
        r->numbers[func] = r->callees_count;
        r->callees[r->callees_count++] = func;
    }
    add_u32(r, r->numbers[func]);
}

static void add_memory(struct reader *r, const struct facts *facts, uint32_t memory)
{
    struct fact_memory fact = fact_memory(facts, memory);
    add(r, &fact, sizeof fact);
}

static void add_table(struct reader *r, const struct facts *facts, uint32_t table)
{
    struct fact_table fact = fact_table(facts, table);
    add(r, &fact, sizeof fact);
}

/* What the one index of an instruction means. False: not an instruction that is known here. */
static bool add_index(struct reader *r, const struct facts *facts, const struct wasm_instr *instr)
{
    const struct wasm_module *m = facts->instance->module;
    struct fact_global global;
    switch (instr->op) {
    case WASM_OP_CALL:
    case WASM_OP_RETURN_CALL:
        content_add_type(&r->stream, &m->types[m->funcs[instr->index].type]);
        add_callee(r, fact_callee(facts, instr->index));
        return true;
    case WASM_OP_GLOBAL_GET:
    case WASM_OP_GLOBAL_SET:
        global = fact_global(facts, instr->index);
        add(r, &global, sizeof global);
        return true;
    case WASM_OP_TABLE_GET:
    case WASM_OP_TABLE_SET:
    case WASM_OP_TABLE_SIZE:
    case WASM_OP_TABLE_GROW:
    case WASM_OP_TABLE_FILL: add_table(r, facts, instr->index); return true;
    case WASM_OP_MEMORY_SIZE:
    case WASM_OP_MEMORY_GROW:
    case WASM_OP_MEMORY_FILL: add_memory(r, facts, instr->index); return true;
    case WASM_OP_REF_FUNC: add_u32(r, fact_reference(facts, instr->index)); return true;
    case WASM_OP_ELEM_DROP: add_u32(r, fact_element(facts, instr->index)); return true;
    case WASM_OP_DATA_DROP: add_u32(r, fact_data(facts, instr->index)); return true;
    default: return false;
    }
}

static bool add_indices(struct reader *r, const struct facts *facts, const struct wasm_instr *instr)
{
    switch (instr->op) {
    case WASM_OP_TABLE_COPY:
        add_table(r, facts, instr->index);
        add_table(r, facts, instr->index2);
        return true;
    case WASM_OP_TABLE_INIT: /* immediates: segment, table */
        add_u32(r, fact_element(facts, instr->index));
        add_table(r, facts, instr->index2);
        return true;
    case WASM_OP_MEMORY_COPY:
        add_memory(r, facts, instr->index);
        add_memory(r, facts, instr->index2);
        return true;
    case WASM_OP_MEMORY_INIT: /* immediates: segment, memory */
        add_u32(r, fact_data(facts, instr->index));
        add_memory(r, facts, instr->index2);
        return true;
    default: return false;
    }
}

static void add_indirect(struct reader *r, const struct facts *facts,
                         const struct wasm_instr *instr)
{
    struct fact_indirect fact = fact_indirect(facts, instr->index);
    add(r, &fact, sizeof fact);
    add_table(r, facts, instr->index2);
    content_add_type(&r->stream, &facts->instance->module->types[instr->index]);
}

/* ---- instructions ---- */

/* True: the bytes say it all. Memory accesses name a memory, and all memories are in the digest. */
static bool is_plain(const struct wasm_instr *instr)
{
    switch ((enum wasm_immediate)instr->immediate) {
    case WASM_IMM_NONE:
    case WASM_IMM_LABEL:
    case WASM_IMM_LABEL_TABLE:
    case WASM_IMM_SELECT:
    case WASM_IMM_MEMARG:
    case WASM_IMM_MEMARG_LANE:
    case WASM_IMM_I32:
    case WASM_IMM_I64:
    case WASM_IMM_F32:
    case WASM_IMM_F64:
    case WASM_IMM_V128:
    case WASM_IMM_LANE:
    case WASM_IMM_SHUFFLE: return true;
    case WASM_IMM_HEAP: return instr->op == WASM_OP_REF_NULL;
    case WASM_IMM_BLOCK: return instr->block.form != WASM_BLOCK_TYPE;
    case WASM_IMM_INDEX:
        return instr->op == WASM_OP_LOCAL_GET || instr->op == WASM_OP_LOCAL_SET ||
               instr->op == WASM_OP_LOCAL_TEE;
    case WASM_IMM_INDEX2:
    case WASM_IMM_CALL_INDIRECT:
    case WASM_IMM_CAST:
    case WASM_IMM_TRY_TABLE: return false;
    }
    return false;
}

static bool add_meaning(struct reader *r, const struct facts *facts, const struct wasm_instr *instr)
{
    switch ((enum wasm_immediate)instr->immediate) {
    case WASM_IMM_BLOCK:
        content_add_type(&r->stream, &facts->instance->module->types[instr->block.type]);
        return true;
    case WASM_IMM_INDEX: return add_index(r, facts, instr);
    case WASM_IMM_INDEX2: return add_indices(r, facts, instr);
    case WASM_IMM_CALL_INDIRECT: add_indirect(r, facts, instr); return true;
    default: return false;
    }
}

/* The body as records: a run of plain bytes behind its length, then an opcode, its encoded length
 * and its meaning. */
static bool add_body(struct reader *r, const struct facts *facts, const struct wasm_func *func)
{
    const uint8_t *bytes = facts->instance->module->bytes;
    struct wasm_reader in = {bytes, func->body_offset, func->body_end};
    struct wasm_instr instr;
    size_t plain = in.offset;
    while (in.offset < in.end) {
        if (wasm_instr_next(&in, &instr, NULL)) return false;
        if (is_plain(&instr)) continue;
        add_u32(r, (uint32_t)(instr.offset - plain));
        add(r, bytes + plain, instr.offset - plain);
        add_u32(r, instr.op);
        add_u32(r, (uint32_t)(in.offset - instr.offset));
        if (!add_meaning(r, facts, &instr)) return false;
        plain = in.offset;
    }
    add_u32(r, (uint32_t)(in.end - plain));
    add(r, bytes + plain, in.end - plain);
    add_u32(r, STREAM_END);
    return true;
}

static bool add_function(struct reader *r, const struct program_func *pf)
{
    struct facts facts = facts_of(r->program, r->layout, pf->instance);
    const struct wasm_module *m = facts.instance->module;
    const struct wasm_func *func = &m->funcs[pf->index];
    add_u32(r, CONTENT_FUNCTION);
    content_add_type(&r->stream, &m->types[func->type]);
    add_u32(r, func->runs_count);
    for (uint32_t i = 0; i < func->runs_count; i++) {
        add_u32(r, func->runs[i].count);
        add_u32(r, (uint32_t)layout_type_letter(func->runs[i].type));
    }
    add_u32(r, m->memories_count);
    for (uint32_t i = 0; i < m->memories_count; i++) add_memory(r, &facts, i);
    return add_body(r, &facts, func);
}

static bool read_function(struct reader *r, uint32_t func)
{
    const struct program_func *pf = &r->program->funcs[func];
    struct content *c = &r->contents->funcs[func];
    buffer_clear(&r->stream);
    r->callees_count = 0;
    r->serial++;
    if (pf->is_host) {
        const struct program_type *t = &r->program->types[pf->type_id];
        add_u32(r, CONTENT_THUNK);
        add_u32(r, func);
        content_add_type(&r->stream, &t->module->types[t->type]);
        c->known = true;
    } else {
        c->known = add_function(r, pf);
    }
    if (r->failed || r->stream.failed) return false;
    sha256(r->stream.data, r->stream.size_bytes, c->digest);
    uint32_t *callees = arena_alloc_array(r->arena, r->callees_count, sizeof *callees);
    if (!callees) return false;
    for (uint32_t i = 0; i < r->callees_count; i++) callees[i] = r->callees[i];
    c->callees = callees;
    c->callees_count = r->callees_count;
    return true;
}

/* ---- threads ---- */

struct work {
    const struct program *program;
    const struct layout *layout;
    struct contents *contents;
    atomic_uint next; /* function */
    atomic_uint arenas;
    atomic_bool failed;
};

static void *run(void *arg)
{
    struct work *w = arg;
    size_t count = w->program->funcs_count;
    struct reader r = {.program = w->program, .layout = w->layout, .contents = w->contents};
    r.arena = &w->contents->arenas[atomic_fetch_add(&w->arenas, 1)];
    buffer_init(&r.stream, STREAM_BYTES_MAX);
    r.stamps = calloc(count, sizeof *r.stamps);
    r.numbers = calloc(count, sizeof *r.numbers);
    bool ok = r.stamps && r.numbers;
    while (ok && !atomic_load(&w->failed)) {
        uint32_t first = atomic_fetch_add(&w->next, CHUNK_FUNCTIONS);
        if (first >= count) break;
        for (uint32_t i = first; ok && i < count && i < first + CHUNK_FUNCTIONS; i++)
            ok = read_function(&r, i);
    }
    if (!ok) atomic_store(&w->failed, true);
    buffer_done(&r.stream);
    free(r.callees);
    free(r.stamps);
    free(r.numbers);
    return NULL;
}

enum status contents_init(struct contents *c, const struct program *program,
                          const struct layout *layout, uint32_t threads, struct error *err)
{
    *c = (struct contents){.arenas_count = threads ? threads : 1};
    assert(c->arenas_count <= THREADS_MAX);
    for (uint32_t i = 0; i < c->arenas_count; i++) arena_init(&c->arenas[i], ARENA_BYTES_MAX);
    c->funcs = calloc((size_t)program->funcs_count + 1, sizeof *c->funcs);
    if (!c->funcs) return error_set(err, ST_NO_MEMORY, "code generation: contents");
    struct work w = {.program = program, .layout = layout, .contents = c, .next = 1};
    uint32_t useful = program->funcs_count / CHUNK_FUNCTIONS + 1;
    threads_run(useful < c->arenas_count ? useful : c->arenas_count, run, &w);
    if (atomic_load(&w.failed)) return error_set(err, ST_NO_MEMORY, "code generation: contents");
    return ST_OK;
}

void contents_done(struct contents *c)
{
    for (uint32_t i = 0; i < c->arenas_count; i++) arena_done(&c->arenas[i]);
    free(c->funcs);
    *c = (struct contents){0};
}
