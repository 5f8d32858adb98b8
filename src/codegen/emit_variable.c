/* Parametric and variable instructions, constants (Core §4.4.4, §4.4.5, §4.4.1).
 *
 * A local is a stack slot, which the optimised levels promote to registers; within a block its
 * last known value is used without a load. */
#include "emit_module.h"

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

static LLVMTypeRef letter_type(const struct emit_types *t, uint32_t letter)
{
    switch (letter) {
    case 'l': return t->i64;
    case 'f': return t->f32;
    case 'd': return t->f64;
    case 'v': return t->v128;
    default: return t->i32; /* and references */
    }
}

static LLVMValueRef global_get(struct function_emitter *f, struct fact_global global)
{
    return emit_context_load(f, letter_type(f->t, global.letter), global.offset);
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
        emit_push(f, global_get(f, fact_global(&f->facts, instr->index)));
        return true;
    case WASM_OP_GLOBAL_SET:
        emit_context_store(f, emit_pop(f), fact_global(&f->facts, instr->index).offset);
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
