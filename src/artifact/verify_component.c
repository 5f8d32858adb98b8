/* The sections of a component: canonical definitions, lifted functions, resources, exports. What
 * they name exists, in the places where it may, and every core function has the core type that its
 * component-level type flattens to ("flatten_functype"). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

/* Flat parameters, the pointer to results, ':' and a result. */
#define SIGNATURE_MAX (WIT_FLAT_PARAMS + 4)

struct component_verifier {
    const struct verifier *v;
    const struct artifact_wit_type *types;
    const struct artifact_resource *resources;
    const struct wit_shape *shapes;
    const char *codes;
    size_t components_count, canons_count, lifts_count, resources_count, exports_count, types_count,
        strings_bytes;
};

static bool has_signature(const struct component_verifier *c, uint32_t func, const char *signature)
{
    return strcmp(c->codes + c->v->types[c->v->funcs[func].type].signature, signature) == 0;
}

/* 0, or a function of that type that the host may call. */
static bool is_option(const struct component_verifier *c, uint32_t func, const char *signature)
{
    return !func || (verify_callable(c->v, func) && has_signature(c, func, signature));
}

static bool is_func_type(const struct component_verifier *c, uint32_t type)
{
    return type && type < c->types_count && c->types[type].kind == WIT_FUNC;
}

static bool is_name(const struct component_verifier *c, uint32_t offset)
{
    return offset < c->strings_bytes;
}

/* ---- core types ---- */

static bool needs_memory(const struct component_verifier *c, const struct artifact_wit_type *t)
{
    return (t->flags & WIT_HAS_POINTER) || t->flat_count > WIT_FLAT_PARAMS ||
           (t->element && c->types[t->element].flat_count > WIT_FLAT_RESULTS);
}

/* The core function's type of a lift, or of a lower. */
static void signature_of(const struct component_verifier *c, uint32_t type, bool is_lift,
                         char ret[SIGNATURE_MAX])
{
    const struct artifact_wit_type *t = &c->types[type];
    size_t at = 0;
    if (t->flat_count > WIT_FLAT_PARAMS)
        ret[at++] = 'i';
    else
        for (uint32_t i = 0; i < t->flat_count; i++) ret[at++] = c->shapes[type].flat[i];
    bool in_memory = t->element && t->flat_results > WIT_FLAT_RESULTS;
    if (in_memory && !is_lift) ret[at++] = 'i';
    ret[at++] = ':';
    if (in_memory && is_lift)
        ret[at++] = 'i';
    else if (t->element && !in_memory)
        ret[at++] = c->shapes[t->element].flat[0];
    ret[at] = '\0';
}

/* Whether a value that goes into the instance's memory may need room there. */
static bool needs_realloc(const struct component_verifier *c, uint32_t type, bool is_lift)
{
    const struct artifact_wit_type *t = &c->types[type];
    if (is_lift) return t->flat_count > WIT_FLAT_PARAMS || c->shapes[type].params_have_pointer;
    return t->element && (c->types[t->element].flags & WIT_HAS_POINTER);
}

/* ---- options ---- */

static enum status verify_options(const struct component_verifier *c,
                                  const struct artifact_canon_options *o, const char *what,
                                  size_t index, struct error *err)
{
    if (o->component >= c->components_count)
        return bad(err, "%s %zu is of no component instance", what, index);
    if (o->memory != CANON_MEMORY_NONE &&
        (o->memory >= c->v->counts[EXPORT_MEMORY] || c->v->memories[o->memory].is64))
        return bad(err, "%s %zu has no 32-bit memory", what, index);
    if (!is_option(c, o->realloc, "iiii:i") || (o->realloc && o->memory == CANON_MEMORY_NONE))
        return bad(err, "%s %zu has a wrong realloc", what, index);
    if (o->encoding > CANON_LATIN1_UTF16)
        return bad(err, "%s %zu has an unknown encoding", what, index);
    if (o->is_async || o->callback) return bad(err, "%s %zu is async", what, index);
    if (o->pad[0] || o->pad[1]) return bad(err, "%s %zu: padding is not zero", what, index);
    return ST_OK;
}

