/* Tables of handles ("Table", "ResourceHandle"). */
#include <stdlib.h>

#include "state.h"

#define CAPACITY_FIRST 16u

bool trap_say(struct instance *i, const char *text)
{
    instance_set_trap_text(i, "%s", text);
    return false;
}

static struct handle *handle_at(struct canonical *c, struct handle_ref ref)
{
    return &c->components[ref.component].handles.entries[ref.index];
}

/* ---- by age ---- */

static bool is_aged(const struct handle *h)
{
    return h->own && h->is_host;
}

static void age_append(struct canonical *c, struct handle *h, struct handle_ref self)
{
    h->older = c->newest;
    h->newer = (struct handle_ref){0, 0};
    if (c->newest.index) handle_at(c, c->newest)->newer = self;
    c->newest = self;
}

static void age_remove(struct canonical *c, const struct handle *h)
{
    if (h->older.index) handle_at(c, h->older)->newer = h->newer;
    if (h->newer.index)
        handle_at(c, h->newer)->older = h->older;
    else
        c->newest = h->older;
}

/* ---- places ---- */

static bool table_grow(struct handle_table *t)
{
    uint32_t capacity = t->capacity ? 2 * t->capacity : CAPACITY_FIRST;
    struct handle *entries = realloc(t->entries, capacity * sizeof *entries);
    if (!entries) return false;
    t->entries = entries;
    t->capacity = capacity;
    if (t->count == 0) t->count = 1;
    return true;
}

static enum status place_new(struct handle_table *t, uint32_t *ret)
{
    if (t->free_first) {
        *ret = t->free_first;
        t->free_first = t->entries[*ret].lends;
    } else {
        if (t->count >= CANONICAL_HANDLES_MAX) return ST_LIMIT;
        if (t->count >= t->capacity && !table_grow(t)) return ST_NO_MEMORY;
        *ret = t->count++;
    }
    t->live++;
    return ST_OK;
}

static bool say_full(struct instance *i, enum status st)
{
    if (st == ST_NO_MEMORY) return trap_say(i, "no memory for handles");
    instance_set_trap_text(i, "more than %u handles", CANONICAL_HANDLES_MAX - 1);
    return false;
}

static void place_free(struct handle_table *t, uint32_t index)
{
    t->entries[index] = (struct handle){.lends = t->free_first};
    t->free_first = index;
    t->live--;
}

/* ---- handles ---- */

enum status handle_put(struct canonical *c, uint32_t component, const struct handle *h,
                       uint32_t *ret)
{
    assert(component < c->components_count && h->type);
    struct handle_table *t = &c->components[component].handles;
    uint32_t index;
    enum status st = place_new(t, &index);
    if (st) return st;
    t->entries[index] = *h;
    t->entries[index].lends = 0;
    if (is_aged(h))
        age_append(c, &t->entries[index], (struct handle_ref){component, index});
    else if (h->scope)
        h->scope->borrows++;
    *ret = index;
    return ST_OK;
}

bool handle_add(struct canonical *c, struct instance *i, uint32_t component, const struct handle *h,
                uint32_t *ret)
{
    enum status st = handle_put(c, component, h, ret);
    return !st || say_full(i, st);
}

static const char *type_text(const struct canonical *c, const void *type)
{
    const char *first = (const char *)c->resources;
    const char *at = type;
    bool is_guest =
        first && at >= first && at < first + c->resources_count * sizeof(struct artifact_resource);
    return is_guest ? "guest-defined resource" : ((const struct canonical_resource *)type)->name;
}

static void say_wrong_type(const struct canonical *c, struct instance *i, uint32_t index,
                           const void *wanted, const struct handle *found)
{
    const char *expected = wanted ? type_text(c, wanted) : "unknown resource";
    const char *other = type_text(c, found->type);
    instance_set_trap_text(i,
                           "handle index %u used with the wrong type, expected %s but found %s%s",
                           index, expected, found->is_host ? "" : "a different ", other);
}

struct handle *handle_find(struct canonical *c, struct instance *i, uint32_t component,
                           uint32_t index, const void *type)
{
    assert(component < c->components_count);
    struct handle_table *t = &c->components[component].handles;
    if (index == 0 || index >= t->count || !t->entries[index].type) {
        instance_set_trap_text(i, "unknown handle index %u", index);
        return NULL;
    }
    struct handle *h = &t->entries[index];
    if (h->type == type) return h;
    say_wrong_type(c, i, index, type, h);
    return NULL;
}

bool handle_take(struct canonical *c, struct instance *i, uint32_t component, uint32_t index,
                 const void *type, struct handle *ret)
{
    struct handle *h = handle_find(c, i, component, index, type);
    if (!h) return false;
    if (h->lends) return trap_say(i, "cannot remove owned resource while borrowed");
    *ret = *h;
    if (is_aged(h))
        age_remove(c, h);
    else if (h->scope)
        h->scope->borrows--;
    place_free(&c->components[component].handles, index);
    return true;
}

bool handle_move(struct canonical *c, struct instance *i, struct handle_ref from, const void *type,
                 uint32_t to_component, uint32_t *ret)
{
    struct handle *h = handle_find(c, i, from.component, from.index, type);
    if (!h) return false;
    if (!h->own) return trap_say(i, "cannot lift own resource from a borrow");
    if (h->lends) return trap_say(i, "cannot remove owned resource while borrowed");
    struct handle moved = *h;
    struct handle_table *t = &c->components[to_component].handles;
    assert(from.component != to_component);
    uint32_t index;
    enum status st = place_new(t, &index);
    if (st) return say_full(i, st);
    place_free(&c->components[from.component].handles, from.index);
    t->entries[index] = moved;
    *ret = index;
    if (!is_aged(&moved)) return true;
    struct handle_ref self = {to_component, index};
    if (moved.older.index) handle_at(c, moved.older)->newer = self;
    if (moved.newer.index)
        handle_at(c, moved.newer)->older = self;
    else
        c->newest = self;
    return true;
}

/* ---- lends ---- */

bool handle_lend(struct canonical *c, struct instance *i, struct handle_ref ref, struct handle *h)
{
    if (c->lends_count == c->lends_capacity) {
        if (c->lends_count >= CANONICAL_LENDS_MAX) {
            instance_set_trap_text(i, "more than %u handles are lent", CANONICAL_LENDS_MAX);
            return false;
        }
        uint32_t capacity = c->lends_capacity ? 2 * c->lends_capacity : CAPACITY_FIRST;
        struct handle_ref *lends = realloc(c->lends, capacity * sizeof *lends);
        if (!lends) return trap_say(i, "no memory for handles");
        c->lends = lends;
        c->lends_capacity = capacity;
    }
    c->lends[c->lends_count++] = ref;
    h->lends++;
    return true;
}

void lends_end(struct canonical *c, uint32_t count)
{
    while (c->lends_count > count) {
        struct handle *h = handle_at(c, c->lends[--c->lends_count]);
        assert(h->lends > 0);
        h->lends--;
    }
}

void handles_clear(struct canonical *c)
{
    while (c->newest.index) {
        const struct handle *h = handle_at(c, c->newest);
        const struct canonical_resource *type = h->type;
        void *rep = h->rep.host;
        c->newest = h->older;
        if (type->drop) type->drop(c->host, rep);
    }
    for (size_t k = 0; k < c->components_count; k++) {
        struct handle_table *t = &c->components[k].handles;
        t->count = t->capacity ? 1 : 0;
        t->free_first = 0;
        t->live = 0;
    }
    c->lends_count = 0;
}
