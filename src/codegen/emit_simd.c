/* Vector instructions on integers and bits, and the table of them all. */
#include "emit_simd.h"

static LLVMValueRef ci32(const struct function_emitter *f, uint32_t value)
{
    return emit_i32(f->e, value);
}

/* A constant vector with `value` in every lane. */
static LLVMValueRef all_lanes(struct function_emitter *f, enum simd_shape shape, uint64_t value)
{
    LLVMValueRef lane = LLVMConstInt(simd_lane_type(f, shape), value, true);
    return emit_splat(f, lane, simd_lanes(shape));
}

static LLVMValueRef pop_shape(struct function_emitter *f, enum simd_shape shape)
{
    return emit_pop_vector(f, simd_type(f, shape));
}

LLVMValueRef simd_extend(struct function_emitter *f, LLVMValueRef vector, uint32_t first,
                         uint32_t count, bool is_signed)
{
    LLVMTypeRef type = LLVMTypeOf(vector);
    LLVMValueRef mask[16];
    for (uint32_t i = 0; i < count; i++) mask[i] = ci32(f, first + i);
    LLVMValueRef part = vector;
    if (count != LLVMGetVectorSize(type))
        part = LLVMBuildShuffleVector(f->builder, vector, LLVMGetPoison(type),
                                      LLVMConstVector(mask, count), "");
    unsigned bits = LLVMGetIntTypeWidth(LLVMGetElementType(type));
    LLVMTypeRef wide = LLVMVectorType(LLVMIntTypeInContext(f->e->context, 2 * bits), count);
    return is_signed ? LLVMBuildSExt(f->builder, part, wide, "")
                     : LLVMBuildZExt(f->builder, part, wide, "");
}

LLVMValueRef simd_concat(struct function_emitter *f, LLVMValueRef low, LLVMValueRef high)
{
    uint32_t count = 2 * LLVMGetVectorSize(LLVMTypeOf(low));
    LLVMValueRef mask[16];
    for (uint32_t i = 0; i < count; i++) mask[i] = ci32(f, i);
    return LLVMBuildShuffleVector(f->builder, low, high, LLVMConstVector(mask, count), "");
}

/* ---- lanes ---- */

static void simd_const(struct function_emitter *f, const struct simd_row *row,
                       const struct wasm_instr *instr)
{
    (void)row;
    LLVMValueRef lanes[16];
    for (uint32_t i = 0; i < 16; i++) lanes[i] = LLVMConstInt(f->t->i8, instr->value.v128[i], 0);
    emit_push(f, LLVMConstVector(lanes, 16));
}

static void simd_shuffle(struct function_emitter *f, const struct simd_row *row,
                         const struct wasm_instr *instr)
{
    (void)row;
    LLVMValueRef mask[16];
    for (uint32_t i = 0; i < 16; i++) mask[i] = ci32(f, instr->value.v128[i]);
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    emit_push(f, LLVMBuildShuffleVector(f->builder, a, b, LLVMConstVector(mask, 16), ""));
}

static void simd_splat(struct function_emitter *f, const struct simd_row *row,
                       const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef scalar = emit_pop(f);
    if (row->shape <= I16X8)
        scalar = LLVMBuildTrunc(f->builder, scalar, simd_lane_type(f, row->shape), "");
    emit_push_vector(f, emit_splat(f, scalar, simd_lanes(row->shape)));
}

static void simd_extract(struct function_emitter *f, const struct simd_row *row,
                         const struct wasm_instr *instr)
{
    LLVMValueRef vector = pop_shape(f, row->shape);
    LLVMValueRef lane = LLVMBuildExtractElement(f->builder, vector, ci32(f, instr->lane), "");
    if (row->shape <= I16X8)
        lane = row->is_signed ? LLVMBuildSExt(f->builder, lane, f->t->i32, "")
                              : LLVMBuildZExt(f->builder, lane, f->t->i32, "");
    emit_push(f, lane);
}

static void simd_replace(struct function_emitter *f, const struct simd_row *row,
                         const struct wasm_instr *instr)
{
    LLVMValueRef scalar = emit_pop(f);
    if (row->shape <= I16X8)
        scalar = LLVMBuildTrunc(f->builder, scalar, simd_lane_type(f, row->shape), "");
    LLVMValueRef vector = pop_shape(f, row->shape);
    emit_push_vector(f,
                     LLVMBuildInsertElement(f->builder, vector, scalar, ci32(f, instr->lane), ""));
}

