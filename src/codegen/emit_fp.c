/* Arithmetic on floats, for scalars and vectors, in both modes. Strict: constrained intrinsics,
 * which the optimiser neither folds nor moves across what could see their effect, so that every
 * operation quiets its NaNs (Core §4.3.3). Otherwise: plain instructions, no fast-math flags. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "emit_module.h"

#define NAME_BYTES_MAX 80u

/* Calls llvm.experimental.constrained.<name>; `rounds`: it takes the rounding mode. */
static LLVMValueRef constrained(struct function_emitter *f, const char *name, LLVMTypeRef *types,
                                uint32_t types_count, LLVMValueRef *values, uint32_t count,
                                bool rounds)
{
    char full[NAME_BYTES_MAX];
    LLVMValueRef args[6];
    assert(count + 2 <= ARRAY_COUNT(args));
    snprintf(full, sizeof full, "llvm.experimental.constrained.%s", name);
    for (uint32_t i = 0; i < count; i++) args[i] = values[i];
    if (rounds) args[count++] = f->e->fp_rounding;
    args[count++] = f->e->fp_exceptions;
    return emit_intrinsic(f, full, types, types_count, args, count);
}

LLVMValueRef emit_fp_binary(struct function_emitter *f, LLVMOpcode op, LLVMValueRef a,
                            LLVMValueRef b)
{
    if (!f->e->strict) return LLVMBuildBinOp(f->builder, op, a, b, "");
    const char *name = op == LLVMFAdd   ? "fadd"
                       : op == LLVMFSub ? "fsub"
                       : op == LLVMFMul ? "fmul"
                                        : "fdiv";
    assert(op == LLVMFAdd || op == LLVMFSub || op == LLVMFMul || op == LLVMFDiv);
    LLVMTypeRef type = LLVMTypeOf(a);
    LLVMValueRef values[2] = {a, b};
    return constrained(f, name, &type, 1, values, 2, true);
}

LLVMValueRef emit_fp_sqrt(struct function_emitter *f, LLVMValueRef a)
{
    if (!f->e->strict) return emit_intrinsic1(f, "llvm.sqrt", a);
    LLVMTypeRef type = LLVMTypeOf(a);
    return constrained(f, "sqrt", &type, 1, &a, 1, true);
}

LLVMValueRef emit_fp_round(struct function_emitter *f, enum emit_rounding rounding, LLVMValueRef a)
{
    static const char *const names[] = {[EMIT_CEIL] = "ceil",
                                        [EMIT_FLOOR] = "floor",
                                        [EMIT_TRUNC] = "trunc",
                                        [EMIT_NEAREST] = "roundeven"};
    LLVMTypeRef type = LLVMTypeOf(a);
    if (f->e->strict) return constrained(f, names[rounding], &type, 1, &a, 1, false);
    char name[NAME_BYTES_MAX];
    snprintf(name, sizeof name, "llvm.%s", names[rounding]);
    return emit_intrinsic1(f, name, a);
}

static const char *predicate_name(LLVMRealPredicate predicate)
{
    switch (predicate) {
    case LLVMRealOEQ: return "oeq";
    case LLVMRealOGT: return "ogt";
    case LLVMRealOGE: return "oge";
    case LLVMRealOLT: return "olt";
    case LLVMRealOLE: return "ole";
    case LLVMRealONE: return "one";
    case LLVMRealORD: return "ord";
    case LLVMRealUNO: return "uno";
    case LLVMRealUEQ: return "ueq";
    case LLVMRealUGT: return "ugt";
    case LLVMRealUGE: return "uge";
    case LLVMRealULT: return "ult";
    case LLVMRealULE: return "ule";
    case LLVMRealUNE: return "une";
    default: assert(false && "predicate"); return "oeq";
    }
}

