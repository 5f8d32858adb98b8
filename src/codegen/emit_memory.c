/* Loads and stores (Core §4.4.7), memory.size and memory.grow, and access to the context.
 *
 * A 32-bit memory needs no check: base + lane + index + offset stays inside the lane, and what
 * lies behind the memory's size faults. A 64-bit memory is checked against its current size. */
#include "emit_module.h"

static LLVMValueRef offset_pointer(struct function_emitter *f, LLVMValueRef from, uint64_t offset)
{
    if (!offset) return from;
    LLVMValueRef at = emit_i64(f->e, offset);
    return LLVMBuildGEP2(f->builder, f->t->i8, from, &at, 1, "");
}

LLVMValueRef emit_context_pointer(struct function_emitter *f, int64_t offset)
{
    return offset_pointer(f, f->base, (uint64_t)offset);
}

LLVMValueRef emit_context_load(struct function_emitter *f, LLVMTypeRef type, int64_t offset)
{
    LLVMValueRef load = LLVMBuildLoad2(f->builder, type, emit_context_pointer(f, offset), "");
    LLVMSetMetadata(load, f->e->alias_kind, f->e->alias_tags[EMIT_ALIAS_CONTEXT]);
    return load;
}

void emit_context_store(struct function_emitter *f, LLVMValueRef value, int64_t offset)
{
    LLVMValueRef store = LLVMBuildStore(f->builder, value, emit_context_pointer(f, offset));
    LLVMSetMetadata(store, f->e->alias_kind, f->e->alias_tags[EMIT_ALIAS_CONTEXT]);
}

/* Traps unless [index + offset, + access_bytes) lies within the memory; nothing wraps. */
static void check_bounds(struct function_emitter *f, const struct fact_memory *memory,
                         LLVMValueRef index, uint64_t offset, uint32_t access_bytes)
{
    uint64_t end;
    if (__builtin_add_overflow(offset, (uint64_t)access_bytes, &end)) end = UINT64_MAX;
    LLVMValueRef size = emit_context_load(f, f->t->i64, memory->size_offset);
    LLVMValueRef past = emit_i64(f->e, end);
    LLVMValueRef room = LLVMBuildSub(f->builder, size, past, "");
    LLVMValueRef outside = LLVMBuildICmp(f->builder, LLVMIntUGT, index, room, "");
    if (end > memory->bytes_min) {
        LLVMValueRef small = LLVMBuildICmp(f->builder, LLVMIntULT, size, past, "");
        outside = LLVMBuildOr(f->builder, outside, small, "");
    }
    emit_trap_if(f, outside, TRAP_MEMORY_BOUNDS);
}

LLVMValueRef emit_address(struct function_emitter *f, const struct wasm_memarg *memarg,
                          uint32_t access_bytes)
{
    emit_locate(f);
    struct fact_memory memory = fact_memory(&f->facts, memarg->memory);
    LLVMValueRef index = emit_pop(f);
    if (memory.is64)
        check_bounds(f, &memory, index, memarg->offset, access_bytes);
    else
        index = LLVMBuildZExt(f->builder, index, f->t->i64, "");
    LLVMValueRef lane = offset_pointer(f, f->base, memory.memory * SLOT_LANE_BYTES);
    LLVMValueRef at = LLVMBuildGEP2(f->builder, f->t->i8, lane, &index, 1, "");
    return offset_pointer(f, at, memarg->offset);
}

static void tag_memory(struct function_emitter *f, LLVMValueRef access)
{
    LLVMSetAlignment(access, 1);
    LLVMSetMetadata(access, f->e->alias_kind, f->e->alias_tags[EMIT_ALIAS_MEMORY]);
    if (f->e->strict) LLVMSetVolatile(access, true);
}

LLVMValueRef emit_load(struct function_emitter *f, LLVMTypeRef type, LLVMValueRef pointer)
{
    LLVMValueRef load = LLVMBuildLoad2(f->builder, type, pointer, "");
    tag_memory(f, load);
    return load;
}

void emit_store(struct function_emitter *f, LLVMValueRef value, LLVMValueRef pointer)
{
    tag_memory(f, LLVMBuildStore(f->builder, value, pointer));
}

static uint32_t type_bytes(struct function_emitter *f, LLVMTypeRef type)
{
    const struct emit_types *t = f->t;
    if (type == t->i8) return 1;
    if (type == t->i16) return 2;
    return type == t->i32 || type == t->f32 ? 4 : 8;
}

enum extension { EXTEND_NONE, EXTEND_SIGNED, EXTEND_ZERO };

