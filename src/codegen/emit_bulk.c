/* Bulk memory (Core §4.4.7): through helpers, which check the whole range first. */
#include "emit_module.h"

static LLVMValueRef pop_wide(struct function_emitter *f)
{
    return LLVMBuildZExt(f->builder, emit_pop(f), f->t->i64, "");
}

static void memory_fill(struct function_emitter *f, uint32_t memory)
{
    LLVMValueRef length = pop_wide(f), byte = emit_pop(f), at = pop_wide(f);
    LLVMValueRef args[4] = {emit_i32(f->e, memory), at, byte, length};
    emit_helper(f, HELPER_memory_fill, args, 4);
}

/* memory.copy and memory.init: target memory, source memory or segment. */
static void memory_move(struct function_emitter *f, enum helper helper, uint32_t memory,
                        uint32_t source)
{
    LLVMValueRef length = pop_wide(f), from = pop_wide(f), to = pop_wide(f);
    LLVMValueRef args[5] = {emit_i32(f->e, memory), emit_i32(f->e, source), to, from, length};
    emit_helper(f, helper, args, 5);
}

bool emit_bulk(struct function_emitter *f, const struct wasm_instr *instr)
{
    switch (instr->op) {
    case WASM_OP_MEMORY_FILL:
        memory_fill(f, fact_memory(&f->facts, instr->index).memory);
        return true;
    case WASM_OP_MEMORY_COPY:
        memory_move(f, HELPER_memory_copy, fact_memory(&f->facts, instr->index).memory,
                    fact_memory(&f->facts, instr->index2).memory);
        return true;
    case WASM_OP_MEMORY_INIT: /* immediates: segment, memory */
        memory_move(f, HELPER_memory_init, fact_memory(&f->facts, instr->index2).memory,
                    fact_data(&f->facts, instr->index));
        return true;
    case WASM_OP_DATA_DROP: {
        LLVMValueRef segment = emit_i32(f->e, fact_data(&f->facts, instr->index));
        emit_helper(f, HELPER_data_drop, &segment, 1);
        return true;
    }
    default: return false;
    }
}