static enum status verify_call(const struct component_verifier *c, uint32_t type,
                               const struct artifact_canon_options *o, bool is_lift,
                               const char *what, size_t index, struct error *err)
{
    const struct artifact_wit_type *t = &c->types[type];
    if (needs_memory(c, t) && o->memory == CANON_MEMORY_NONE)
        return bad(err, "%s %zu needs a memory", what, index);
    if (needs_realloc(c, type, is_lift) && !o->realloc)
        return bad(err, "%s %zu needs a realloc", what, index);
    return ST_OK;
}

/* ---- sections ---- */

static enum status verify_components(const struct component_verifier *c, struct error *err)
{
    const struct artifact_component *list = artifact_section(c->v->a, ARTIFACT_COMPONENTS, NULL);
    for (size_t i = 0; i < c->components_count; i++)
        if (i ? list[i].parent >= i : list[i].parent != COMPONENT_HOST)
            return bad(err, "component instance %zu has a wrong parent", i);
    return ST_OK;
}

static enum status verify_lower(const struct component_verifier *c, const struct artifact_canon *k,
                                size_t index, struct error *err)
{
    char signature[SIGNATURE_MAX];
    if (!is_func_type(c, k->type))
        return bad(err, "canonical definition %zu has no function type", index);
    if (k->resource) return bad(err, "canonical definition %zu has a resource", index);
    if (k->kind == CANON_LOWER_LIFTED) {
        if (k->lift >= c->lifts_count || k->interface || k->name)
            return bad(err, "canonical definition %zu calls no lifted function", index);
    } else if (k->lift || !is_name(c, k->interface) || !is_name(c, k->name)) {
        return bad(err, "canonical definition %zu calls nothing", index);
    }
    signature_of(c, k->type, false, signature);
    if (!has_signature(c, k->func, signature))
        return bad(err, "canonical definition %zu is of another core type", index);
    if (k->options.post_return)
        return bad(err, "canonical definition %zu has a post-return", index);
    return verify_call(c, k->type, &k->options, false, "canonical definition", index, err);
}

static enum status verify_resource_canon(const struct component_verifier *c,
                                         const struct artifact_canon *k, size_t index,
                                         struct error *err)
{
    if (k->type || k->lift || k->interface || k->name || k->options.post_return)
        return bad(err, "canonical definition %zu has what its kind has not", index);
    if (k->resource >= c->resources_count)
        return bad(err, "canonical definition %zu has no resource", index);
    /* Only who defines a resource knows what stands for it. */
    if (k->kind != CANON_RESOURCE_DROP &&
        c->resources[k->resource].component != k->options.component)
        return bad(err, "canonical definition %zu is of another's resource", index);
    if (!has_signature(c, k->func, k->kind == CANON_RESOURCE_DROP ? "i:" : "i:i"))
        return bad(err, "canonical definition %zu is of another core type", index);
    return ST_OK;
}

static enum status verify_unsupported(const struct component_verifier *c,
                                      const struct artifact_canon *k, size_t index,
                                      struct error *err)
{
    if (k->type || k->lift || k->interface || k->resource || k->options.post_return)
        return bad(err, "canonical definition %zu has what its kind has not", index);
    if (!is_name(c, k->name)) return bad(err, "canonical definition %zu has no name", index);
    return ST_OK;
}

static enum status verify_canon(const struct component_verifier *c, const struct artifact_canon *k,
                                size_t index, struct error *err)
{
    enum status st = verify_options(c, &k->options, "canonical definition", index, err);
    if (st) return st;
    if (k->kind == CANON_UNSUPPORTED) return verify_unsupported(c, k, index, err);
    return k->kind == CANON_LOWER_HOST || k->kind == CANON_LOWER_LIFTED
               ? verify_lower(c, k, index, err)
               : verify_resource_canon(c, k, index, err);
}

static enum status verify_canons(const struct component_verifier *c, struct error *err)
{
    const struct artifact_canon *list = artifact_section(c->v->a, ARTIFACT_CANONS, NULL);
    for (size_t i = 0; i < c->canons_count; i++) {
        const struct artifact_canon *k = &list[i];
        if (!k->func || k->func >= c->v->funcs_count)
            return bad(err, "canonical definition %zu names no function", i);
        if (i && k->func <= k[-1].func)
            return bad(err, "canonical definitions are not sorted at %zu", i);
        if (k->kind >= CANON_KINDS_COUNT)
            return bad(err, "canonical definition %zu has an unknown kind", i);
        enum status st = verify_canon(c, k, i, err);
        if (st) return st;
    }
    return ST_OK;
}

