#include "component_program.h"

#include <assert.h>
#include <stdlib.h>

#include "component_tables.h"

struct component_program {
    struct program_builder *builder;
    const struct program *program;
    struct component_tables tables;
    struct artifact_part parts[ARTIFACT_COMPONENT_SECTIONS];
};

static enum status add_instance(struct component_program *c, const struct plan *plan,
                                uint32_t number, struct error *err)
{
    const struct plan_instance *in = &plan->instances[number];
    const struct wasm_module *m = plan->component->modules[in->module].module;
    struct program_source *sources = calloc((size_t)m->imports_count + 1, sizeof *sources);
    uint32_t instance;
    if (!sources) return error_set(err, ST_NO_MEMORY, "component: imports");
    for (uint32_t i = 0; i < m->imports_count; i++) {
        const struct plan_core *from = &in->imports[i];
        bool is_canon = from->canon != PLAN_NONE;
        sources[i] = (struct program_source){
            .canon = is_canon ? from->canon : PROGRAM_CANON_NONE,
            .instance = from->instance,
            .name = from->name,
        };
    }
    enum status st = program_builder_add_sources(c->builder, m, sources, &instance, err);
    assert(st || instance == number);
    free(sources);
    return st;
}

static enum status link(struct component_program *c, const struct plan *plan, struct error *err)
{
    if (!plan->instances_count)
        return error_set(err, ST_UNSUPPORTED,
                         "the component has no core module: there is nothing to compile");
    enum status st = program_builder_new(&c->builder, err);
    for (uint32_t i = 0; i < plan->instances_count && !st; i++) st = add_instance(c, plan, i, err);
    return st ? st : program_builder_finish(c->builder, &c->program, err);
}

enum status component_program_new(const struct plan *plan, struct component_program **ret,
                                  struct error *err)
{
    struct component_program *c = calloc(1, sizeof *c);
    if (!c) return error_set(err, ST_NO_MEMORY, "component: program");
    enum status st = link(c, plan, err);
    if (!st) st = component_tables_init(&c->tables, plan, c->program, err);
    if (st) {
        component_program_free(c);
        return st;
    }
    for (unsigned i = 0; i < ARTIFACT_COMPONENT_SECTIONS; i++)
        c->parts[i] =
            (struct artifact_part){c->tables.parts[i].data, c->tables.parts[i].size_bytes};
    *ret = c;
    return ST_OK;
}

void component_program_free(struct component_program *c)
{
    if (!c) return;
    component_tables_done(&c->tables);
    program_builder_free(c->builder);
    free(c);
}

const struct program *component_program_program(const struct component_program *c)
{
    return c->program;
}

const struct artifact_part *component_program_parts(const struct component_program *c)
{
    return c->parts;
}
