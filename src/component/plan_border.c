/* What the outermost component imports from the host and exports to it. */
#include <stdlib.h>
#include <string.h>

#include "plan_builder.h"
#include "wasm/reader.h"

/* The name of an instance within an instance. */
static enum status inner_name(struct plan_builder *b, struct wasm_name outer,
                              struct wasm_name inner, struct wasm_name *ret)
{
    size_t size = (size_t)outer.size_bytes + inner.size_bytes + 1;
    char *text = outer.size_bytes ? arena_alloc(&b->full->arena, size + 1) : NULL;
    *ret = inner;
    if (!outer.size_bytes) return ST_OK;
    if (!text) return plan_no_memory(b);
    memcpy(text, outer.text, outer.size_bytes);
    text[outer.size_bytes] = '#';
    memcpy(text + outer.size_bytes + 1, inner.text, inner.size_bytes);
    *ret = (struct wasm_name){text, (uint32_t)size};
    return ST_OK;
}

static enum status host_instance(struct plan_builder *b, struct plan_env *env,
                                 struct wasm_name interface, const struct component_type *t,
                                 struct plan_value *ret)
{
    struct plan_item *items = arena_array(&b->full->arena, struct plan_item, t->exports_count);
    if (!items) return plan_no_memory(b);
    b->steps += t->exports_count;
    for (uint32_t i = 0; i < t->exports_count; i++) {
        items[i].name = t->exports[i].name;
        TRY(plan_host_value(b, env, interface, t->exports[i].name, &t->exports[i].entity,
                            &items[i].value));
    }
    ret->items = items;
    ret->items_count = t->exports_count;
    return ST_OK;
}

/* The first name under which a resource is imported is the one that it is known by. */
static enum status host_type(struct plan_builder *b, struct plan_env *env, struct plan_host host,
                             const struct component_type *t, struct plan_value *ret)
{
    struct plan_resource resource = {.component = PLAN_NONE, .host = host};
    if (t->kind != COMPONENT_RESOURCE) return ST_OK;
    ret->number = number_map_get(&env->types.resources, t->resource);
    if (ret->number) return ST_OK;
    TRY(plan_add_resource(b, &resource, &ret->number));
    return substitution_map(&env->types, t->resource, ret->number, b->err);
}

enum status plan_host_value(struct plan_builder *b, struct plan_env *env,
                            struct wasm_name interface, struct wasm_name name,
                            const struct component_entity *entity, struct plan_value *ret)
{
    const struct component_type *t = &b->c->types->entries[entity->type];
    struct plan_host host = {interface, name};
    struct wasm_name inner;
    *ret = (struct plan_value){.core.canon = PLAN_NONE};
    switch (entity->sort) {
    case COMPONENT_SORT_FUNC:
        ret->number = PLAN_NONE;
        ret->host = host;
        return ST_OK;
    case COMPONENT_SORT_TYPE: return host_type(b, env, host, t, ret);
    case COMPONENT_SORT_INSTANCE:
        TRY(inner_name(b, interface, name, &inner));
        return host_instance(b, env, inner, t, ret);
    default:
        return error_set(b->err, ST_UNSUPPORTED, "import `%s` is a %s, which no host provides",
                         name.text, component_sort_name(entity->sort));
    }
}

/* ---- exports ---- */

static enum status export_items(struct plan_builder *b, struct plan_env *env,
                                struct wasm_name interface, const struct component_item *wanted,
                                uint32_t wanted_count, const struct plan_item *items,
                                uint32_t items_count);

static enum status export_item(struct plan_builder *b, struct plan_env *env,
                               struct wasm_name interface, const struct component_item *item,
                               const struct plan_value *value)
{
    struct wasm_name inner;
    if (item->entity.sort == COMPONENT_SORT_INSTANCE) {
        const struct component_type *t = &b->c->types->entries[item->entity.type];
        TRY(inner_name(b, interface, item->name, &inner));
        return export_items(b, env, inner, t->exports, t->exports_count, value->items,
                            value->items_count);
    }
    if (item->entity.sort != COMPONENT_SORT_FUNC) return ST_OK;
    struct plan_export e = {interface, item->name, 0, value->number, value->host};
    TRY(substitute(&env->types, item->entity.type, &e.type, b->err));
    TRY(PLAN_GROW(b, exports, PLAN_CANONS_MAX));
    b->full->exports[b->p->exports_count++] = e;
    return ST_OK;
}

static enum status export_items(struct plan_builder *b, struct plan_env *env,
                                struct wasm_name interface, const struct component_item *wanted,
                                uint32_t wanted_count, const struct plan_item *items,
                                uint32_t items_count)
{
    for (uint32_t i = 0; i < wanted_count; i++) {
        const struct plan_value *value = NULL;
        TRY(plan_find(b, items, items_count, wanted[i].name, &value));
        if (!value) return error_set(b->err, ST_INTERNAL, "no export `%s`", wanted[i].name.text);
        TRY(export_item(b, env, interface, &wanted[i], value));
    }
    return ST_OK;
}

enum status plan_exports(struct plan_builder *b, struct plan_env *env)
{
    static const struct wasm_name none = {"", 0};
    const struct component_type *t = &b->c->types->entries[env->body->type];
    return export_items(b, env, none, t->exports, t->exports_count, env->exports,
                        env->exports_count);
}

/* ---- finding exports ---- */

struct interface_name {
    const char *name, *version; /* version: behind the '@', or NULL */
    size_t name_bytes;
};

static struct interface_name split(const char *text)
{
    const char *at = strchr(text, '@');
    size_t size = at ? (size_t)(at - text) : strlen(text);
    return (struct interface_name){text, at ? at + 1 : NULL, size};
}

/* The length of what has to be equal for versions to be compatible: up to the first number that is
 * not 0; all of it for a version that is not released yet, such as 0.3.0-rc. */
static size_t track_bytes(const char *version)
{
    size_t at = 0;
    if (strpbrk(version, "-+")) return strlen(version);
    for (int i = 0; i < 3 && version[at]; i++) {
        size_t start = at;
        while (version[at] && version[at] != '.') at++;
        if (at - start != 1 || version[start] != '0' || !version[at]) return at;
        at++;
    }
    return at;
}

bool plan_interface_matches(const char *have, const char *wanted)
{
    struct interface_name h = split(have), w = split(wanted);
    if (h.name_bytes != w.name_bytes || memcmp(h.name, w.name, h.name_bytes) != 0) return false;
    if (!h.version || !w.version) return true;
    size_t track = track_bytes(h.version);
    return track == track_bytes(w.version) && memcmp(h.version, w.version, track) == 0;
}

const struct plan_export *plan_find_export(const struct plan *p, const char *interface,
                                           const char *name)
{
    for (uint32_t i = 0; i < p->exports_count; i++)
        if (strcmp(p->exports[i].name.text, name) == 0 &&
            plan_interface_matches(p->exports[i].interface.text, interface))
            return &p->exports[i];
    return NULL;
}
