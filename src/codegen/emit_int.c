/* Integer instructions (Core §4.3.2). What LLVM leaves undefined is ruled out first: shift counts
 * are masked, division by zero and MIN / −1 trap. */
#include "emit_module.h"

static LLVMValueRef int_constant(LLVMValueRef like, uint64_t value)
{
    return LLVMConstInt(LLVMTypeOf(like), value, false);
}

static uint32_t bits_of(LLVMValueRef v)
{
    return LLVMGetIntTypeWidth(LLVMTypeOf(v));
}

static void binary(struct function_emitter *f, LLVMOpcode op)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    emit_push(f, LLVMBuildBinOp(f->builder, op, a, b, ""));
}

static void shift(struct function_emitter *f, LLVMOpcode op)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    b = LLVMBuildAnd(f->builder, b, int_constant(b, bits_of(b) - 1), "");
    emit_push(f, LLVMBuildBinOp(f->builder, op, a, b, ""));
}

static void rotate(struct function_emitter *f, const char *intrinsic)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    LLVMTypeRef type = LLVMTypeOf(a);
    LLVMValueRef args[3] = {a, a, b};
    emit_push(f, emit_intrinsic(f, intrinsic, &type, 1, args, 3));
}

static void count_zeros(struct function_emitter *f, const char *intrinsic)
{
    LLVMValueRef a = emit_pop(f);
    LLVMTypeRef type = LLVMTypeOf(a);
    LLVMValueRef args[2] = {a, LLVMConstInt(f->t->i1, 0, false)}; /* zero is defined */
    emit_push(f, emit_intrinsic(f, intrinsic, &type, 1, args, 2));
}

static void compare(struct function_emitter *f, LLVMIntPredicate predicate)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    emit_push_bool(f, LLVMBuildICmp(f->builder, predicate, a, b, ""));
}

static void equal_zero(struct function_emitter *f, LLVMTypeRef type)
{
    if (type == f->t->i32) { /* undoes a comparison: if (!(a < b)) */
        LLVMValueRef condition = emit_pop_condition(f);
        emit_push_bool(f, LLVMBuildNot(f->builder, condition, ""));
        return;
    }
    LLVMValueRef a = emit_pop(f);
    emit_push_bool(f, LLVMBuildICmp(f->builder, LLVMIntEQ, a, int_constant(a, 0), ""));
}

static void trap_on_zero(struct function_emitter *f, LLVMValueRef divisor)
{
    LLVMValueRef zero = LLVMBuildICmp(f->builder, LLVMIntEQ, divisor, int_constant(divisor, 0), "");
    emit_trap_if(f, zero, TRAP_DIVIDE_BY_ZERO);
}

static void divide(struct function_emitter *f, LLVMOpcode op)
{
    LLVMValueRef b = emit_pop(f), a = emit_pop(f);
    trap_on_zero(f, b);
    LLVMValueRef minus_one = int_constant(b, UINT64_MAX);
    if (op == LLVMSDiv) {
        LLVMValueRef min = int_constant(a, 1ull << (bits_of(a) - 1));
        LLVMValueRef overflow =
            LLVMBuildAnd(f->builder, LLVMBuildICmp(f->builder, LLVMIntEQ, b, minus_one, ""),
                         LLVMBuildICmp(f->builder, LLVMIntEQ, a, min, ""), "");
        emit_trap_if(f, overflow, TRAP_INTEGER_OVERFLOW);
    }
    if (op == LLVMSRem) { /* a rem −1 is 0, as is a rem 1, which the processor can do for MIN */
        LLVMValueRef is_minus_one = LLVMBuildICmp(f->builder, LLVMIntEQ, b, minus_one, "");
        b = LLVMBuildSelect(f->builder, is_minus_one, int_constant(b, 1), b, "");
    }
    emit_push(f, LLVMBuildBinOp(f->builder, op, a, b, ""));
}

static void extend(struct function_emitter *f, LLVMTypeRef from)
{
    LLVMValueRef a = emit_pop(f);
    LLVMValueRef low = LLVMBuildTrunc(f->builder, a, from, "");
    emit_push(f, LLVMBuildSExt(f->builder, low, LLVMTypeOf(a), ""));
}

