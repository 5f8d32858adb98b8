/* Exceptions (Core §3.4.2). */
#include "validate.h"

/* What a clause hands to its label: the tag's values, and the exception itself for the _ref kinds.
 */
static enum status check_catch(struct validator *v, const struct wasm_catch *clause)
{
    struct type_list values = {NULL, 0};
    bool with_ref = clause->kind & 1;
    if (clause->kind < 2) {
        const struct wasm_type *tag = NULL;
        TRY(find_tag(v, clause->tag, &tag));
        values = params_of(tag);
    }
    struct frame *target = NULL;
    TRY(label_find(v, clause->label, &target));
    struct type_list label = frame_label(v, target);
    bool same = label.count == values.count + with_ref;
    for (uint32_t i = 0; same && i < values.count; i++)
        same = matches(v, values.items[i], label.items[i]);
    if (same && with_ref)
        same = matches(v, valtype_ref(WASM_HEAP_EXN, false), label.items[values.count]);
    if (!same)
        return validate_fail(v, "type mismatch: a catch clause does not match label %u",
                             clause->label);
    return ST_OK;
}

/* The clauses stand outside of the block: their labels do not count it. */
static enum status validate_try_table(struct validator *v)
{
    TRY(check_block_type(v));
    struct wasm_reader clauses = {v->r.bytes, v->in.vector_offset, v->r.end};
    for (uint32_t i = 0; i < v->in.vector_count; i++) {
        struct wasm_catch clause;
        TRY(wasm_catch_next(&clauses, &clause, v->err));
        TRY(check_catch(v, &clause));
    }
    return enter_block(v);
}

enum status validate_exception(struct validator *v)
{
    v->features |= WASM_FEATURE_EXCEPTIONS;
    const struct wasm_type *tag = NULL;
    switch (v->in.op) {
    case WASM_OP_TRY_TABLE: return validate_try_table(v);
    case WASM_OP_THROW:
        TRY(find_tag(v, v->in.index, &tag));
        TRY(pop_list(v, params_of(tag)));
        break;
    default: TRY(pop(v, valtype_ref(WASM_HEAP_EXN, true))); break;
    }
    mark_unreachable(v);
    return ST_OK;
}
