/* A module while it is built, and what only this module of Mayfly sees of it. Private. */
#ifndef WASM_MODULE_H
#define WASM_MODULE_H

#include "base/arena.h"
#include "base/sha256.h"
#include "wasm/wasm.h"

/* What is allocated for a module, in proportion to its bytes: every entry of every section is
 * smaller than this many times its shortest encoding. */
#define MODULE_BYTES_FACTOR 128u
#define MODULE_BYTES_BASE   (1024u * 1024u)

/* The heap type below all others: what a reference popped in unreachable code may be. */
#define HEAP_BOTTOM 0xffu

struct type_digest {
    uint8_t bytes[SHA256_BYTES];
};

/* The arrays of `m` that grow while sections are read are heap blocks of their own; all the rest
 * lies in the arena. */
struct module_full {
    struct wasm_module m; /* first: a struct wasm_module * is a struct module_full * */
    struct arena arena;
    uint32_t types_capacity, digests_capacity, funcs_capacity, tables_capacity, memories_capacity,
        globals_capacity, tags_capacity, customs_capacity;
    struct wasm_type *types;
    struct type_digest *digests; /* of a recursion group, at the index of its first type */
    struct wasm_func *funcs;
    struct wasm_table *tables;
    struct wasm_memory *memories;
    struct wasm_global *globals;
    struct wasm_tag *tags;
    struct wasm_custom *customs;
};

static inline const struct module_full *module_full_of(const struct wasm_module *m)
{
    return (const struct module_full *)m;
}

/* Makes *items, with room for *capacity items, hold `needed`; new room is zeroed. False when memory
 * is short: then nothing has changed. */
NODISCARD bool grow_items(void **items, uint32_t *capacity, uint32_t needed, size_t item_bytes);

#define GROW(items, capacity, needed)                                                              \
    grow_items((void **)&(items), &(capacity), (needed), sizeof *(items))

#endif
