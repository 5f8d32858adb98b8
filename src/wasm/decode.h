/* The state of one wasm_module_decode(). Private. A file section_<what>.c each reads and checks the
 * sections it is named for; constant expressions go through the validator at once, bodies at the
 * end of their section. */
#ifndef WASM_DECODE_H
#define WASM_DECODE_H

#include "validate.h"

struct decoder {
    struct wasm_reader r; /* over the section under work */
    struct module_full *full;
    struct wasm_module *m; /* &full->m */
    struct error *err;
    uint32_t threads; /* that may validate bodies */
    struct validator *validator;
    struct type_map groups;        /* from a group's digest to the first type of its first equal */
    struct buffer type_scratch;    /* of types_close_group() */
    struct wasm_valtype *valtypes; /* a list of types of unknown length while it is read */
    uint32_t valtypes_capacity;
    struct wasm_local_run *runs; /* likewise a body's local declarations */
    uint32_t runs_capacity;
    bool has_code, has_data;
};

NODISCARD enum status section_types(struct decoder *d);
NODISCARD enum status section_imports(struct decoder *d);
NODISCARD enum status section_functions(struct decoder *d);
NODISCARD enum status section_tables(struct decoder *d);
NODISCARD enum status section_memories(struct decoder *d);
NODISCARD enum status section_tags(struct decoder *d);
NODISCARD enum status section_globals(struct decoder *d);
NODISCARD enum status section_exports(struct decoder *d);
NODISCARD enum status section_start(struct decoder *d);
NODISCARD enum status section_elements(struct decoder *d);
NODISCARD enum status section_data_count(struct decoder *d);
NODISCARD enum status section_code(struct decoder *d);
NODISCARD enum status section_data(struct decoder *d);

/* Reads a custom section; only its own name can be malformed. */
NODISCARD enum status section_custom(struct decoder *d);

/* Takes the names out of the "name" section; a malformed one gives none. Only ST_NO_MEMORY. */
NODISCARD enum status names_read(struct decoder *d);

/* ---- parts of several sections: entities.c ---- */

/* Room for `count` items in the arena, or an ST_NO_MEMORY error. */
NODISCARD enum status decode_alloc(struct decoder *d, size_t count, size_t item_bytes, void *ret);

/* A name, copied into the arena. */
NODISCARD enum status decode_name(struct decoder *d, struct wasm_name *ret);
NODISCARD enum status decode_valtype(struct decoder *d, struct wasm_valtype *ret);
NODISCARD enum status decode_reftype(struct decoder *d, struct wasm_valtype *ret);

/* An index that must be below `count`. */
NODISCARD enum status decode_index(struct decoder *d, uint32_t count, const char *what,
                                   uint32_t *ret);
NODISCARD enum status decode_func_type(struct decoder *d, uint32_t *ret);
NODISCARD enum status decode_table(struct decoder *d, struct wasm_table *ret);
NODISCARD enum status decode_memory(struct decoder *d, struct wasm_memory *ret);
NODISCARD enum status decode_global(struct decoder *d, struct wasm_global *ret);
NODISCARD enum status decode_tag(struct decoder *d, struct wasm_tag *ret);

/* Append to the index spaces, up to their limits. */
NODISCARD enum status add_func(struct decoder *d, const struct wasm_func *f);
NODISCARD enum status add_table(struct decoder *d, const struct wasm_table *t);
NODISCARD enum status add_memory(struct decoder *d, const struct wasm_memory *mem);
NODISCARD enum status add_global(struct decoder *d, const struct wasm_global *g);
NODISCARD enum status add_tag(struct decoder *d, const struct wasm_tag *t);

#endif
