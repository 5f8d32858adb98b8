#include "batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "emit_module.h"
#include "unit.h"

#define KEY_BYTES_MAX ((size_t)1 << 32)

static const struct plan_item *item_at(const struct batch_program *p, const struct plan_batch *b,
                                       uint32_t i)
{
    return &p->plan->items[b->first + i];
}

static bool is_function(const struct plan_item *item)
{
    return item->kind == PLAN_FUNCTION || item->kind == PLAN_THUNK;
}

/* ---- numbers ---- */

static uint32_t symbols_max(const struct batch_program *p, const struct plan_batch *b)
{
    uint32_t count = b->count;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct plan_item *item = item_at(p, b, i);
        if (is_function(item)) count += p->contents->funcs[item->index].callees_count;
    }
    return count;
}

/* While they are given, `numbers` holds number + 1, and 0 for none. */
static void add_symbol(struct batch_code *code, uint32_t *numbers, uint32_t func)
{
    if (numbers[func]) return;
    code->symbols[code->symbols_count++] = func;
    numbers[func] = code->symbols_count;
}

enum status batch_name(const struct batch_program *p, const struct plan_batch *batch,
                       uint32_t *numbers, struct batch_code *code, struct error *err)
{
    code->symbols = calloc((size_t)symbols_max(p, batch) + 1, sizeof *code->symbols);
    if (!code->symbols) return error_set(err, ST_NO_MEMORY, "code generation: symbols");
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct plan_item *item = item_at(p, batch, i);
        if (is_function(item))
            add_symbol(code, numbers, item->index);
        else
            code->symbols[code->symbols_count++] = item->index;
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct plan_item *item = item_at(p, batch, i);
        if (!is_function(item)) continue;
        const struct content *c = &p->contents->funcs[item->index];
        for (uint32_t k = 0; k < c->callees_count; k++) add_symbol(code, numbers, c->callees[k]);
    }
    if (is_function(item_at(p, batch, 0)))
        for (uint32_t i = 0; i < code->symbols_count; i++) numbers[code->symbols[i]]--;
    return ST_OK;
}

void batch_forget(const struct plan_batch *batch, const struct batch_program *p,
                  const struct batch_code *code, uint32_t *numbers)
{
    if (!is_function(item_at(p, batch, 0))) return;
    for (uint32_t i = 0; i < code->symbols_count; i++) numbers[code->symbols[i]] = 0;
}

/* ---- the key ---- */

static void add_u32(struct buffer *b, uint32_t value)
{
    buffer_append(b, &value, sizeof value);
}

static void add_item(const struct batch_program *p, const struct plan_item *item,
                     const uint32_t *numbers, struct buffer *text)
{
    static const struct wasm_type type_empty = {.composite = WASM_FUNC_TYPE};
    add_u32(text, item->kind);
    if (!is_function(item)) {
        content_add_type(text,
                         item->index ? emit_program_type(p->program, item->index) : &type_empty);
        return;
    }
    const struct content *c = &p->contents->funcs[item->index];
    buffer_append(text, c->digest, sizeof c->digest);
    add_u32(text, c->callees_count);
    for (uint32_t k = 0; k < c->callees_count; k++) add_u32(text, numbers[c->callees[k]]);
}

/* Init functions have no key: they change with every byte of a module and are soon compiled. */
static bool is_known(const struct batch_program *p, const struct plan_item *item)
{
    return item->kind == PLAN_TRAMPOLINE ||
           (is_function(item) && p->contents->funcs[item->index].known);
}

enum status batch_key(const struct batch_program *p, const struct plan_batch *batch,
                      const uint32_t *numbers, struct batch_code *code, struct error *err)
{
    for (uint32_t i = 0; i < batch->count; i++)
        if (!is_known(p, item_at(p, batch, i))) return ST_OK;
    struct buffer text;
    buffer_init(&text, KEY_BYTES_MAX);
    buffer_append(&text, codegen_engine(), strlen(codegen_engine()) + 1);
    add_u32(&text, batch->level);
    add_u32(&text, p->options->conforming);
    add_u32(&text, p->options->cpu_level);
    add_u32(&text, emit_callconv(p->program));
    add_u32(&text, batch->count);
    for (uint32_t i = 0; i < batch->count; i++) add_item(p, item_at(p, batch, i), numbers, &text);
    code->has_key = !text.failed;
    if (code->has_key) sha256(text.data, text.size_bytes, code->key);
    buffer_done(&text);
    return code->has_key ? ST_OK : error_set(err, ST_NO_MEMORY, "code generation: keys");
}

/* ---- compilation ---- */

static enum status emit_item(struct emitter *e, const struct plan_item *item, uint32_t number,
                             struct error *err)
{
    switch (item->kind) {
    case PLAN_FUNCTION: return emit_function(e, item->index, err);
    case PLAN_THUNK: return emit_thunk(e, item->index, err);
    case PLAN_INIT: return emit_init(e, item->index, err);
    case PLAN_TRAMPOLINE: emit_trampoline(e, item->index, number); return ST_OK;
    }
    return ST_INTERNAL;
}

/* The object at `level`. *ret is NULL when it was given up because a function of it would take too
 * long. */
static enum status try_level(const struct batch_program *p, const struct plan_batch *b,
                             const uint32_t *numbers, enum codegen_level level,
                             struct machine *machine, struct codegen_stats *stats,
                             LLVMMemoryBufferRef *ret, struct error *err)
{
    uint64_t start = clock_monotonic_ns(clock_system()), merges = 0;
    struct emitter e;
    emitter_init(&e, p->program, p->layout, p->options, level, numbers);
    enum status st = ST_OK;
    for (uint32_t i = 0; !st && i < b->count; i++) st = emit_item(&e, item_at(p, b, i), i, err);
    emitter_finish(&e);
    uint64_t emitted = clock_monotonic_ns(clock_system());
    stats->emit_ns += emitted - start;
    bool deep = e.stack_depth_max > PLAN_STACK_DEPTH_MAX && level != CODEGEN_FAST;
    if (!st && !deep) st = machine_optimise(machine, &e, PLAN_MERGES_MAX, &merges, err);
    *ret = NULL;
    if (!st && !deep && merges <= PLAN_MERGES_MAX) st = machine_emit(machine, &e, ret, err);
    stats->llvm_ns += clock_monotonic_ns(clock_system()) - emitted;
    emitter_done(&e);
    return st;
}

enum status batch_compile(const struct batch_program *p, const struct plan_batch *batch,
                          const uint32_t *numbers, struct machine *machine,
                          struct codegen_stats *stats, struct buffer *unit, struct error *err)
{
    LLVMMemoryBufferRef memory = NULL;
    bool again = false;
    enum status st = try_level(p, batch, numbers, batch->level, machine, stats, &memory, err);
    if (!st && !memory) {
        again = true;
        st = try_level(p, batch, numbers, CODEGEN_FAST, machine, stats, &memory, err);
    }
    if (!st) {
        const struct object_file object = {(const uint8_t *)LLVMGetBufferStart(memory),
                                           LLVMGetBufferSize(memory)};
        st = unit_from_object(&object, again ? batch->count : 0, unit, err);
    }
    if (memory) LLVMDisposeMemoryBuffer(memory);
    return st;
}
