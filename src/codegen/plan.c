#include "plan.h"

#include <assert.h>
#include <stdlib.h>

#include "wasm/instr.h"

struct shape {
    uint64_t size_bytes, blocks, edges, locals;
};

/* Reads a body once and counts what optimisers are sensitive to. */
static struct shape function_shape(const struct wasm_module *m, const struct wasm_func *func)
{
    struct shape s = {.size_bytes = func->body_end - func->body_offset,
                      .locals = func->locals_count + m->types[func->type].params_count};
    struct wasm_reader r = {m->bytes, func->body_offset, func->body_end};
    struct wasm_instr instr;
    while (r.offset < r.end && !wasm_instr_next(&r, &instr, NULL)) {
        switch (instr.op) {
        case WASM_OP_BR_TABLE:
            s.edges += instr.vector_count;
            s.blocks++;
            break;
        case WASM_OP_BLOCK:
        case WASM_OP_LOOP:
        case WASM_OP_IF:
        case WASM_OP_ELSE:
        case WASM_OP_BR_IF: s.blocks++; break;
        default: break;
        }
    }
    return s;
}

static bool must_lower(const struct shape *s)
{
    return s->size_bytes > PLAN_BYTES_MAX || s->edges > PLAN_EDGES_MAX ||
           s->blocks * s->locals > PLAN_BLOCKS_LOCALS_MAX;
}

static void add_item(struct plan *p, enum plan_kind kind, uint32_t index)
{
    p->items[p->items_count++] = (struct plan_item){kind, index};
}

static void open_batch(struct plan *p, bool fast)
{
    p->batches[p->batches_count++] = (struct plan_batch){.first = p->items_count, .fast = fast};
}

/* Puts an item into the current batch, or into a new one when that is full. */
static void place(struct plan *p, enum plan_kind kind, uint32_t index, uint64_t size_bytes)
{
    struct plan_batch *b = &p->batches[p->batches_count - 1];
    if (b->count == PLAN_BATCH_ITEMS_MAX ||
        (b->count && b->size_bytes + size_bytes > PLAN_BATCH_BYTES_MAX)) {
        open_batch(p, b->fast);
        b++;
    }
    add_item(p, kind, index);
    b->count++;
    b->size_bytes += size_bytes;
    p->size_bytes += size_bytes;
}

/* Functions too large or too costly for company: each a batch of its own. */
static void place_alone(struct plan *p, uint32_t func, uint64_t size_bytes, bool lowered)
{
    open_batch(p, lowered);
    place(p, PLAN_FUNCTION, func, size_bytes);
}

/* First what shares batches, then what has its own, both by program index. */
static void plan_functions(struct plan *p, const struct program *program,
                           const struct codegen_options *options)
{
    bool optimise = options->level != CODEGEN_FAST;
    for (int alone = 0; alone < 2; alone++) {
        open_batch(p, false);
        for (uint32_t i = 1; i < program->funcs_count; i++) {
            const struct program_func *pf = &program->funcs[i];
            if (pf->is_host) {
                if (!alone) place(p, PLAN_THUNK, i, 16);
                continue;
            }
            const struct wasm_module *m = program->instances[pf->instance].module;
            const struct wasm_func *func = &m->funcs[pf->index];
            struct shape s = {.size_bytes = func->body_end - func->body_offset};
            bool lowered = false;
            if (optimise) {
                s = function_shape(m, func);
                lowered = must_lower(&s);
            }
            bool wants_own = lowered || s.size_bytes > PLAN_BATCH_BYTES_MAX;
            if (wants_own != (alone != 0)) continue;
            if (wants_own) {
                place_alone(p, i, s.size_bytes, lowered);
                p->functions_lowered += lowered;
            } else {
                place(p, PLAN_FUNCTION, i, s.size_bytes);
            }
        }
    }
}

static bool type_is_called(const struct program *program, bool *called)
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
    return true;
}

/* Entry and initialisation run once a call or once a deploy: always fast. */
static enum status plan_entries(struct plan *p, const struct program *program)
{
    bool *called = calloc((size_t)program->types_count + 1, sizeof *called);
    if (!called) return ST_NO_MEMORY;
    type_is_called(program, called);
    open_batch(p, false);
    uint32_t types_count = program->types_count ? program->types_count : 1;
    for (uint32_t i = 0; i < types_count; i++)
        if (called[i]) place(p, PLAN_TRAMPOLINE, i, 64);
    free(called);
    for (uint32_t k = 0; k < program->instances_count; k++) {
        open_batch(p, true);
        place(p, PLAN_INIT, k, 64);
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
                      const struct codegen_options *options, struct error *err)
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
    plan_functions(p, program, options);
    enum status st = plan_entries(p, program);
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
