/* Where everything of a program lies in its context: the part of a slot below the base.
 *
 *   lower                                                                        higher
 *   | table elements … | in-context element segments | dropped flags | globals | sizes |base
 *
 * What is used most lies next to the base, where an 8-bit displacement reaches it: sizes of
 * memories and tables, then globals in the order of their program indices. All offsets are from the
 * base, negative, and aligned to what they name. The context starts out as zeros; init functions
 * fill it: memory sizes, table sizes and globals are theirs to set.
 *
 * Memory i lies in lane i. A layout depends on nothing but the program, and the emitter, the linker
 * and (through the artifact's sections) the runtime agree because they all take it from here.
 * Immutable once made; may be read from several threads. */
#ifndef CODEGEN_LAYOUT_H
#define CODEGEN_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "base/error.h"
#include "wasm/program.h"

/* A table that can grow has room reserved for this many elements, or for its declared minimum when
 * that is more; a declared maximum below that bounds it. Untouched room costs no memory. */
#define LAYOUT_TABLE_GROWTH_MAX 1000000u

/* A type id that no function has: of the null function, and of the padding of the function table.
 */
#define LAYOUT_TYPE_ID_NONE 0xffffffffu

struct layout_table {
    int32_t size_offset;     /* uint32_t: current number of elements */
    int32_t elements_offset; /* uint32_t[capacity]: program function indices or host numbers */
    uint32_t capacity;       /* equals the table's minimum when it cannot grow */
};

/* An element segment. A constant one (only ref.func and ref.null) is rodata, put there by the
 * linker, and table_init reads it from there: nothing to do at init but to apply and drop it.
 * Any other is `count` references in the context, which the init function has to store there
 * before it applies the segment. A declarative segment has count 0. */
struct layout_element {
    uint32_t count;
    bool in_context;
    int32_t elements_offset; /* in_context: uint32_t[count]; otherwise 0 */
    int32_t dropped_offset;  /* uint8_t */
};

struct layout {
    const struct program *program;
    uint64_t context_bytes;   /* a multiple of ARTIFACT_PAGE, at least one page */
    uint32_t lanes_count;     /* memories, or 1 */
    uint32_t functable_count; /* entries: a power of two, at least program->funcs_count */
    /* By program index. */
    const int32_t *memory_sizes; /* uint64_t, bytes */
    const int32_t *globals;      /* 4, 8 or 16 bytes, by type */
    const struct layout_table *tables;
    const struct layout_element *elements;
    const int32_t *data_dropped; /* uint8_t */
};

/* Lays out `program`, which is borrowed until layout_free().
 * Success: *ret is the caller's. Failure: *ret is untouched.
 * Errors: ST_LIMIT (context above SLOT_CONTEXT_BYTES_MAX, memories above SLOT_LANES_MAX or
 * SLOT_MEMORY_BYTES_MAX),
 * ST_NO_MEMORY. Does not block; reads function bodies for table.grow. */
NODISCARD enum status layout_new(const struct program *program, struct layout **ret,
                                 struct error *err);
void layout_free(struct layout *l); /* legal on NULL */

/* The letter of a type in signatures: i l f d v r; and the bytes that a value of it takes in the
 * context: 4, 8 or 16 (a reference takes 4). */
char layout_type_letter(struct wasm_valtype type);
uint32_t layout_type_bytes(struct wasm_valtype type);

/* The reference that a constant expression of one `ref.func` or `ref.null` gives: a program
 * function, or 0. False for any other expression (those are computed at init). */
bool layout_constant_reference(const struct program *p, uint32_t instance, struct wasm_expr expr,
                               uint32_t *ret);

#endif
