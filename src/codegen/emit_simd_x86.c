/* Vector instructions for which x86-64 has an instruction that LLVM does not find from plain IR.
 *
 * The relaxed ones take one of the outcomes that the specification allows (Core §4.3.5), the same
 * on every x86-64 machine. */
#include "emit_simd.h"

static LLVMValueRef call2(struct function_emitter *f, const char *name, LLVMValueRef a,
                          LLVMValueRef b)
{
    LLVMValueRef args[2] = {a, b};
    return emit_intrinsic(f, name, NULL, 0, args, 2);
}

/* pshufb takes lane (index & 15), or 0 when the index's top bit is set; adding 0x70 with
 * saturation sets it for every index from 16 up. */
void simd_swizzle(struct function_emitter *f, const struct simd_row *row,
                  const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef bias = emit_splat(f, LLVMConstInt(f->t->i8, 0x70, 0), 16);
    LLVMValueRef indices = emit_intrinsic2(f, "llvm.uadd.sat", emit_pop(f), bias);
    emit_push(f, call2(f, "llvm.x86.ssse3.pshuf.b.128", emit_pop(f), indices));
}

void simd_swizzle_relaxed(struct function_emitter *f, const struct simd_row *row,
                          const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef indices = emit_pop(f);
    emit_push(f, call2(f, "llvm.x86.ssse3.pshuf.b.128", emit_pop(f), indices));
}

/* The bits of each half of a byte, from a table of 16. LLVM makes the same of its ctpop, but there
 * its combiner never ends with a comparison to zero of the ctpop of a comparison of constants. */
void simd_popcnt(struct function_emitter *f, const struct simd_row *row,
                 const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef counts[16];
    for (unsigned i = 0; i < 16; i++)
        counts[i] = LLVMConstInt(f->t->i8, (unsigned)__builtin_popcount(i), 0);
    LLVMValueRef table = LLVMConstVector(counts, 16);
    LLVMValueRef half_mask = emit_splat(f, LLVMConstInt(f->t->i8, 0x0f, 0), 16);
    LLVMValueRef half_bits = emit_splat(f, LLVMConstInt(f->t->i8, 4, 0), 16);
    LLVMValueRef bytes = emit_pop(f);
    LLVMValueRef low = LLVMBuildAnd(f->builder, bytes, half_mask, "");
    LLVMValueRef high = LLVMBuildLShr(f->builder, bytes, half_bits, "");
    emit_push(f, LLVMBuildAdd(f->builder, call2(f, "llvm.x86.ssse3.pshuf.b.128", table, low),
                              call2(f, "llvm.x86.ssse3.pshuf.b.128", table, high), ""));
}

static LLVMValueRef rounded_products(struct function_emitter *f)
{
    LLVMValueRef b = emit_pop_vector(f, f->t->v8i16), a = emit_pop_vector(f, f->t->v8i16);
    return call2(f, "llvm.x86.ssse3.pmul.hr.sw.128", a, b);
}

/* pmulhrsw wraps in the one case −1 × −1, to 0x8000, which nothing else gives. */
void simd_q15mulr(struct function_emitter *f, const struct simd_row *row,
                  const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef products = rounded_products(f);
    LLVMValueRef least = emit_splat(f, LLVMConstInt(f->t->i16, 0x8000, 0), 8);
    LLVMValueRef wrapped = LLVMBuildICmp(f->builder, LLVMIntEQ, products, least, "");
    LLVMValueRef flip = LLVMBuildSExt(f->builder, wrapped, f->t->v8i16, "");
    emit_push_vector(f, LLVMBuildXor(f->builder, products, flip, ""));
}

void simd_q15mulr_relaxed(struct function_emitter *f, const struct simd_row *row,
                          const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    emit_push_vector(f, rounded_products(f));
}

void simd_dot(struct function_emitter *f, const struct simd_row *row,
              const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef b = emit_pop_vector(f, f->t->v8i16), a = emit_pop_vector(f, f->t->v8i16);
    emit_push_vector(f, call2(f, "llvm.x86.sse2.pmadd.wd", a, b));
}

/* pmaddubsw: unsigned times signed bytes, neighbours added with saturation. The second operand has
 * 7 bits, so it may pass for unsigned. */
static LLVMValueRef dot7(struct function_emitter *f)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    return call2(f, "llvm.x86.ssse3.pmadd.ub.sw.128", b, a);
}

void simd_dot_relaxed(struct function_emitter *f, const struct simd_row *row,
                      const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    emit_push_vector(f, dot7(f));
}

void simd_dot_add_relaxed(struct function_emitter *f, const struct simd_row *row,
                          const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef sum = emit_pop_vector(f, f->t->v4i32);
    LLVMValueRef ones = emit_splat(f, LLVMConstInt(f->t->i16, 1, 0), 8);
    LLVMValueRef pairs = call2(f, "llvm.x86.sse2.pmadd.wd", dot7(f), ones);
    emit_push_vector(f, LLVMBuildAdd(f->builder, pairs, sum, ""));
}

/* Out of range and NaN give 0x80000000. */
void simd_trunc_relaxed(struct function_emitter *f, const struct simd_row *row,
                        const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef value = emit_pop_vector(f, f->t->v4f32);
    emit_push_vector(f, emit_intrinsic(f, "llvm.x86.sse2.cvttps2dq", NULL, 0, &value, 1));
}

void simd_trunc_relaxed_zero(struct function_emitter *f, const struct simd_row *row,
                             const struct wasm_instr *instr)
{
    (void)row, (void)instr;
    LLVMValueRef value = emit_pop_vector(f, f->t->v2f64);
    emit_push_vector(f, emit_intrinsic(f, "llvm.x86.sse2.cvttpd2dq", NULL, 0, &value, 1));
}
