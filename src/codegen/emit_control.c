/* Control (Core §4.4.8): blocks, branches. A label's results, or a loop's parameters, are phis at
 * the head of its target. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "emit_module.h"

#define LABELS_COUNT_FIRST 32u

enum emit_label_kind { LABEL_BLOCK, LABEL_LOOP, LABEL_IF, LABEL_FUNCTION };

static uint32_t label_arity(const struct emit_label *l)
{
    return l->kind == LABEL_LOOP ? l->params_count : l->results_count;
}

static struct emit_label *label_push(struct function_emitter *f, enum emit_label_kind kind)
{
    if (f->labels_count == f->labels_capacity) {
        uint32_t capacity = f->labels_capacity ? f->labels_capacity * 2 : LABELS_COUNT_FIRST;
        struct emit_label *labels = realloc(f->labels, capacity * sizeof *labels);
        if (!labels) {
            f->failed = true;
            return NULL;
        }
        f->labels = labels;
        f->labels_capacity = capacity;
    }
    struct emit_label *l = &f->labels[f->labels_count++];
    *l = (struct emit_label){.kind = (uint8_t)kind};
    return l;
}

static void label_pop(struct function_emitter *f)
{
    struct emit_label *l = &f->labels[--f->labels_count];
    free(l->phis);
    free(l->params);
}

void emit_label_function(struct function_emitter *f)
{
    struct emit_label *l = label_push(f, LABEL_FUNCTION);
    if (!l) return;
    l->results_count = f->type->results_count;
    l->result_types = f->type->results;
}

/* Parameters and results of a block type (Core §3.2.2). */
static void label_type(struct function_emitter *f, struct emit_label *l,
                       const struct wasm_instr *instr)
{
    switch (instr->block.form) {
    case WASM_BLOCK_EMPTY: break;
    case WASM_BLOCK_VALUE:
        /* The instruction is gone when the label is used: keep the type with the label. */
        l->single = instr->block.value;
        l->results_count = 1;
        break;
    case WASM_BLOCK_TYPE: {
        const struct wasm_type *t = &f->module->types[instr->block.type];
        l->param_types = t->params;
        l->params_count = t->params_count;
        l->result_types = t->results;
        l->results_count = t->results_count;
        break;
    }
    }
}

static LLVMTypeRef label_value_type(struct function_emitter *f, const struct emit_label *l,
                                    uint32_t i)
{
    if (l->kind == LABEL_LOOP) return emit_type(f->e, l->param_types[i]);
    return emit_type(f->e, l->result_types ? l->result_types[i] : l->single);
}

/* The block that branches to `l` go to, with its phis. */
static LLVMBasicBlockRef label_target(struct function_emitter *f, struct emit_label *l)
{
    if (l->target) return l->target;
    l->target = emit_block_new(f);
    uint32_t arity = label_arity(l);
    if (!arity) return l->target;
    l->phis = calloc(arity, sizeof *l->phis);
    if (!l->phis) {
        f->failed = true;
        return l->target;
    }
    LLVMBasicBlockRef here = LLVMGetInsertBlock(f->builder);
    LLVMPositionBuilderAtEnd(f->builder, l->target);
    for (uint32_t i = 0; i < arity; i++)
        l->phis[i] = LLVMBuildPhi(f->builder, label_value_type(f, l, i), "");
    LLVMPositionBuilderAtEnd(f->builder, here);
    return l->target;
}

/* Gives the topmost values to the phis of `l`, for an edge from the current block. */
static LLVMBasicBlockRef label_edge(struct function_emitter *f, struct emit_label *l)
{
    LLVMBasicBlockRef target = label_target(f, l);
    uint32_t arity = label_arity(l);
    if (!l->phis) return target;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(f->builder);
    LLVMValueRef *values = &f->stack[f->stack_count - arity];
    for (uint32_t i = 0; i < arity; i++) LLVMAddIncoming(l->phis[i], &values[i], &here, 1);
    return target;
}

static struct emit_label *label_at(struct function_emitter *f, uint32_t depth)
{
    assert(depth < f->labels_count);
    return &f->labels[f->labels_count - 1 - depth];
}

static void branch(struct function_emitter *f, uint32_t depth)
{
    struct emit_label *l = label_at(f, depth);
    if (l->kind == LABEL_FUNCTION) {
        emit_return(f);
        return;
    }
    LLVMBuildBr(f->builder, label_edge(f, l));
}

static void begin_loop(struct function_emitter *f, struct emit_label *l)
{
    LLVMBuildBr(f->builder, label_edge(f, l));
    emit_block_enter(f, l->target, false);
    if (!l->phis) return;
    memcpy(&f->stack[f->stack_count - l->params_count], l->phis, l->params_count * sizeof *l->phis);
}

static void begin_if(struct function_emitter *f, struct emit_label *l, LLVMValueRef condition)
{
    LLVMBasicBlockRef then = emit_block_new(f);
    l->otherwise = emit_block_new(f);
    LLVMBuildCondBr(f->builder, condition, then, l->otherwise);
    if (l->params_count) {
        l->params = calloc(l->params_count, sizeof *l->params);
        if (!l->params) {
            f->failed = true;
            return;
        }
        memcpy(l->params, &f->stack[f->stack_count - l->params_count],
               l->params_count * sizeof *l->params);
    }
    emit_block_enter(f, then, true);
}