/* ---- arithmetic and bits ---- */

static void simd_binary(struct function_emitter *f, const struct simd_row *row,
                        const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef b = pop_shape(f, row->shape), a = pop_shape(f, row->shape);
    emit_push_vector(f, LLVMBuildBinOp(f->builder, (LLVMOpcode)row->what, a, b, ""));
}

static void simd_intrinsic2(struct function_emitter *f, const struct simd_row *row,
                            const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef b = pop_shape(f, row->shape), a = pop_shape(f, row->shape);
    emit_push_vector(f, emit_intrinsic2(f, row->intrinsic, a, b));
}

static void simd_not(struct function_emitter *f, const struct simd_row *row,
                     const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    emit_push_vector(f, LLVMBuildNot(f->builder, pop_shape(f, I64X2), ""));
}

static void simd_andnot(struct function_emitter *f, const struct simd_row *row,
                        const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef b = pop_shape(f, I64X2), a = pop_shape(f, I64X2);
    emit_push_vector(f, LLVMBuildAnd(f->builder, a, LLVMBuildNot(f->builder, b, ""), ""));
}

/* Also every relaxed laneselect: choosing by bit is one of the outcomes allowed. */
static void simd_bitselect(struct function_emitter *f, const struct simd_row *row,
                           const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef mask = pop_shape(f, I64X2), b = pop_shape(f, I64X2), a = pop_shape(f, I64X2);
    LLVMValueRef from_a = LLVMBuildAnd(f->builder, a, mask, "");
    LLVMValueRef from_b = LLVMBuildAnd(f->builder, b, LLVMBuildNot(f->builder, mask, ""), "");
    emit_push_vector(f, LLVMBuildOr(f->builder, from_a, from_b, ""));
}

static void simd_abs(struct function_emitter *f, const struct simd_row *row,
                     const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef args[2] = {pop_shape(f, row->shape), LLVMConstInt(f->t->i1, 0, 0)};
    LLVMTypeRef type = simd_type(f, row->shape);
    emit_push_vector(f, emit_intrinsic(f, "llvm.abs", &type, 1, args, 2));
}

static void simd_neg(struct function_emitter *f, const struct simd_row *row,
                     const struct wasm_instr *instr)
{
    (void)instr;
    emit_push_vector(f, LLVMBuildNeg(f->builder, pop_shape(f, row->shape), ""));
}

static void simd_shift(struct function_emitter *f, const struct simd_row *row,
                       const struct wasm_instr *instr)
{
    (void)instr;
    LLVMTypeRef lane = simd_lane_type(f, row->shape);
    unsigned bits = LLVMGetIntTypeWidth(lane);
    LLVMValueRef amount = LLVMBuildAnd(f->builder, emit_pop(f), ci32(f, bits - 1), "");
    if (bits < 32) amount = LLVMBuildTrunc(f->builder, amount, lane, "");
    if (bits > 32) amount = LLVMBuildZExt(f->builder, amount, lane, "");
    LLVMValueRef vector = pop_shape(f, row->shape);
    LLVMValueRef amounts = emit_splat(f, amount, simd_lanes(row->shape));
    emit_push_vector(f, LLVMBuildBinOp(f->builder, (LLVMOpcode)row->what, vector, amounts, ""));
}

/* (a + b + 1) / 2, rounding up, without overflow. */
static void simd_avgr(struct function_emitter *f, const struct simd_row *row,
                      const struct wasm_instr *instr)
{
    (void)instr;
    uint32_t lanes = simd_lanes(row->shape);
    LLVMValueRef b = simd_extend(f, pop_shape(f, row->shape), 0, lanes, false);
    LLVMValueRef a = simd_extend(f, pop_shape(f, row->shape), 0, lanes, false);
    LLVMValueRef one = emit_splat(f, LLVMConstInt(LLVMGetElementType(LLVMTypeOf(a)), 1, 0), lanes);
    LLVMValueRef sum = LLVMBuildAdd(f->builder, LLVMBuildAdd(f->builder, a, b, ""), one, "");
    LLVMValueRef half = LLVMBuildLShr(f->builder, sum, one, "");
    emit_push_vector(f, LLVMBuildTrunc(f->builder, half, simd_type(f, row->shape), ""));
}

