/* Loads, stores and bulk operations on memories (Core §3.4.7). */
#include "validate.h"

enum status validate_memory_access(struct validator *v)
{
    const struct wasm_memarg *arg = &v->in.memarg;
    uint32_t width_log2 = wasm_op_access_log2(v->in.op);
    enum wasm_kind address = WASM_I32;
    TRY(find_memory(v, arg->memory, &address));
    if (arg->align_log2 > width_log2)
        return validate_fail(v, "alignment must not be larger than natural");
    if (address == WASM_I32 && arg->offset > UINT32_MAX)
        return validate_fail(v, "offset out of range");
    if (v->in.immediate == WASM_IMM_MEMARG_LANE && v->in.lane >= 16u >> width_log2)
        return validate_fail(v, "invalid lane index %u", v->in.lane);
    return apply_signature(v, wasm_op_signature(v->in.op), address);
}

/* A copy's length is of the narrower of both address types. */
static enum status validate_memory_copy(struct validator *v)
{
    enum wasm_kind to = WASM_I32, from = WASM_I32;
    TRY(find_memory(v, v->in.index, &to));
    TRY(find_memory(v, v->in.index2, &from));
    TRY(pop_number(v, to == WASM_I64 && from == WASM_I64 ? WASM_I64 : WASM_I32));
    TRY(pop_number(v, from));
    return pop_number(v, to);
}

static enum status validate_memory_init(struct validator *v)
{
    enum wasm_kind to = WASM_I32;
    TRY(find_memory(v, v->in.index2, &to));
    TRY(find_data(v, v->in.index));
    TRY(pop_number(v, WASM_I32));
    TRY(pop_number(v, WASM_I32));
    return pop_number(v, to);
}

enum status validate_memory(struct validator *v)
{
    enum wasm_kind address = WASM_I32;
    switch (v->in.op) {
    case WASM_OP_MEMORY_COPY: return validate_memory_copy(v);
    case WASM_OP_MEMORY_INIT: return validate_memory_init(v);
    case WASM_OP_DATA_DROP: return find_data(v, v->in.index);
    default:
        TRY(find_memory(v, v->in.index, &address));
        return apply_signature(v, wasm_op_signature(v->in.op), address);
    }
}
