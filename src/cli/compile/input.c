#include "compile/input.h"

#include "codegen/component_program.h"
#include "compile/imports.h"
#include "wasm/wasm.h"

static enum status init_module(struct input *in, const struct buffer *wasm, uint32_t threads,
                               struct error *err)
{
    uint32_t instance;
    enum status st = wasm_module_decode(wasm->data, wasm->size_bytes, threads, &in->module, err);
    if (!st) st = program_builder_new(&in->builder, err);
    if (!st) st = program_builder_add(in->builder, in->module, NULL, 0, true, &instance, err);
    return st ? st : program_builder_finish(in->builder, &in->program, err);
}

static enum status init_component(struct input *in, const struct buffer *wasm, uint32_t threads,
                                  struct error *err)
{
    enum status st = component_decode(wasm->data, wasm->size_bytes, threads, &in->component, err);
    if (!st) st = plan_new(in->component, &in->own_plan, err);
    if (!st) st = component_program_new(in->own_plan, &in->component_program, err);
    if (st) return st;
    in->plan = in->own_plan;
    in->program = component_program_program(in->component_program);
    in->component_parts = component_program_parts(in->component_program);
    return imports_check(in->plan, in->program, err);
}

enum status input_init(struct input *in, const struct buffer *wasm, uint32_t threads,
                       struct error *err)
{
    *in = (struct input){0};
    return component_is(wasm->data, wasm->size_bytes) ? init_component(in, wasm, threads, err)
                                                      : init_module(in, wasm, threads, err);
}

void input_done(struct input *in)
{
    component_program_free(in->component_program);
    plan_free(in->own_plan);
    component_free(in->component);
    program_builder_free(in->builder);
    wasm_module_free(in->module);
}
