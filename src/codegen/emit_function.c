/* One function: prologue, the loop over its instructions, epilogue. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit_module.h"

/* What one instruction may push at most, with room to spare. */
#define STACK_HEADROOM (WASM_RESULTS_MAX + WASM_PARAMS_MAX + 8u)

#define OP_PREFIX_VECTOR 0xFDu

void emit_at(struct function_emitter *f, size_t offset)
{
    f->offset = offset;
}

void emit_locate(struct function_emitter *f)
{
    if (f->located == f->offset) return;
    f->located = f->offset;
    LLVMMetadataRef location = LLVMDIBuilderCreateDebugLocation(
        f->e->context, (unsigned)(f->offset - f->origin), 0, f->scope, NULL);
    LLVMSetCurrentDebugLocation2(f->builder, location);
}

enum status emit_open(struct function_emitter *f, struct emitter *e, LLVMValueRef fn,
                      const char *name, struct error *err)
{
    *f = (struct function_emitter){
        .e = e, .builder = e->builder, .t = &e->types, .fn = fn, .err = err};
    f->stack_capacity = STACK_HEADROOM;
    f->stack = malloc(f->stack_capacity * sizeof *f->stack);
    if (!f->stack) return error_set(err, ST_NO_MEMORY, "code generation");
    f->base = LLVMGetParam(fn, 0);
    f->entry = LLVMAppendBasicBlockInContext(e->context, fn, "");
    f->scope = LLVMDIBuilderCreateFunction(e->debug, e->debug_file, name, strlen(name), name,
                                           strlen(name), e->debug_file, 0, e->debug_type, false,
                                           true, 0, LLVMDIFlagZero, !e->fast);
    LLVMSetSubprogram(fn, f->scope);
    LLVMPositionBuilderAtEnd(e->builder, f->entry);
    f->located = SIZE_MAX;
    emit_at(f, 0);
    emit_locate(f);
    return ST_OK;
}

void emit_close(struct function_emitter *f)
{
    for (uint32_t i = 0; i < f->labels_count; i++) {
        free(f->labels[i].phis);
        free(f->labels[i].params);
    }
    free(f->labels);
    free(f->stack);
    free(f->locals);
    free(f->cached);
    free(f->cached_list);
    free(f->local_types);
    if (f->e) LLVMSetCurrentDebugLocation2(f->e->builder, NULL);
    *f = (struct function_emitter){0};
}

LLVMValueRef emit_alloca_values(struct function_emitter *f, uint32_t count)
{
    LLVMBasicBlockRef here = LLVMGetInsertBlock(f->builder);
    LLVMValueRef first = LLVMGetFirstInstruction(f->entry);
    LLVMPositionBuilder(f->builder, f->entry, first);
    LLVMValueRef slot =
        LLVMBuildAlloca(f->builder, LLVMArrayType2(f->t->value, count ? count : 1), "");
    LLVMSetAlignment(slot, _Alignof(struct value));
    LLVMPositionBuilderAtEnd(f->builder, here);
    return slot;
}

LLVMValueRef emit_value_pointer(struct function_emitter *f, LLVMValueRef values, uint32_t index)
{
    if (!index) return values;
    LLVMValueRef at = emit_i64(f->e, (uint64_t)index * sizeof(struct value));
    return LLVMBuildInBoundsGEP2(f->builder, f->t->i8, values, &at, 1, "");
}

static enum status open_locals(struct function_emitter *f, const struct wasm_func *func)
{
    f->locals_count = f->type->params_count + func->locals_count;
    size_t count = f->locals_count ? f->locals_count : 1;
    f->locals = calloc(count, sizeof *f->locals);
    f->cached = calloc(count, sizeof *f->cached);
    f->cached_list = calloc(count, sizeof *f->cached_list);
    f->local_types = calloc(count, sizeof *f->local_types);
    if (!f->locals || !f->cached || !f->cached_list || !f->local_types)
        return error_set(f->err, ST_NO_MEMORY, "code generation: locals");
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->type->params_count; i++) f->local_types[n++] = f->type->params[i];
    for (uint32_t r = 0; r < func->runs_count; r++)
        for (uint32_t i = 0; i < func->runs[r].count; i++) f->local_types[n++] = func->runs[r].type;
    assert(n == f->locals_count);
    uint32_t first_param = f->type->results_count > EMIT_RESULTS_DIRECT_MAX ? 2 : 1;
    if (first_param == 2) f->results = LLVMGetParam(f->fn, 1);
    for (uint32_t i = 0; i < n; i++)
        f->locals[i] = LLVMBuildAlloca(f->builder, emit_type(f->e, f->local_types[i]), "");
    for (uint32_t i = 0; i < n; i++) {
        LLVMValueRef value = i < f->type->params_count
                                 ? LLVMGetParam(f->fn, first_param + i)
                                 : LLVMConstNull(emit_type(f->e, f->local_types[i]));
        LLVMBuildStore(f->builder, value, f->locals[i]);
        f->cached[i] = value;
        f->cached_list[f->cached_count++] = i;
    }
    return ST_OK;
}

