#include "world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct module {
    struct world *world;
};

static struct module the_module;

/* ---- in place of artifact/ ---- */

const void *artifact_section(const struct artifact *a, enum artifact_section section,
                             size_t *ret_count)
{
    const struct world *w = (const void *)a;
    switch (section) {
    case ARTIFACT_COMPONENTS: *ret_count = w->components_count; return w->components;
    case ARTIFACT_CANONS: *ret_count = w->canons_count; return w->canons;
    case ARTIFACT_LIFTS: *ret_count = w->lifts_count; return w->lifts;
    case ARTIFACT_RESOURCES: *ret_count = w->resources_count; return w->resources;
    case ARTIFACT_COMPONENT_EXPORTS: *ret_count = w->exports_count; return w->exports;
    case ARTIFACT_WIT_TYPES: *ret_count = w->types_count; return w->types;
    case ARTIFACT_WIT_FIELDS: *ret_count = w->fields_count; return w->fields;
    default: *ret_count = 0; return NULL;
    }
}

const char *artifact_wit_string(const struct artifact *a, uint32_t offset)
{
    return ((const struct world *)(const void *)a)->strings + offset;
}

/* ---- in place of runtime/ ---- */

const struct artifact *module_artifact(const struct module *m)
{
    return (const struct artifact *)(const void *)m->world;
}

struct canonical *instance_canonical(const struct instance *i)
{
    return i->canonical;
}

const struct artifact_canon *instance_canon(const struct instance *i)
{
    return i->canon;
}

const struct host_function *instance_host_function(const struct instance *i)
{
    return i->function;
}

const struct trap *instance_trap(const struct instance *i)
{
    return &i->world->trap;
}

void instance_set_trap_text(struct instance *i, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(i->world->trap.text, sizeof i->world->trap.text, fmt, ap);
    va_end(ap);
}

enum call_result instance_refuse(struct instance *i, const char *text)
{
    i->world->trap.kind = TRAP_HOST;
    instance_set_trap_text(i, "%s", text);
    return CALL_TRAPPED;
}

bool instance_pause(struct instance *i)
{
    i->world->pauses++;
    if (i->world->stop_at_pause) i->world->trap.kind = TRAP_CPU_LIMIT;
    return !i->world->stop_at_pause;
}

enum call_result instance_call(struct instance *i, uint32_t func, struct value *values)
{
    struct world *w = i->world;
    assert(func > 0 && func <= w->codes_count);
    if (w->codes[func - 1](w, values)) return CALL_RETURNED;
    if (w->trap.kind == TRAP_NONE) w->trap.kind = TRAP_UNREACHABLE;
    return CALL_TRAPPED;
}

/* No call of a world is ever left. */
enum call_result instance_resume(struct instance *i)
{
    (void)i;
    abort();
}

bool guest_slice(const struct instance *i, uint32_t memory, uint64_t offset, uint64_t length,
                 uint8_t **ret)
{
    const struct world *w = i->world;
    if (memory >= w->memories_count) return false;
    const struct world_memory *m = &w->memories[memory];
    if (offset > m->size_bytes || length > m->size_bytes - offset) return false;
    *ret = m->bytes + offset;
    return true;
}

/* ---- building ---- */

struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert(w);
    w->strings_bytes = 1;
    w->instance.world = w;
    the_module.world = w;
    for (uint32_t k = 0; k <= WIT_ERROR_CONTEXT; k++)
        world_add_type(w, (struct artifact_wit_type){.kind = (uint8_t)k});
    world_component(w, COMPONENT_HOST);
    return w;
}

void world_free(struct world *w)
{
    canonical_free(w->instance.canonical);
    for (uint32_t k = 0; k < w->memories_count; k++) free(w->memories[k].bytes);
    free(w);
}

const char *world_text(const struct world *w, uint32_t string)
{
    return w->strings + string;
}

static uint32_t add_string(struct world *w, const char *text, size_t size)
{
    if (size == 0) return 0;
    assert(w->strings_bytes + size + 1 <= sizeof w->strings);
    uint32_t at = w->strings_bytes;
    memcpy(w->strings + at, text, size);
    w->strings[at + size] = 0;
    w->strings_bytes += (uint32_t)size + 1;
    return at;
}

uint32_t world_component(struct world *w, uint32_t parent)
{
    assert(w->components_count < WORLD_ITEMS_MAX);
    w->components[w->components_count].parent = parent;
    return w->components_count++;
}

uint32_t world_memory(struct world *w, size_t size_bytes)
{
    assert(w->memories_count < WORLD_ITEMS_MAX);
    struct world_memory *m = &w->memories[w->memories_count];
    m->bytes = aligned_alloc(16, (size_bytes + 15) & ~(size_t)15);
    assert(m->bytes && size_bytes % 16 == 0);
    memset(m->bytes, 0, size_bytes);
    m->size_bytes = size_bytes;
    m->next = (uint32_t)(size_bytes / 2);
    return w->memories_count++;
}

uint32_t world_code_add(struct world *w, world_code code)
{
    assert(w->codes_count < WORLD_ITEMS_MAX);
    w->codes[w->codes_count++] = code;
    return w->codes_count;
}

uint32_t world_resource(struct world *w, uint32_t component, const char *interface,
                        const char *name, uint32_t destructor)
{
    assert(w->resources_count < WORLD_ITEMS_MAX);
    w->resources[w->resources_count] = (struct artifact_resource){
        component, destructor, add_string(w, interface, strlen(interface)),
        add_string(w, name, strlen(name))};
    return w->resources_count++;
}

