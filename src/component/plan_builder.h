/* The state of one plan_new(). Private. */
#ifndef COMPONENT_PLAN_BUILDER_H
#define COMPONENT_PLAN_BUILDER_H

#include "base/arena.h"
#include "component/plan.h"
#include "type_store.h"

#define PLAN_ARENA_BYTES_MAX ((size_t)1 << 30)

struct plan_item;

/* What an index of an index space stands for in one component instance. */
struct plan_value {
    struct plan_core core; /* core functions, tables, memories, globals and tags */
    /* Core module: index into component.modules. Core instance: plan instance, or PLAN_NONE: then
     * `items`. Function: lift, or PLAN_NONE: then `host`. Type: the plan's entry of a resource, 0
     * of any other type. */
    uint32_t number;
    struct plan_host host;
    uint32_t items_count; /* exports of instances, and of core instances made of a list */
    const struct plan_item *items;
    const struct component_body *body; /* component: what it is, and where it was defined */
    struct plan_env *env;
};

struct plan_item {
    struct wasm_name name;
    struct plan_value value;
};

/* A component instance while it is gone through. */
struct plan_env {
    struct plan_env *outer; /* the instance whose definition the component is */
    struct plan_env *next;  /* all of them, for the end */
    const struct component_body *body;
    uint32_t component; /* index into plan.components */
    struct plan_value *values[COMPONENT_SORTS];
    uint32_t counts[COMPONENT_SORTS];
    const struct plan_item *args; /* NULL for the outermost, which imports from the host */
    uint32_t args_count;
    struct plan_item *exports;
    uint32_t exports_count;
    struct substitution types; /* from the component's types to the plan's */
};

struct plan_full {
    struct plan p; /* first: a struct plan * is a struct plan_full * */
    struct arena arena;
    struct type_store store;
    /* Heap blocks. */
    struct plan_component *components;
    struct plan_instance *instances;
    struct plan_canon *canons;
    struct plan_lift *lifts;
    struct plan_resource *resources;
    struct plan_export *exports;
    uint32_t components_capacity, instances_capacity, canons_capacity, lifts_capacity,
        resources_capacity, exports_capacity;
};

struct plan_builder {
    struct plan_full *full;
    struct plan *p; /* &full->p */
    const struct component *c;
    struct error *err;
    struct plan_env *envs;
    uint64_t steps, lookups;
};

/* ---- plan.c ---- */

NODISCARD enum status plan_no_memory(struct plan_builder *b);
NODISCARD enum status plan_grow(struct plan_builder *b, void **items, uint32_t *capacity,
                                uint32_t count, uint32_t max, const char *what, size_t item_bytes);
#define PLAN_GROW(b, what, max)                                                                    \
    plan_grow((b), (void **)&(b)->full->what, &(b)->full->what##_capacity, (b)->p->what##_count,   \
              (max), #what, sizeof *(b)->full->what)

NODISCARD enum status plan_find(struct plan_builder *b, const struct plan_item *items,
                                uint32_t count, struct wasm_name name,
                                const struct plan_value **ret);

/* A new resource of the plan; its entry. */
NODISCARD enum status plan_add_resource(struct plan_builder *b, const struct plan_resource *what,
                                        uint32_t *ret);

/* ---- plan_run.c ---- */

/* Instantiates `body`, whose outer component's instance is `outer`. *ret has the exports. */
NODISCARD enum status plan_run(struct plan_builder *b, const struct component_body *body,
                               struct plan_env *outer, uint32_t parent,
                               const struct plan_item *args, uint32_t args_count,
                               struct plan_env **ret);

/* Says which of the plan's resources those are that `entity` names and `env` has not seen yet. */
NODISCARD enum status plan_bind(struct plan_builder *b, struct plan_env *env,
                                const struct component_entity *entity,
                                const struct plan_value *value);

/* ---- plan_core.c: definitions of core things ---- */

NODISCARD enum status plan_instantiate_module(struct plan_builder *b, struct plan_env *env,
                                              const struct component_definition *def,
                                              struct plan_value *ret);
NODISCARD enum status plan_core_export(struct plan_builder *b, const struct plan_value *instance,
                                       struct wasm_name name, struct plan_core *ret);
NODISCARD enum status plan_canon(struct plan_builder *b, struct plan_env *env,
                                 const struct component_canon *canon, struct plan_value *ret);

/* ---- plan_border.c: the outermost component's imports and exports ---- */

NODISCARD enum status plan_host_value(struct plan_builder *b, struct plan_env *env,
                                      struct wasm_name interface, struct wasm_name name,
                                      const struct component_entity *entity,
                                      struct plan_value *ret);
NODISCARD enum status plan_exports(struct plan_builder *b, struct plan_env *env);

#endif
