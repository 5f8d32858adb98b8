/* The value stack, constants, intrinsics, blocks, traps and calls of helpers. */
#include <assert.h>
#include <string.h>

#include "emit_module.h"

#define INTRINSIC_ARGS_MAX 8u

/* At the fast level: calls in one block. */
#define BLOCK_CALLS_MAX 64u

void emit_push(struct function_emitter *f, LLVMValueRef value)
{
    assert(value);
    assert(f->stack_count < f->stack_capacity); /* the driver makes room for each instruction */
    f->stack[f->stack_count++] = value;
    if (f->stack_count > f->e->stack_depth_max) f->e->stack_depth_max = f->stack_count;
}

LLVMValueRef emit_pop(struct function_emitter *f)
{
    assert(f->stack_count);
    return f->stack[--f->stack_count];
}

LLVMValueRef emit_pop_vector(struct function_emitter *f, LLVMTypeRef type)
{
    LLVMValueRef v = emit_pop(f);
    return type == f->t->v128 ? v : LLVMBuildBitCast(f->builder, v, type, "");
}

void emit_push_vector(struct function_emitter *f, LLVMValueRef vector)
{
    emit_push(f, LLVMBuildBitCast(f->builder, vector, f->t->v128, ""));
}

void emit_push_bool(struct function_emitter *f, LLVMValueRef i1)
{
    emit_push(f, LLVMBuildZExt(f->builder, i1, f->t->i32, ""));
}

LLVMValueRef emit_pop_condition(struct function_emitter *f)
{
    LLVMValueRef v = emit_pop(f);
    if (LLVMIsAZExtInst(v)) {
        LLVMValueRef source = LLVMGetOperand(v, 0);
        if (LLVMTypeOf(source) == f->t->i1) return source;
    }
    return LLVMBuildICmp(f->builder, LLVMIntNE, v, emit_i32(f->e, 0), "");
}

LLVMValueRef emit_i32(const struct emitter *e, uint32_t value)
{
    return LLVMConstInt(e->types.i32, value, false);
}

LLVMValueRef emit_i64(const struct emitter *e, uint64_t value)
{
    return LLVMConstInt(e->types.i64, value, false);
}

LLVMValueRef emit_splat(struct function_emitter *f, LLVMValueRef scalar, uint32_t count)
{
    LLVMTypeRef vector = LLVMVectorType(LLVMTypeOf(scalar), count);
    LLVMValueRef poison = LLVMGetPoison(vector);
    LLVMValueRef one = LLVMBuildInsertElement(f->builder, poison, scalar, emit_i32(f->e, 0), "");
    LLVMValueRef zeros = LLVMConstNull(LLVMVectorType(f->t->i32, count));
    return LLVMBuildShuffleVector(f->builder, one, poison, zeros, "");
}

LLVMValueRef emit_intrinsic(struct function_emitter *f, const char *name, LLVMTypeRef *types,
                            uint32_t types_count, LLVMValueRef *args, uint32_t args_count)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    assert(id);
    LLVMValueRef fn = LLVMGetIntrinsicDeclaration(f->e->module, id, types, types_count);
    LLVMTypeRef type = LLVMIntrinsicGetType(f->e->context, id, types, types_count);
    LLVMValueRef call = LLVMBuildCall2(f->builder, type, fn, args, args_count, "");
    if (f->e->strict) LLVMAddCallSiteAttribute(call, EMIT_ON_FUNCTION, f->e->strictfp);
    return call;
}

LLVMValueRef emit_intrinsic1(struct function_emitter *f, const char *name, LLVMValueRef a)
{
    LLVMTypeRef type = LLVMTypeOf(a);
    return emit_intrinsic(f, name, &type, 1, &a, 1);
}

LLVMValueRef emit_intrinsic2(struct function_emitter *f, const char *name, LLVMValueRef a,
                             LLVMValueRef b)
{
    LLVMTypeRef type = LLVMTypeOf(a);
    LLVMValueRef args[2] = {a, b};
    return emit_intrinsic(f, name, &type, 1, args, 2);
}

LLVMBasicBlockRef emit_block_new(struct function_emitter *f)
{
    return LLVMAppendBasicBlockInContext(f->e->context, f->fn, "");
}

