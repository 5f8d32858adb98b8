/* Scalar float instructions (Core §4.3.3). */
#include "emit_module.h"

static void binary(struct function_emitter *f, LLVMOpcode op)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    emit_push(f, emit_fp_binary(f, op, a, b));
}

static void compare(struct function_emitter *f, LLVMRealPredicate predicate)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    emit_push_bool(f, emit_fp_compare(f, predicate, a, b));
}

static void minimum(struct function_emitter *f)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    emit_push(f, emit_fp_min(f, a, b));
}

static void maximum(struct function_emitter *f)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    emit_push(f, emit_fp_max(f, a, b));
}

static void copy_sign(struct function_emitter *f)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    emit_push(f, emit_intrinsic2(f, "llvm.copysign", a, b));
}

static void round_to(struct function_emitter *f, enum emit_rounding rounding)
{
    emit_push(f, emit_fp_round(f, rounding, emit_pop(f)));
}

bool emit_float(struct function_emitter *f, const struct wasm_instr *instr)
{
    switch (instr->op) {
    case WASM_OP_F32_EQ:
    case WASM_OP_F64_EQ: compare(f, LLVMRealOEQ); return true;
    case WASM_OP_F32_NE:
    case WASM_OP_F64_NE: compare(f, LLVMRealUNE); return true;
    case WASM_OP_F32_LT:
    case WASM_OP_F64_LT: compare(f, LLVMRealOLT); return true;
    case WASM_OP_F32_GT:
    case WASM_OP_F64_GT: compare(f, LLVMRealOGT); return true;
    case WASM_OP_F32_LE:
    case WASM_OP_F64_LE: compare(f, LLVMRealOLE); return true;
    case WASM_OP_F32_GE:
    case WASM_OP_F64_GE: compare(f, LLVMRealOGE); return true;
    case WASM_OP_F32_ABS:
    case WASM_OP_F64_ABS: emit_push(f, emit_intrinsic1(f, "llvm.fabs", emit_pop(f))); return true;
    case WASM_OP_F32_NEG:
    case WASM_OP_F64_NEG: emit_push(f, LLVMBuildFNeg(f->builder, emit_pop(f), "")); return true;
    case WASM_OP_F32_CEIL:
    case WASM_OP_F64_CEIL: round_to(f, EMIT_CEIL); return true;
    case WASM_OP_F32_FLOOR:
    case WASM_OP_F64_FLOOR: round_to(f, EMIT_FLOOR); return true;
    case WASM_OP_F32_TRUNC:
    case WASM_OP_F64_TRUNC: round_to(f, EMIT_TRUNC); return true;
    case WASM_OP_F32_NEAREST:
    case WASM_OP_F64_NEAREST: round_to(f, EMIT_NEAREST); return true;
    case WASM_OP_F32_SQRT:
    case WASM_OP_F64_SQRT: emit_push(f, emit_fp_sqrt(f, emit_pop(f))); return true;
    case WASM_OP_F32_ADD:
    case WASM_OP_F64_ADD: binary(f, LLVMFAdd); return true;
    case WASM_OP_F32_SUB:
    case WASM_OP_F64_SUB: binary(f, LLVMFSub); return true;
    case WASM_OP_F32_MUL:
    case WASM_OP_F64_MUL: binary(f, LLVMFMul); return true;
    case WASM_OP_F32_DIV:
    case WASM_OP_F64_DIV: binary(f, LLVMFDiv); return true;
    case WASM_OP_F32_MIN:
    case WASM_OP_F64_MIN: minimum(f); return true;
    case WASM_OP_F32_MAX:
    case WASM_OP_F64_MAX: maximum(f); return true;
    case WASM_OP_F32_COPYSIGN:
    case WASM_OP_F64_COPYSIGN: copy_sign(f); return true;
    default: return false;
    }
}
