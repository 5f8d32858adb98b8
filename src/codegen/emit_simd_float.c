/* Vector arithmetic on floats, and conversions between floats and integers. */
#include "emit_simd.h"

static LLVMValueRef pop_shape(struct function_emitter *f, enum simd_shape shape)
{
    return emit_pop_vector(f, simd_type(f, shape));
}

void simd_fp_binary(struct function_emitter *f, const struct simd_row *row,
                    const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef b = pop_shape(f, row->shape), a = pop_shape(f, row->shape);
    emit_push_vector(f, emit_fp_binary(f, (LLVMOpcode)row->what, a, b));
}

void simd_fp_compare(struct function_emitter *f, const struct simd_row *row,
                     const struct wasm_instr *instr)
{
    (void)instr;
    enum simd_shape bits_shape = row->shape == F32X4 ? I32X4 : I64X2;
    LLVMValueRef b = pop_shape(f, row->shape), a = pop_shape(f, row->shape);
    LLVMValueRef bits = emit_fp_compare(f, (LLVMRealPredicate)row->what, a, b);
    emit_push_vector(f, LLVMBuildSExt(f->builder, bits, simd_type(f, bits_shape), ""));
}

void simd_fp_round(struct function_emitter *f, const struct simd_row *row,
                   const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef a = pop_shape(f, row->shape);
    emit_push_vector(f, emit_fp_round(f, (enum emit_rounding)row->what, a));
}

void simd_fp_sqrt(struct function_emitter *f, const struct simd_row *row,
                  const struct wasm_instr *instr)
{
    (void)instr;
    emit_push_vector(f, emit_fp_sqrt(f, pop_shape(f, row->shape)));
}

/* The sign bit of every lane. */
static LLVMValueRef signs(struct function_emitter *f, enum simd_shape shape)
{
    if (shape == F32X4) return emit_splat(f, emit_i32(f->e, 1u << 31), 4);
    return emit_splat(f, emit_i64(f->e, 1ull << 63), 2);
}

void simd_fp_abs(struct function_emitter *f, const struct simd_row *row,
                 const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef mask = LLVMBuildNot(f->builder, signs(f, row->shape), "");
    LLVMValueRef bits = emit_pop_vector(f, LLVMTypeOf(mask));
    emit_push_vector(f, LLVMBuildAnd(f->builder, bits, mask, ""));
}

void simd_fp_neg(struct function_emitter *f, const struct simd_row *row,
                 const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef mask = signs(f, row->shape);
    LLVMValueRef bits = emit_pop_vector(f, LLVMTypeOf(mask));
    emit_push_vector(f, LLVMBuildXor(f->builder, bits, mask, ""));
}

void simd_fp_min(struct function_emitter *f, const struct simd_row *row,
                 const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef b = pop_shape(f, row->shape), a = pop_shape(f, row->shape);
    emit_push_vector(f, emit_fp_min(f, a, b));
}

void simd_fp_max(struct function_emitter *f, const struct simd_row *row,
                 const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef b = pop_shape(f, row->shape), a = pop_shape(f, row->shape);
    emit_push_vector(f, emit_fp_max(f, a, b));
}

/* b < a ? b : a (Core §4.3.3 fpmin), which is one minps with swapped operands. Also the relaxed
 * min: when an operand is NaN or both are zeros, either operand may come out. */
void simd_fp_pmin(struct function_emitter *f, const struct simd_row *row,
                  const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef b = pop_shape(f, row->shape), a = pop_shape(f, row->shape);
    LLVMValueRef less = emit_fp_compare(f, LLVMRealOLT, b, a);
    emit_push_vector(f, LLVMBuildSelect(f->builder, less, b, a, ""));
}

void simd_fp_pmax(struct function_emitter *f, const struct simd_row *row,
                  const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef b = pop_shape(f, row->shape), a = pop_shape(f, row->shape);
    LLVMValueRef less = emit_fp_compare(f, LLVMRealOLT, a, b);
    emit_push_vector(f, LLVMBuildSelect(f->builder, less, b, a, ""));
}

/* a * b + c, or -(a * b) + c when `is_signed`: rounded twice, so that CPUs with and without FMA
 * agree. */
void simd_fp_madd(struct function_emitter *f, const struct simd_row *row,
                  const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef c = pop_shape(f, row->shape), b = pop_shape(f, row->shape);
    LLVMValueRef product = emit_fp_binary(f, LLVMFMul, pop_shape(f, row->shape), b);
    if (row->is_signed)
        emit_push_vector(f, emit_fp_binary(f, LLVMFSub, c, product));
    else
        emit_push_vector(f, emit_fp_binary(f, LLVMFAdd, product, c));
}

/* ---- conversions ---- */

/* The first two lanes. */
static LLVMValueRef low_half(struct function_emitter *f, LLVMValueRef vector)
{
    LLVMValueRef mask[2] = {emit_i32(f->e, 0), emit_i32(f->e, 1)};
    return LLVMBuildShuffleVector(f->builder, vector, LLVMGetPoison(LLVMTypeOf(vector)),
                                  LLVMConstVector(mask, 2), "");
}

static LLVMValueRef with_zeros(struct function_emitter *f, LLVMValueRef half)
{
    return simd_concat(f, half, LLVMConstNull(LLVMTypeOf(half)));
}

void simd_convert(struct function_emitter *f, const struct simd_row *row,
                  const struct wasm_instr *instr)
{
    (void)instr;
    LLVMOpcode op = row->is_signed ? LLVMSIToFP : LLVMUIToFP;
    emit_push_vector(f, emit_fp_convert(f, op, pop_shape(f, I32X4), f->t->v4f32));
}

void simd_convert_low(struct function_emitter *f, const struct simd_row *row,
                      const struct wasm_instr *instr)
{
    (void)instr;
    LLVMOpcode op = row->is_signed ? LLVMSIToFP : LLVMUIToFP;
    LLVMValueRef low = low_half(f, pop_shape(f, I32X4));
    emit_push_vector(f, emit_fp_convert(f, op, low, f->t->v2f64));
}

void simd_promote(struct function_emitter *f, const struct simd_row *row,
                  const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef low = low_half(f, pop_shape(f, F32X4));
    emit_push_vector(f, emit_fp_convert(f, LLVMFPExt, low, f->t->v2f64));
}

void simd_demote(struct function_emitter *f, const struct simd_row *row,
                 const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef half = emit_fp_convert(f, LLVMFPTrunc, pop_shape(f, F64X2), f->t->v2f32);
    emit_push_vector(f, with_zeros(f, half));
}

void simd_trunc_sat(struct function_emitter *f, const struct simd_row *row,
                    const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef value = pop_shape(f, F32X4);
    emit_push_vector(f, emit_fp_to_int_sat(f, value, f->t->v4i32, row->is_signed));
}

void simd_trunc_sat_zero(struct function_emitter *f, const struct simd_row *row,
                         const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef value = pop_shape(f, F64X2);
    LLVMValueRef half = emit_fp_to_int_sat(f, value, f->t->v2i32, row->is_signed);
    emit_push_vector(f, with_zeros(f, half));
}
