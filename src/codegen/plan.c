#include "plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact_writer.h"
#include "wasm/instr.h"

/* What the code of an entry counts for when batches are filled. */
#define THUNK_BYTES 64u

struct shape {
    uint64_t size_bytes, blocks, edges, locals;
    uint64_t run, run_max; /* instructions, by weight, without a branch among them */
    uint32_t loop_depth_max, if_depth_max;
};

enum { NEST_BLOCK, NEST_LOOP, NEST_IF, NEST_KINDS };

/* The kinds of the blocks that are open. */
struct nest {
    uint8_t *kinds;
    uint32_t depth[NEST_KINDS];
    size_t count, capacity;
};

static bool nest_push(struct nest *n, uint8_t kind)
{
    if (n->count == n->capacity) {
        size_t capacity = n->capacity ? n->capacity * 2 : 64;
        uint8_t *kinds = realloc(n->kinds, capacity);
        if (!kinds) return false;
        n->kinds = kinds;
        n->capacity = capacity;
    }
    n->kinds[n->count++] = kind;
    n->depth[kind]++;
    return true;
}

/* How many values the instruction moves: a call's parameters and results. */
static uint64_t weight(const struct wasm_module *m, const struct wasm_instr *instr)
{
    const struct wasm_type *t;
    switch (instr->op) {
    case WASM_OP_CALL:
    case WASM_OP_RETURN_CALL: t = &m->types[m->funcs[instr->index].type]; break;
    case WASM_OP_CALL_INDIRECT:
    case WASM_OP_RETURN_CALL_INDIRECT: t = &m->types[instr->index]; break;
    default: return 1;
    }
    return 1 + (uint64_t)t->params_count + t->results_count;
}

/* Blocks for explicit traps: one for each check. */
static uint32_t trap_blocks(const struct wasm_module *m, const struct wasm_instr *instr)
{
    switch (instr->op) {
    case WASM_OP_I32_DIV_S:
    case WASM_OP_I64_DIV_S: return 4; /* the check for overflow is two branches in the end */
    case WASM_OP_CALL_INDIRECT:
    case WASM_OP_RETURN_CALL_INDIRECT: return 2;
    case WASM_OP_I32_DIV_U:
    case WASM_OP_I64_DIV_U:
    case WASM_OP_I32_REM_S:
    case WASM_OP_I64_REM_S:
    case WASM_OP_I32_REM_U:
    case WASM_OP_I64_REM_U:
    case WASM_OP_I32_TRUNC_F32_S:
    case WASM_OP_I32_TRUNC_F32_U:
    case WASM_OP_I32_TRUNC_F64_S:
    case WASM_OP_I32_TRUNC_F64_U:
    case WASM_OP_I64_TRUNC_F32_S:
    case WASM_OP_I64_TRUNC_F32_U:
    case WASM_OP_I64_TRUNC_F64_S:
    case WASM_OP_I64_TRUNC_F64_U:
    case WASM_OP_TABLE_GET:
    case WASM_OP_TABLE_SET: return 1;
    default: break;
    }
    bool accesses = instr->immediate == WASM_IMM_MEMARG || instr->immediate == WASM_IMM_MEMARG_LANE;
    return accesses && m->memories[instr->memarg.memory].limits.is64;
}

static bool note_instruction(const struct wasm_module *m, struct shape *s, struct nest *n,
                             const struct wasm_instr *instr)
{
    bool ok = true, branches = true;
    switch (instr->op) {
    case WASM_OP_BLOCK: ok = nest_push(n, NEST_BLOCK); break;
    case WASM_OP_LOOP: ok = nest_push(n, NEST_LOOP); break;
    case WASM_OP_IF: ok = nest_push(n, NEST_IF); break;
    case WASM_OP_END:
        if (n->count) n->depth[n->kinds[--n->count]]--;
        branches = false; /* its block is counted where it begins */
        break;
    case WASM_OP_BR_TABLE: s->edges += instr->vector_count; break;
    case WASM_OP_ELSE:
    case WASM_OP_BR_IF: break;
    default: branches = false; break;
    }
    s->blocks += branches + trap_blocks(m, instr);
    s->run = branches ? 0 : s->run + weight(m, instr);
    if (s->run > s->run_max) s->run_max = s->run;
    if (n->depth[NEST_LOOP] > s->loop_depth_max) s->loop_depth_max = n->depth[NEST_LOOP];
    if (n->depth[NEST_IF] > s->if_depth_max) s->if_depth_max = n->depth[NEST_IF];
    return ok;
}

