/* Structs and arrays (Core §3.4.9). */
#include "validate.h"

/* A field's type on the stack: packed ones are i32 there. */
static struct wasm_valtype unpacked(struct wasm_valtype storage)
{
    bool packed = storage.kind == WASM_I8 || storage.kind == WASM_I16;
    return packed ? valtype_number(WASM_I32) : storage;
}

static bool is_packed(const struct wasm_field *f)
{
    return f->storage.kind == WASM_I8 || f->storage.kind == WASM_I16;
}

static enum status check_mutable(struct validator *v, const struct wasm_field *f)
{
    return f->mutable ? ST_OK : validate_fail(v, "the field is immutable");
}

static enum status check_defaultable(struct validator *v, const struct wasm_type *type)
{
    return type->defaultable ? ST_OK : validate_fail(v, "a field has no default value");
}

/* get is for whole values, get_s and get_u are for packed ones. */
static enum status check_extension(struct validator *v, const struct wasm_field *f, bool extends)
{
    if (is_packed(f) == extends) return ST_OK;
    return validate_fail(v, is_packed(f) ? "the field is packed" : "the field is not packed");
}

static enum status validate_struct_new(struct validator *v, const struct wasm_type *type)
{
    if (v->in.op == WASM_OP_STRUCT_NEW_DEFAULT)
        TRY(check_defaultable(v, type));
    else
        for (uint32_t i = type->fields_count; i-- > 0 && !stack_is_polymorphic(v);)
            TRY(pop(v, unpacked(type->fields[i].storage)));
    return push(v, valtype_defined(v->in.index, false));
}

enum status validate_struct(struct validator *v)
{
    const struct wasm_type *type = NULL;
    TRY(find_type(v, v->in.index, WASM_STRUCT_TYPE, &type));
    if (v->in.op <= WASM_OP_STRUCT_NEW_DEFAULT) return validate_struct_new(v, type);
    if (v->in.index2 >= type->fields_count) return validate_fail_unknown(v, "field", v->in.index2);
    const struct wasm_field *f = &type->fields[v->in.index2];
    if (v->in.op == WASM_OP_STRUCT_SET) {
        TRY(check_mutable(v, f));
        TRY(pop(v, unpacked(f->storage)));
        return pop(v, valtype_defined(v->in.index, true));
    }
    TRY(check_extension(v, f, v->in.op != WASM_OP_STRUCT_GET));
    TRY(pop(v, valtype_defined(v->in.index, true)));
    return push(v, unpacked(f->storage));
}

/* array.new_data and array.init_data fill with numbers only. */
static enum status check_data_source(struct validator *v, const struct wasm_field *f)
{
    TRY(find_data(v, v->in.index2));
    if (valtype_is_ref(f->storage))
        return validate_fail(v, "type mismatch: the array's element is not a number or vector");
    return ST_OK;
}

static enum status check_element_source(struct validator *v, const struct wasm_field *f)
{
    const struct wasm_element_segment *segment = NULL;
    TRY(find_element(v, v->in.index2, &segment));
    if (!matches(v, segment->type, f->storage))
        return validate_fail(v, "type mismatch: element segment %u for the array", v->in.index2);
    return ST_OK;
}

static enum status validate_array_new(struct validator *v, const struct wasm_type *type)
{
    const struct wasm_field *f = &type->fields[0];
    switch (v->in.op) {
    case WASM_OP_ARRAY_NEW:
        TRY(pop_number(v, WASM_I32));
        TRY(pop(v, unpacked(f->storage)));
        break;
    case WASM_OP_ARRAY_NEW_DEFAULT:
        TRY(check_defaultable(v, type));
        TRY(pop_number(v, WASM_I32));
        break;
    case WASM_OP_ARRAY_NEW_FIXED:
        if (v->in.index2 > VALIDATE_ARRAY_FIXED_MAX)
            return wasm_fail(v->err, ST_LIMIT, v->in.offset,
                             "array.new_fixed: %u elements, the limit is %u", v->in.index2,
                             VALIDATE_ARRAY_FIXED_MAX);
        for (uint32_t i = 0; i < v->in.index2 && !stack_is_polymorphic(v); i++)
            TRY(pop(v, unpacked(f->storage)));
        break;
    default: /* array.new_data, array.new_elem */
        if (v->in.op == WASM_OP_ARRAY_NEW_DATA)
            TRY(check_data_source(v, f));
        else
            TRY(check_element_source(v, f));
        TRY(pop_number(v, WASM_I32));
        TRY(pop_number(v, WASM_I32));
        break;
    }
    return push(v, valtype_defined(v->in.index, false));
}

/* array index: the operands of get, set and the bulk operations. */
static enum status pop_place(struct validator *v, uint32_t type)
{
    TRY(pop_number(v, WASM_I32));
    return pop(v, valtype_defined(type, true));
}

static enum status validate_array_copy(struct validator *v, const struct wasm_field *to)
{
    const struct wasm_type *source = NULL;
    TRY(find_type(v, v->in.index2, WASM_ARRAY_TYPE, &source));
    TRY(check_mutable(v, to));
    if (!matches(v, source->fields[0].storage, to->storage))
        return validate_fail(v, "type mismatch: element types of arrays %u and %u", v->in.index2,
                             v->in.index);
    TRY(pop_number(v, WASM_I32));
    TRY(pop_place(v, v->in.index2));
    return pop_place(v, v->in.index);
}

static enum status validate_array_write(struct validator *v, const struct wasm_field *f)
{
    TRY(check_mutable(v, f));
    switch (v->in.op) {
    case WASM_OP_ARRAY_SET: TRY(pop(v, unpacked(f->storage))); break;
    case WASM_OP_ARRAY_FILL:
        TRY(pop_number(v, WASM_I32));
        TRY(pop(v, unpacked(f->storage)));
        break;
    default: /* array.init_data, array.init_elem */
        if (v->in.op == WASM_OP_ARRAY_INIT_DATA)
            TRY(check_data_source(v, f));
        else
            TRY(check_element_source(v, f));
        TRY(pop_number(v, WASM_I32));
        TRY(pop_number(v, WASM_I32));
        break;
    }
    return pop_place(v, v->in.index);
}

enum status validate_array(struct validator *v)
{
    if (v->in.op == WASM_OP_ARRAY_LEN) {
        TRY(pop(v, valtype_ref(WASM_HEAP_ARRAY, true)));
        return push_number(v, WASM_I32);
    }
    const struct wasm_type *type = NULL;
    TRY(find_type(v, v->in.index, WASM_ARRAY_TYPE, &type));
    const struct wasm_field *f = &type->fields[0];
    switch (v->in.op) {
    case WASM_OP_ARRAY_GET:
    case WASM_OP_ARRAY_GET_S:
    case WASM_OP_ARRAY_GET_U:
        TRY(check_extension(v, f, v->in.op != WASM_OP_ARRAY_GET));
        TRY(pop_place(v, v->in.index));
        return push(v, unpacked(f->storage));
    case WASM_OP_ARRAY_COPY: return validate_array_copy(v, f);
    case WASM_OP_ARRAY_SET:
    case WASM_OP_ARRAY_FILL:
    case WASM_OP_ARRAY_INIT_DATA:
    case WASM_OP_ARRAY_INIT_ELEM: return validate_array_write(v, f);
    default: return validate_array_new(v, type);
    }
}