/* ---- comparisons and reductions ---- */

static void simd_compare(struct function_emitter *f, const struct simd_row *row,
                         const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef b = pop_shape(f, row->shape), a = pop_shape(f, row->shape);
    LLVMValueRef bits = LLVMBuildICmp(f->builder, (LLVMIntPredicate)row->what, a, b, "");
    emit_push_vector(f, LLVMBuildSExt(f->builder, bits, simd_type(f, row->shape), ""));
}

static void simd_any_true(struct function_emitter *f, const struct simd_row *row,
                          const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMTypeRef i128 = LLVMIntTypeInContext(f->e->context, 128);
    LLVMValueRef bits = LLVMBuildBitCast(f->builder, emit_pop(f), i128, "");
    emit_push_bool(f, LLVMBuildICmp(f->builder, LLVMIntNE, bits, LLVMConstNull(i128), ""));
}

/* One bit a lane, as an integer of that many bits. */
static LLVMValueRef lane_bits(struct function_emitter *f, LLVMValueRef bools)
{
    LLVMTypeRef type = LLVMIntTypeInContext(f->e->context, LLVMGetVectorSize(LLVMTypeOf(bools)));
    return LLVMBuildBitCast(f->builder, bools, type, "");
}

static void simd_all_true(struct function_emitter *f, const struct simd_row *row,
                          const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef vector = pop_shape(f, row->shape);
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(vector));
    LLVMValueRef zeros = lane_bits(f, LLVMBuildICmp(f->builder, LLVMIntEQ, vector, zero, ""));
    emit_push_bool(
        f, LLVMBuildICmp(f->builder, LLVMIntEQ, zeros, LLVMConstNull(LLVMTypeOf(zeros)), ""));
}

static void simd_bitmask(struct function_emitter *f, const struct simd_row *row,
                         const struct wasm_instr *instr)
{
    (void)instr;
    LLVMValueRef vector = pop_shape(f, row->shape);
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(vector));
    LLVMValueRef signs = lane_bits(f, LLVMBuildICmp(f->builder, LLVMIntSLT, vector, zero, ""));
    emit_push(f, LLVMBuildZExt(f->builder, signs, f->t->i32, ""));
}

/* ---- between widths; `shape` is the narrow one ---- */

static void simd_widen(struct function_emitter *f, const struct simd_row *row,
                       const struct wasm_instr *instr)
{
    (void)instr;
    uint32_t half = simd_lanes(row->shape) / 2;
    LLVMValueRef vector = pop_shape(f, row->shape);
    emit_push_vector(f, simd_extend(f, vector, row->high ? half : 0, half, row->is_signed));
}

static void simd_extmul(struct function_emitter *f, const struct simd_row *row,
                        const struct wasm_instr *instr)
{
    (void)instr;
    uint32_t half = simd_lanes(row->shape) / 2, first = row->high ? half : 0;
    LLVMValueRef b = simd_extend(f, pop_shape(f, row->shape), first, half, row->is_signed);
    LLVMValueRef a = simd_extend(f, pop_shape(f, row->shape), first, half, row->is_signed);
    emit_push_vector(f, LLVMBuildMul(f->builder, a, b, ""));
}

/* Neighbours are the two halves of a wide lane. */
static void simd_extadd(struct function_emitter *f, const struct simd_row *row,
                        const struct wasm_instr *instr)
{
    (void)instr;
    enum simd_shape wide = simd_wider(row->shape);
    LLVMOpcode shift = row->is_signed ? LLVMAShr : LLVMLShr;
    unsigned bits = LLVMGetIntTypeWidth(simd_lane_type(f, row->shape));
    LLVMValueRef amount = all_lanes(f, wide, bits);
    LLVMValueRef vector = pop_shape(f, wide);
    LLVMValueRef low = LLVMBuildShl(f->builder, vector, amount, "");
    low = LLVMBuildBinOp(f->builder, shift, low, amount, "");
    LLVMValueRef high = LLVMBuildBinOp(f->builder, shift, vector, amount, "");
    emit_push_vector(f, LLVMBuildAdd(f->builder, low, high, ""));
}