static bool emit_compare(struct function_emitter *f, uint32_t op)
{
    switch (op) {
    case WASM_OP_I32_EQZ: equal_zero(f, f->t->i32); return true;
    case WASM_OP_I64_EQZ: equal_zero(f, f->t->i64); return true;
    case WASM_OP_I32_EQ:
    case WASM_OP_I64_EQ: compare(f, LLVMIntEQ); return true;
    case WASM_OP_I32_NE:
    case WASM_OP_I64_NE: compare(f, LLVMIntNE); return true;
    case WASM_OP_I32_LT_S:
    case WASM_OP_I64_LT_S: compare(f, LLVMIntSLT); return true;
    case WASM_OP_I32_LT_U:
    case WASM_OP_I64_LT_U: compare(f, LLVMIntULT); return true;
    case WASM_OP_I32_GT_S:
    case WASM_OP_I64_GT_S: compare(f, LLVMIntSGT); return true;
    case WASM_OP_I32_GT_U:
    case WASM_OP_I64_GT_U: compare(f, LLVMIntUGT); return true;
    case WASM_OP_I32_LE_S:
    case WASM_OP_I64_LE_S: compare(f, LLVMIntSLE); return true;
    case WASM_OP_I32_LE_U:
    case WASM_OP_I64_LE_U: compare(f, LLVMIntULE); return true;
    case WASM_OP_I32_GE_S:
    case WASM_OP_I64_GE_S: compare(f, LLVMIntSGE); return true;
    case WASM_OP_I32_GE_U:
    case WASM_OP_I64_GE_U: compare(f, LLVMIntUGE); return true;
    default: return false;
    }
}

bool emit_int(struct function_emitter *f, const struct wasm_instr *instr)
{
    if (emit_compare(f, instr->op)) return true;
    switch (instr->op) {
    case WASM_OP_I32_ADD:
    case WASM_OP_I64_ADD: binary(f, LLVMAdd); return true;
    case WASM_OP_I32_SUB:
    case WASM_OP_I64_SUB: binary(f, LLVMSub); return true;
    case WASM_OP_I32_MUL:
    case WASM_OP_I64_MUL: binary(f, LLVMMul); return true;
    case WASM_OP_I32_AND:
    case WASM_OP_I64_AND: binary(f, LLVMAnd); return true;
    case WASM_OP_I32_OR:
    case WASM_OP_I64_OR: binary(f, LLVMOr); return true;
    case WASM_OP_I32_XOR:
    case WASM_OP_I64_XOR: binary(f, LLVMXor); return true;
    case WASM_OP_I32_SHL:
    case WASM_OP_I64_SHL: shift(f, LLVMShl); return true;
    case WASM_OP_I32_SHR_S:
    case WASM_OP_I64_SHR_S: shift(f, LLVMAShr); return true;
    case WASM_OP_I32_SHR_U:
    case WASM_OP_I64_SHR_U: shift(f, LLVMLShr); return true;
    case WASM_OP_I32_ROTL:
    case WASM_OP_I64_ROTL: rotate(f, "llvm.fshl"); return true;
    case WASM_OP_I32_ROTR:
    case WASM_OP_I64_ROTR: rotate(f, "llvm.fshr"); return true;
    case WASM_OP_I32_CLZ:
    case WASM_OP_I64_CLZ: count_zeros(f, "llvm.ctlz"); return true;
    case WASM_OP_I32_CTZ:
    case WASM_OP_I64_CTZ: count_zeros(f, "llvm.cttz"); return true;
    case WASM_OP_I32_POPCNT:
    case WASM_OP_I64_POPCNT:
        emit_push(f, emit_intrinsic1(f, "llvm.ctpop", emit_pop(f)));
        return true;
    case WASM_OP_I32_DIV_S:
    case WASM_OP_I64_DIV_S: divide(f, LLVMSDiv); return true;
    case WASM_OP_I32_DIV_U:
    case WASM_OP_I64_DIV_U: divide(f, LLVMUDiv); return true;
    case WASM_OP_I32_REM_S:
    case WASM_OP_I64_REM_S: divide(f, LLVMSRem); return true;
    case WASM_OP_I32_REM_U:
    case WASM_OP_I64_REM_U: divide(f, LLVMURem); return true;
    case WASM_OP_I32_EXTEND8_S:
    case WASM_OP_I64_EXTEND8_S: extend(f, f->t->i8); return true;
    case WASM_OP_I32_EXTEND16_S:
    case WASM_OP_I64_EXTEND16_S: extend(f, f->t->i16); return true;
    case WASM_OP_I64_EXTEND32_S: extend(f, f->t->i32); return true;
    case WASM_OP_I32_WRAP_I64:
        emit_push(f, LLVMBuildTrunc(f->builder, emit_pop(f), f->t->i32, ""));
        return true;
    case WASM_OP_I64_EXTEND_I32_S:
        emit_push(f, LLVMBuildSExt(f->builder, emit_pop(f), f->t->i64, ""));
        return true;
    case WASM_OP_I64_EXTEND_I32_U:
        emit_push(f, LLVMBuildZExt(f->builder, emit_pop(f), f->t->i64, ""));
        return true;
    default: return false;
    }
}
