/* What one instance of a component consists of, settled without running anything.
 *
 * plan_new() instantiates the outermost component in the abstract: nested components are
 * instantiated as often as the component says, and what is left is flat: core instances in the
 * order in which they are to be made, each import resolved; canonical definitions; lifted
 * functions; resource types; what is exported. A component's functions that are only passed on
 * leave no trace.
 *
 * Types are the plan's own (`types`): in them every resource is one of `resources`, the entry of
 * kind COMPONENT_RESOURCE with `resource` r being resources[r - 1]. Two types of the plan are the
 * same exactly when their `equal` is the same, whichever component they come from.
 *
 * A plan borrows its component and the component's bytes. It is immutable, and may be read from
 * several threads. */
#ifndef COMPONENT_PLAN_H
#define COMPONENT_PLAN_H

#include "component/component.h"

#define PLAN_NONE UINT32_MAX

/* Limits; each is refused with ST_LIMIT by name. */
#define PLAN_COMPONENTS_MAX 1000u    /* component instances */
#define PLAN_INSTANCES_MAX  1000u    /* core instances: PROGRAM_INSTANCES_MAX */
#define PLAN_CANONS_MAX     1000000u /* canonical definitions, lifts counted apart */
#define PLAN_STEPS_MAX      2000000u /* definitions gone through */
#define PLAN_LOOKUPS_MAX    200000000u

/* A core definition: canonical definition `canon` (functions only), or, when that is PLAN_NONE, the
 * export `name` of core instance `instance`. */
struct plan_core {
    uint32_t canon;
    uint32_t instance;
    struct wasm_name name;
};

/* A core instance: of modules[module], made for component instance `component`. imports[i] serves
 * import i of the module; it comes from earlier instances only. */
struct plan_instance {
    uint32_t module;
    uint32_t component;
    const struct plan_core *imports;
};

/* Canonical options with everything resolved. Where has_… is false the reference means nothing. */
struct plan_options {
    enum component_encoding encoding;
    bool has_memory, has_realloc, has_post_return, has_callback, is_async;
    struct plan_core memory, realloc, post_return, callback;
};

/* A function of the outside: `name` of the imported instance `interface`; of a function that the
 * component imports by itself, `interface` is empty. */
struct plan_host {
    struct wasm_name interface, name;
};

/* A canonical definition that makes a core function, of any kind but COMPONENT_CANON_LIFT. */
struct plan_canon {
    enum component_canon_kind kind;
    uint32_t component; /* the component instance whose definition it is */
    uint32_t type;      /* of a lower its function type, in the caller's view; otherwise as in
                           component_canon */
    uint32_t lift;      /* of a lower: what it calls, or PLAN_NONE: then `host` */
    struct plan_host host;
    uint32_t immediate;
    struct plan_core table; /* of thread.new-indirect */
    bool is_async, cancellable;
    struct plan_options options;
    struct component_signature signature;
};

struct plan_lift {
    uint32_t component;
    struct plan_core func;
    uint32_t type;
    struct plan_options options;
    struct component_signature signature; /* of `func` */
};

struct plan_resource {
    uint32_t component;    /* the instance that defines it, or PLAN_NONE: then `host` */
    struct plan_host host; /* the first name under which it is imported */
    bool has_destructor;
    struct plan_core destructor;
};

/* A component instance; 0 is the outermost. */
struct plan_component {
    uint32_t parent; /* that instantiated it, or PLAN_NONE */
    const struct component_body *body;
};

/* A function that the outermost component exports: `name` of the exported instance `interface`, as
 * in plan_host. What is imported and exported again has lift PLAN_NONE and `host`. */
struct plan_export {
    struct wasm_name interface, name;
    uint32_t type, lift;
    struct plan_host host;
};

struct plan {
    const struct component *component;
    const struct component_types *types;
    uint32_t components_count, instances_count, canons_count, lifts_count, resources_count,
        exports_count;
    const struct plan_component *components;
    const struct plan_instance *instances;
    const struct plan_canon *canons;
    const struct plan_lift *lifts;
    const struct plan_resource *resources;
    const struct plan_export *exports;
};

/* Makes the plan of an instance of `c`.
 * Success: *ret is the caller's, who ends it with plan_free() before the component.
 * Errors: ST_UNSUPPORTED (it imports a core module or a component, which no host has), ST_LIMIT,
 * ST_NO_MEMORY. Does not block. */
NODISCARD enum status plan_new(const struct component *c, struct plan **ret, struct error *err);
void plan_free(struct plan *p);

/* The export named so, or NULL. `interface` may be "" for a function on its own. With a version in
 * `interface` any of the same track serves, see plan_interface_matches(). */
const struct plan_export *plan_find_export(const struct plan *p, const char *interface,
                                           const char *name);

/* Whether an interface `have` serves where `wanted` is asked for: the same name, and versions that
 * semver holds compatible: equal major (or, for 0, equal minor; for 0.0 equal patch), and `have`
 * or `wanted` without a version matches any. */
bool plan_interface_matches(const char *have, const char *wanted);

#endif
