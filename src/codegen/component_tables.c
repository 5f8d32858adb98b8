/* The sections of canonical definitions, lifted functions, resources and exports. */
#include "component_tables.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static enum status no_memory(struct error *err)
{
    return error_set(err, ST_NO_MEMORY, "component: tables");
}

enum status component_full(const struct buffer *b, struct error *err)
{
    if (b->size_bytes <= b->cap_bytes / 2) return no_memory(err);
    return error_set(err, ST_LIMIT, "component: a table of more than %u bytes",
                     COMPONENT_TABLES_BYTES_MAX);
}

/* ---- core definitions ---- */

/* The program function that a core definition is. A canonical definition is one where some core
 * module imports it. */
static enum status find_func(const struct component_tables *t, const struct plan_core *core,
                             uint32_t *ret, struct error *err)
{
    if (core->canon != PLAN_NONE) {
        uint32_t host = t->canon_hosts[core->canon];
        if (!host)
            return error_set(err, ST_UNSUPPORTED,
                             "a lifted function, an option or a destructor is the canonical "
                             "definition %u, which no core module imports",
                             core->canon);
        *ret = t->program->hosts[host - 1].func;
        return ST_OK;
    }
    if (program_find_export(t->program, core->instance, core->name, WASM_EXT_FUNC, ret))
        return ST_OK;
    return error_set(err, ST_INTERNAL, "component: no core function \"%.64s\"", core->name.text);
}

static enum status find_memory(const struct component_tables *t, const struct plan_core *core,
                               uint32_t *ret, struct error *err)
{
    if (core->canon == PLAN_NONE &&
        program_find_export(t->program, core->instance, core->name, WASM_EXT_MEMORY, ret))
        return ST_OK;
    return error_set(err, ST_INTERNAL, "component: no core memory \"%.64s\"", core->name.text);
}

static enum status options_of(const struct component_tables *t, const struct plan_options *from,
                              uint32_t component, struct artifact_canon_options *to,
                              struct error *err)
{
    enum status st = ST_OK;
    *to = (struct artifact_canon_options){
        .component = component,
        .memory = CANON_MEMORY_NONE,
        .encoding = (uint8_t)from->encoding,
    };
    if (from->is_async || from->has_callback)
        return error_set(err, ST_UNSUPPORTED,
                         "async functions, of WASI 0.3, are not supported yet");
    if (from->has_memory) st = find_memory(t, &from->memory, &to->memory, err);
    if (!st && from->has_realloc) st = find_func(t, &from->realloc, &to->realloc, err);
    if (!st && from->has_post_return) st = find_func(t, &from->post_return, &to->post_return, err);
    return st;
}

/* ---- sections ---- */

static void put_components(struct component_tables *t)
{
    for (uint32_t i = 0; i < t->plan->components_count; i++) {
        uint32_t parent = t->plan->components[i].parent;
        struct artifact_component c = {parent == PLAN_NONE ? COMPONENT_HOST : parent};
        component_put(t, ARTIFACT_COMPONENTS, &c, sizeof c);
    }
}

static enum status lower(struct component_tables *t, const struct plan_canon *from,
                         struct artifact_canon *to, struct error *err)
{
    to->kind = from->lift == PLAN_NONE ? CANON_LOWER_HOST : CANON_LOWER_LIFTED;
    enum status st = component_wit_type(t, from->type, &to->type, err);
    if (st && from->lift == PLAN_NONE)
        error_prefix(err, "import \"%.*s\" \"%.*s\"", (int)from->host.interface.size_bytes,
                     from->host.interface.text, (int)from->host.name.size_bytes,
                     from->host.name.text);
    if (st) return st;
    if (from->lift != PLAN_NONE) {
        to->lift = from->lift;
        return ST_OK;
    }
    st = component_string(t, from->host.interface, &to->interface, err);
    return st ? st : component_string(t, from->host.name, &to->name, err);
}

/* What is of WASI 0.3 only matters when it is called: toolchains define more than is used. */
static enum status put_unsupported(struct component_tables *t, const struct plan_canon *from,
                                   struct artifact_canon *to, struct error *err)
{
    const char *name = component_canon_name(from->kind);
    to->kind = CANON_UNSUPPORTED;
    to->options =
        (struct artifact_canon_options){.component = from->component, .memory = CANON_MEMORY_NONE};
    enum status st =
        component_string(t, (struct wasm_name){name, (uint32_t)strlen(name)}, &to->name, err);
    component_put(t, ARTIFACT_CANONS, to, sizeof *to);
    return st;
}

static enum status put_canon(struct component_tables *t, const struct program_host_import *import,
                             struct error *err)
{
    const struct plan_canon *from = &t->plan->canons[import->canon];
    struct artifact_canon to = {.func = import->func};
    enum status st = ST_OK;
    switch (from->kind) {
    case COMPONENT_CANON_LOWER: st = lower(t, from, &to, err); break;
    case COMPONENT_CANON_RESOURCE_NEW: to.kind = CANON_RESOURCE_NEW; break;
    case COMPONENT_CANON_RESOURCE_DROP: to.kind = CANON_RESOURCE_DROP; break;
    case COMPONENT_CANON_RESOURCE_REP: to.kind = CANON_RESOURCE_REP; break;
    default: return put_unsupported(t, from, &to, err);
    }
    if (from->kind != COMPONENT_CANON_LOWER)
        to.resource = t->plan->types->entries[from->type].resource - 1;
    if (!st) st = options_of(t, &from->options, from->component, &to.options, err);
    component_put(t, ARTIFACT_CANONS, &to, sizeof to);
    return st;
}

