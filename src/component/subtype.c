/* Whether one thing can be given where another is asked for (Subtyping.md), and instantiation.
 *
 * An instance or component type that introduces resources speaks of any: before two of them are
 * compared, the resources that the wanted one introduces are replaced by those that the given one
 * has under the same names. After that resources are equal or not, and value types and function
 * types have to be equal. Recursion is as deep as types are. */
#include "decode.h"

enum status bound_set(struct decoder *d, const uint32_t *list, uint32_t count,
                      struct number_map *ret)
{
    for (uint32_t i = 0; i < count; i++)
        if (!number_map_put(ret, list[i], 1))
            return error_set(d->err, ST_NO_MEMORY, "out of memory");
    return type_store_work(d->store, count, d->err);
}

enum status items_find(struct decoder *d, const struct component_item *items, uint32_t count,
                       struct wasm_name name, const struct component_item **ret)
{
    *ret = NULL;
    uint32_t i = 0;
    for (; i < count && !*ret; i++)
        if (names_equal(items[i].name, name)) *ret = &items[i];
    return type_store_work(d->store, i, d->err);
}

/* ---- resources ---- */

static enum status match_resource(struct decoder *d, const struct component_item *given,
                                  const struct component_item *wanted, struct substitution *s)
{
    uint32_t resource = type_at(d->store, wanted->entity.type)->resource;
    if (!given || given->entity.sort != COMPONENT_SORT_TYPE) return ST_OK; /* said when matching */
    const struct component_type *t = type_at(d->store, given->entity.type);
    if (t->kind != COMPONENT_RESOURCE)
        return error_set(d->err, ST_INVALID, "`%s`: expected resource, found %s", wanted->name.text,
                         component_kind_is_value(t->kind) ? "defined type"
                                                          : component_kind_name(t->kind));
    return substitution_map(s, resource, given->entity.type, d->err);
}

/* Maps the resources `bound` that `wanted` introduces to those that `given` has under the same
 * names. */
static enum status match_resources(struct decoder *d, const struct component_item *given,
                                   uint32_t given_count, const struct component_item *wanted,
                                   uint32_t wanted_count, struct number_map *bound,
                                   struct substitution *s)
{
    if (!bound->count) return ST_OK;
    for (uint32_t i = 0; i < wanted_count; i++) {
        const struct component_item *w = &wanted[i], *g = NULL;
        if (w->entity.sort != COMPONENT_SORT_TYPE && w->entity.sort != COMPONENT_SORT_INSTANCE)
            continue;
        const struct component_type *t = type_at(d->store, w->entity.type);
        if (!t->has_resource) continue;
        TRY(items_find(d, given, given_count, w->name, &g));
        if (t->kind == COMPONENT_RESOURCE && w->entity.sort == COMPONENT_SORT_TYPE) {
            if (number_map_get(bound, t->resource) && !number_map_get(&s->resources, t->resource))
                TRY(match_resource(d, g, w, s));
        } else if (w->entity.sort == COMPONENT_SORT_INSTANCE && g &&
                   g->entity.sort == COMPONENT_SORT_INSTANCE) {
            const struct component_type *gt = type_at(d->store, g->entity.type);
            TRY(match_resources(d, gt->exports, gt->exports_count, t->exports, t->exports_count,
                                bound, s));
        }
    }
    return ST_OK;
}

/* ---- core modules ---- */

static enum status fail_module(struct decoder *d, const char *what, struct wasm_name module,
                               struct wasm_name field)
{
    return error_set(d->err, ST_INVALID, "%s `%s%s%s`", what, module.text ? module.text : "",
                     module.text ? "::" : "", field.text);
}

static enum status module_imports_match(struct decoder *d, const struct component_module_type *a,
                                        const struct component_module_type *b)
{
    for (uint32_t i = 0; i < a->imports_count; i++) {
        struct core_extern wanted, given;
        const struct wasm_import *want = module_type_import(a, i, &wanted), *have = NULL;
        TRY(type_store_work(d->store, b->imports_count + 1u, d->err));
        for (uint32_t k = 0; k < b->imports_count && !have; k++) {
            have = module_type_import(b, k, &given);
            if (!names_equal(have->module, want->module) || !names_equal(have->field, want->field))
                have = NULL;
        }
        if (!have) return fail_module(d, "missing expected import", want->module, want->field);
        if (!core_extern_matches(&given, &wanted))
            return fail_module(d, "type mismatch in import", want->module, want->field);
    }
    return ST_OK;
}