/* A bump allocator for each of the first memories; what is shrunk in place stays. */
static bool bump(struct world *w, uint32_t memory, struct value *v)
{
    struct world_memory *m = &w->memories[memory];
    uint32_t old = v[0].i32, old_size = v[1].i32, align = v[2].i32, size = v[3].i32;
    w->reallocs++;
    if (old_size && size <= old_size) {
        v[0].i32 = old;
        return true;
    }
    uint64_t at = ((uint64_t)m->next + align - 1) & ~(uint64_t)(align - 1);
    if (at + size > m->size_bytes) return false;
    if (old_size) memmove(m->bytes + at, m->bytes + old, old_size);
    m->next = (uint32_t)(at + size);
    v[0].i32 = (uint32_t)at;
    return true;
}

static bool bump0(struct world *w, struct value *v)
{
    return bump(w, 0, v);
}

static bool bump1(struct world *w, struct value *v)
{
    return bump(w, 1, v);
}

static bool bump2(struct world *w, struct value *v)
{
    return bump(w, 2, v);
}

struct artifact_canon_options world_options(struct world *w, uint32_t component, uint32_t memory,
                                            enum canon_encoding encoding)
{
    static const world_code bumps[] = {bump0, bump1, bump2};
    struct artifact_canon_options o = {
        .component = component, .memory = memory, .encoding = (uint8_t)encoding};
    if (memory != CANON_MEMORY_NONE) {
        assert(memory < sizeof bumps / sizeof bumps[0]);
        o.realloc = world_code_add(w, bumps[memory]);
    }
    return o;
}

uint32_t world_lift(struct world *w, uint32_t type, uint32_t func,
                    struct artifact_canon_options options)
{
    assert(w->lifts_count < WORLD_ITEMS_MAX);
    w->lifts[w->lifts_count] = (struct artifact_lift){func, type, options};
    return w->lifts_count++;
}

static uint32_t add_canon(struct world *w, struct artifact_canon canon)
{
    assert(w->canons_count < WORLD_ITEMS_MAX);
    w->canons[w->canons_count] = canon;
    return w->canons_count++;
}

uint32_t world_lower(struct world *w, uint32_t type, uint32_t lift,
                     struct artifact_canon_options options)
{
    return add_canon(
        w, (struct artifact_canon){
               .kind = CANON_LOWER_LIFTED, .type = type, .lift = lift, .options = options});
}

uint32_t world_lower_host(struct world *w, const char *type, const char *interface,
                          const char *name, struct artifact_canon_options options)
{
    return add_canon(
        w, (struct artifact_canon){.kind = CANON_LOWER_HOST,
                                   .type = world_type(w, type),
                                   .interface = add_string(w, interface, strlen(interface)),
                                   .name = add_string(w, name, strlen(name)),
                                   .options = options});
}

uint32_t world_builtin(struct world *w, enum canon_kind kind, uint32_t resource, uint32_t component)
{
    return add_canon(w, (struct artifact_canon){
                            .kind = kind,
                            .resource = resource,
                            .options = {.component = component, .memory = CANON_MEMORY_NONE}});
}

/* ---- running ---- */

enum status world_try(struct world *w, struct canonical **ret, struct error *err)
{
    return canonical_new(&the_module, w->interfaces, w->interfaces_count, NULL, ret, err);
}

static void find(struct world *w, uint32_t canon)
{
    struct error err = {0};
    enum status st = canonical_find(w->interfaces, w->interfaces_count, (const void *)w,
                                    &w->canons[canon], &w->found[canon], &err);
    if (st) fprintf(stderr, "canonical_find: %s\n", err.text);
    assert(!st && w->found[canon]);
}

void world_start(struct world *w, const struct canonical_interface *const *interfaces,
                 size_t interfaces_count, void *host)
{
    struct error err = {0};
    w->interfaces = interfaces;
    w->interfaces_count = interfaces_count;
    enum status st = canonical_new(&the_module, interfaces, interfaces_count, host,
                                   &w->instance.canonical, &err);
    if (st) fprintf(stderr, "canonical_new: %s\n", err.text);
    assert(!st && w->instance.canonical);
    for (uint32_t k = 0; k < w->canons_count; k++) find(w, k);
}

bool world_import(struct world *w, uint32_t canon, struct value *values)
{
    struct instance *i = &w->instance;
    const struct host_function *f = w->found[canon];
    assert(f);
    i->canon = &w->canons[canon];
    i->function = f;
    w->trap.text[0] = 0;
    switch (f->call(i, values)) {
    case HOST_OK: return true;
    case HOST_STOPPED: assert(w->trap.kind != TRAP_NONE); return false;
    case HOST_TRAP:
        assert(w->trap.text[0]);
        w->trap.kind = TRAP_HOST;
        return false;
    default: return false;
    }
}

static const char *outcome(const struct world *w)
{
    return w->trap.kind == TRAP_HOST   ? w->trap.text
           : w->trap.kind == TRAP_NONE ? ""
                                       : "another trap";
}

const char *world_call(struct world *w, uint32_t canon, struct value *values)
{
    w->trap.kind = TRAP_NONE;
    (void)world_import(w, canon, values);
    return outcome(w);
}

const char *world_call_lift(struct world *w, uint32_t lift, struct value *values)
{
    if (canonical_call_lift(&w->instance, lift, values) == CALL_RETURNED)
        (void)canonical_returned(&w->instance, lift, values);
    return outcome(w);
}

struct canonical_call world_host_call(struct world *w, uint32_t canon)
{
    return (struct canonical_call){.instance = &w->instance,
                                   .canonical = w->instance.canonical,
                                   .canon = &w->canons[canon],
                                   .options = &w->canons[canon].options};
}
