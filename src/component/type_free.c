/* Finding resources that a type refers to: any that it does not bind itself, or certain ones. */
#include "type_store.h"

struct search {
    struct type_store *s;
    struct number_map seen, bound;   /* entries; resources */
    const struct number_map *wanted; /* NULL: those that are not bound */
    bool found;
    struct error *err;
};

static enum status mark(struct search *f, struct number_map *map, uint32_t key)
{
    if (!number_map_put(map, key, 1)) return error_set(f->err, ST_NO_MEMORY, "out of memory");
    return ST_OK;
}

static enum status search_entry(struct search *f, uint32_t entry);

static enum status search_items(struct search *f, const struct component_item *items,
                                uint32_t count)
{
    for (uint32_t i = 0; i < count && !f->found; i++) {
        enum status st = search_entry(f, items[i].entity.type);
        if (st) return st;
    }
    return ST_OK;
}

/* A resource is bound by one type only, and everything that refers to it lies within that type: so
 * it does not matter that what was bound stays so when the search leaves the type again. */
static enum status search_parts(struct search *f, const struct component_type *t)
{
    enum status st = ST_OK;
    for (uint32_t i = 0; i < t->bound_imports_count && !st; i++)
        st = mark(f, &f->bound, t->bound_imports[i]);
    for (uint32_t i = 0; i < t->bound_exports_count && !st; i++)
        st = mark(f, &f->bound, t->bound_exports[i]);
    if (!st) st = search_entry(f, t->element);
    if (!st) st = search_entry(f, t->other);
    for (uint32_t i = 0; i < t->fields_count && !st && !f->found; i++)
        st = search_entry(f, t->fields[i].type);
    if (!st) st = search_items(f, t->imports, t->imports_count);
    if (!st) st = search_items(f, t->exports, t->exports_count);
    return st;
}

/* As deep as types are: COMPONENT_TYPE_DEPTH_MAX. */
static enum status search_entry(struct search *f, uint32_t entry)
{
    const struct component_type *t = type_at(f->s, entry);
    if (f->found || !t->has_resource || number_map_get(&f->seen, entry)) return ST_OK;
    if (t->kind == COMPONENT_RESOURCE) {
        f->found = f->wanted ? number_map_get(f->wanted, t->resource)
                             : !number_map_get(&f->bound, t->resource);
        return ST_OK;
    }
    enum status st = mark(f, &f->seen, entry);
    if (!st)
        st = type_store_work(f->s, 1u + t->fields_count + t->imports_count + t->exports_count,
                             f->err);
    return st ? st : search_parts(f, t);
}

enum status type_find_free(struct type_store *s, const struct component_type *type, bool *ret,
                           struct error *err)
{
    struct search f = {.s = s, .err = err};
    enum status st = search_parts(&f, type);
    number_map_done(&f.seen);
    number_map_done(&f.bound);
    *ret = f.found;
    return st;
}

enum status type_find_any(struct type_store *s, const struct component_item *items, uint32_t count,
                          const struct number_map *resources, bool *ret, struct error *err)
{
    struct search f = {.s = s, .wanted = resources, .err = err};
    enum status st = resources->count ? search_items(&f, items, count) : ST_OK;
    number_map_done(&f.seen);
    number_map_done(&f.bound);
    *ret = f.found;
    return st;
}