static enum status module_matches(struct decoder *d, const struct component_module_type *a,
                                  const struct component_module_type *b)
{
    TRY(module_imports_match(d, a, b));
    struct core_instance exports = {.type = a};
    for (uint32_t i = 0; i < b->exports_count; i++) {
        struct core_extern wanted, given;
        struct wasm_name name = module_type_export(b, i, &wanted), none = {0};
        bool found = false;
        TRY(core_instance_find(d, &exports, name, &given, &found));
        if (!found) return fail_module(d, "missing expected export", none, name);
        if (!core_extern_matches(&given, &wanted))
            return fail_module(d, "type mismatch in export", none, name);
    }
    return ST_OK;
}

/* ---- types ---- */

static enum status items_match(struct decoder *d, const struct component_item *given,
                               uint32_t given_count, const struct component_item *wanted,
                               uint32_t wanted_count, struct substitution *s, const char *missing)
{
    for (uint32_t i = 0; i < wanted_count; i++) {
        const struct component_item *g = NULL;
        struct component_entity entity;
        TRY(items_find(d, given, given_count, wanted[i].name, &g));
        if (!g) return error_set(d->err, ST_INVALID, "%s `%s`", missing, wanted[i].name.text);
        TRY(substitute_entity(s, &wanted[i].entity, &entity, d->err));
        enum status st = entity_matches(d, &g->entity, &entity);
        if (st) return error_prefix(d->err, "type mismatch in `%s`", wanted[i].name.text);
    }
    return ST_OK;
}

static enum status instance_matches(struct decoder *d, uint32_t a, uint32_t b)
{
    const struct component_type at = *type_at(d->store, a), bt = *type_at(d->store, b);
    struct substitution s;
    struct number_map bound = {0};
    substitution_init(&s, &d->store->t, d->store);
    enum status st = bound_set(d, bt.bound_exports, bt.bound_exports_count, &bound);
    if (!st)
        st = match_resources(d, at.exports, at.exports_count, bt.exports, bt.exports_count, &bound,
                             &s);
    if (!st)
        st = items_match(d, at.exports, at.exports_count, bt.exports, bt.exports_count, &s,
                         "missing expected export");
    number_map_done(&bound);
    substitution_done(&s);
    return st;
}

/* The exports of `t` with the resources of `s` put in. */
static enum status substituted_exports(struct decoder *d, const struct component_type *t,
                                       struct substitution *s, struct component_item **ret)
{
    struct component_item *items =
        arena_array(&d->full->arena, struct component_item, t->exports_count);
    if (!items) return error_set(d->err, ST_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < t->exports_count; i++) {
        items[i] = t->exports[i];
        TRY(substitute_entity(s, &t->exports[i].entity, &items[i].entity, d->err));
    }
    *ret = items;
    return ST_OK;
}

/* What `b` imports is what `a` is given, what `a` exports then is what `b` promises. */
static enum status component_matches_with(struct decoder *d, const struct component_type *at,
                                          const struct component_type *bt, struct substitution *sa,
                                          struct substitution *sb, struct number_map *bound)
{
    struct component_item *exports = NULL;
    TRY(bound_set(d, at->bound_imports, at->bound_imports_count, bound));
    TRY(match_resources(d, bt->imports, bt->imports_count, at->imports, at->imports_count, bound,
                        sa));
    TRY(items_match(d, bt->imports, bt->imports_count, at->imports, at->imports_count, sa,
                    "missing import named"));
    TRY(substituted_exports(d, at, sa, &exports));
    number_map_done(bound);
    TRY(bound_set(d, bt->bound_exports, bt->bound_exports_count, bound));
    TRY(match_resources(d, exports, at->exports_count, bt->exports, bt->exports_count, bound, sb));
    return items_match(d, exports, at->exports_count, bt->exports, bt->exports_count, sb,
                       "missing expected export");
}

static enum status component_matches(struct decoder *d, uint32_t a, uint32_t b)
{
    const struct component_type at = *type_at(d->store, a), bt = *type_at(d->store, b);
    struct substitution sa, sb;
    struct number_map bound = {0};
    substitution_init(&sa, &d->store->t, d->store);
    substitution_init(&sb, &d->store->t, d->store);
    enum status st = component_matches_with(d, &at, &bt, &sa, &sb, &bound);
    number_map_done(&bound);
    substitution_done(&sa);
    substitution_done(&sb);
    return st;
}

static const char *type_word(const struct component_type *t)
{
    return component_kind_is_value(t->kind) ? "defined type" : component_kind_name(t->kind);
}

