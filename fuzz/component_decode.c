/* Decodes and validates arbitrary bytes as a component. Of an accepted one the plan is made and
 * gone through: what it refers to must be there, and what every function type flattens to must be
 * what its canonical definition says. */
#include <stdlib.h>
#include <string.h>

#include "component/canonical.h"
#include "component/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) abort();
}

static void check_core(const struct plan *p, const struct plan_core *core, uint32_t instances)
{
    if (core->canon != PLAN_NONE) {
        check(core->canon < p->canons_count);
        return;
    }
    check(core->instance < instances);
    const struct wasm_module *m = p->component->modules[p->instances[core->instance].module].module;
    bool found = false;
    for (uint32_t i = 0; i < m->exports_count && !found; i++)
        found = m->exports[i].name.size_bytes == core->name.size_bytes &&
                !memcmp(m->exports[i].name.text, core->name.text, core->name.size_bytes);
    check(found);
}

static void check_options(const struct plan *p, const struct plan_options *o)
{
    if (o->has_memory) check_core(p, &o->memory, p->instances_count);
    if (o->has_realloc) check_core(p, &o->realloc, p->instances_count);
    if (o->has_post_return) check_core(p, &o->post_return, p->instances_count);
    if (o->has_callback) check_core(p, &o->callback, p->instances_count);
}

static void check_call(const struct plan *p, uint32_t type, bool is_lift,
                       const struct plan_options *o, const struct component_signature *s)
{
    struct component_options options = {.is_async = o->is_async, .has_callback = o->has_callback};
    struct component_call call;
    check(type < p->types->count && p->types->entries[type].kind == COMPONENT_FUNC);
    component_call_of(p->types, type, is_lift, &options, &call);
    check(!memcmp(&call.signature, s, sizeof *s));
}

static void check_types(const struct plan *p)
{
    for (uint32_t i = 0; i < p->types->count; i++) {
        const struct component_type *t = &p->types->entries[i];
        check(t->equal <= i);
        if (t->kind == COMPONENT_RESOURCE) check(t->resource && t->resource <= p->resources_count);
        if (t->kind == COMPONENT_OWN || t->kind == COMPONENT_BORROW)
            check(p->types->entries[t->element].kind == COMPONENT_RESOURCE);
    }
}

static void check_plan(const struct plan *p)
{
    check_types(p);
    for (uint32_t i = 0; i < p->instances_count; i++) {
        const struct plan_instance *instance = &p->instances[i];
        check(instance->module < p->component->modules_count &&
              instance->component < p->components_count);
        const struct wasm_module *m = p->component->modules[instance->module].module;
        for (uint32_t k = 0; k < m->imports_count; k++) check_core(p, &instance->imports[k], i);
    }
    for (uint32_t i = 0; i < p->canons_count; i++) {
        const struct plan_canon *c = &p->canons[i];
        check_options(p, &c->options);
        check(c->lift == PLAN_NONE || c->lift < p->lifts_count);
        if (c->kind != COMPONENT_CANON_LOWER) continue;
        check_call(p, c->type, false, &c->options, &c->signature);
        if (c->lift != PLAN_NONE)
            check(p->types->entries[c->type].equal ==
                  p->types->entries[p->lifts[c->lift].type].equal);
    }
    for (uint32_t i = 0; i < p->lifts_count; i++) {
        check_options(p, &p->lifts[i].options);
        check_core(p, &p->lifts[i].func, p->instances_count);
        check_call(p, p->lifts[i].type, true, &p->lifts[i].options, &p->lifts[i].signature);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct component *c = NULL;
    struct plan *plan = NULL;
    struct error err;
    if (component_decode(data, size, 1, &c, &err)) {
        check(err.status != ST_INTERNAL && !strncmp(err.text, "offset 0x", 9));
        return 0;
    }
    enum status st = plan_new(c, &plan, &err);
    check(!st || st == ST_UNSUPPORTED || st == ST_LIMIT);
    if (!st) check_plan(plan);
    plan_free(plan);
    component_free(c);
    return 0;
}
