/* Locals, globals, drop and select (Core §3.4.3, §3.4.4). */
#include "validate.h"

/* The run of a declared local, by bisection over where the runs end. */
static struct wasm_valtype local_in_runs(const struct validator *v, uint32_t declared)
{
    uint32_t low = 0, high = v->func->runs_count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (declared < v->run_ends[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return v->func->runs[low].type;
}

static enum status local_find(struct validator *v, uint32_t index, struct wasm_valtype *ret)
{
    uint32_t params = v->func_type->params_count;
    if (index < params) {
        *ret = v->func_type->params[index];
        return ST_OK;
    }
    uint32_t declared = index - params;
    if (declared >= v->func->locals_count) return validate_fail_unknown(v, "local", index);
    *ret = declared < VALIDATE_LOCALS_EXPANDED ? v->locals[declared] : local_in_runs(v, declared);
    return ST_OK;
}

/* Parameters are set from the start. */
static enum status local_note_set(struct validator *v, uint32_t index)
{
    uint32_t params = v->func_type->params_count;
    if (index < params || v->local_is_set[index - params]) return ST_OK;
    if (!GROW(v->inits, v->inits_capacity, v->inits_count + 1)) return validate_fail_memory(v);
    v->local_is_set[index - params] = true;
    v->inits[v->inits_count++] = index - params;
    return ST_OK;
}

static enum status validate_local_get(struct validator *v)
{
    struct wasm_valtype type = {0};
    TRY(local_find(v, v->in.index, &type));
    uint32_t params = v->func_type->params_count;
    if (!valtype_is_defaultable(type) && v->in.index >= params &&
        !v->local_is_set[v->in.index - params])
        return validate_fail(v, "uninitialized local %u", v->in.index);
    return push(v, type);
}

static enum status validate_local_set(struct validator *v)
{
    struct wasm_valtype type = {0};
    TRY(local_find(v, v->in.index, &type));
    TRY(pop(v, type));
    if (!valtype_is_defaultable(type)) TRY(local_note_set(v, v->in.index));
    if (v->in.op == WASM_OP_LOCAL_SET) return ST_OK;
    return push(v, type);
}

static enum status validate_global(struct validator *v)
{
    if (v->in.index >= v->m->globals_count) return validate_fail_unknown(v, "global", v->in.index);
    const struct wasm_global *global = &v->m->globals[v->in.index];
    if (v->in.op == WASM_OP_GLOBAL_GET) return push(v, global->type);
    if (!global->mutable) return validate_fail(v, "global %u is immutable", v->in.index);
    return pop(v, global->type);
}

enum status validate_variable(struct validator *v)
{
    switch (v->in.op) {
    case WASM_OP_LOCAL_GET: return validate_local_get(v);
    case WASM_OP_LOCAL_SET:
    case WASM_OP_LOCAL_TEE: return validate_local_set(v);
    default: return validate_global(v);
    }
}

static enum status validate_select(struct validator *v)
{
    struct wasm_valtype a, b;
    TRY(pop_number(v, WASM_I32));
    TRY(pop_any(v, &b));
    TRY(pop_any(v, &a));
    if (valtype_is_ref(a) || valtype_is_ref(b))
        return validate_fail(v, "type mismatch: select of references must name their type");
    if (a.kind != b.kind && a.kind != WASM_BOTTOM && b.kind != WASM_BOTTOM)
        return validate_fail(v, "type mismatch: select of two types");
    return push(v, a.kind == WASM_BOTTOM ? b : a);
}

static enum status validate_select_typed(struct validator *v)
{
    if (v->in.vector_count != 1)
        return validate_fail(v, "invalid result arity %u of a select", v->in.vector_count);
    struct wasm_reader types = {v->r.bytes, v->in.vector_offset, v->r.end};
    struct wasm_valtype type;
    TRY(wasm_select_next(&types, &type, v->err));
    TRY(check_type(v, type));
    TRY(pop_number(v, WASM_I32));
    TRY(pop(v, type));
    TRY(pop(v, type));
    return push(v, type);
}

enum status validate_parametric(struct validator *v)
{
    struct wasm_valtype dropped;
    switch (v->in.op) {
    case WASM_OP_DROP: return pop_any(v, &dropped);
    case WASM_OP_SELECT: return validate_select(v);
    default: return validate_select_typed(v);
    }
}
