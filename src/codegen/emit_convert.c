/* Conversions between integers and floats (Core §4.3.4). */
#include "emit_module.h"

/* Truncation is defined for low < x < high, or low <= x < high where low - 1 is not a float. */
struct trunc_range {
    double low, high;
    bool low_included;
};

static struct trunc_range trunc_range(bool from_f32, bool to64, bool is_signed)
{
    if (!is_signed) return (struct trunc_range){-1.0, to64 ? 0x1p64 : 0x1p32, false};
    if (to64) return (struct trunc_range){-0x1p63, 0x1p63, true};
    if (from_f32) return (struct trunc_range){-0x1p31, 0x1p31, true};
    return (struct trunc_range){-0x1p31 - 1.0, 0x1p31, false};
}

static void truncate_float(struct function_emitter *f, LLVMTypeRef to, bool is_signed)
{
    LLVMValueRef value = emit_pop(f);
    LLVMTypeRef from = LLVMTypeOf(value);
    struct trunc_range range = trunc_range(from == f->t->f32, to == f->t->i64, is_signed);
    LLVMValueRef above = emit_fp_compare(f, range.low_included ? LLVMRealOGE : LLVMRealOGT, value,
                                         LLVMConstReal(from, range.low));
    LLVMValueRef below = emit_fp_compare(f, LLVMRealOLT, value, LLVMConstReal(from, range.high));
    LLVMValueRef inside = LLVMBuildAnd(f->builder, above, below, "");
    LLVMBasicBlockRef trap = emit_block_new(f), next = emit_block_new(f);
    LLVMBuildCondBr(f->builder, inside, next, trap);
    LLVMPositionBuilderAtEnd(f->builder, trap);
    LLVMValueRef is_nan = emit_fp_compare(f, LLVMRealUNO, value, value);
    emit_trap_value(f, LLVMBuildSelect(f->builder, is_nan, emit_i64(f->e, TRAP_BAD_CONVERSION),
                                       emit_i64(f->e, TRAP_INTEGER_OVERFLOW), ""));
    emit_block_enter(f, next, true);
    emit_push(f, emit_fp_convert(f, is_signed ? LLVMFPToSI : LLVMFPToUI, value, to));
}

static void trunc_sat(struct function_emitter *f, LLVMTypeRef to, bool is_signed)
{
    emit_push(f, emit_fp_to_int_sat(f, emit_pop(f), to, is_signed));
}

static void convert(struct function_emitter *f, LLVMOpcode op, LLVMTypeRef to)
{
    emit_push(f, emit_fp_convert(f, op, emit_pop(f), to));
}

static void reinterpret(struct function_emitter *f, LLVMTypeRef to)
{
    emit_push(f, LLVMBuildBitCast(f->builder, emit_pop(f), to, ""));
}

bool emit_convert(struct function_emitter *f, const struct wasm_instr *instr)
{
    const struct emit_types *t = f->t;
    switch (instr->op) {
    case WASM_OP_I32_TRUNC_F32_S:
    case WASM_OP_I32_TRUNC_F64_S: truncate_float(f, t->i32, true); return true;
    case WASM_OP_I32_TRUNC_F32_U:
    case WASM_OP_I32_TRUNC_F64_U: truncate_float(f, t->i32, false); return true;
    case WASM_OP_I64_TRUNC_F32_S:
    case WASM_OP_I64_TRUNC_F64_S: truncate_float(f, t->i64, true); return true;
    case WASM_OP_I64_TRUNC_F32_U:
    case WASM_OP_I64_TRUNC_F64_U: truncate_float(f, t->i64, false); return true;
    case WASM_OP_I32_TRUNC_SAT_F32_S:
    case WASM_OP_I32_TRUNC_SAT_F64_S: trunc_sat(f, t->i32, true); return true;
    case WASM_OP_I32_TRUNC_SAT_F32_U:
    case WASM_OP_I32_TRUNC_SAT_F64_U: trunc_sat(f, t->i32, false); return true;
    case WASM_OP_I64_TRUNC_SAT_F32_S:
    case WASM_OP_I64_TRUNC_SAT_F64_S: trunc_sat(f, t->i64, true); return true;
    case WASM_OP_I64_TRUNC_SAT_F32_U:
    case WASM_OP_I64_TRUNC_SAT_F64_U: trunc_sat(f, t->i64, false); return true;
    case WASM_OP_F32_CONVERT_I32_S:
    case WASM_OP_F32_CONVERT_I64_S: convert(f, LLVMSIToFP, t->f32); return true;
    case WASM_OP_F32_CONVERT_I32_U:
    case WASM_OP_F32_CONVERT_I64_U: convert(f, LLVMUIToFP, t->f32); return true;
    case WASM_OP_F64_CONVERT_I32_S:
    case WASM_OP_F64_CONVERT_I64_S: convert(f, LLVMSIToFP, t->f64); return true;
    case WASM_OP_F64_CONVERT_I32_U:
    case WASM_OP_F64_CONVERT_I64_U: convert(f, LLVMUIToFP, t->f64); return true;
    case WASM_OP_F32_DEMOTE_F64: convert(f, LLVMFPTrunc, t->f32); return true;
    case WASM_OP_F64_PROMOTE_F32: convert(f, LLVMFPExt, t->f64); return true;
    case WASM_OP_I32_REINTERPRET_F32: reinterpret(f, t->i32); return true;
    case WASM_OP_I64_REINTERPRET_F64: reinterpret(f, t->i64); return true;
    case WASM_OP_F32_REINTERPRET_I32: reinterpret(f, t->f32); return true;
    case WASM_OP_F64_REINTERPRET_I64: reinterpret(f, t->f64); return true;
    default: return false;
    }
}