bool emit_instruction(struct function_emitter *f, const struct wasm_instr *instr)
{
    if (instr->op >> 16 == OP_PREFIX_VECTOR) return emit_simd(f, instr);
    return emit_variable(f, instr) || emit_memory(f, instr) || emit_int(f, instr) ||
           emit_control(f, instr) || emit_call(f, instr) || emit_float(f, instr) ||
           emit_convert(f, instr) || emit_table(f, instr) || emit_bulk(f, instr);
}

/* In code that cannot be reached, only what opens and closes blocks counts. */
static bool skip_dead(struct function_emitter *f, const struct wasm_instr *instr)
{
    switch (instr->op) {
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP:
    case WASM_OP_IF:
    case WASM_OP_TRY_TABLE: f->dead_depth++; return true;
    case WASM_OP_ELSE: return f->dead_depth > 0;
    case WASM_OP_END:
        if (!f->dead_depth) return false;
        f->dead_depth--;
        return true;
    default: return true;
    }
}

static enum status reserve_stack(struct function_emitter *f)
{
    if (f->stack_capacity - f->stack_count >= STACK_HEADROOM) return ST_OK;
    uint32_t capacity = f->stack_capacity * 2 + STACK_HEADROOM;
    LLVMValueRef *stack = realloc(f->stack, capacity * sizeof(LLVMValueRef));
    if (!stack) return error_set(f->err, ST_NO_MEMORY, "code generation: stack");
    f->stack = stack;
    f->stack_capacity = capacity;
    return ST_OK;
}

static enum status emit_body(struct function_emitter *f, const struct wasm_func *func)
{
    struct wasm_reader r = {f->module->bytes, func->body_offset, func->body_end};
    emit_label_function(f);
    while (r.offset < r.end) {
        struct wasm_instr instr;
        enum status st = wasm_instr_next(&r, &instr, f->err);
        if (!st) st = reserve_stack(f);
        if (st) return st;
        if (f->dead && skip_dead(f, &instr)) continue;
        emit_at(f, instr.offset);
        if (!emit_instruction(f, &instr))
            return error_set(f->err, ST_UNSUPPORTED, "offset 0x%zx: %s is not supported yet",
                             instr.offset, wasm_op_name(instr.op));
        if (f->failed) return error_set(f->err, ST_NO_MEMORY, "code generation");
    }
    assert(!f->labels_count);
    return ST_OK;
}

enum status emit_function(struct emitter *e, uint32_t func, struct error *err)
{
    const struct program_func *pf = &e->program->funcs[func];
    char name[16];
    snprintf(name, sizeof name, "f%u", e->numbers[func]);
    LLVMValueRef fn =
        emit_define(e, name, LLVMGlobalGetValueType(emit_declare(e, func)), e->callconv);
    struct function_emitter f;
    enum status st = emit_open(&f, e, fn, name, err);
    if (!st) {
        f.facts = facts_of(e->program, e->layout, pf->instance);
        f.module = e->program->instances[pf->instance].module;
        f.type = &f.module->types[f.module->funcs[pf->index].type];
        f.origin = fact_origin(&f.module->funcs[pf->index]);
        emit_at(&f, f.module->funcs[pf->index].body_offset);
        emit_locate(&f);
        st = open_locals(&f, &f.module->funcs[pf->index]);
    }
    if (!st) st = emit_body(&f, &f.module->funcs[pf->index]);
    emit_close(&f);
    return st;
}
