#include "validate.h"

static const char *composite_name(enum wasm_composite composite)
{
    switch (composite) {
    case WASM_FUNC_TYPE: return "a function";
    case WASM_STRUCT_TYPE: return "a struct";
    case WASM_ARRAY_TYPE: return "an array";
    }
    return "a known";
}

enum status find_type(struct validator *v, uint32_t index, enum wasm_composite composite,
                      const struct wasm_type **ret)
{
    if (index >= v->m->types_count) return validate_fail_unknown(v, "type", index);
    *ret = &v->m->types[index];
    if ((*ret)->composite != composite)
        return validate_fail(v, "type %u is not %s type", index, composite_name(composite));
    return ST_OK;
}

enum status find_func(struct validator *v, uint32_t index, const struct wasm_type **ret)
{
    if (index >= v->m->funcs_count) return validate_fail_unknown(v, "function", index);
    *ret = &v->m->types[v->m->funcs[index].type];
    return ST_OK;
}

enum status find_table(struct validator *v, uint32_t index, const struct wasm_table **ret)
{
    if (index >= v->m->tables_count) return validate_fail_unknown(v, "table", index);
    *ret = &v->m->tables[index];
    return ST_OK;
}

enum status find_memory(struct validator *v, uint32_t index, enum wasm_kind *ret_address)
{
    if (index >= v->m->memories_count) return validate_fail_unknown(v, "memory", index);
    *ret_address = v->m->memories[index].limits.is64 ? WASM_I64 : WASM_I32;
    return ST_OK;
}

enum status find_tag(struct validator *v, uint32_t index, const struct wasm_type **ret)
{
    if (index >= v->m->tags_count) return validate_fail_unknown(v, "tag", index);
    *ret = &v->m->types[v->m->tags[index].type];
    return ST_OK;
}

/* The data section comes behind the code, so its length must have been announced. */
enum status find_data(struct validator *v, uint32_t index)
{
    if (!v->has_data_count) return validate_fail(v, "data count section required");
    if (index >= v->data_count) return validate_fail_unknown(v, "data segment", index);
    return ST_OK;
}

enum status find_element(struct validator *v, uint32_t index,
                         const struct wasm_element_segment **ret)
{
    if (index >= v->m->elements_count) return validate_fail_unknown(v, "element segment", index);
    *ret = &v->m->elements[index];
    return ST_OK;
}

enum status check_type(struct validator *v, struct wasm_valtype type)
{
    return types_check_valtype(type, v->m->types_count, v->in.offset, &v->features, v->err);
}
