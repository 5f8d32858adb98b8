/* What the files that check an artifact's sections share; not for other modules. */
#ifndef ARTIFACT_VERIFY_H
#define ARTIFACT_VERIFY_H

#include "artifact_internal.h"

/* artifact_export.kind */
enum export_kind {
    EXPORT_FUNC,
    EXPORT_TABLE,
    EXPORT_MEMORY,
    EXPORT_GLOBAL,
    EXPORT_TAG,
    EXPORT_KINDS
};

struct verifier {
    const struct artifact *a;
    const struct artifact_header *h;
    const struct artifact_func *funcs;
    const struct artifact_type *types;
    const struct artifact_memory *memories;
    const uint8_t *strings;
    uint64_t code_bytes, rodata_bytes, strings_bytes;
    size_t funcs_count; /* the program's: without the init functions */
    size_t types_count, instances_count, counts[EXPORT_KINDS];
};

#define bad(err, ...) error_set((err), ST_CORRUPT, "artifact: " __VA_ARGS__)

static inline size_t verify_count(const struct artifact *a, enum artifact_section section)
{
    size_t count;
    (void)artifact_section(a, section, &count);
    return count;
}

/* The host may call `func`: a real one, whose type has a trampoline. */
static inline bool verify_callable(const struct verifier *v, uint32_t func)
{
    return func && func < v->funcs_count && v->types[v->funcs[func].type].trampoline_offset;
}

/* The sections that describe a component. Needs what the other checks have checked of functions,
 * types and memories. */
NODISCARD enum status verify_component(const struct verifier *v, struct error *err);

/* ---- verify_wit.c: types and their fields ---- */

/* What follows from a type: how deep it is, and the letters of its flat values ("flatten_type")
 * when they are no more than WIT_FLAT_PARAMS. Of a function: those of its parameters. */
struct wit_shape {
    uint8_t depth;
    bool params_have_pointer; /* of a function */
    char flat[WIT_FLAT_PARAMS];
};

/* Checks ARTIFACT_WIT_TYPES, ARTIFACT_WIT_FIELDS and ARTIFACT_WIT_STRINGS: order, kinds, and that
 * everything derived from a type's parts is what follows from them.
 * Success: *ret holds one entry a type; the caller frees it. Errors: ST_CORRUPT, ST_NO_MEMORY. */
NODISCARD enum status verify_wit(const struct artifact *a, struct wit_shape **ret,
                                 struct error *err);

#endif
