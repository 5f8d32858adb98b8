/* The sections that describe a component, while they are built. Private to codegen. */
#ifndef CODEGEN_COMPONENT_TABLES_H
#define CODEGEN_COMPONENT_TABLES_H

#include "artifact/artifact_writer.h"
#include "base/buffer.h"
#include "component_program.h"

/* A section's buffer, by its number. */
#define COMPONENT_PART(t, section) (&(t)->parts[(section) - ARTIFACT_COMPONENTS])

struct component_tables {
    const struct plan *plan;
    const struct program *program;
    struct buffer parts[ARTIFACT_COMPONENT_SECTIONS];
    /* component_types.c: by `equal` of a plan's type, its index in ARTIFACT_WIT_TYPES; 0: none yet.
     */
    uint32_t *types;
    struct buffer depths; /* uint8_t, by index in ARTIFACT_WIT_TYPES */
    /* component_strings.c: offsets in ARTIFACT_WIT_STRINGS, by hash. */
    uint32_t *strings;
    uint32_t strings_count, strings_capacity;
    uint32_t *canon_hosts; /* by canonical definition: 1 + index into program->hosts, 0: unused */
};

/* Fills all parts. Errors as component_program_new(). Ended by component_tables_done(), also after
 * a failure. */
NODISCARD enum status component_tables_init(struct component_tables *t, const struct plan *plan,
                                            const struct program *program, struct error *err);
void component_tables_done(struct component_tables *t);

/* ---- between its files ---- */

/* Appends `element`; a failure shows in the buffer's `failed`. */
static inline void component_put(struct component_tables *t, enum artifact_section section,
                                 const void *element, size_t size_bytes)
{
    buffer_append(COMPONENT_PART(t, section), element, size_bytes);
}

/* Why an append to `b` has failed. */
enum status component_full(const struct buffer *b, struct error *err);

/* The offset of `name` in ARTIFACT_WIT_STRINGS, each text once, NUL inside as C0 80; 0 for an empty
 * one. */
NODISCARD enum status component_string(struct component_tables *t, struct wasm_name name,
                                       uint32_t *ret, struct error *err);

/* The index in ARTIFACT_WIT_TYPES of a type of the plan, with all that it is made of.
 * Errors: ST_UNSUPPORTED (streams and the like, by name), ST_LIMIT, ST_NO_MEMORY. */
NODISCARD enum status component_wit_type(struct component_tables *t, uint32_t type, uint32_t *ret,
                                         struct error *err);

#endif
