/* Calls (Core §4.4.8): direct ones by symbol; indirect ones by a check of the index, the function
 * table's type id, and its code offset. In a program with tail calls all guest functions have the
 * convention tailcc, so that a callee may have any prototype. */
#include <assert.h>

#include "emit_module.h"

#define TAIL_KIND LLVMTailCallKindMustTail

static LLVMValueRef call_scratch(struct function_emitter *f, uint32_t count)
{
    if (f->scratch_count < count) {
        f->scratch = emit_alloca_values(f, count);
        f->scratch_count = count;
    }
    return f->scratch;
}

static void push_results(struct function_emitter *f, const struct wasm_type *type,
                         LLVMValueRef call, LLVMValueRef values)
{
    uint32_t count = type->results_count;
    if (count == 1) {
        emit_push(f, call);
    } else if (count <= EMIT_RESULTS_DIRECT_MAX) {
        for (uint32_t i = 0; i < count; i++)
            emit_push(f, LLVMBuildExtractValue(f->builder, call, i, ""));
    } else {
        for (uint32_t i = 0; i < count; i++)
            emit_push(f, LLVMBuildLoad2(f->builder, emit_type(f->e, type->results[i]),
                                        emit_value_pointer(f, values, i), ""));
    }
}

void emit_call_with(struct function_emitter *f, const struct wasm_type *type, LLVMValueRef callee,
                    bool tail)
{
    emit_locate(f);
    LLVMValueRef args[WASM_PARAMS_MAX + 2];
    uint32_t count = 0;
    bool through_memory = type->results_count > EMIT_RESULTS_DIRECT_MAX;
    args[count++] = f->base;
    if (through_memory) args[count++] = tail ? f->results : call_scratch(f, type->results_count);
    f->stack_count -= type->params_count;
    for (uint32_t i = 0; i < type->params_count; i++) args[count++] = f->stack[f->stack_count + i];
    LLVMValueRef call =
        LLVMBuildCall2(f->builder, emit_function_type(f->e, type), callee, args, count, "");
    LLVMSetInstructionCallConv(call, f->e->callconv);
    LLVMAddCallSiteAttribute(call, 1, f->e->swiftself);
    LLVMAddCallSiteAttribute(call, EMIT_ON_FUNCTION, f->e->nounwind);
    if (f->e->strict) LLVMAddCallSiteAttribute(call, EMIT_ON_FUNCTION, f->e->strictfp);
    if (!tail) {
        push_results(f, type, call, through_memory ? f->scratch : NULL);
        emit_called(f);
        return;
    }
    LLVMSetTailCallKind(call, TAIL_KIND);
    if (through_memory || !type->results_count)
        LLVMBuildRetVoid(f->builder);
    else
        LLVMBuildRet(f->builder, call);
}

void emit_return(struct function_emitter *f)
{
    uint32_t count = f->type->results_count;
    LLVMValueRef *values = &f->stack[f->stack_count - count];
    if (!count) {
        LLVMBuildRetVoid(f->builder);
    } else if (count == 1) {
        LLVMBuildRet(f->builder, values[0]);
    } else if (count <= EMIT_RESULTS_DIRECT_MAX) {
        LLVMBuildAggregateRet(f->builder, values, count);
    } else {
        for (uint32_t i = 0; i < count; i++)
            LLVMBuildStore(f->builder, values[i], emit_value_pointer(f, f->results, i));
        LLVMBuildRetVoid(f->builder);
    }
}

static LLVMValueRef external_symbol(struct emitter *e, const char *name, LLVMTypeRef type)
{
    LLVMValueRef symbol = LLVMGetNamedGlobal(e->module, name);
    if (symbol) return symbol;
    symbol = LLVMAddGlobal(e->module, type, name);
    LLVMSetVisibility(symbol, LLVMHiddenVisibility);
    LLVMSetGlobalConstant(symbol, true);
    return symbol;
}