/* Reads a body once and counts what optimisers are sensitive to. */
static bool function_shape(const struct wasm_module *m, const struct wasm_func *func,
                           struct shape *ret)
{
    struct shape s = {.size_bytes = func->body_end - func->body_offset,
                      .locals = func->locals_count + m->types[func->type].params_count};
    struct wasm_reader r = {m->bytes, func->body_offset, func->body_end};
    struct wasm_instr instr;
    struct nest n = {0};
    bool ok = true;
    while (ok && r.offset < r.end && !wasm_instr_next(&r, &instr, NULL))
        ok = note_instruction(m, &s, &n, &instr);
    free(n.kinds);
    *ret = s;
    return ok;
}

static enum codegen_level level_for(const struct shape *s, enum codegen_level wanted)
{
    if (s->size_bytes > PLAN_BYTES_MAX || s->blocks > PLAN_BLOCKS_MAX ||
        s->edges > PLAN_EDGES_MAX || s->run_max > PLAN_RUN_MAX ||
        s->loop_depth_max > PLAN_LOOP_DEPTH_MAX || s->if_depth_max > PLAN_IF_DEPTH_MAX ||
        s->blocks * s->locals > PLAN_BLOCKS_LOCALS_MAX)
        return CODEGEN_FAST;
    if (wanted == CODEGEN_AGGRESSIVE &&
        (s->size_bytes > PLAN_AGGRESSIVE_BYTES_MAX || s->blocks > PLAN_AGGRESSIVE_BLOCKS_MAX))
        return CODEGEN_OPTIMISED;
    return wanted;
}

static void add_item(struct plan *p, enum plan_kind kind, uint32_t index)
{
    p->items[p->items_count++] = (struct plan_item){kind, index};
}

static void open_batch(struct plan *p, enum codegen_level level)
{
    p->batches[p->batches_count++] = (struct plan_batch){.first = p->items_count, .level = level};
    p->batch_ends = false;
}

/* True for one byte of bodies in PLAN_BATCH_BYTES_USUAL, whatever functions they make up. */
static bool ends_batch(const struct content *content, uint64_t size_bytes)
{
    uint32_t chance;
    memcpy(&chance, content->digest, sizeof chance);
    if (size_bytes < THUNK_BYTES) size_bytes = THUNK_BYTES;
    return (uint64_t)chance * PLAN_BATCH_BYTES_USUAL < size_bytes << 32;
}

/* Puts an item into the current batch, or into a new one when that is full. */
static void place(struct plan *p, enum plan_kind kind, uint32_t index, uint64_t size_bytes)
{
    struct plan_batch *b = &p->batches[p->batches_count - 1];
    if (p->batch_ends || b->count == PLAN_BATCH_ITEMS_MAX ||
        (b->count && b->size_bytes + size_bytes > PLAN_BATCH_BYTES_MAX)) {
        open_batch(p, b->level);
        b++;
    }
    add_item(p, kind, index);
    b->count++;
    b->size_bytes += size_bytes;
    p->size_bytes += size_bytes;
}

static const struct wasm_func *definition_of(const struct program *program, uint32_t func,
                                             const struct wasm_module **ret_module)
{
    const struct program_func *pf = &program->funcs[func];
    *ret_module = program->instances[pf->instance].module;
    return &(*ret_module)->funcs[pf->index];
}

