/* Parametric and variable instructions, constants (Core §4.4.4, §4.4.5, §4.4.1).
 *
 * A local is a stack slot, which the optimised levels promote to registers; within a block its
 * last known value is used without a load. */
#include "emit_module.h"
#include "layout.h"

static LLVMValueRef local_get(struct function_emitter *f, uint32_t index)
{
    if (f->cached[index]) return f->cached[index];
    LLVMValueRef value =
        LLVMBuildLoad2(f->builder, emit_type(f->e, f->local_types[index]), f->locals[index], "");
    f->cached[index] = value;
    f->cached_list[f->cached_count++] = index;
    return value;
}

static void local_set(struct function_emitter *f, uint32_t index, LLVMValueRef value)
{
    LLVMBuildStore(f->builder, value, f->locals[index]);
    if (!f->cached[index]) f->cached_list[f->cached_count++] = index;
    f->cached[index] = value;
}

static const struct wasm_global *global_definition(struct function_emitter *f, uint32_t global)
{
    const struct program *p = f->e->program;
    const struct program_definition *d = &p->globals[global];
    return &p->instances[d->instance].module->globals[d->index];
}

LLVMValueRef emit_global_get(struct function_emitter *f, uint32_t global)
{
    LLVMTypeRef type = emit_type(f->e, global_definition(f, global)->type);
    return emit_context_load(f, type, f->e->layout->globals[global]);
}

static void select_value(struct function_emitter *f)
{
    LLVMValueRef condition = emit_pop_condition(f);
    LLVMValueRef otherwise = emit_pop(f), then = emit_pop(f);
    emit_push(f, LLVMBuildSelect(f->builder, condition, then, otherwise, ""));
}

static LLVMValueRef float_constant(struct function_emitter *f, const struct wasm_instr *instr)
{
    if (instr->op == WASM_OP_F32_CONST)
        return LLVMConstBitCast(emit_i32(f->e, instr->value.f32_bits), f->t->f32);
    return LLVMConstBitCast(emit_i64(f->e, instr->value.f64_bits), f->t->f64);
}

bool emit_variable(struct function_emitter *f, const struct wasm_instr *instr)
{
    switch (instr->op) {
    case WASM_OP_LOCAL_GET: emit_push(f, local_get(f, instr->index)); return true;
    case WASM_OP_LOCAL_SET: local_set(f, instr->index, emit_pop(f)); return true;
    case WASM_OP_LOCAL_TEE: local_set(f, instr->index, f->stack[f->stack_count - 1]); return true;
    case WASM_OP_GLOBAL_GET:
        emit_push(f, emit_global_get(f, f->instance->globals[instr->index]));
        return true;
    case WASM_OP_GLOBAL_SET:
        emit_context_store(f, emit_pop(f),
                           f->e->layout->globals[f->instance->globals[instr->index]]);
        return true;
    case WASM_OP_DROP: emit_pop(f); return true;
    case WASM_OP_SELECT:
    case WASM_OP_SELECT_TYPED: select_value(f); return true;
    case WASM_OP_I32_CONST: emit_push(f, emit_i32(f->e, (uint32_t)instr->value.i32)); return true;
    case WASM_OP_I64_CONST: emit_push(f, emit_i64(f->e, (uint64_t)instr->value.i64)); return true;
    case WASM_OP_F32_CONST:
    case WASM_OP_F64_CONST: emit_push(f, float_constant(f, instr)); return true;
    default: return false;
    }
}