/* Host functions get their indices in the order of program->hosts. */
static enum status put_canons(struct component_tables *t, struct error *err)
{
    enum status st = ST_OK;
    for (uint32_t i = 0; i < t->program->hosts_count && !st; i++) {
        assert(!i || t->program->hosts[i].func > t->program->hosts[i - 1].func);
        st = put_canon(t, &t->program->hosts[i], err);
    }
    return st;
}

static enum status put_lifts(struct component_tables *t, struct error *err)
{
    enum status st = ST_OK;
    for (uint32_t i = 0; i < t->plan->lifts_count && !st; i++) {
        const struct plan_lift *from = &t->plan->lifts[i];
        struct artifact_lift to = {0};
        st = component_wit_type(t, from->type, &to.type, err);
        if (!st) st = find_func(t, &from->func, &to.func, err);
        if (!st) st = options_of(t, &from->options, from->component, &to.options, err);
        component_put(t, ARTIFACT_LIFTS, &to, sizeof to);
    }
    return st;
}

static enum status put_resources(struct component_tables *t, struct error *err)
{
    enum status st = ST_OK;
    for (uint32_t i = 0; i < t->plan->resources_count && !st; i++) {
        const struct plan_resource *from = &t->plan->resources[i];
        bool is_host = from->component == PLAN_NONE;
        struct artifact_resource to = {.component = is_host ? COMPONENT_HOST : from->component};
        if (is_host) st = component_string(t, from->host.interface, &to.interface, err);
        if (!st && is_host) st = component_string(t, from->host.name, &to.name, err);
        if (!st && from->has_destructor) st = find_func(t, &from->destructor, &to.destructor, err);
        component_put(t, ARTIFACT_RESOURCES, &to, sizeof to);
    }
    return st;
}

/* What is imported and only handed on cannot be called here. */
static enum status put_exports(struct component_tables *t, struct error *err)
{
    enum status st = ST_OK;
    for (uint32_t i = 0; i < t->plan->exports_count && !st; i++) {
        const struct plan_export *from = &t->plan->exports[i];
        struct artifact_component_export to = {.lift = from->lift};
        if (from->lift == PLAN_NONE) continue;
        st = component_string(t, from->interface, &to.interface, err);
        if (!st) st = component_string(t, from->name, &to.name, err);
        component_put(t, ARTIFACT_COMPONENT_EXPORTS, &to, sizeof to);
    }
    return st;
}

/* ---- the whole ---- */

static enum status check_parts(const struct component_tables *t, struct error *err)
{
    for (unsigned i = 0; i < ARTIFACT_COMPONENT_SECTIONS; i++)
        if (t->parts[i].failed) return component_full(&t->parts[i], err);
    return t->depths.failed ? component_full(&t->depths, err) : ST_OK;
}

static enum status allocate(struct component_tables *t, struct error *err)
{
    t->types = calloc((size_t)t->plan->types->count + 1, sizeof *t->types);
    t->canon_hosts = calloc((size_t)t->plan->canons_count + 1, sizeof *t->canon_hosts);
    if (!t->types || !t->canon_hosts) return no_memory(err);
    for (uint32_t i = 0; i < t->program->hosts_count; i++)
        if (!t->canon_hosts[t->program->hosts[i].canon])
            t->canon_hosts[t->program->hosts[i].canon] = i + 1;
    struct artifact_wit_type none = {.kind = WIT_NONE, .align_bytes = 1};
    component_put(t, ARTIFACT_WIT_TYPES, &none, sizeof none);
    buffer_append_zeros(&t->depths, 1);
    component_put(t, ARTIFACT_WIT_STRINGS, "", 1);
    return check_parts(t, err);
}

enum status component_tables_init(struct component_tables *t, const struct plan *plan,
                                  const struct program *program, struct error *err)
{
    *t = (struct component_tables){.plan = plan, .program = program};
    for (unsigned i = 0; i < ARTIFACT_COMPONENT_SECTIONS; i++)
        buffer_init(&t->parts[i], COMPONENT_TABLES_BYTES_MAX);
    buffer_init(&t->depths, COMPONENT_TABLES_BYTES_MAX);
    enum status st = allocate(t, err);
    if (st) return st;
    put_components(t);
    st = put_canons(t, err);
    if (!st) st = put_lifts(t, err);
    if (!st) st = put_resources(t, err);
    if (!st) st = put_exports(t, err);
    return st ? st : check_parts(t, err);
}

void component_tables_done(struct component_tables *t)
{
    for (unsigned i = 0; i < ARTIFACT_COMPONENT_SECTIONS; i++) buffer_done(&t->parts[i]);
    buffer_done(&t->depths);
    free(t->types);
    free(t->strings);
    free(t->canon_hosts);
}