void emit_block_enter(struct function_emitter *f, LLVMBasicBlockRef block, bool keep_cache)
{
    LLVMPositionBuilderAtEnd(f->builder, block);
    f->block_calls = 0;
    if (keep_cache) return;
    for (uint32_t i = 0; i < f->cached_count; i++) f->cached[f->cached_list[i]] = NULL;
    f->cached_count = 0;
}

void emit_called(struct function_emitter *f)
{
    if (!f->e->fast || ++f->block_calls < BLOCK_CALLS_MAX) return;
    LLVMBasicBlockRef next = emit_block_new(f);
    LLVMBuildBr(f->builder, next);
    emit_block_enter(f, next, false);
}

LLVMValueRef emit_helper(struct function_emitter *f, enum helper helper, LLVMValueRef *args,
                         uint32_t args_count)
{
    static const char *const results[HELPERS_COUNT] = {
#define HELPER(name, kind, result, parameters) [HELPER_##name] = #kind,
#include "artifact/helpers.def"
#undef HELPER
    };
    struct emitter *e = f->e;
    emit_locate(f);
    LLVMTypeRef types[INTRINSIC_ARGS_MAX];
    LLVMValueRef values[INTRINSIC_ARGS_MAX];
    assert(args_count < INTRINSIC_ARGS_MAX);
    types[0] = f->t->ptr;
    values[0] = f->base;
    for (uint32_t i = 0; i < args_count; i++) {
        values[i + 1] = args[i];
        types[i + 1] = LLVMTypeOf(args[i]);
    }
    bool has_result = strcmp(results[helper], "VALUE") == 0;
    LLVMTypeRef type =
        LLVMFunctionType(has_result ? f->t->i64 : f->t->void_, types, args_count + 1, false);
    LLVMValueRef slot = emit_context_pointer(f, SLOT_HOST_PAGE + 8 * (int64_t)helper);
    LLVMValueRef callee = LLVMBuildLoad2(f->builder, f->t->ptr, slot, "");
    LLVMSetMetadata(callee, e->alias_kind, e->alias_tags[EMIT_ALIAS_HOST_PAGE]);
    LLVMSetMetadata(callee, e->invariant_kind, e->invariant);
    LLVMValueRef call = LLVMBuildCall2(f->builder, type, callee, values, args_count + 1, "");
    LLVMAddCallSiteAttribute(call, 1, e->swiftself);
    LLVMAddCallSiteAttribute(call, EMIT_ON_FUNCTION, e->nounwind);
    if (e->strict) LLVMAddCallSiteAttribute(call, EMIT_ON_FUNCTION, e->strictfp);
    if (strcmp(results[helper], "NORETURN") == 0) {
        LLVMAddCallSiteAttribute(call, EMIT_ON_FUNCTION, e->noreturn);
        LLVMAddCallSiteAttribute(call, EMIT_ON_FUNCTION, e->cold);
    } else {
        emit_called(f);
    }
    return has_result ? call : NULL;
}

void emit_trap_value(struct function_emitter *f, LLVMValueRef kind)
{
    LLVMValueRef shifted = LLVMBuildShl(f->builder, kind, emit_i64(f->e, 32), "");
    LLVMValueRef arg = LLVMBuildOr(f->builder, shifted, emit_i64(f->e, f->offset - f->origin), "");
    emit_helper(f, HELPER_trap, &arg, 1);
    LLVMBuildUnreachable(f->builder);
}

void emit_trap(struct function_emitter *f, enum trap_kind kind)
{
    emit_trap_value(f, emit_i64(f->e, kind));
}

void emit_trap_if(struct function_emitter *f, LLVMValueRef condition, enum trap_kind kind)
{
    if (LLVMIsAConstantInt(condition) && !LLVMConstIntGetZExtValue(condition)) return;
    LLVMBasicBlockRef trap = emit_block_new(f), next = emit_block_new(f);
    LLVMBuildCondBr(f->builder, condition, trap, next);
    LLVMPositionBuilderAtEnd(f->builder, trap);
    emit_trap(f, kind);
    emit_block_enter(f, next, true);
}
