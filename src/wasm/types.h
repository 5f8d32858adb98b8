/* Identity and subtyping of types. Private.
 *
 * Two types are the same when their recursion groups are equal with inner references by position
 * (iso-recursion, Core §2.3, §3.1.3). A group's digest is the SHA-256 of an encoding in which a
 * reference to another group is that group's digest: so groups are equal when their digests are,
 * in one module or across several, and finding it out costs time in proportion to the encoding,
 * however deep the nesting. */
#ifndef WASM_TYPES_H
#define WASM_TYPES_H

#include "base/buffer.h"
#include "module.h"

/* From (digest, position in the group) to a number. */
struct type_map {
    struct type_map_entry {
        struct type_digest digest;
        uint32_t position, value;
    } *entries;
    uint32_t entries_count, entries_capacity;
    uint32_t *slots; /* entry + 1, or 0; a power of two of them, at most half in use */
    uint32_t slots_count;
};

void type_map_done(struct type_map *map);

/* The value under the key; when there is none, `value` is put there first. */
NODISCARD enum status type_map_put(struct type_map *map, const struct type_digest *digest,
                                   uint32_t position, uint32_t value, uint32_t *ret);

/* Gives the group [start, start + count) of full->types its digest and canonical indices. Its
 * references have been checked to be in bounds. `groups` and `scratch` belong to the module's
 * decoding. */
NODISCARD enum status types_close_group(struct module_full *full, uint32_t start, uint32_t count,
                                        struct type_map *groups, struct buffer *scratch,
                                        struct error *err);

/* Checks a type's declared supertype (Core §3.2.10): not final, and matched. */
NODISCARD enum status types_check_super(const struct wasm_module *m, uint32_t index, size_t offset,
                                        struct error *err);

/* The digest of the type's group; its position there is index - group_start. */
const struct type_digest *types_group_digest(const struct wasm_module *m, uint32_t index);

/* Checks that a type of the module's text is in bounds, and adds the features it needs. */
NODISCARD enum status types_check_valtype(struct wasm_valtype type, uint32_t types_limit,
                                          size_t offset, uint32_t *features, struct error *err);

static inline bool valtype_is_ref(struct wasm_valtype t)
{
    return t.kind == WASM_REF;
}

static inline bool valtype_is_defaultable(struct wasm_valtype t)
{
    return t.kind != WASM_REF || t.nullable;
}

/* The top of the hierarchy that a reference type belongs to, nullable. */
struct wasm_valtype types_top(const struct wasm_module *m, struct wasm_valtype ref);

bool types_equal(const struct wasm_module *am, struct wasm_valtype a, const struct wasm_module *bm,
                 struct wasm_valtype b);

static inline struct wasm_valtype valtype_number(enum wasm_kind kind)
{
    return (struct wasm_valtype){.kind = (uint8_t)kind};
}

static inline struct wasm_valtype valtype_ref(enum wasm_heap heap, bool nullable)
{
    return (struct wasm_valtype){.kind = WASM_REF, .heap = (uint8_t)heap, .nullable = nullable};
}

static inline struct wasm_valtype valtype_defined(uint32_t type, bool nullable)
{
    return (struct wasm_valtype){
        .kind = WASM_REF, .heap = WASM_HEAP_TYPE, .nullable = nullable, .type = type};
}

static inline struct wasm_valtype valtype_address(bool is64)
{
    return valtype_number(is64 ? WASM_I64 : WASM_I32);
}

#endif
