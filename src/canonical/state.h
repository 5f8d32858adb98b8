/* What struct canonical is made of; private to the module. */
#ifndef CANONICAL_STATE_H
#define CANONICAL_STATE_H

#include <assert.h>

#include "canonical/canonical.h"

/* A place in some component instance's table; index 0 is none. */
struct handle_ref {
    uint32_t component, index;
};

/* A call into a component instance, for as long as borrows that it was given are there. */
struct borrow_scope {
    uint32_t borrows;
};

struct handle {
    const void *type; /* see canonical.resource_types; NULL: free */
    union {
        uint32_t guest;
        void *host;
    } rep;
    uint32_t lends;             /* calls that use it; while free: the next free index, or 0 */
    bool own, is_host;          /* is_host: `type` is a struct canonical_resource */
    struct borrow_scope *scope; /* of a borrow */
    /* The host's resources that guests own, by age, over all tables. */
    struct handle_ref older, newer;
};

/* Index 0 is never given out; what was freed last is given out first. */
struct handle_table {
    struct handle *entries;
    uint32_t count, capacity, free_first;
    uint32_t live; /* handles in use */
};

struct component_state {
    struct handle_table handles;
    bool may_leave;
    bool entered;
};

struct text_buffer {
    char *bytes;
    size_t capacity;
};

struct canonical {
    const struct module *module;
    void *host;
    bool stopped; /* a nested call did not return: what waits for it gives HOST_STOPPED */

    const struct artifact *artifact;
    const struct artifact_canon *canons;
    const struct artifact_lift *lifts;
    const struct artifact_resource *resources;
    const struct artifact_component *parents;
    const struct artifact_wit_type *types;
    const struct artifact_wit_field *fields;
    size_t canons_count, lifts_count, resources_count, components_count, types_count, fields_count;

    /* What a resource is known by in tables: a struct canonical_resource of the host's, the entry
     * of ARTIFACT_RESOURCES of a guest's; NULL of one that the host does not have. */
    const void **resource_types;
    bool *plain; /* types whose values are copied as bytes: every bit pattern is one, no padding */

    struct component_state *components;
    struct handle_ref newest;
    /* Handles that calls under way have lent, innermost last. */
    struct handle_ref *lends;
    uint32_t lends_count, lends_capacity;

    uint32_t root; /* the component that the outside has called, or COMPONENT_HOST */
    struct text_buffer texts[2];
    uint32_t texts_turn;
};

/* ---- handles.c; those that return false have set the trap's text ---- */

/* Errors: ST_LIMIT, ST_NO_MEMORY. */
NODISCARD enum status handle_put(struct canonical *c, uint32_t component, const struct handle *h,
                                 uint32_t *ret);
NODISCARD bool handle_add(struct canonical *c, struct instance *i, uint32_t component,
                          const struct handle *h, uint32_t *ret);

/* The handle, of that type; NULL otherwise. Valid until one is added. */
NODISCARD struct handle *handle_find(struct canonical *c, struct instance *i, uint32_t component,
                                     uint32_t index, const void *type);

/* Takes it out of the table: an own or borrow that is not lent. */
NODISCARD bool handle_take(struct canonical *c, struct instance *i, uint32_t component,
                           uint32_t index, const void *type, struct handle *ret);

/* Out of one table into another, as owned; keeps its age. */
NODISCARD bool handle_move(struct canonical *c, struct instance *i, struct handle_ref from,
                           const void *type, uint32_t to_component, uint32_t *ret);

/* As used by the innermost call, until lends_end(). */
NODISCARD bool handle_lend(struct canonical *c, struct instance *i, struct handle_ref ref,
                           struct handle *h);
void lends_end(struct canonical *c, uint32_t count);

/* Every table empty; drops what is owned of the host's. */
void handles_clear(struct canonical *c);

/* ---- calls between component instances ---- */

/* Sets the trap's text; false. */
bool trap_say(struct instance *i, const char *text);

/* "call_might_be_recursive": an instance is not entered while it is, nor from one that it contains
 * or that contains it. False: the trap's text is set. */
NODISCARD bool component_may_enter(const struct canonical *c, struct instance *i, uint32_t from,
                                   uint32_t to);

/* A core function of `component` while it may not leave: "realloc", "post-return". */
NODISCARD bool call_confined(struct canonical *c, struct instance *i, uint32_t component,
                             uint32_t func, struct value *values);

/* A nested call: false when it did not return. */
NODISCARD bool call_nested(struct canonical *c, struct instance *i, uint32_t func,
                           struct value *values);

/* What a host function returns whose work failed. */
static inline enum host_result call_failed(const struct canonical *c)
{
    return c->stopped ? HOST_STOPPED : HOST_TRAP;
}

/* The functions behind the definitions that stay within the component. */
extern const struct host_function resource_new_function, resource_drop_function,
    resource_rep_function, lower_lifted_function, unsupported_function;

/* types.c: fills c->plain. Errors: ST_CORRUPT, ST_NO_MEMORY. */
NODISCARD enum status types_look(struct canonical *c, struct error *err);

/* wit.c: a type as component_type_print() of the build half would print it. */
struct buffer;
void wit_print(const struct artifact *a, uint32_t type, struct buffer *text);

/* version.c: "wasi:io/streams@0.2.6" in its parts; `version` is "" where there is none. */
struct interface_name {
    char name[128];
    const char *version;
};
void interface_split(const char *text, struct interface_name *ret);

#endif
