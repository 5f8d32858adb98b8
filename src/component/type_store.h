/* Building types: entries are made once and never change. Private.
 *
 * Everything lies in the store's arena but the growing array of entries itself: a pointer to an
 * entry is good until the next entry is made. */
#ifndef COMPONENT_TYPE_STORE_H
#define COMPONENT_TYPE_STORE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "byte_map.h"
#include "component/types.h"

struct type_store {
    struct component_types t; /* first: what readers see */
    struct component_type *entries;
    uint32_t capacity;
    struct arena *arena;   /* borrowed */
    struct byte_map equal; /* from an encoding to the first entry that has it */
    struct buffer key;
    uint64_t work, work_max; /* steps of comparing and looking up */
};

/* With the primitive types in it. Failure: nothing to undo. */
NODISCARD enum status type_store_init(struct type_store *s, struct arena *arena, size_t cap_bytes,
                                      struct error *err);
void type_store_done(struct type_store *s);

static inline const struct component_type *type_at(const struct type_store *s, uint32_t type)
{
    return &s->entries[type];
}

/* Appends an entry made of `type`, whose `kind` and parts are set: fields and items must lie in the
 * arena. What follows from them (equal, sizes, layout …) is settled here.
 * Errors, as text without an offset: ST_INVALID (a value of 2^28 bytes), ST_LIMIT (size, depth,
 * number of entries), ST_NO_MEMORY. */
NODISCARD enum status type_store_add(struct type_store *s, const struct component_type *type,
                                     uint32_t *ret, struct error *err);

/* Another entry for the same type, for a border to name. */
NODISCARD enum status type_store_again(struct type_store *s, uint32_t type, uint32_t *ret,
                                       struct error *err);

/* A new resource, and an entry for it. */
NODISCARD enum status type_store_add_resource(struct type_store *s, uint32_t *ret,
                                              struct error *err);

/* Counts steps; ST_LIMIT when there were too many. */
NODISCARD enum status type_store_work(struct type_store *s, uint64_t steps, struct error *err);

static inline bool types_are_equal(const struct type_store *s, uint32_t a, uint32_t b)
{
    return s->entries[a].equal == s->entries[b].equal;
}

/* Whether a type that binds resources refers to one that is not bound within it. */
NODISCARD enum status type_find_free(struct type_store *s, const struct component_type *type,
                                     bool *ret, struct error *err);

/* Whether one of the items refers to one of the resources. */
NODISCARD enum status type_find_any(struct type_store *s, const struct component_item *items,
                                    uint32_t count, const struct number_map *resources, bool *ret,
                                    struct error *err);

/* ---- substitution: type_substitute.c ---- */

/* Replaces resources: `resources` maps a resource to an entry of kind COMPONENT_RESOURCE in `to`.
 * `from` and `to` may be the same store; when they are not, every entry used is copied over, and
 * resources that are not mapped are refused with ST_INTERNAL. */
struct substitution {
    const struct component_types *from;
    struct type_store *to;
    struct number_map resources;
    struct number_map done; /* entries of `from` to entries of `to` */
    bool maps_types;        /* other entries than resources were put into `done` by hand */
};

void substitution_init(struct substitution *s, const struct component_types *from,
                       struct type_store *to);
void substitution_done(struct substitution *s);
NODISCARD enum status substitution_map(struct substitution *s, uint32_t resource, uint32_t entry,
                                       struct error *err);
NODISCARD enum status substitute(struct substitution *s, uint32_t type, uint32_t *ret,
                                 struct error *err);
NODISCARD enum status substitute_entity(struct substitution *s,
                                        const struct component_entity *entity,
                                        struct component_entity *ret, struct error *err);

#endif
