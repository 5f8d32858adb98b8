/* Blocks and branches (Core §3.4.2). */
#include "validate.h"

static struct frame *top(struct validator *v)
{
    return &v->frames[v->frames_count - 1];
}

enum status check_block_type(struct validator *v)
{
    const struct wasm_block_type *block = &v->in.block;
    if (block->form == WASM_BLOCK_VALUE) return check_type(v, block->value);
    if (block->form == WASM_BLOCK_EMPTY) return ST_OK;
    const struct wasm_type *type = NULL;
    TRY(find_type(v, block->type, WASM_FUNC_TYPE, &type));
    if (type->params_count || type->results_count > 1) v->features |= WASM_FEATURE_MULTI_VALUE;
    return ST_OK;
}

enum status enter_block(struct validator *v)
{
    struct wasm_block_type block = v->in.block;
    TRY(pop_list(v, block_params(v, &block)));
    TRY(frame_push(v, v->in.op, block));
    return push_list(v, block_params(v, &block));
}

static enum status validate_if(struct validator *v)
{
    TRY(check_block_type(v));
    TRY(pop_number(v, WASM_I32));
    return enter_block(v);
}

static enum status validate_else(struct validator *v)
{
    if (top(v)->op != WASM_OP_IF) return validate_fail(v, "else without if");
    struct frame f;
    TRY(frame_pop(v, &f));
    TRY(frame_push(v, WASM_OP_ELSE, f.block));
    return push_list(v, block_params(v, &f.block));
}

/* An if without else behaves as if its else had passed the parameters on. */
static enum status check_missing_else(struct validator *v, const struct frame *f)
{
    struct type_list params = block_params(v, &f->block), results = block_results(v, &f->block);
    bool same = params.count == results.count;
    for (uint32_t i = 0; same && i < params.count; i++)
        same = matches(v, params.items[i], results.items[i]);
    if (same) return ST_OK;
    return validate_fail(v, "type mismatch: if without else changes the stack");
}

static enum status validate_end(struct validator *v)
{
    struct frame f;
    TRY(frame_pop(v, &f));
    if (f.op == WASM_OP_IF) TRY(check_missing_else(v, &f));
    if (!v->frames_count) return ST_OK;
    return push_list(v, block_results(v, &f.block));
}

static enum status validate_br(struct validator *v)
{
    struct frame *target = NULL;
    TRY(label_find(v, v->in.index, &target));
    TRY(pop_list(v, frame_label(v, target)));
    mark_unreachable(v);
    return ST_OK;
}

static enum status validate_br_if(struct validator *v)
{
    struct frame *target = NULL;
    TRY(pop_number(v, WASM_I32));
    TRY(label_find(v, v->in.index, &target));
    TRY(pop_list(v, frame_label(v, target)));
    return push_list(v, frame_label(v, target));
}

/* A label that occurs again in the same table is not looked at again, nor one of the first label's
 * type: so a long table of labels with many values each stays cheap. */
static enum status validate_br_table(struct validator *v)
{
    TRY(pop_number(v, WASM_I32));
    struct wasm_reader labels = {v->r.bytes, v->in.vector_offset, v->r.end};
    struct type_list first = {NULL, 0};
    v->visit++;
    for (uint32_t i = 0; i <= v->in.vector_count; i++) {
        uint32_t depth;
        struct frame *target = NULL;
        TRY(wasm_label_next(&labels, &depth, v->err));
        TRY(label_find(v, depth, &target));
        if (target->visit == v->visit) continue;
        target->visit = v->visit;
        struct type_list types = frame_label(v, target);
        if (i && types.items == first.items && types.count == first.count) continue;
        if (!i) first = types;
        if (types.count != first.count)
            return validate_fail(v, "type mismatch: labels of %u and of %u values", first.count,
                                 types.count);
        TRY(peek_list(v, types));
    }
    mark_unreachable(v);
    return ST_OK;
}

enum status validate_control(struct validator *v)
{
    switch (v->in.op) {
    case WASM_OP_UNREACHABLE: mark_unreachable(v); return ST_OK;
    case WASM_OP_NOP: return ST_OK;
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP: TRY(check_block_type(v)); return enter_block(v);
    case WASM_OP_IF: return validate_if(v);
    case WASM_OP_ELSE: return validate_else(v);
    case WASM_OP_END: return validate_end(v);
    case WASM_OP_BR: return validate_br(v);
    case WASM_OP_BR_IF: return validate_br_if(v);
    case WASM_OP_BR_TABLE: return validate_br_table(v);
    case WASM_OP_RETURN:
        TRY(pop_list(v, results_of(v->func_type)));
        mark_unreachable(v);
        return ST_OK;
    default: return error_set(v->err, ST_INTERNAL, "no such control instruction");
    }
}