/* Saturates signed wide lanes to the narrow type, signed or not. */
static void simd_narrow(struct function_emitter *f, const struct simd_row *row,
                        const struct wasm_instr *instr)
{
    (void)instr;
    enum simd_shape wide = simd_wider(row->shape);
    unsigned bits = LLVMGetIntTypeWidth(simd_lane_type(f, row->shape));
    int64_t most = row->is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
    int64_t least = row->is_signed ? -most - 1 : 0;
    LLVMTypeRef half = LLVMVectorType(simd_lane_type(f, row->shape), simd_lanes(wide));
    LLVMValueRef parts[2];
    for (int i = 1; i >= 0; i--) {
        LLVMValueRef v = pop_shape(f, wide);
        v = emit_intrinsic2(f, "llvm.smin", v, all_lanes(f, wide, (uint64_t)most));
        v = emit_intrinsic2(f, "llvm.smax", v, all_lanes(f, wide, (uint64_t)least));
        parts[i] = LLVMBuildTrunc(f->builder, v, half, "");
    }
    emit_push_vector(f, simd_concat(f, parts[0], parts[1]));
}

/* ---- the table ---- */

#define ROW(op)            [WASM_OP_##op & 0xFFFF]
#define WHAT(s, fn, w)     {.emit = fn, .shape = s, .what = (int)(w)}
#define SHAPE(s, fn)       {.emit = fn, .shape = s}
#define SIGNED(s, fn)      {.emit = fn, .shape = s, .is_signed = true}
#define HALF(s, fn, sg, h) {.emit = fn, .shape = s, .is_signed = sg, .high = h}
#define CALL2(s, name)     {.emit = simd_intrinsic2, .shape = s, .intrinsic = name}

