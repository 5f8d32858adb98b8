/* Going through the definitions of a component instance. */
#include <assert.h>
#include <stdlib.h>

#include "plan_builder.h"
#include "wasm/reader.h"

static enum status env_new(struct plan_builder *b, const struct component_body *body,
                           struct plan_env **ret)
{
    struct plan_env *env = arena_new(&b->full->arena, struct plan_env);
    if (!env) return plan_no_memory(b);
    b->steps += 1u + body->definitions_count;
    if (b->steps > PLAN_STEPS_MAX)
        return error_set(b->err, ST_LIMIT, "an instance takes more than %llu definitions",
                         (unsigned long long)PLAN_STEPS_MAX);
    uint32_t exports = 0;
    for (uint32_t i = 0; i < body->definitions_count; i++)
        exports += body->definitions[i].kind == COMPONENT_EXPORT;
    env->exports = arena_array(&b->full->arena, struct plan_item, exports);
    if (!env->exports) return plan_no_memory(b);
    for (size_t sort = 0; sort < COMPONENT_SORTS; sort++) {
        env->values[sort] = arena_array(&b->full->arena, struct plan_value, body->counts[sort]);
        if (!env->values[sort]) return plan_no_memory(b);
    }
    env->body = body;
    substitution_init(&env->types, b->c->types, &b->full->store);
    env->next = b->envs;
    b->envs = env;
    *ret = env;
    return ST_OK;
}

/* ---- resources ---- */

enum status plan_bind(struct plan_builder *b, struct plan_env *env,
                      const struct component_entity *entity, const struct plan_value *value)
{
    const struct component_type *t = &b->c->types->entries[entity->type];
    if (!t->has_resource) return ST_OK;
    if (entity->sort == COMPONENT_SORT_TYPE && t->kind == COMPONENT_RESOURCE &&
        !number_map_get(&env->types.resources, t->resource))
        return substitution_map(&env->types, t->resource, value->number, b->err);
    if (entity->sort != COMPONENT_SORT_INSTANCE) return ST_OK;
    for (uint32_t i = 0; i < t->exports_count; i++) {
        const struct component_entity *e = &t->exports[i].entity;
        const struct plan_value *v = NULL;
        if (e->sort != COMPONENT_SORT_TYPE && e->sort != COMPONENT_SORT_INSTANCE) continue;
        TRY(plan_find(b, value->items, value->items_count, t->exports[i].name, &v));
        if (v) TRY(plan_bind(b, env, e, v));
    }
    return ST_OK;
}

static enum status define_resource(struct plan_builder *b, struct plan_env *env,
                                   const struct component_definition *def, struct plan_value *ret)
{
    struct plan_resource resource = {.component = env->component,
                                     .has_destructor = def->has_destructor};
    if (def->has_destructor)
        resource.destructor = env->values[COMPONENT_SORT_CORE_FUNC][def->destructor].core;
    TRY(plan_add_resource(b, &resource, &ret->number));
    return substitution_map(&env->types, def->resource, ret->number, b->err);
}

/* ---- definitions ---- */

static enum status bag(struct plan_builder *b, struct plan_env *env,
                       const struct component_definition *def, struct plan_value *ret)
{
    struct plan_item *items = arena_array(&b->full->arena, struct plan_item, def->args_count);
    if (!items) return plan_no_memory(b);
    b->steps += def->args_count;
    for (uint32_t i = 0; i < def->args_count; i++)
        items[i] = (struct plan_item){def->args[i].name,
                                      env->values[def->args[i].sort][def->args[i].index]};
    ret->number = PLAN_NONE;
    ret->items = items;
    ret->items_count = def->args_count;
    return ST_OK;
}

static enum status instantiate_component(struct plan_builder *b, struct plan_env *env,
                                         const struct component_definition *def,
                                         struct plan_value *ret)
{
    const struct plan_value component = env->values[COMPONENT_SORT_COMPONENT][def->target];
    struct plan_value args = {0};
    struct plan_env *inner = NULL;
    TRY(bag(b, env, def, &args));
    TRY(plan_run(b, component.body, component.env, env->component, args.items, args.items_count,
                 &inner));
    ret->items = inner->exports;
    ret->items_count = inner->exports_count;
    return plan_bind(b, env, &def->entity, ret);
}

