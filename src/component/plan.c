/* A plan's beginning and end, and what all its parts need. */
#include "component/plan.h"

#include <stdlib.h>
#include <string.h>

#include "plan_builder.h"

enum status plan_no_memory(struct plan_builder *b)
{
    return error_set(b->err, ST_NO_MEMORY, "out of memory");
}

enum status plan_grow(struct plan_builder *b, void **items, uint32_t *capacity, uint32_t count,
                      uint32_t max, const char *what, size_t item_bytes)
{
    if (count >= max)
        return error_set(b->err, ST_LIMIT, "an instance has more than %u %s", max, what);
    if (count < *capacity) return ST_OK;
    uint32_t wanted = *capacity ? *capacity * 2 : 16;
    void *grown = reallocarray(*items, wanted, item_bytes);
    if (!grown) return plan_no_memory(b);
    *items = grown;
    *capacity = wanted;
    return ST_OK;
}

enum status plan_find(struct plan_builder *b, const struct plan_item *items, uint32_t count,
                      struct wasm_name name, const struct plan_value **ret)
{
    uint32_t i = 0;
    *ret = NULL;
    for (; i < count && !*ret; i++)
        if (items[i].name.size_bytes == name.size_bytes &&
            memcmp(items[i].name.text, name.text, name.size_bytes) == 0)
            *ret = &items[i].value;
    b->lookups += i;
    if (b->lookups > PLAN_LOOKUPS_MAX)
        return error_set(b->err, ST_LIMIT, "more than %llu steps of looking up names",
                         (unsigned long long)PLAN_LOOKUPS_MAX);
    return ST_OK;
}

enum status plan_add_resource(struct plan_builder *b, const struct plan_resource *what,
                              uint32_t *ret)
{
    enum status st = PLAN_GROW(b, resources, PLAN_CANONS_MAX);
    if (!st) st = type_store_add_resource(&b->full->store, ret, b->err);
    if (st) return st;
    b->full->resources[b->p->resources_count++] = *what;
    return ST_OK;
}

static void settle(struct plan_full *full)
{
    full->p.types = &full->store.t;
    full->p.components = full->components;
    full->p.instances = full->instances;
    full->p.canons = full->canons;
    full->p.lifts = full->lifts;
    full->p.resources = full->resources;
    full->p.exports = full->exports;
}

enum status plan_new(const struct component *c, struct plan **ret, struct error *err)
{
    struct plan_env *root = NULL;
    struct plan_full *full = calloc(1, sizeof *full);
    if (!full) return error_set(err, ST_NO_MEMORY, "out of memory");
    struct plan_builder b = {.full = full, .p = &full->p, .c = c, .err = err};
    arena_init(&full->arena, PLAN_ARENA_BYTES_MAX);
    full->p.component = c;
    enum status st = type_store_init(&full->store, &full->arena, SIZE_MAX, err);
    if (!st) full->store.work_max = COMPONENT_WORK_MAX;
    if (!st) st = plan_run(&b, c->root, NULL, PLAN_NONE, NULL, 0, &root);
    if (!st) st = plan_exports(&b, root);
    for (struct plan_env *env = b.envs; env; env = env->next) substitution_done(&env->types);
    settle(full);
    if (st) {
        plan_free(&full->p);
        return st;
    }
    *ret = &full->p;
    return ST_OK;
}

void plan_free(struct plan *p)
{
    if (!p) return;
    struct plan_full *full = (struct plan_full *)p;
    free(full->components);
    free(full->instances);
    free(full->canons);
    free(full->lifts);
    free(full->resources);
    free(full->exports);
    type_store_done(&full->store);
    arena_done(&full->arena);
    free(full);
}
