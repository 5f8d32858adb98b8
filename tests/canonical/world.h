/* A world for tests of src/canonical without compiled code: it takes the place of runtime/ and
 * artifact/. Component instances are C: their core functions are callbacks, their memories blocks
 * of the heap of exactly their size, so that a sanitizer sees every byte that is touched beside
 * them.
 *
 * Types are written as text, the way component_type_print() prints them. */
#ifndef TESTS_CANONICAL_WORLD_H
#define TESTS_CANONICAL_WORLD_H

#include "artifact/artifact.h"
#include "canonical/canonical.h"

#define WORLD_TYPES_MAX     4096u
#define WORLD_FIELDS_MAX    8192u
#define WORLD_STRINGS_BYTES 65536u
#define WORLD_ITEMS_MAX     64u

struct world;

/* A core function: parameters from and results into `values`; false: it trapped. */
typedef bool (*world_code)(struct world *w, struct value *values);

struct world_memory {
    uint8_t *bytes;
    size_t size_bytes;
    uint32_t next; /* of the bump allocator */
};

struct instance {
    struct world *world;
    struct canonical *canonical;
    const struct artifact_canon *canon;
    const struct host_function *function;
};

struct world {
    struct artifact_wit_type types[WORLD_TYPES_MAX];
    struct artifact_wit_field fields[WORLD_FIELDS_MAX];
    uint32_t types_count, fields_count;
    char strings[WORLD_STRINGS_BYTES];
    uint32_t strings_bytes;
    struct artifact_resource resources[WORLD_ITEMS_MAX];
    struct artifact_component components[WORLD_ITEMS_MAX];
    struct artifact_canon canons[WORLD_ITEMS_MAX];
    const struct host_function *found[WORLD_ITEMS_MAX]; /* of each definition */
    struct artifact_lift lifts[WORLD_ITEMS_MAX];
    struct artifact_component_export exports[WORLD_ITEMS_MAX];
    uint32_t resources_count, components_count, canons_count, lifts_count, exports_count;
    struct world_memory memories[WORLD_ITEMS_MAX];
    uint32_t memories_count;
    world_code codes[WORLD_ITEMS_MAX]; /* program function k + 1 */
    uint32_t codes_count;

    struct instance instance;
    struct trap trap;
    const struct canonical_interface *const *interfaces;
    size_t interfaces_count;
    void *user;        /* for callbacks */
    unsigned reallocs; /* calls of world_realloc_… */
    unsigned pauses;
    bool stop_at_pause;
};

/* A world without anything in it but the outermost component; freed by world_free(). */
struct world *world_new(void);
void world_free(struct world *w);

/* The index of a type given as text, such as "list<tuple<u8, string>>" or "func(a: u8) -> string".
 * Resources go by the name that world_resource() gave. Text that is no type fails the test. */
uint32_t world_type(struct world *w, const char *text);

/* By hand; `t` has its kind, element, length and fields, the rest is worked out. */
uint32_t world_add_type(struct world *w, struct artifact_wit_type t);
uint32_t world_add_field(struct world *w, const char *name, uint32_t type);

uint32_t world_component(struct world *w, uint32_t parent);
uint32_t world_memory(struct world *w, size_t size_bytes);
uint32_t world_code_add(struct world *w, world_code code);

/* A resource of component `component`, or of the host's `interface` when that is COMPONENT_HOST. */
uint32_t world_resource(struct world *w, uint32_t component, const char *interface,
                        const char *name, uint32_t destructor);

/* Options with a memory of that component and a realloc of its own. */
struct artifact_canon_options world_options(struct world *w, uint32_t component, uint32_t memory,
                                            enum canon_encoding encoding);

/* Each returns its index. */
uint32_t world_lift(struct world *w, uint32_t type, uint32_t func,
                    struct artifact_canon_options options);
uint32_t world_lower(struct world *w, uint32_t type, uint32_t lift,
                     struct artifact_canon_options options);
uint32_t world_lower_host(struct world *w, const char *type, const char *interface,
                          const char *name, struct artifact_canon_options options);
uint32_t world_builtin(struct world *w, enum canon_kind kind, uint32_t resource,
                       uint32_t component);

/* Makes the struct canonical; what was added before counts. */
void world_start(struct world *w, const struct canonical_interface *const *interfaces,
                 size_t interfaces_count, void *host);

/* canonical_new(), which may refuse. */
enum status world_try(struct world *w, struct canonical **ret, struct error *err);

/* Core code calls the function of a canonical definition: false when it has to unwind. */
bool world_import(struct world *w, uint32_t canon, struct value *values);

/* The same from the top: a guest that does nothing else. Returns the trap's text, "" for none. */
const char *world_call(struct world *w, uint32_t canon, struct value *values);

/* As canonical_call_lift() and canonical_returned(). Returns the trap's text, "" for none. */
const char *world_call_lift(struct world *w, uint32_t lift, struct value *values);

/* What the call of a component's host function would be handed. */
struct canonical_call world_host_call(struct world *w, uint32_t canon);

const char *world_text(const struct world *w, uint32_t string);

#endif
