/* Tables (Core §3.4.6). */
#include "validate.h"

static enum status validate_table_copy(struct validator *v)
{
    const struct wasm_table *to = NULL, *from = NULL;
    TRY(find_table(v, v->in.index, &to));
    TRY(find_table(v, v->in.index2, &from));
    if (!matches(v, from->element, to->element))
        return validate_fail(v, "type mismatch: element types of tables %u and %u", v->in.index2,
                             v->in.index);
    TRY(pop(v, valtype_address(to->limits.is64 && from->limits.is64)));
    TRY(pop(v, valtype_address(from->limits.is64)));
    return pop(v, valtype_address(to->limits.is64));
}

static enum status validate_table_init(struct validator *v)
{
    const struct wasm_table *to = NULL;
    const struct wasm_element_segment *from = NULL;
    TRY(find_table(v, v->in.index2, &to));
    TRY(find_element(v, v->in.index, &from));
    if (!matches(v, from->type, to->element))
        return validate_fail(v, "type mismatch: element segment %u for table %u", v->in.index,
                             v->in.index2);
    TRY(pop_number(v, WASM_I32));
    TRY(pop_number(v, WASM_I32));
    return pop(v, valtype_address(to->limits.is64));
}

static enum status validate_one_table(struct validator *v)
{
    const struct wasm_table *table = NULL;
    TRY(find_table(v, v->in.index, &table));
    struct wasm_valtype address = valtype_address(table->limits.is64);
    switch (v->in.op) {
    case WASM_OP_TABLE_GET: TRY(pop(v, address)); return push(v, table->element);
    case WASM_OP_TABLE_SET: TRY(pop(v, table->element)); return pop(v, address);
    case WASM_OP_TABLE_SIZE: return push(v, address);
    case WASM_OP_TABLE_GROW:
        TRY(pop(v, address));
        TRY(pop(v, table->element));
        return push(v, address);
    default: /* table.fill */
        TRY(pop(v, address));
        TRY(pop(v, table->element));
        return pop(v, address);
    }
}

enum status validate_table(struct validator *v)
{
    const struct wasm_element_segment *segment = NULL;
    switch (v->in.op) {
    case WASM_OP_TABLE_COPY: return validate_table_copy(v);
    case WASM_OP_TABLE_INIT: return validate_table_init(v);
    case WASM_OP_ELEM_DROP: return find_element(v, v->in.index, &segment);
    default: v->features |= WASM_FEATURE_REFERENCE_TYPES; return validate_one_table(v);
    }
}
