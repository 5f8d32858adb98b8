/* Tables and references (Core §4.4.2, §4.4.6). A reference is a program function index or a host's
 * number; a table is an array of them in the context. */
#include "emit_module.h"

/* Current number of elements, as i64. */
static LLVMValueRef table_size(struct function_emitter *f, const struct fact_table *table)
{
    if (table->is_fixed) return emit_i64(f->e, table->capacity);
    LLVMValueRef size = emit_context_load(f, f->t->i32, table->size_offset);
    return LLVMBuildZExt(f->builder, size, f->t->i64, "");
}

static LLVMValueRef pop_wide(struct function_emitter *f)
{
    return LLVMBuildZExt(f->builder, emit_pop(f), f->t->i64, "");
}

static void push_narrow(struct function_emitter *f, LLVMValueRef value, bool is64)
{
    emit_push(f, is64 ? value : LLVMBuildTrunc(f->builder, value, f->t->i32, ""));
}

/* Pops an index and checks it: the pointer to the element. */
static LLVMValueRef element_pointer(struct function_emitter *f, uint32_t table_index)
{
    struct fact_table table = fact_table(&f->facts, table_index);
    LLVMValueRef index = pop_wide(f);
    LLVMValueRef outside = LLVMBuildICmp(f->builder, LLVMIntUGE, index, table_size(f, &table), "");
    emit_trap_if(f, outside, TRAP_TABLE_BOUNDS);
    LLVMValueRef elements = emit_context_pointer(f, table.elements_offset);
    return LLVMBuildGEP2(f->builder, f->t->i32, elements, &index, 1, "");
}

static void tag_context(struct function_emitter *f, LLVMValueRef access)
{
    LLVMSetAlignment(access, 4);
    LLVMSetMetadata(access, f->e->alias_kind, f->e->alias_tags[EMIT_ALIAS_CONTEXT]);
}

LLVMValueRef emit_table_element(struct function_emitter *f, uint32_t table)
{
    LLVMValueRef load = LLVMBuildLoad2(f->builder, f->t->i32, element_pointer(f, table), "");
    tag_context(f, load);
    return load;
}

static void table_grow(struct function_emitter *f, struct fact_table table)
{
    LLVMValueRef delta = pop_wide(f), element = emit_pop(f);
    LLVMValueRef args[3] = {emit_i32(f->e, table.table), delta, element};
    push_narrow(f, emit_helper(f, HELPER_table_grow, args, 3), table.is64);
}

static void table_fill(struct function_emitter *f, uint32_t table)
{
    LLVMValueRef length = pop_wide(f), element = emit_pop(f), at = pop_wide(f);
    LLVMValueRef args[4] = {emit_i32(f->e, table), at, element, length};
    emit_helper(f, HELPER_table_fill, args, 4);
}

static void table_copy_init(struct function_emitter *f, enum helper helper, uint32_t table,
                            uint32_t source)
{
    LLVMValueRef length = pop_wide(f), from = pop_wide(f), to = pop_wide(f);
    LLVMValueRef args[5] = {emit_i32(f->e, table), emit_i32(f->e, source), to, from, length};
    emit_helper(f, helper, args, 5);
}

static void elem_drop(struct function_emitter *f, uint32_t segment)
{
    LLVMValueRef arg = emit_i32(f->e, segment);
    emit_helper(f, HELPER_elem_drop, &arg, 1);
}

static void is_null(struct function_emitter *f)
{
    emit_push_bool(f, LLVMBuildICmp(f->builder, LLVMIntEQ, emit_pop(f), emit_i32(f->e, 0), ""));
}

bool emit_table(struct function_emitter *f, const struct wasm_instr *instr)
{
    const struct facts *facts = &f->facts;
    switch (instr->op) {
    case WASM_OP_TABLE_GET: emit_push(f, emit_table_element(f, instr->index)); break;
    case WASM_OP_TABLE_SET: {
        LLVMValueRef value = emit_pop(f);
        LLVMValueRef pointer = element_pointer(f, instr->index);
        tag_context(f, LLVMBuildStore(f->builder, value, pointer));
        break;
    }
    case WASM_OP_TABLE_SIZE: {
        struct fact_table table = fact_table(facts, instr->index);
        push_narrow(f, table_size(f, &table), table.is64);
        break;
    }
    case WASM_OP_TABLE_GROW: table_grow(f, fact_table(facts, instr->index)); break;
    case WASM_OP_TABLE_FILL: table_fill(f, fact_table(facts, instr->index).table); break;
    case WASM_OP_TABLE_COPY:
        table_copy_init(f, HELPER_table_copy, fact_table(facts, instr->index).table,
                        fact_table(facts, instr->index2).table);
        break;
    case WASM_OP_TABLE_INIT: /* immediates: segment, table */
        table_copy_init(f, HELPER_table_init, fact_table(facts, instr->index2).table,
                        fact_element(facts, instr->index));
        break;
    case WASM_OP_ELEM_DROP: elem_drop(f, fact_element(facts, instr->index)); break;
    case WASM_OP_REF_NULL: emit_push(f, emit_i32(f->e, 0)); break;
    case WASM_OP_REF_IS_NULL: is_null(f); break;
    case WASM_OP_REF_FUNC: emit_push(f, emit_i32(f->e, fact_reference(facts, instr->index))); break;
    default: return false;
    }
    return true;
}
