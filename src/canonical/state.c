/* Birth, reset and death of an instance's state. */
#include "state.h"

#include <stdlib.h>

#include "find.h"

#define SECTION(c, id, field)                                                                      \
    ((c)->field = artifact_section((c)->artifact, (id), &(c)->field##_count))

static void take_sections(struct canonical *c)
{
    SECTION(c, ARTIFACT_CANONS, canons);
    SECTION(c, ARTIFACT_LIFTS, lifts);
    SECTION(c, ARTIFACT_RESOURCES, resources);
    SECTION(c, ARTIFACT_WIT_TYPES, types);
    SECTION(c, ARTIFACT_WIT_FIELDS, fields);
    c->parents = artifact_section(c->artifact, ARTIFACT_COMPONENTS, &c->components_count);
}

static enum status find_resources(struct canonical *c, const struct finding *f, struct error *err)
{
    c->resource_types = calloc(c->resources_count + 1, sizeof *c->resource_types);
    if (!c->resource_types) return error_set(err, ST_NO_MEMORY, "component instance");
    for (size_t k = 0; k < c->resources_count; k++) {
        const struct artifact_resource *r = &c->resources[k];
        c->resource_types[k] =
            r->component == COMPONENT_HOST
                ? (const void *)find_resource(f, artifact_wit_string(c->artifact, r->interface),
                                              artifact_wit_string(c->artifact, r->name))
                : (const void *)r;
    }
    return ST_OK;
}

static void start_fresh(struct canonical *c)
{
    for (size_t k = 0; k < c->components_count; k++) {
        c->components[k].may_leave = true;
        c->components[k].entered = false;
    }
    c->root = COMPONENT_HOST;
    c->stopped = false;
}

static enum status prepare(struct canonical *c, const struct finding *f, struct error *err)
{
    take_sections(c);
    c->components = calloc(c->components_count, sizeof *c->components);
    c->plain = calloc(c->types_count + 1, sizeof *c->plain);
    if (!c->components || !c->plain) return error_set(err, ST_NO_MEMORY, "component instance");
    start_fresh(c);
    enum status st = find_resources(c, f, err);
    return st ? st : types_look(c, err);
}

enum status canonical_new(const struct module *m,
                          const struct canonical_interface *const *interfaces,
                          size_t interfaces_count, void *host, struct canonical **ret,
                          struct error *err)
{
    size_t count;
    assert(m && ret && interfaces_count <= CANONICAL_INTERFACES_MAX);
    *ret = NULL;
    (void)artifact_section(module_artifact(m), ARTIFACT_COMPONENTS, &count);
    if (count == 0) return ST_OK;
    struct canonical *c = calloc(1, sizeof *c);
    if (!c) return error_set(err, ST_NO_MEMORY, "component instance");
    c->module = m;
    c->artifact = module_artifact(m);
    c->host = host;
    const struct finding f = {interfaces, interfaces_count};
    enum status st = prepare(c, &f, err);
    if (st)
        canonical_free(c);
    else
        *ret = c;
    return st;
}

void canonical_clear(struct canonical *c, void *host)
{
    handles_clear(c);
    start_fresh(c);
    c->host = host;
}

bool canonical_is_fresh(const struct canonical *c)
{
    for (size_t k = 0; k < c->components_count; k++)
        if (c->components[k].handles.live) return false;
    return true;
}

void canonical_free(struct canonical *c)
{
    if (!c) return;
    if (c->components) handles_clear(c);
    for (size_t k = 0; c->components && k < c->components_count; k++)
        free(c->components[k].handles.entries);
    for (size_t k = 0; k < sizeof c->texts / sizeof c->texts[0]; k++) free(c->texts[k].bytes);
    free(c->components);
    free(c->resource_types);
    free(c->plain);
    free(c->lends);
    free(c);
}