static void load(struct function_emitter *f, const struct wasm_instr *instr, LLVMTypeRef stored,
                 LLVMTypeRef result, enum extension extension)
{
    LLVMValueRef at = emit_address(f, &instr->memarg, type_bytes(f, stored));
    LLVMValueRef value = emit_load(f, stored, at);
    if (extension == EXTEND_SIGNED) value = LLVMBuildSExt(f->builder, value, result, "");
    if (extension == EXTEND_ZERO) value = LLVMBuildZExt(f->builder, value, result, "");
    emit_push(f, value);
}

static void store(struct function_emitter *f, const struct wasm_instr *instr, LLVMTypeRef stored)
{
    LLVMValueRef value = emit_pop(f);
    LLVMValueRef at = emit_address(f, &instr->memarg, type_bytes(f, stored));
    if (LLVMTypeOf(value) != stored) value = LLVMBuildTrunc(f->builder, value, stored, "");
    emit_store(f, value, at);
}

static void memory_size(struct function_emitter *f, struct fact_memory memory)
{
    LLVMValueRef bytes = emit_context_load(f, f->t->i64, memory.size_offset);
    LLVMValueRef pages = LLVMBuildLShr(f->builder, bytes, emit_i64(f->e, 16), "");
    emit_push(f, memory.is64 ? pages : LLVMBuildTrunc(f->builder, pages, f->t->i32, ""));
}

static void memory_grow(struct function_emitter *f, struct fact_memory memory)
{
    LLVMValueRef delta = LLVMBuildZExt(f->builder, emit_pop(f), f->t->i64, "");
    LLVMValueRef args[2] = {emit_i32(f->e, memory.memory), delta};
    LLVMValueRef pages = emit_helper(f, HELPER_memory_grow, args, 2);
    emit_push(f, memory.is64 ? pages : LLVMBuildTrunc(f->builder, pages, f->t->i32, ""));
}

bool emit_memory(struct function_emitter *f, const struct wasm_instr *instr)
{
    const struct emit_types *t = f->t;
    switch (instr->op) {
    case WASM_OP_I32_LOAD: load(f, instr, t->i32, t->i32, EXTEND_NONE); return true;
    case WASM_OP_I64_LOAD: load(f, instr, t->i64, t->i64, EXTEND_NONE); return true;
    case WASM_OP_F32_LOAD: load(f, instr, t->f32, t->f32, EXTEND_NONE); return true;
    case WASM_OP_F64_LOAD: load(f, instr, t->f64, t->f64, EXTEND_NONE); return true;
    case WASM_OP_I32_LOAD8_S: load(f, instr, t->i8, t->i32, EXTEND_SIGNED); return true;
    case WASM_OP_I32_LOAD8_U: load(f, instr, t->i8, t->i32, EXTEND_ZERO); return true;
    case WASM_OP_I32_LOAD16_S: load(f, instr, t->i16, t->i32, EXTEND_SIGNED); return true;
    case WASM_OP_I32_LOAD16_U: load(f, instr, t->i16, t->i32, EXTEND_ZERO); return true;
    case WASM_OP_I64_LOAD8_S: load(f, instr, t->i8, t->i64, EXTEND_SIGNED); return true;
    case WASM_OP_I64_LOAD8_U: load(f, instr, t->i8, t->i64, EXTEND_ZERO); return true;
    case WASM_OP_I64_LOAD16_S: load(f, instr, t->i16, t->i64, EXTEND_SIGNED); return true;
    case WASM_OP_I64_LOAD16_U: load(f, instr, t->i16, t->i64, EXTEND_ZERO); return true;
    case WASM_OP_I64_LOAD32_S: load(f, instr, t->i32, t->i64, EXTEND_SIGNED); return true;
    case WASM_OP_I64_LOAD32_U: load(f, instr, t->i32, t->i64, EXTEND_ZERO); return true;
    case WASM_OP_I32_STORE: store(f, instr, t->i32); return true;
    case WASM_OP_I64_STORE: store(f, instr, t->i64); return true;
    case WASM_OP_F32_STORE: store(f, instr, t->f32); return true;
    case WASM_OP_F64_STORE: store(f, instr, t->f64); return true;
    case WASM_OP_I32_STORE8: store(f, instr, t->i8); return true;
    case WASM_OP_I32_STORE16: store(f, instr, t->i16); return true;
    case WASM_OP_I64_STORE8: store(f, instr, t->i8); return true;
    case WASM_OP_I64_STORE16: store(f, instr, t->i16); return true;
    case WASM_OP_I64_STORE32: store(f, instr, t->i32); return true;
    case WASM_OP_MEMORY_SIZE: memory_size(f, fact_memory(&f->facts, instr->index)); return true;
    case WASM_OP_MEMORY_GROW: memory_grow(f, fact_memory(&f->facts, instr->index)); return true;
    default: return false;
    }
}
