/* Core instances and canonical definitions of a plan. */
#include "component/canonical.h"
#include "plan_builder.h"
#include "wasm/reader.h"

enum status plan_core_export(struct plan_builder *b, const struct plan_value *instance,
                             struct wasm_name name, struct plan_core *ret)
{
    const struct plan_value *found = NULL;
    if (instance->number != PLAN_NONE) {
        *ret = (struct plan_core){PLAN_NONE, instance->number, name};
        return ST_OK;
    }
    TRY(plan_find(b, instance->items, instance->items_count, name, &found));
    if (!found) return error_set(b->err, ST_INTERNAL, "no core export `%s`", name.text);
    *ret = found->core;
    return ST_OK;
}

/* The arguments of an instantiation as items, to be looked up by name. */
static enum status core_args(struct plan_builder *b, struct plan_env *env,
                             const struct component_definition *def, struct plan_item **ret)
{
    struct plan_item *items = arena_array(&b->full->arena, struct plan_item, def->args_count);
    if (!items) return plan_no_memory(b);
    for (uint32_t i = 0; i < def->args_count; i++)
        items[i] = (struct plan_item){
            def->args[i].name, env->values[COMPONENT_SORT_CORE_INSTANCE][def->args[i].index]};
    *ret = items;
    return ST_OK;
}

enum status plan_instantiate_module(struct plan_builder *b, struct plan_env *env,
                                    const struct component_definition *def, struct plan_value *ret)
{
    uint32_t number = env->values[COMPONENT_SORT_CORE_MODULE][def->target].number;
    const struct wasm_module *module = b->c->modules[number].module;
    struct plan_item *args = NULL;
    TRY(core_args(b, env, def, &args));
    TRY(PLAN_GROW(b, instances, PLAN_INSTANCES_MAX));
    struct plan_core *imports =
        arena_array(&b->full->arena, struct plan_core, module->imports_count);
    if (!imports) return plan_no_memory(b);
    for (uint32_t i = 0; i < module->imports_count; i++) {
        const struct wasm_import *import = &module->imports[i];
        const struct plan_value *instance = NULL;
        TRY(plan_find(b, args, def->args_count, import->module, &instance));
        if (!instance)
            return error_set(b->err, ST_INTERNAL, "no core argument `%s`", import->module.text);
        TRY(plan_core_export(b, instance, import->field, &imports[i]));
    }
    ret->number = b->p->instances_count;
    b->full->instances[b->p->instances_count++] =
        (struct plan_instance){number, env->component, imports};
    return ST_OK;
}

/* ---- canonical definitions ---- */

static void resolve_options(const struct plan_env *env, const struct component_options *from,
                            struct plan_options *to)
{
    struct plan_value *const *values = (struct plan_value *const *)env->values;
    const struct plan_value *funcs = values[COMPONENT_SORT_CORE_FUNC];
    *to = (struct plan_options){
        .encoding = from->encoding,
        .has_memory = from->has_memory,
        .has_realloc = from->has_realloc,
        .has_post_return = from->has_post_return,
        .has_callback = from->has_callback,
        .is_async = from->is_async,
    };
    if (from->has_memory) to->memory = values[COMPONENT_SORT_CORE_MEMORY][from->memory].core;
    if (from->has_realloc) to->realloc = funcs[from->realloc].core;
    if (from->has_post_return) to->post_return = funcs[from->post_return].core;
    if (from->has_callback) to->callback = funcs[from->callback].core;
}

static enum status lift(struct plan_builder *b, struct plan_env *env,
                        const struct component_canon *canon, struct plan_value *ret)
{
    struct plan_lift lift = {.component = env->component,
                             .func = env->values[COMPONENT_SORT_CORE_FUNC][canon->func].core,
                             .signature = canon->signature};
    TRY(substitute(&env->types, canon->type, &lift.type, b->err));
    resolve_options(env, &canon->options, &lift.options);
    TRY(PLAN_GROW(b, lifts, PLAN_CANONS_MAX));
    ret->number = b->p->lifts_count;
    b->full->lifts[b->p->lifts_count++] = lift;
    return ST_OK;
}

enum status plan_canon(struct plan_builder *b, struct plan_env *env,
                       const struct component_canon *canon, struct plan_value *ret)
{
    if (canon->kind == COMPONENT_CANON_LIFT) return lift(b, env, canon, ret);
    struct plan_canon c = {.kind = canon->kind,
                           .component = env->component,
                           .lift = PLAN_NONE,
                           .immediate = canon->immediate,
                           .is_async = canon->is_async,
                           .cancellable = canon->cancellable,
                           .signature = canon->signature};
    if (canon->kind == COMPONENT_CANON_LOWER) {
        const struct plan_value *func = &env->values[COMPONENT_SORT_FUNC][canon->func];
        c.lift = func->number;
        c.host = func->host;
    } else if (canon->kind == COMPONENT_CANON_THREAD_NEW_INDIRECT) {
        c.table = env->values[COMPONENT_SORT_CORE_TABLE][canon->immediate].core;
    }
    TRY(substitute(&env->types, canon->type, &c.type, b->err));
    resolve_options(env, &canon->options, &c.options);
    TRY(PLAN_GROW(b, canons, PLAN_CANONS_MAX));
    ret->core = (struct plan_core){.canon = b->p->canons_count, .name = {"", 0}};
    b->full->canons[b->p->canons_count++] = c;
    return ST_OK;
}