LLVMValueRef emit_fp_compare(struct function_emitter *f, LLVMRealPredicate predicate,
                             LLVMValueRef a, LLVMValueRef b)
{
    if (!f->e->strict) return LLVMBuildFCmp(f->builder, predicate, a, b, "");
    const char *name = predicate_name(predicate);
    LLVMMetadataRef text = LLVMMDStringInContext2(f->e->context, name, strlen(name));
    LLVMTypeRef type = LLVMTypeOf(a);
    LLVMValueRef values[3] = {a, b, LLVMMetadataAsValue(f->e->context, text)};
    return constrained(f, "fcmp", &type, 1, values, 3, false);
}

static LLVMTypeRef bits_type(struct function_emitter *f, LLVMTypeRef type)
{
    if (type == f->t->f32) return f->t->i32;
    if (type == f->t->f64) return f->t->i64;
    return f->t->v2i64;
}

/* The two orders of x86's min differ only for zeros of both signs and for NaNs: or-ing them (and,
 * for max) gives the right zero; the sum gives the quiet NaN. */
static LLVMValueRef min_or_max(struct function_emitter *f, LLVMValueRef a, LLVMValueRef b,
                               LLVMRealPredicate predicate, LLVMOpcode combine)
{
    LLVMTypeRef type = LLVMTypeOf(a), bits = bits_type(f, type);
    LLVMValueRef ab = LLVMBuildSelect(f->builder, emit_fp_compare(f, predicate, a, b), a, b, "");
    LLVMValueRef ba = LLVMBuildSelect(f->builder, emit_fp_compare(f, predicate, b, a), b, a, "");
    LLVMValueRef x = LLVMBuildBitCast(f->builder, ab, bits, "");
    LLVMValueRef y = LLVMBuildBitCast(f->builder, ba, bits, "");
    LLVMValueRef both = LLVMBuildBinOp(f->builder, combine, x, y, "");
    LLVMValueRef value = LLVMBuildBitCast(f->builder, both, type, "");
    LLVMValueRef unordered = emit_fp_compare(f, LLVMRealUNO, a, b);
    LLVMValueRef nan = emit_fp_binary(f, LLVMFAdd, a, b);
    return LLVMBuildSelect(f->builder, unordered, nan, value, "");
}

LLVMValueRef emit_fp_min(struct function_emitter *f, LLVMValueRef a, LLVMValueRef b)
{
    return min_or_max(f, a, b, LLVMRealOLT, LLVMOr);
}

LLVMValueRef emit_fp_max(struct function_emitter *f, LLVMValueRef a, LLVMValueRef b)
{
    return min_or_max(f, a, b, LLVMRealOGT, LLVMAnd);
}

LLVMValueRef emit_fp_convert(struct function_emitter *f, LLVMOpcode op, LLVMValueRef value,
                             LLVMTypeRef to)
{
    if (!f->e->strict) return LLVMBuildCast(f->builder, op, value, to, "");
    const char *name = NULL;
    bool rounds = false;
    switch (op) {
    case LLVMSIToFP:
        name = "sitofp";
        rounds = true;
        break;
    case LLVMUIToFP:
        name = "uitofp";
        rounds = true;
        break;
    case LLVMFPTrunc:
        name = "fptrunc";
        rounds = true;
        break;
    case LLVMFPExt: name = "fpext"; break;
    case LLVMFPToSI: name = "fptosi"; break;
    default:
        assert(op == LLVMFPToUI);
        name = "fptoui";
        break;
    }
    LLVMTypeRef types[2] = {to, LLVMTypeOf(value)};
    return constrained(f, name, types, 2, &value, 1, rounds);
}

LLVMValueRef emit_fp_to_int_sat(struct function_emitter *f, LLVMValueRef value, LLVMTypeRef to,
                                bool is_signed)
{
    LLVMTypeRef types[2] = {to, LLVMTypeOf(value)};
    const char *name = is_signed ? "llvm.fptosi.sat" : "llvm.fptoui.sat";
    return emit_intrinsic(f, name, types, 2, &value, 1);
}
