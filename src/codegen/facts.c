#include "facts.h"

struct facts facts_of(const struct program *program, const struct layout *layout, uint32_t instance)
{
    return (struct facts){program, layout, &program->instances[instance], instance};
}

struct fact_memory fact_memory(const struct facts *f, uint32_t memory)
{
    uint32_t index = f->instance->memories[memory];
    const struct program_definition *d = &f->program->memories[index];
    const struct wasm_limits *limits =
        &f->program->instances[d->instance].module->memories[d->index].limits;
    uint64_t bytes_min = 0;
    if (limits->is64 && __builtin_mul_overflow(limits->min, (uint64_t)WASM_PAGE_BYTES, &bytes_min))
        bytes_min = 0;
    return (struct fact_memory){.bytes_min = bytes_min,
                                .memory = index,
                                .size_offset = f->layout->memory_sizes[index],
                                .is64 = limits->is64};
}

struct fact_table fact_table(const struct facts *f, uint32_t table)
{
    uint32_t index = f->instance->tables[table];
    const struct program_definition *d = &f->program->tables[index];
    const struct wasm_limits *limits =
        &f->program->instances[d->instance].module->tables[d->index].limits;
    const struct layout_table *l = &f->layout->tables[index];
    return (struct fact_table){.table = index,
                               .size_offset = l->size_offset,
                               .elements_offset = l->elements_offset,
                               .capacity = l->capacity,
                               .is_fixed = l->capacity == limits->min,
                               .is64 = limits->is64};
}

struct fact_global fact_global(const struct facts *f, uint32_t global)
{
    uint32_t index = f->instance->globals[global];
    const struct program_definition *d = &f->program->globals[index];
    const struct wasm_global *g = &f->program->instances[d->instance].module->globals[d->index];
    return (struct fact_global){f->layout->globals[index], (uint32_t)layout_type_letter(g->type)};
}

struct fact_indirect fact_indirect(const struct facts *f, uint32_t type)
{
    return (struct fact_indirect){program_type_id(f->program, f->instance_index, type),
                                  f->layout->functable_count - 1};
}

uint32_t fact_reference(const struct facts *f, uint32_t func)
{
    return f->instance->funcs[func];
}

uint32_t fact_element(const struct facts *f, uint32_t segment)
{
    return f->instance->elements_first + segment;
}

uint32_t fact_data(const struct facts *f, uint32_t segment)
{
    return f->instance->datas_first + segment;
}

uint32_t fact_callee(const struct facts *f, uint32_t func)
{
    return f->instance->funcs[func];
}

size_t fact_origin(const struct wasm_func *func)
{
    return func->body_offset - 1;
}