static uint64_t body_bytes(const struct program *program, uint32_t func)
{
    const struct wasm_module *m;
    const struct wasm_func *f = definition_of(program, func, &m);
    return f->body_end - f->body_offset;
}

/* The level of each function that is not the host's. */
static bool find_levels(const struct program *program, enum codegen_level wanted, uint8_t *levels)
{
    for (uint32_t i = 1; i < program->funcs_count; i++) {
        levels[i] = (uint8_t)wanted;
        if (program->funcs[i].is_host || wanted == CODEGEN_FAST) continue;
        const struct wasm_module *m;
        const struct wasm_func *f = definition_of(program, i, &m);
        struct shape s;
        if (!function_shape(m, f, &s)) return false;
        levels[i] = (uint8_t)level_for(&s, wanted);
    }
    return true;
}

/* Puts a function where it belongs: `alone` if it is too large or too costly for company. */
static void place_function(struct plan *p, const struct program *program, uint32_t func,
                           const struct contents *contents, enum codegen_level level,
                           enum codegen_level wanted, bool alone)
{
    uint64_t size_bytes = body_bytes(program, func);
    bool wants_own = level != wanted || size_bytes > PLAN_BATCH_BYTES_MAX;
    if (wants_own != alone) return;
    if (wants_own) {
        open_batch(p, level);
        p->functions_lowered += level == CODEGEN_FAST && wanted != level;
    }
    place(p, PLAN_FUNCTION, func, size_bytes);
    p->batch_ends = ends_batch(&contents->funcs[func], size_bytes);
}

/* First what shares batches, then what has its own, both by program index. */
static bool plan_functions(struct plan *p, const struct program *program,
                           const struct contents *contents, enum codegen_level wanted)
{
    uint8_t *levels = calloc((size_t)program->funcs_count + 1, 1);
    bool ok = levels && find_levels(program, wanted, levels);
    for (int alone = 0; ok && alone < 2; alone++) {
        open_batch(p, wanted);
        for (uint32_t i = 1; i < program->funcs_count; i++) {
            if (!program->funcs[i].is_host) {
                place_function(p, program, i, contents, levels[i], wanted, alone != 0);
            } else if (!alone) {
                place(p, PLAN_THUNK, i, THUNK_BYTES);
                p->batch_ends = ends_batch(&contents->funcs[i], THUNK_BYTES);
            }
        }
    }
    free(levels);
    return ok;
}

static void note_func(const struct program *program, bool *called, uint32_t func)
{
    if (func) called[program->funcs[func].type_id] = true;
}

static void note_options(const struct program *program, bool *called,
                         const struct artifact_canon_options *options)
{
    note_func(program, called, options->realloc);
    note_func(program, called, options->post_return);
    note_func(program, called, options->callback);
}

/* What the canonical ABI calls: mostly exports, yet a host import can be lifted too. */
static void note_component(const struct program *program, bool *called,
                           const struct artifact_part *parts)
{
    const struct artifact_part *canons = &parts[ARTIFACT_CANONS - ARTIFACT_COMPONENTS];
    const struct artifact_part *lifts = &parts[ARTIFACT_LIFTS - ARTIFACT_COMPONENTS];
    const struct artifact_part *resources = &parts[ARTIFACT_RESOURCES - ARTIFACT_COMPONENTS];
    const struct artifact_canon *canon = canons->bytes;
    const struct artifact_lift *lift = lifts->bytes;
    const struct artifact_resource *resource = resources->bytes;
    for (size_t i = 0; i < canons->size_bytes / sizeof *canon; i++)
        note_options(program, called, &canon[i].options);
    for (size_t i = 0; i < lifts->size_bytes / sizeof *lift; i++) {
        note_func(program, called, lift[i].func);
        note_options(program, called, &lift[i].options);
    }
    for (size_t i = 0; i < resources->size_bytes / sizeof *resource; i++)
        note_func(program, called, resource[i].destructor);
}

