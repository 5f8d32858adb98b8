#include "component/canonical.h"

#include <assert.h>

uint8_t component_join(uint8_t a, uint8_t b)
{
    if (a == b) return a;
    if ((a == WASM_I32 && b == WASM_F32) || (a == WASM_F32 && b == WASM_I32)) return WASM_I32;
    return WASM_I64;
}

/* Core values under construction. */
struct flat {
    const struct component_types *types;
    uint8_t *kinds;
    uint32_t count, max;
};

static void flatten(struct flat *f, uint32_t type);

static void put(struct flat *f, uint8_t kind)
{
    assert(f->count < f->max);
    f->kinds[f->count++] = kind;
}

/* A case's values are laid over those of the cases before it, from `start` on. */
static void flatten_case(struct flat *f, uint32_t type, uint32_t start, uint32_t *end)
{
    uint8_t kinds[COMPONENT_FLAT_MAX + 1];
    if (!type) return;
    struct flat own = {f->types, kinds, 0, COMPONENT_FLAT_MAX + 1};
    flatten(&own, type);
    for (uint32_t i = 0; i < own.count; i++) {
        uint32_t at = start + i;
        assert(at < f->max);
        f->kinds[at] = at < *end ? component_join(f->kinds[at], kinds[i]) : kinds[i];
        if (at >= *end) *end = at + 1;
    }
}

static void flatten_variant(struct flat *f, const struct component_type *t)
{
    put(f, WASM_I32);
    uint32_t start = f->count, end = start;
    if (t->kind == COMPONENT_VARIANT)
        for (uint32_t i = 0; i < t->fields_count; i++)
            flatten_case(f, t->fields[i].type, start, &end);
    flatten_case(f, t->element, start, &end);
    flatten_case(f, t->other, start, &end);
    f->count = end;
}

static void flatten(struct flat *f, uint32_t type)
{
    const struct component_type *t = &f->types->entries[type];
    switch (t->kind) {
    case COMPONENT_NONE: break;
    case COMPONENT_S64:
    case COMPONENT_U64: put(f, WASM_I64); break;
    case COMPONENT_F32: put(f, WASM_F32); break;
    case COMPONENT_F64: put(f, WASM_F64); break;
    case COMPONENT_STRING:
    case COMPONENT_LIST:
    case COMPONENT_MAP:
        put(f, WASM_I32);
        put(f, WASM_I32);
        break;
    case COMPONENT_RECORD:
    case COMPONENT_TUPLE:
        for (uint32_t i = 0; i < t->fields_count; i++) flatten(f, t->fields[i].type);
        break;
    case COMPONENT_FIXED_LIST:
        for (uint32_t i = 0; i < t->length && f->types->entries[t->element].layout.flat_count; i++)
            flatten(f, t->element);
        break;
    case COMPONENT_VARIANT:
    case COMPONENT_OPTION:
    case COMPONENT_RESULT: flatten_variant(f, t); break;
    default: put(f, WASM_I32); break;
    }
}

uint32_t component_flatten(const struct component_types *types, uint32_t type, uint8_t *ret,
                           uint32_t max)
{
    struct flat f = {types, ret, 0, max};
    assert(types->entries[type].layout.flat_count <= max);
    flatten(&f, type);
    return f.count;
}

static uint64_t params_flat_count(const struct component_types *types,
                                  const struct component_type *func)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < func->fields_count; i++)
        count += types->entries[func->fields[i].type].layout.flat_count;
    return count;
}

static void call_params(const struct component_types *types, const struct component_type *func,
                        uint32_t max, struct component_call *ret)
{
    struct component_signature *s = &ret->signature;
    ret->params_in_memory = params_flat_count(types, func) > max;
    if (ret->params_in_memory) {
        s->params[s->params_count++] = WASM_I32;
        return;
    }
    for (uint32_t i = 0; i < func->fields_count; i++)
        s->params_count += component_flatten(types, func->fields[i].type,
                                             s->params + s->params_count, max - s->params_count);
}

void component_call_of(const struct component_types *types, uint32_t func_type, bool is_lift,
                       const struct component_options *options, struct component_call *ret)
{
    const struct component_type *func = &types->entries[func_type];
    uint32_t flat_results = types->entries[func->element].layout.flat_count;
    bool is_async = options->is_async, is_status = is_async && (!is_lift || options->has_callback);
    *ret = (struct component_call){0};
    struct component_signature *s = &ret->signature;
    call_params(types, func, is_async && !is_lift ? COMPONENT_FLAT_ASYNC_MAX : COMPONENT_FLAT_MAX,
                ret);
    if (is_async && is_lift) {
        ret->results_in_memory = false;
    } else {
        ret->results_in_memory = flat_results > (is_async ? 0 : COMPONENT_FLAT_RESULTS);
        if (ret->results_in_memory && !is_lift)
            s->params[s->params_count++] = WASM_I32;
        else if (ret->results_in_memory)
            s->results[s->results_count++] = WASM_I32;
        else if (!is_async)
            s->results_count = component_flatten(types, func->element, s->results, 1);
    }
    if (is_status) s->results[s->results_count++] = WASM_I32;
}

static uint32_t align_to(uint32_t offset, uint32_t align)
{
    return (offset + align - 1) & ~(align - 1);
}

uint32_t component_field_offset(const struct component_types *types, uint32_t type, uint32_t field)
{
    const struct component_type *t = &types->entries[type];
    uint32_t offset = 0;
    for (uint32_t i = 0; i <= field; i++) {
        const struct component_layout *f = &types->entries[t->fields[i].type].layout;
        offset = align_to(offset, f->align_bytes);
        if (i < field) offset += f->size_bytes;
    }
    return offset;
}

struct component_layout component_params_layout(const struct component_types *types, uint32_t func)
{
    const struct component_type *t = &types->entries[func];
    struct component_layout all = {.align_bytes = 1};
    for (uint32_t i = 0; i < t->fields_count; i++) {
        const struct component_layout *f = &types->entries[t->fields[i].type].layout;
        all.size_bytes = align_to(all.size_bytes, f->align_bytes) + f->size_bytes;
        if (f->align_bytes > all.align_bytes) all.align_bytes = f->align_bytes;
        all.flat_count += f->flat_count;
        all.has_pointer |= f->has_pointer;
    }
    all.size_bytes = align_to(all.size_bytes, all.align_bytes);
    return all;
}
