/* Calls and tail calls (Core §3.4.2). */
#include "validate.h"

static enum status apply_call(struct validator *v, const struct wasm_type *callee)
{
    TRY(pop_list(v, params_of(callee)));
    return push_list(v, results_of(callee));
}

/* The callee returns in place of the caller. */
static enum status apply_return_call(struct validator *v, const struct wasm_type *callee)
{
    v->features |= WASM_FEATURE_TAIL_CALL;
    struct type_list have = results_of(callee), want = results_of(v->func_type);
    bool same = have.count == want.count;
    for (uint32_t i = 0; same && i < have.count; i++)
        same = matches(v, have.items[i], want.items[i]);
    if (!same) return validate_fail(v, "type mismatch: the callee's results are not the caller's");
    TRY(pop_list(v, params_of(callee)));
    mark_unreachable(v);
    return ST_OK;
}

static enum status callee_indirect(struct validator *v, const struct wasm_type **ret)
{
    const struct wasm_table *table = NULL;
    TRY(find_table(v, v->in.index2, &table));
    if (!matches(v, table->element, valtype_ref(WASM_HEAP_FUNC, true)))
        return validate_fail(v, "type mismatch: table %u does not hold functions", v->in.index2);
    TRY(find_type(v, v->in.index, WASM_FUNC_TYPE, ret));
    return pop(v, valtype_address(table->limits.is64));
}

static enum status callee_ref(struct validator *v, const struct wasm_type **ret)
{
    v->features |= WASM_FEATURE_FUNCTION_REFS;
    TRY(find_type(v, v->in.index, WASM_FUNC_TYPE, ret));
    return pop(v, valtype_defined(v->in.index, true));
}

enum status validate_call(struct validator *v)
{
    const struct wasm_type *callee = NULL;
    switch (v->in.op) {
    case WASM_OP_CALL: TRY(find_func(v, v->in.index, &callee)); return apply_call(v, callee);
    case WASM_OP_CALL_INDIRECT: TRY(callee_indirect(v, &callee)); return apply_call(v, callee);
    case WASM_OP_CALL_REF: TRY(callee_ref(v, &callee)); return apply_call(v, callee);
    case WASM_OP_RETURN_CALL:
        TRY(find_func(v, v->in.index, &callee));
        return apply_return_call(v, callee);
    case WASM_OP_RETURN_CALL_INDIRECT:
        TRY(callee_indirect(v, &callee));
        return apply_return_call(v, callee);
    case WASM_OP_RETURN_CALL_REF: TRY(callee_ref(v, &callee)); return apply_return_call(v, callee);
    default: return error_set(v->err, ST_INTERNAL, "no such call instruction");
    }
}