/* "post-return" takes what the core function gave. */
static bool is_post_return(const struct component_verifier *c, uint32_t func, const char *lifted)
{
    char signature[4];
    const char *result = strchr(lifted, ':') + 1;
    snprintf(signature, sizeof signature, "%s:", result);
    return is_option(c, func, signature);
}

static enum status verify_lifts(const struct component_verifier *c, struct error *err)
{
    const struct artifact_lift *list = artifact_section(c->v->a, ARTIFACT_LIFTS, NULL);
    for (size_t i = 0; i < c->lifts_count; i++) {
        const struct artifact_lift *l = &list[i];
        char signature[SIGNATURE_MAX];
        if (!is_func_type(c, l->type)) return bad(err, "lifted function %zu has no type", i);
        signature_of(c, l->type, true, signature);
        if (!verify_callable(c->v, l->func) || !has_signature(c, l->func, signature))
            return bad(err, "lifted function %zu is of another core type", i);
        enum status st = verify_options(c, &l->options, "lifted function", i, err);
        if (!st) st = verify_call(c, l->type, &l->options, true, "lifted function", i, err);
        if (st) return st;
        if (!is_post_return(c, l->options.post_return, signature))
            return bad(err, "lifted function %zu has a wrong post-return", i);
    }
    return ST_OK;
}

static enum status verify_resources(const struct component_verifier *c, struct error *err)
{
    for (size_t i = 0; i < c->resources_count; i++) {
        const struct artifact_resource *r = &c->resources[i];
        bool is_host = r->component == COMPONENT_HOST;
        if (!is_host && r->component >= c->components_count)
            return bad(err, "resource %zu is of no component instance", i);
        if (!is_option(c, r->destructor, "i:") || (is_host && r->destructor))
            return bad(err, "resource %zu has a wrong destructor", i);
        if (!is_name(c, r->interface) || !is_name(c, r->name) ||
            (!is_host && (r->interface || r->name)))
            return bad(err, "resource %zu has its name elsewhere", i);
    }
    return ST_OK;
}

static enum status verify_component_exports(const struct component_verifier *c, struct error *err)
{
    const struct artifact_component_export *list =
        artifact_section(c->v->a, ARTIFACT_COMPONENT_EXPORTS, NULL);
    for (size_t i = 0; i < c->exports_count; i++)
        if (list[i].lift >= c->lifts_count || !is_name(c, list[i].interface) ||
            !is_name(c, list[i].name))
            return bad(err, "component export %zu names nothing", i);
    return ST_OK;
}

static enum status verify_all(const struct component_verifier *c, struct error *err)
{
    enum status st = verify_components(c, err);
    if (!st) st = verify_resources(c, err);
    if (!st) st = verify_canons(c, err);
    if (!st) st = verify_lifts(c, err);
    return st ? st : verify_component_exports(c, err);
}

enum status verify_component(const struct verifier *v, struct error *err)
{
    const struct artifact *a = v->a;
    struct component_verifier c = {
        .v = v,
        .codes = artifact_section(a, ARTIFACT_TYPE_CODES, NULL),
        .components_count = verify_count(a, ARTIFACT_COMPONENTS),
        .canons_count = verify_count(a, ARTIFACT_CANONS),
        .lifts_count = verify_count(a, ARTIFACT_LIFTS),
        .exports_count = verify_count(a, ARTIFACT_COMPONENT_EXPORTS),
    };
    struct wit_shape *shapes = NULL;
    c.resources = artifact_section(a, ARTIFACT_RESOURCES, &c.resources_count);
    c.types = artifact_section(a, ARTIFACT_WIT_TYPES, &c.types_count);
    c.strings_bytes = verify_count(a, ARTIFACT_WIT_STRINGS);
    if (!c.components_count) {
        for (unsigned i = ARTIFACT_COMPONENTS; i <= ARTIFACT_WIT_STRINGS; i++)
            if (v->h->sections[i].size_bytes)
                return bad(err, "tables of a component that there is not");
        return ST_OK;
    }
    enum status st = verify_wit(a, &shapes, err);
    if (st) return st;
    c.shapes = shapes;
    st = verify_all(&c, err);
    free(shapes);
    return st;
}
