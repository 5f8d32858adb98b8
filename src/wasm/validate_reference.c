/* References, casts and i31 (Core §3.4.5, §3.4.8, §3.4.10). */
#include "validate.h"

static struct wasm_valtype with_null(struct wasm_valtype ref, bool nullable)
{
    ref.nullable = nullable;
    return ref;
}

/* A function may be named only where something else in the module lets its reference out. */
static enum status validate_ref_func(struct validator *v)
{
    const struct wasm_type *type = NULL;
    TRY(find_func(v, v->in.index, &type));
    struct module_full *full = (struct module_full *)v->m;
    struct wasm_func *func = &full->funcs[v->in.index];
    if (v->constant) func->referenced = true;
    if (!func->referenced) return validate_fail(v, "undeclared function reference %u", v->in.index);
    return push(v, valtype_defined(func->type, false));
}

static enum status validate_br_on_null(struct validator *v)
{
    struct wasm_valtype ref;
    struct frame *target = NULL;
    TRY(pop_ref(v, &ref));
    TRY(label_find(v, v->in.index, &target));
    TRY(pop_list(v, frame_label(v, target)));
    TRY(push_list(v, frame_label(v, target)));
    return push(v, with_null(ref, false));
}

/* Branches with the label's values, of which the last is `sent`; the others stay on the stack. */
static enum status branch_with_ref(struct validator *v, uint32_t depth, struct wasm_valtype sent)
{
    struct frame *target = NULL;
    TRY(label_find(v, depth, &target));
    struct type_list label = frame_label(v, target);
    if (!label.count) return validate_fail(v, "type mismatch: label %u takes no value", depth);
    label.count--;
    if (!matches(v, sent, label.items[label.count]))
        return validate_fail(v, "type mismatch: the reference does not match label %u", depth);
    TRY(pop_list(v, label));
    return push_list(v, label);
}

static enum status validate_br_on_non_null(struct validator *v)
{
    struct wasm_valtype ref;
    TRY(pop_ref(v, &ref));
    return branch_with_ref(v, v->in.index, with_null(ref, false));
}

static enum status validate_ref_null(struct validator *v)
{
    TRY(check_type(v, v->in.type));
    return push(v, v->in.type);
}

enum status validate_reference(struct validator *v)
{
    struct wasm_valtype ref;
    if (v->in.op >= WASM_OP_REF_AS_NON_NULL)
        v->features |= WASM_FEATURE_FUNCTION_REFS;
    else
        v->features |= WASM_FEATURE_REFERENCE_TYPES;
    switch (v->in.op) {
    case WASM_OP_REF_NULL: return validate_ref_null(v);
    case WASM_OP_REF_IS_NULL: TRY(pop_ref(v, &ref)); return push_number(v, WASM_I32);
    case WASM_OP_REF_FUNC: return validate_ref_func(v);
    case WASM_OP_REF_EQ:
        v->features |= WASM_FEATURE_GC;
        TRY(pop(v, valtype_ref(WASM_HEAP_EQ, true)));
        TRY(pop(v, valtype_ref(WASM_HEAP_EQ, true)));
        return push_number(v, WASM_I32);
    case WASM_OP_REF_AS_NON_NULL: TRY(pop_ref(v, &ref)); return push(v, with_null(ref, false));
    case WASM_OP_BR_ON_NULL: return validate_br_on_null(v);
    case WASM_OP_BR_ON_NON_NULL: return validate_br_on_non_null(v);
    default: return error_set(v->err, ST_INTERNAL, "no such reference instruction");
    }
}

/* The operand of ref.test and ref.cast is any type of the named type's hierarchy. */
static enum status validate_test_or_cast(struct validator *v)
{
    TRY(check_type(v, v->in.type));
    TRY(pop(v, types_top(v->m, v->in.type)));
    if (v->in.op <= WASM_OP_REF_TEST_NULL) return push_number(v, WASM_I32);
    return push(v, v->in.type);
}

static enum status validate_br_on_cast(struct validator *v)
{
    struct wasm_valtype from = v->in.type, to = v->in.type2;
    TRY(check_type(v, from));
    TRY(check_type(v, to));
    if (!matches(v, to, from))
        return validate_fail(v, "type mismatch: the target type does not match the source type");
    struct wasm_valtype rest = with_null(from, from.nullable && !to.nullable);
    bool on_fail = v->in.op == WASM_OP_BR_ON_CAST_FAIL;
    TRY(pop(v, from));
    TRY(branch_with_ref(v, v->in.index, on_fail ? rest : to));
    return push(v, on_fail ? to : rest);
}

/* Between the hierarchies of any and extern; nullability is the operand's. */
static enum status validate_convert(struct validator *v, enum wasm_heap from, enum wasm_heap to)
{
    struct wasm_valtype ref;
    TRY(pop_ref(v, &ref));
    if (!matches(v, ref, valtype_ref(from, true)))
        return validate_fail(v, "type mismatch: a reference of another hierarchy");
    return push(v, valtype_ref(to, ref.nullable));
}

enum status validate_cast(struct validator *v)
{
    switch (v->in.op) {
    case WASM_OP_REF_TEST:
    case WASM_OP_REF_TEST_NULL:
    case WASM_OP_REF_CAST:
    case WASM_OP_REF_CAST_NULL: return validate_test_or_cast(v);
    case WASM_OP_BR_ON_CAST:
    case WASM_OP_BR_ON_CAST_FAIL: return validate_br_on_cast(v);
    case WASM_OP_ANY_CONVERT_EXTERN: return validate_convert(v, WASM_HEAP_EXTERN, WASM_HEAP_ANY);
    case WASM_OP_EXTERN_CONVERT_ANY: return validate_convert(v, WASM_HEAP_ANY, WASM_HEAP_EXTERN);
    case WASM_OP_REF_I31:
        TRY(pop_number(v, WASM_I32));
        return push(v, valtype_ref(WASM_HEAP_I31, false));
    default: /* i31.get_s, i31.get_u */
        TRY(pop(v, valtype_ref(WASM_HEAP_I31, true)));
        return push_number(v, WASM_I32);
    }
}