/* A field of the function table's entry: constant for the life of the program. */
static LLVMValueRef load_entry(struct function_emitter *f, LLVMValueRef entry, uint64_t field)
{
    LLVMValueRef at = emit_i64(f->e, field);
    LLVMValueRef pointer = LLVMBuildGEP2(f->builder, f->t->i8, entry, &at, 1, "");
    LLVMValueRef load = LLVMBuildLoad2(f->builder, f->t->i32, pointer, "");
    LLVMSetAlignment(load, 4);
    LLVMSetMetadata(load, f->e->alias_kind, f->e->alias_tags[EMIT_ALIAS_HOST_PAGE]);
    LLVMSetMetadata(load, f->e->invariant_kind, f->e->invariant);
    return load;
}

/* Traps unless the entry's type is `type_id`; null has a type of its own, so one comparison does,
 * and the trap finds out which it is. */
static void check_type(struct function_emitter *f, LLVMValueRef found, LLVMValueRef func,
                       uint32_t type_id)
{
    struct emitter *e = f->e;
    LLVMBasicBlockRef trap = emit_block_new(f), next = emit_block_new(f);
    LLVMValueRef wrong = LLVMBuildICmp(f->builder, LLVMIntNE, found, emit_i32(e, type_id), "");
    LLVMBuildCondBr(f->builder, wrong, trap, next);
    LLVMPositionBuilderAtEnd(f->builder, trap);
    LLVMValueRef is_null =
        LLVMBuildICmp(f->builder, LLVMIntEQ, func, emit_i32(e, PROGRAM_FUNCTION_NULL), "");
    emit_trap_value(f, LLVMBuildSelect(f->builder, is_null, emit_i64(e, TRAP_NULL_ELEMENT),
                                       emit_i64(e, TRAP_TYPE_MISMATCH), ""));
    emit_block_enter(f, next, true);
}

static LLVMValueRef indirect_callee(struct function_emitter *f, uint32_t table, uint32_t type)
{
    struct emitter *e = f->e;
    struct fact_indirect fact = fact_indirect(&f->facts, type);
    LLVMValueRef func = emit_table_element(f, table);
    LLVMValueRef masked = LLVMBuildAnd(f->builder, func, emit_i32(e, fact.function_mask), "");
    LLVMValueRef index = LLVMBuildZExt(f->builder, masked, f->t->i64, "");
    LLVMValueRef functable = external_symbol(e, "functable", f->t->i64);
    LLVMValueRef entry = LLVMBuildGEP2(f->builder, f->t->i64, functable, &index, 1, "");
    check_type(f, load_entry(f, entry, 0), func, fact.type_id);
    LLVMValueRef offset =
        LLVMBuildSExt(f->builder, load_entry(f, entry, sizeof(uint32_t)), f->t->i64, "");
    LLVMValueRef start = external_symbol(e, "codestart", f->t->i8);
    return LLVMBuildGEP2(f->builder, f->t->i8, start, &offset, 1, "");
}

bool emit_call(struct function_emitter *f, const struct wasm_instr *instr)
{
    bool tail = instr->op == WASM_OP_RETURN_CALL || instr->op == WASM_OP_RETURN_CALL_INDIRECT;
    switch (instr->op) {
    case WASM_OP_CALL:
    case WASM_OP_RETURN_CALL: {
        const struct wasm_type *type = &f->module->types[f->module->funcs[instr->index].type];
        emit_call_with(f, type, emit_declare(f->e, fact_callee(&f->facts, instr->index)), tail);
        break;
    }
    case WASM_OP_CALL_INDIRECT:
    case WASM_OP_RETURN_CALL_INDIRECT: {
        LLVMValueRef callee = indirect_callee(f, instr->index2, instr->index);
        emit_call_with(f, &f->module->types[instr->index], callee, tail);
        break;
    }
    default: return false;
    }
    f->dead = tail;
    return true;
}