static void begin(struct function_emitter *f, const struct wasm_instr *instr)
{
    LLVMValueRef condition = instr->op == WASM_OP_IF ? emit_pop_condition(f) : NULL;
    enum emit_label_kind kind = instr->op == WASM_OP_IF     ? LABEL_IF
                                : instr->op == WASM_OP_LOOP ? LABEL_LOOP
                                                            : LABEL_BLOCK;
    struct emit_label *l = label_push(f, kind);
    if (!l) return;
    label_type(f, l, instr);
    l->stack_count = f->stack_count - l->params_count;
    if (kind == LABEL_LOOP) begin_loop(f, l);
    if (kind == LABEL_IF) begin_if(f, l, condition);
}

/* The values that fall out of a block go to its end. */
static void fall_through(struct function_emitter *f, struct emit_label *l)
{
    if (f->dead) return;
    LLVMBuildBr(f->builder, label_edge(f, l));
}

static void restore_params(struct function_emitter *f, const struct emit_label *l)
{
    f->stack_count = l->stack_count;
    for (uint32_t i = 0; i < l->params_count; i++) emit_push(f, l->params[i]);
}

static void begin_else(struct function_emitter *f)
{
    struct emit_label *l = label_at(f, 0);
    fall_through(f, l);
    f->dead = false;
    restore_params(f, l);
    emit_block_enter(f, l->otherwise, false);
    l->otherwise = NULL;
}

static void end_function(struct function_emitter *f)
{
    if (!f->dead) emit_return(f);
    f->dead = true;
    label_pop(f);
}

static void end(struct function_emitter *f)
{
    struct emit_label *l = label_at(f, 0);
    if (l->kind == LABEL_FUNCTION) {
        end_function(f);
        return;
    }
    if (l->kind == LABEL_LOOP) { /* its end is no target: values just stay */
        label_pop(f);
        return;
    }
    if (l->otherwise) begin_else(f); /* an if without else: parameters are the results */
    if (!l->target) {                /* no branch to the end: go on, dead or alive */
        label_pop(f);
        return;
    }
    fall_through(f, l);
    f->dead = false;
    f->stack_count = l->stack_count;
    emit_block_enter(f, l->target, false);
    for (uint32_t i = 0; i < l->results_count; i++) emit_push(f, l->phis[i]);
    label_pop(f);
}

static void branch_if(struct function_emitter *f, uint32_t depth)
{
    LLVMValueRef condition = emit_pop_condition(f);
    struct emit_label *l = label_at(f, depth);
    LLVMBasicBlockRef next = emit_block_new(f);
    if (l->kind == LABEL_FUNCTION) {
        LLVMBasicBlockRef leave = emit_block_new(f);
        LLVMBuildCondBr(f->builder, condition, leave, next);
        LLVMPositionBuilderAtEnd(f->builder, leave);
        emit_return(f);
    } else {
        LLVMBuildCondBr(f->builder, condition, label_edge(f, l), next);
    }
    emit_block_enter(f, next, true);
}

/* A block of its own for an edge of a switch: phis then have one entry for it, however many cases
 * share it. */
static LLVMBasicBlockRef table_edge(struct function_emitter *f, uint32_t depth)
{
    struct emit_label *l = label_at(f, depth);
    if (l->kind != LABEL_FUNCTION && !label_arity(l)) return label_target(f, l);
    if (l->table_serial == f->table_serial) return l->table_edge;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(f->builder), edge = emit_block_new(f);
    LLVMPositionBuilderAtEnd(f->builder, edge);
    branch(f, depth);
    LLVMPositionBuilderAtEnd(f->builder, here);
    l->table_edge = edge;
    l->table_serial = f->table_serial;
    return edge;
}

static void branch_table(struct function_emitter *f, const struct wasm_instr *instr)
{
    uint32_t count = instr->vector_count;
    LLVMValueRef index = emit_pop(f);
    struct wasm_reader r = {f->module->bytes, instr->vector_offset, f->module->size_bytes};
    uint32_t *depths = calloc((size_t)count + 1, sizeof *depths);
    f->failed |= !depths;
    for (uint32_t i = 0; depths && i <= count; i++)
        f->failed |= wasm_label_next(&r, &depths[i], f->err) != ST_OK;
    if (!f->failed) {
        f->table_serial++;
        uint32_t otherwise = depths[count];
        LLVMValueRef sw = LLVMBuildSwitch(f->builder, index, table_edge(f, otherwise), count);
        for (uint32_t i = 0; i < count; i++)
            if (depths[i] != otherwise)
                LLVMAddCase(sw, emit_i32(f->e, i), table_edge(f, depths[i]));
    }
    free(depths);
}

bool emit_control(struct function_emitter *f, const struct wasm_instr *instr)
{
    switch (instr->op) {
    case WASM_OP_NOP: return true;
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP:
    case WASM_OP_IF: begin(f, instr); return true;
    case WASM_OP_ELSE: begin_else(f); return true;
    case WASM_OP_END: end(f); return true;
    case WASM_OP_BR_IF: branch_if(f, instr->index); return true;
    case WASM_OP_BR: branch(f, instr->index); break;
    case WASM_OP_BR_TABLE: branch_table(f, instr); break;
    case WASM_OP_RETURN: emit_return(f); break;
    case WASM_OP_UNREACHABLE: emit_trap(f, TRAP_UNREACHABLE); break;
    default: return false;
    }
    f->dead = true;
    return true;
}
