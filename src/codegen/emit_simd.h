/* Vector instructions (Core §4.3.3 and the relaxed ones): one table row an opcode, naming the
 * function that emits it, the shape of its lanes and what it does to them. Private to codegen. */
#ifndef CODEGEN_EMIT_SIMD_H
#define CODEGEN_EMIT_SIMD_H

#include "emit.h"

enum simd_shape { I8X16, I16X8, I32X4, I64X2, F32X4, F64X2 };

struct simd_row;

typedef void simd_emit(struct function_emitter *f, const struct simd_row *row,
                       const struct wasm_instr *instr);

struct simd_row {
    simd_emit *emit; /* NULL: no such opcode */
    enum simd_shape shape;
    int what; /* an LLVM opcode, predicate or enum emit_rounding; for others see the function */
    bool is_signed, high;
    const char *intrinsic;
};

static inline uint32_t simd_lanes(enum simd_shape shape)
{
    static const uint8_t lanes[] = {16, 8, 4, 2, 4, 2};
    return lanes[shape];
}

static inline LLVMTypeRef simd_type(const struct function_emitter *f, enum simd_shape shape)
{
    const struct emit_types *t = f->t;
    const LLVMTypeRef types[] = {t->v128, t->v8i16, t->v4i32, t->v2i64, t->v4f32, t->v2f64};
    return types[shape];
}

static inline LLVMTypeRef simd_lane_type(const struct function_emitter *f, enum simd_shape shape)
{
    return LLVMGetElementType(simd_type(f, shape));
}

/* The integer shape with lanes of twice, or half, the width. */
static inline enum simd_shape simd_wider(enum simd_shape shape)
{
    return shape + 1;
}

/* Lanes [first, first + count) of a vector of integers, widened. */
LLVMValueRef simd_extend(struct function_emitter *f, LLVMValueRef vector, uint32_t first,
                         uint32_t count, bool is_signed);

/* Two half vectors of the same type, one behind the other. */
LLVMValueRef simd_concat(struct function_emitter *f, LLVMValueRef low, LLVMValueRef high);

/* emit_simd_memory.c: loads and stores */
simd_emit simd_load, simd_store, simd_load_extend, simd_load_splat, simd_load_zero, simd_load_lane,
    simd_store_lane;

/* emit_simd_float.c */
simd_emit simd_fp_binary, simd_fp_compare, simd_fp_round, simd_fp_sqrt, simd_fp_abs, simd_fp_neg,
    simd_fp_min, simd_fp_max, simd_fp_pmin, simd_fp_pmax, simd_fp_madd, simd_convert,
    simd_convert_low, simd_promote, simd_demote, simd_trunc_sat, simd_trunc_sat_zero;

/* emit_simd_x86.c: what has an instruction of x86-64 that plain IR does not reach */
simd_emit simd_popcnt, simd_swizzle, simd_q15mulr, simd_q15mulr_relaxed, simd_dot, simd_dot_relaxed,
    simd_dot_add_relaxed, simd_trunc_relaxed, simd_trunc_relaxed_zero, simd_swizzle_relaxed;

#endif