static void note_called(const struct program *program, bool *called)
{
    called[0] = true; /* init functions */
    for (uint32_t k = 0; k < program->instances_count; k++) {
        const struct program_instance *in = &program->instances[k];
        for (uint32_t i = 0; i < in->module->exports_count; i++)
            if (in->module->exports[i].kind == WASM_EXT_FUNC)
                called[program->funcs[in->funcs[in->module->exports[i].index]].type_id] = true;
        if (in->module->has_start)
            called[program->funcs[in->funcs[in->module->start]].type_id] = true;
    }
}

/* Entries into guest code and initialisation: there is nothing to optimise. */
static enum status plan_entries(struct plan *p, const struct program *program,
                                const struct artifact_part *component_parts)
{
    bool *called = calloc((size_t)program->types_count + 1, sizeof *called);
    if (!called) return ST_NO_MEMORY;
    note_called(program, called);
    if (component_parts) note_component(program, called, component_parts);
    open_batch(p, CODEGEN_FAST);
    uint32_t types_count = program->types_count ? program->types_count : 1;
    for (uint32_t i = 0; i < types_count; i++)
        if (called[i]) place(p, PLAN_TRAMPOLINE, i, THUNK_BYTES);
    free(called);
    for (uint32_t k = 0; k < program->instances_count; k++) {
        open_batch(p, CODEGEN_FAST);
        place(p, PLAN_INIT, k, THUNK_BYTES);
    }
    return ST_OK;
}

struct sort_key {
    uint64_t size_bytes;
    uint32_t batch;
};

static int compare_keys(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;
    if (x->size_bytes != y->size_bytes) return x->size_bytes < y->size_bytes ? 1 : -1;
    return x->batch < y->batch ? -1 : x->batch > y->batch;
}

static enum status sort_batches(struct plan *p)
{
    struct sort_key *keys = calloc((size_t)p->batches_count + 1, sizeof *keys);
    if (!keys) return ST_NO_MEMORY;
    for (uint32_t i = 0; i < p->batches_count; i++)
        keys[i] = (struct sort_key){p->batches[i].size_bytes, i};
    qsort(keys, p->batches_count, sizeof *keys, compare_keys);
    for (uint32_t i = 0; i < p->batches_count; i++) p->order[i] = keys[i].batch;
    free(keys);
    return ST_OK;
}

/* Batches without items may be left by open_batch(). */
static void drop_empty(struct plan *p)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->batches_count; i++)
        if (p->batches[i].count) p->batches[kept++] = p->batches[i];
    p->batches_count = kept;
}

enum status plan_init(struct plan *p, const struct program *program,
                      const struct codegen_options *options, const struct contents *contents,
                      struct error *err)
{
    *p = (struct plan){0};
    size_t items_max =
        (size_t)program->funcs_count + program->types_count + program->instances_count + 1;
    size_t batches_max = items_max * 2 + 8;
    p->items = calloc(items_max, sizeof *p->items);
    p->batches = calloc(batches_max, sizeof *p->batches);
    p->order = calloc(batches_max, sizeof *p->order);
    if (!p->items || !p->batches || !p->order)
        return error_set(err, ST_NO_MEMORY, "code generation: plan");
    enum codegen_level level =
        program->funcs_count > PLAN_FUNCTIONS_MAX ? CODEGEN_FAST : options->level;
    enum status st = plan_functions(p, program, contents, level) ? ST_OK : ST_NO_MEMORY;
    if (!st) st = plan_entries(p, program, options->component_parts);
    assert(p->items_count <= items_max && p->batches_count <= batches_max);
    drop_empty(p);
    if (!st) st = sort_batches(p);
    return st ? error_set(err, st, "code generation: plan") : ST_OK;
}

void plan_done(struct plan *p)
{
    free(p->items);
    free(p->batches);
    free(p->order);
    *p = (struct plan){0};
}