static enum status import(struct plan_builder *b, struct plan_env *env,
                          const struct component_definition *def, struct plan_value *ret)
{
    static const struct wasm_name none = {"", 0};
    const struct plan_value *given = NULL;
    if (!env->outer && !env->args) {
        TRY(plan_host_value(b, env, none, def->name, &def->entity, ret));
    } else {
        TRY(plan_find(b, env->args, env->args_count, def->name, &given));
        if (!given) return error_set(b->err, ST_INTERNAL, "no argument `%s`", def->name.text);
        *ret = *given;
    }
    return plan_bind(b, env, &def->entity, ret);
}

static enum status alias_export(struct plan_builder *b, struct plan_env *env,
                                const struct component_definition *def, struct plan_value *ret)
{
    const struct plan_value *instance = &env->values[COMPONENT_SORT_INSTANCE][def->target],
                            *found = NULL;
    TRY(plan_find(b, instance->items, instance->items_count, def->name, &found));
    if (!found) return error_set(b->err, ST_INTERNAL, "no export `%s`", def->name.text);
    *ret = *found;
    return ST_OK;
}

static enum status export(struct plan_builder *b, struct plan_env *env,
                          const struct component_definition *def, struct plan_value *ret) {
        *ret = env->values[def->sort][def->target];
        env->exports[env->exports_count++] = (struct plan_item){def->name, *ret};
        return plan_bind(b, env, &def->entity, ret);
}

static void alias_outer(const struct plan_env *env, const struct component_definition *def,
                        struct plan_value *ret)
{
    for (uint32_t i = 0; i < def->depth; i++) env = env->outer;
    *ret = env->values[def->sort][def->target];
}

static enum status define(struct plan_builder *b, struct plan_env *env,
                          const struct component_definition *def, struct plan_value *ret)
{
    switch (def->kind) {
    case COMPONENT_DEFINE_MODULE: ret->number = def->target; return ST_OK;
    case COMPONENT_DEFINE_COMPONENT:
        ret->body = def->body;
        ret->env = env;
        return ST_OK;
    case COMPONENT_INSTANTIATE_MODULE: return plan_instantiate_module(b, env, def, ret);
    case COMPONENT_INSTANTIATE: return instantiate_component(b, env, def, ret);
    case COMPONENT_CORE_BAG:
    case COMPONENT_BAG: return bag(b, env, def, ret);
    case COMPONENT_ALIAS_EXPORT: return alias_export(b, env, def, ret);
    case COMPONENT_ALIAS_CORE_EXPORT:
        return plan_core_export(b, &env->values[COMPONENT_SORT_CORE_INSTANCE][def->target],
                                def->name, &ret->core);
    case COMPONENT_ALIAS_OUTER: alias_outer(env, def, ret); return ST_OK;
    case COMPONENT_DEFINE_RESOURCE: return define_resource(b, env, def, ret);
    case COMPONENT_DEFINE_TYPE: return ST_OK;
    case COMPONENT_CANON: return plan_canon(b, env, def->canon, ret);
    case COMPONENT_IMPORT: return import(b, env, def, ret);
    case COMPONENT_EXPORT: return export(b, env, def, ret);
    }
    return error_set(b->err, ST_INTERNAL, "definition of kind %d", def->kind);
}

/* Goes no deeper than there are components, since none can be given to itself. */
enum status plan_run(struct plan_builder *b, const struct component_body *body,
                     struct plan_env *outer, uint32_t parent, const struct plan_item *args,
                     uint32_t args_count, struct plan_env **ret)
{
    struct plan_env *env = NULL;
    TRY(PLAN_GROW(b, components, PLAN_COMPONENTS_MAX));
    TRY(env_new(b, body, &env));
    env->outer = outer;
    env->component = b->p->components_count++;
    env->args = args;
    env->args_count = args_count;
    b->full->components[env->component] = (struct plan_component){parent, body};
    for (uint32_t i = 0; i < body->definitions_count; i++) {
        const struct component_definition *def = &body->definitions[i];
        struct plan_value value = {.core.canon = PLAN_NONE, .number = 0};
        TRY(define(b, env, def, &value));
        assert(def->index == env->counts[def->sort] && def->index < body->counts[def->sort]);
        env->values[def->sort][env->counts[def->sort]++] = value;
    }
    *ret = env;
    return ST_OK;
}
