/* What the code of a function may depend on besides its own bytes and types: the one way for the
 * emitter's families to learn of the program around it. content.c puts the same answers into the
 * digest under which code is cached, so a dependence without a digest cannot be written by
 * accident: who needs to know more adds it here, and there.
 *
 * Indices are those of the function's module. No struct has padding: they are hashed as bytes.
 * Private to codegen. */
#ifndef CODEGEN_FACTS_H
#define CODEGEN_FACTS_H

#include "layout.h"
#include "wasm/program.h"

/* The instance whose function is compiled. Families do not look into it. */
struct facts {
    const struct program *program;
    const struct layout *layout;
    const struct program_instance *instance;
    uint32_t instance_index;
};

struct fact_memory {
    uint64_t bytes_min; /* of a 64-bit memory; of others 0, for nothing hangs on it */
    uint32_t memory;    /* program index, which is the lane */
    int32_t size_offset;
    uint32_t is64;
    uint32_t zero;
};

struct fact_table {
    uint32_t table; /* program index */
    int32_t size_offset, elements_offset;
    uint32_t capacity;
    uint32_t is_fixed; /* it always has `capacity` elements */
    uint32_t is64;
};

struct fact_global {
    int32_t offset;
    uint32_t letter; /* layout_type_letter() */
};

/* An indirect call. */
struct fact_indirect {
    uint32_t type_id;
    uint32_t function_mask; /* entries of the function table - 1 */
};

struct facts facts_of(const struct program *program, const struct layout *layout,
                      uint32_t instance);

struct fact_memory fact_memory(const struct facts *f, uint32_t memory);
struct fact_table fact_table(const struct facts *f, uint32_t table);
struct fact_global fact_global(const struct facts *f, uint32_t global);
struct fact_indirect fact_indirect(const struct facts *f, uint32_t type);

/* Program indices, which are constants in the code that names them … */
uint32_t fact_reference(const struct facts *f, uint32_t func);
uint32_t fact_element(const struct facts *f, uint32_t segment);
uint32_t fact_data(const struct facts *f, uint32_t segment);

/* … but for the function that is called: code says its number within the batch. */
uint32_t fact_callee(const struct facts *f, uint32_t func);

/* Where the offsets count from that the code of `func` names, so that it is the same wherever the
 * function stands in its module: one byte before the body, for 0 means unknown. */
size_t fact_origin(const struct wasm_func *func);

#endif