static enum status type_matches(struct decoder *d, uint32_t a, uint32_t b)
{
    const struct component_type *at = type_at(d->store, a), *bt = type_at(d->store, b);
    if (a == b || at->equal == bt->equal) return ST_OK;
    if (at->kind == bt->kind && at->kind == COMPONENT_INSTANCE) return instance_matches(d, a, b);
    if (at->kind == bt->kind && at->kind == COMPONENT_COMPONENT) return component_matches(d, a, b);
    if (component_kind_is_value(at->kind) != component_kind_is_value(bt->kind))
        return error_set(d->err, ST_INVALID, "expected %s, found %s", type_word(bt), type_word(at));
    return type_difference(d, a, b);
}

enum status entity_matches(struct decoder *d, const struct component_entity *a,
                           const struct component_entity *b)
{
    TRY(type_store_work(d->store, 1, d->err));
    if (a->sort != b->sort)
        return error_set(d->err, ST_INVALID, "expected %s, found %s", component_sort_name(b->sort),
                         component_sort_name(a->sort));
    if (a->sort == COMPONENT_SORT_CORE_MODULE)
        return a->module == b->module ? ST_OK : module_matches(d, a->module, b->module);
    return type_matches(d, a->type, b->type);
}

/* ---- instantiation ---- */

static enum status new_resources(struct decoder *d, const struct component_type *t,
                                 struct substitution *s)
{
    struct scope *scope = d->scope;
    for (uint32_t i = 0; i < t->bound_exports_count; i++) {
        uint32_t entry = 0;
        TRY(type_store_add_resource(d->store, &entry, d->err));
        TRY(substitution_map(s, t->bound_exports[i], entry, d->err));
        TRY(GROW(d, scope->bound_exports, scope->bound_exports_capacity,
                 scope->bound_exports_count + 1));
        scope->bound_exports[scope->bound_exports_count++] = type_at(d->store, entry)->resource;
    }
    return ST_OK;
}

/* A type that was given a name outside has it inside as well: what is exported in terms of an
 * imported type is seen in terms of the type given. */
static enum status map_types(struct decoder *d, const struct component_item *given,
                             uint32_t given_count, const struct component_item *wanted,
                             uint32_t wanted_count, struct substitution *s)
{
    for (uint32_t i = 0; i < wanted_count; i++) {
        const struct component_entity *w = &wanted[i].entity;
        const struct component_item *g = NULL;
        if (w->sort != COMPONENT_SORT_TYPE && w->sort != COMPONENT_SORT_INSTANCE) continue;
        TRY(items_find(d, given, given_count, wanted[i].name, &g));
        if (!g) continue;
        if (w->sort == COMPONENT_SORT_INSTANCE) {
            const struct component_type *gt = type_at(d->store, g->entity.type),
                                        *wt = type_at(d->store, w->type);
            TRY(map_types(d, gt->exports, gt->exports_count, wt->exports, wt->exports_count, s));
        } else if (!number_map_put(&s->done, w->type, g->entity.type)) {
            return error_set(d->err, ST_NO_MEMORY, "out of memory");
        }
    }
    s->maps_types = true;
    return ST_OK;
}

static enum status instantiate_with(struct decoder *d, const struct component_type *t,
                                    const struct component_item *args, uint32_t args_count,
                                    struct substitution *s, struct number_map *bound, uint32_t *ret)
{
    struct component_type instance = {.kind = COMPONENT_INSTANCE,
                                      .exports_count = t->exports_count};
    struct component_item *exports = NULL;
    TRY(bound_set(d, t->bound_imports, t->bound_imports_count, bound));
    TRY(match_resources(d, args, args_count, t->imports, t->imports_count, bound, s));
    TRY(items_match(d, args, args_count, t->imports, t->imports_count, s, "missing import named"));
    TRY(new_resources(d, t, s));
    /* What was replaced so far did not know of the new resources. */
    number_map_done(&s->done);
    TRY(map_types(d, args, args_count, t->imports, t->imports_count, s));
    TRY(substituted_exports(d, t, s, &exports));
    instance.exports = exports;
    return type_store_add(d->store, &instance, ret, d->err);
}

enum status instantiate(struct decoder *d, uint32_t component, const struct component_item *args,
                        uint32_t args_count, uint32_t *ret)
{
    const struct component_type t = *type_at(d->store, component);
    struct substitution s;
    struct number_map bound = {0};
    substitution_init(&s, &d->store->t, d->store);
    enum status st = instantiate_with(d, &t, args, args_count, &s, &bound, ret);
    number_map_done(&bound);
    substitution_done(&s);
    return st;
}
