/* Vector loads and stores. */
#include "emit_simd.h"

static uint32_t lane_bytes(enum simd_shape shape)
{
    return 16 / simd_lanes(shape);
}

void simd_load(struct function_emitter *f, const struct simd_row *row,
               const struct wasm_instr *instr)
{
    (void)row;
    emit_push(f, emit_load(f, f->t->v128, emit_address(f, &instr->memarg, 16)));
}

void simd_store(struct function_emitter *f, const struct simd_row *row,
                const struct wasm_instr *instr)
{
    (void)row;
    LLVMValueRef value = emit_pop(f);
    emit_store(f, value, emit_address(f, &instr->memarg, 16));
}

/* Half a vector of narrow lanes, widened; `shape` is the narrow one. */
void simd_load_extend(struct function_emitter *f, const struct simd_row *row,
                      const struct wasm_instr *instr)
{
    const LLVMTypeRef halves[] = {f->t->v8i8, f->t->v4i16, f->t->v2i32};
    LLVMValueRef half = emit_load(f, halves[row->shape], emit_address(f, &instr->memarg, 8));
    emit_push_vector(f, simd_extend(f, half, 0, simd_lanes(row->shape) / 2, row->is_signed));
}

void simd_load_splat(struct function_emitter *f, const struct simd_row *row,
                     const struct wasm_instr *instr)
{
    LLVMValueRef pointer = emit_address(f, &instr->memarg, lane_bytes(row->shape));
    LLVMValueRef lane = emit_load(f, simd_lane_type(f, row->shape), pointer);
    emit_push_vector(f, emit_splat(f, lane, simd_lanes(row->shape)));
}

void simd_load_zero(struct function_emitter *f, const struct simd_row *row,
                    const struct wasm_instr *instr)
{
    LLVMValueRef pointer = emit_address(f, &instr->memarg, lane_bytes(row->shape));
    LLVMValueRef lane = emit_load(f, simd_lane_type(f, row->shape), pointer);
    LLVMValueRef zero = LLVMConstNull(simd_type(f, row->shape));
    emit_push_vector(f, LLVMBuildInsertElement(f->builder, zero, lane, emit_i32(f->e, 0), ""));
}

void simd_load_lane(struct function_emitter *f, const struct simd_row *row,
                    const struct wasm_instr *instr)
{
    LLVMValueRef vector = emit_pop_vector(f, simd_type(f, row->shape));
    LLVMValueRef pointer = emit_address(f, &instr->memarg, lane_bytes(row->shape));
    LLVMValueRef lane = emit_load(f, simd_lane_type(f, row->shape), pointer);
    LLVMValueRef index = emit_i32(f->e, instr->lane);
    emit_push_vector(f, LLVMBuildInsertElement(f->builder, vector, lane, index, ""));
}

void simd_store_lane(struct function_emitter *f, const struct simd_row *row,
                     const struct wasm_instr *instr)
{
    LLVMValueRef vector = emit_pop_vector(f, simd_type(f, row->shape));
    LLVMValueRef index = emit_i32(f->e, instr->lane);
    LLVMValueRef lane = LLVMBuildExtractElement(f->builder, vector, index, "");
    emit_store(f, lane, emit_address(f, &instr->memarg, lane_bytes(row->shape)));
}