#define COMPARE_ROWS(S)                                                                            \
    ROW(S##_EQ) = WHAT(S, simd_compare, LLVMIntEQ),                                                \
    ROW(S##_NE) = WHAT(S, simd_compare, LLVMIntNE),                                                \
    ROW(S##_LT_S) = WHAT(S, simd_compare, LLVMIntSLT),                                             \
    ROW(S##_GT_S) = WHAT(S, simd_compare, LLVMIntSGT),                                             \
    ROW(S##_LE_S) = WHAT(S, simd_compare, LLVMIntSLE),                                             \
    ROW(S##_GE_S) = WHAT(S, simd_compare, LLVMIntSGE)

#define COMPARE_UNSIGNED_ROWS(S)                                                                   \
    ROW(S##_LT_U) = WHAT(S, simd_compare, LLVMIntULT),                                             \
    ROW(S##_GT_U) = WHAT(S, simd_compare, LLVMIntUGT),                                             \
    ROW(S##_LE_U) = WHAT(S, simd_compare, LLVMIntULE),                                             \
    ROW(S##_GE_U) = WHAT(S, simd_compare, LLVMIntUGE)

#define FP_ROWS(S)                                                                                 \
    ROW(S##_EQ) = WHAT(S, simd_fp_compare, LLVMRealOEQ),                                           \
    ROW(S##_NE) = WHAT(S, simd_fp_compare, LLVMRealUNE),                                           \
    ROW(S##_LT) = WHAT(S, simd_fp_compare, LLVMRealOLT),                                           \
    ROW(S##_GT) = WHAT(S, simd_fp_compare, LLVMRealOGT),                                           \
    ROW(S##_LE) = WHAT(S, simd_fp_compare, LLVMRealOLE),                                           \
    ROW(S##_GE) = WHAT(S, simd_fp_compare, LLVMRealOGE),                                           \
    ROW(S##_CEIL) = WHAT(S, simd_fp_round, EMIT_CEIL),                                             \
    ROW(S##_FLOOR) = WHAT(S, simd_fp_round, EMIT_FLOOR),                                           \
    ROW(S##_TRUNC) = WHAT(S, simd_fp_round, EMIT_TRUNC),                                           \
    ROW(S##_NEAREST) = WHAT(S, simd_fp_round, EMIT_NEAREST), ROW(S##_ABS) = SHAPE(S, simd_fp_abs), \
    ROW(S##_NEG) = SHAPE(S, simd_fp_neg), ROW(S##_SQRT) = SHAPE(S, simd_fp_sqrt),                  \
    ROW(S##_ADD) = WHAT(S, simd_fp_binary, LLVMFAdd),                                              \
    ROW(S##_SUB) = WHAT(S, simd_fp_binary, LLVMFSub),                                              \
    ROW(S##_MUL) = WHAT(S, simd_fp_binary, LLVMFMul),                                              \
    ROW(S##_DIV) = WHAT(S, simd_fp_binary, LLVMFDiv), ROW(S##_MIN) = SHAPE(S, simd_fp_min),        \
    ROW(S##_MAX) = SHAPE(S, simd_fp_max), ROW(S##_PMIN) = SHAPE(S, simd_fp_pmin),                  \
    ROW(S##_PMAX) = SHAPE(S, simd_fp_pmax), ROW(S##_SPLAT) = SHAPE(S, simd_splat),                 \
    ROW(S##_EXTRACT_LANE) = SHAPE(S, simd_extract),                                                \
    ROW(S##_REPLACE_LANE) = SHAPE(S, simd_replace),                                                \
    ROW(S##_RELAXED_MADD) = SHAPE(S, simd_fp_madd),                                                \
    ROW(S##_RELAXED_NMADD) = HALF(S, simd_fp_madd, true, false),                                   \
    ROW(S##_RELAXED_MIN) = SHAPE(S, simd_fp_pmin), ROW(S##_RELAXED_MAX) = SHAPE(S, simd_fp_pmax)

/* What all four integer shapes have. */
#define INT_ROWS(S)                                                                                \
    COMPARE_ROWS(S),                                                                               \
        ROW(S##_SPLAT) = SHAPE(S, simd_splat), ROW(S##_REPLACE_LANE) = SHAPE(S, simd_replace),     \
        ROW(S##_ABS) = SHAPE(S, simd_abs), ROW(S##_NEG) = SHAPE(S, simd_neg),                      \
        ROW(S##_ALL_TRUE) = SHAPE(S, simd_all_true), ROW(S##_BITMASK) = SHAPE(S, simd_bitmask),    \
        ROW(S##_SHL) = WHAT(S, simd_shift, LLVMShl),                                               \
        ROW(S##_SHR_S) = WHAT(S, simd_shift, LLVMAShr),                                            \
        ROW(S##_SHR_U) = WHAT(S, simd_shift, LLVMLShr),                                            \
        ROW(S##_ADD) = WHAT(S, simd_binary, LLVMAdd),                                              \
        ROW(S##_SUB) = WHAT(S, simd_binary, LLVMSub),                                              \
        ROW(S##_RELAXED_LANESELECT) = SHAPE(S, simd_bitselect)

#define MIN_MAX_ROWS(S)                                                                            \
    ROW(S##_MIN_S) = CALL2(S, "llvm.smin"), ROW(S##_MIN_U) = CALL2(S, "llvm.umin"),                \
    ROW(S##_MAX_S) = CALL2(S, "llvm.smax"), ROW(S##_MAX_U) = CALL2(S, "llvm.umax")

/* 8 and 16 bits. */
#define SMALL_ROWS(S)                                                                              \
    INT_ROWS(S), COMPARE_UNSIGNED_ROWS(S), MIN_MAX_ROWS(S),                                        \
        ROW(S##_EXTRACT_LANE_S) = SIGNED(S, simd_extract),                                         \
        ROW(S##_EXTRACT_LANE_U) = SHAPE(S, simd_extract),                                          \
        ROW(S##_ADD_SAT_S) = CALL2(S, "llvm.sadd.sat"),                                            \
        ROW(S##_ADD_SAT_U) = CALL2(S, "llvm.uadd.sat"),                                            \
        ROW(S##_SUB_SAT_S) = CALL2(S, "llvm.ssub.sat"),                                            \
        ROW(S##_SUB_SAT_U) = CALL2(S, "llvm.usub.sat"), ROW(S##_AVGR_U) = SHAPE(S, simd_avgr)

/* From shape N to the next wider W. */
#define WIDEN_ROWS(W, N)                                                                           \
    ROW(W##_EXTEND_LOW_##N##_S) = HALF(N, simd_widen, true, false),                                \
    ROW(W##_EXTEND_LOW_##N##_U) = HALF(N, simd_widen, false, false),                               \
    ROW(W##_EXTEND_HIGH_##N##_S) = HALF(N, simd_widen, true, true),                                \
    ROW(W##_EXTEND_HIGH_##N##_U) = HALF(N, simd_widen, false, true),                               \
    ROW(W##_EXTMUL_LOW_##N##_S) = HALF(N, simd_extmul, true, false),                               \
    ROW(W##_EXTMUL_LOW_##N##_U) = HALF(N, simd_extmul, false, false),                              \
    ROW(W##_EXTMUL_HIGH_##N##_S) = HALF(N, simd_extmul, true, true),                               \
    ROW(W##_EXTMUL_HIGH_##N##_U) = HALF(N, simd_extmul, false, true)

#define NARROW_ROWS(N, W)                                                                          \
    ROW(N##_NARROW_##W##_S) = SIGNED(N, simd_narrow),                                              \
    ROW(N##_NARROW_##W##_U) = SHAPE(N, simd_narrow)

#define EXTADD_ROWS(W, N)                                                                          \
    ROW(W##_EXTADD_PAIRWISE_##N##_S) = SIGNED(N, simd_extadd),                                     \
    ROW(W##_EXTADD_PAIRWISE_##N##_U) = SHAPE(N, simd_extadd)

static const struct simd_row rows[] = {
    SMALL_ROWS(I8X16),
    SMALL_ROWS(I16X8),
    INT_ROWS(I32X4),
    COMPARE_UNSIGNED_ROWS(I32X4),
    MIN_MAX_ROWS(I32X4),
    INT_ROWS(I64X2),
    FP_ROWS(F32X4),
    FP_ROWS(F64X2),
    WIDEN_ROWS(I16X8, I8X16),
    WIDEN_ROWS(I32X4, I16X8),
    WIDEN_ROWS(I64X2, I32X4),
    NARROW_ROWS(I8X16, I16X8),
    NARROW_ROWS(I16X8, I32X4),
    EXTADD_ROWS(I16X8, I8X16),
    EXTADD_ROWS(I32X4, I16X8),

    ROW(I32X4_EXTRACT_LANE) = SHAPE(I32X4, simd_extract),
    ROW(I64X2_EXTRACT_LANE) = SHAPE(I64X2, simd_extract),
    ROW(I16X8_MUL) = WHAT(I16X8, simd_binary, LLVMMul),
    ROW(I32X4_MUL) = WHAT(I32X4, simd_binary, LLVMMul),
    ROW(I64X2_MUL) = WHAT(I64X2, simd_binary, LLVMMul),
    ROW(I8X16_POPCNT) = SHAPE(I8X16, simd_popcnt),
    ROW(I8X16_SHUFFLE) = SHAPE(I8X16, simd_shuffle),

    ROW(V128_CONST) = SHAPE(I8X16, simd_const),
    ROW(V128_NOT) = SHAPE(I64X2, simd_not),
    ROW(V128_AND) = WHAT(I64X2, simd_binary, LLVMAnd),
    ROW(V128_ANDNOT) = SHAPE(I64X2, simd_andnot),
    ROW(V128_OR) = WHAT(I64X2, simd_binary, LLVMOr),
    ROW(V128_XOR) = WHAT(I64X2, simd_binary, LLVMXor),
    ROW(V128_BITSELECT) = SHAPE(I64X2, simd_bitselect),
    ROW(V128_ANY_TRUE) = SHAPE(I64X2, simd_any_true),

    ROW(V128_LOAD) = SHAPE(I8X16, simd_load),
    ROW(V128_STORE) = SHAPE(I8X16, simd_store),
    ROW(V128_LOAD8X8_S) = SIGNED(I8X16, simd_load_extend),
    ROW(V128_LOAD8X8_U) = SHAPE(I8X16, simd_load_extend),
    ROW(V128_LOAD16X4_S) = SIGNED(I16X8, simd_load_extend),
    ROW(V128_LOAD16X4_U) = SHAPE(I16X8, simd_load_extend),
    ROW(V128_LOAD32X2_S) = SIGNED(I32X4, simd_load_extend),
    ROW(V128_LOAD32X2_U) = SHAPE(I32X4, simd_load_extend),
    ROW(V128_LOAD8_SPLAT) = SHAPE(I8X16, simd_load_splat),
    ROW(V128_LOAD16_SPLAT) = SHAPE(I16X8, simd_load_splat),
    ROW(V128_LOAD32_SPLAT) = SHAPE(I32X4, simd_load_splat),
    ROW(V128_LOAD64_SPLAT) = SHAPE(I64X2, simd_load_splat),
    ROW(V128_LOAD32_ZERO) = SHAPE(I32X4, simd_load_zero),
    ROW(V128_LOAD64_ZERO) = SHAPE(I64X2, simd_load_zero),
    ROW(V128_LOAD8_LANE) = SHAPE(I8X16, simd_load_lane),
    ROW(V128_LOAD16_LANE) = SHAPE(I16X8, simd_load_lane),
    ROW(V128_LOAD32_LANE) = SHAPE(I32X4, simd_load_lane),
    ROW(V128_LOAD64_LANE) = SHAPE(I64X2, simd_load_lane),
    ROW(V128_STORE8_LANE) = SHAPE(I8X16, simd_store_lane),
    ROW(V128_STORE16_LANE) = SHAPE(I16X8, simd_store_lane),
    ROW(V128_STORE32_LANE) = SHAPE(I32X4, simd_store_lane),
    ROW(V128_STORE64_LANE) = SHAPE(I64X2, simd_store_lane),

    ROW(F32X4_CONVERT_I32X4_S) = SIGNED(F32X4, simd_convert),
    ROW(F32X4_CONVERT_I32X4_U) = SHAPE(F32X4, simd_convert),
    ROW(F64X2_CONVERT_LOW_I32X4_S) = SIGNED(F64X2, simd_convert_low),
    ROW(F64X2_CONVERT_LOW_I32X4_U) = SHAPE(F64X2, simd_convert_low),
    ROW(F64X2_PROMOTE_LOW_F32X4) = SHAPE(F64X2, simd_promote),
    ROW(F32X4_DEMOTE_F64X2_ZERO) = SHAPE(F32X4, simd_demote),
    ROW(I32X4_TRUNC_SAT_F32X4_S) = SIGNED(F32X4, simd_trunc_sat),
    ROW(I32X4_TRUNC_SAT_F32X4_U) = SHAPE(F32X4, simd_trunc_sat),
    ROW(I32X4_TRUNC_SAT_F64X2_S_ZERO) = SIGNED(F64X2, simd_trunc_sat_zero),
    ROW(I32X4_TRUNC_SAT_F64X2_U_ZERO) = SHAPE(F64X2, simd_trunc_sat_zero),
    ROW(I32X4_RELAXED_TRUNC_F32X4_S) = SIGNED(F32X4, simd_trunc_relaxed),
    ROW(I32X4_RELAXED_TRUNC_F32X4_U) = SHAPE(F32X4, simd_trunc_sat),
    ROW(I32X4_RELAXED_TRUNC_F64X2_S_ZERO) = SIGNED(F64X2, simd_trunc_relaxed_zero),
    ROW(I32X4_RELAXED_TRUNC_F64X2_U_ZERO) = SHAPE(F64X2, simd_trunc_sat_zero),

    ROW(I8X16_SWIZZLE) = SHAPE(I8X16, simd_swizzle),
    ROW(I8X16_RELAXED_SWIZZLE) = SHAPE(I8X16, simd_swizzle_relaxed),
    ROW(I16X8_Q15MULR_SAT_S) = SHAPE(I16X8, simd_q15mulr),
    ROW(I16X8_RELAXED_Q15MULR_S) = SHAPE(I16X8, simd_q15mulr_relaxed),
    ROW(I32X4_DOT_I16X8_S) = SHAPE(I16X8, simd_dot),
    ROW(I16X8_RELAXED_DOT_I8X16_I7X16_S) = SHAPE(I8X16, simd_dot_relaxed),
    ROW(I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S) = SHAPE(I8X16, simd_dot_add_relaxed),
};

bool emit_simd(struct function_emitter *f, const struct wasm_instr *instr)
{
    uint32_t number = instr->op & 0xFFFF;
    if (instr->op >> 16 != 0xFD || number >= ARRAY_COUNT(rows) || !rows[number].emit) return false;
    rows[number].emit(f, &rows[number], instr);
    return true;
}
