/* A unit: relocatable code of one batch, all that the linker needs of an object and nothing else.
 * This is what the function cache keeps. One run of bytes without pointers:
 *
 *   struct unit_header | symbols | relocations | rows | code | rodata
 *
 * Functions and types are named by numbers that mean something in the batch only, so a unit is good
 * for every program that has such a batch. Offsets in rows count from the function's emit_origin().
 * The same object gives the same unit. Private to codegen. */
#ifndef CODEGEN_UNIT_H
#define CODEGEN_UNIT_H

#include "base/buffer.h"
#include "object.h"

#define UNIT_BYTES_MAX (1u << 30)
#define UNIT_MAGIC     0x31756d77u /* "wmu1" */

enum unit_symbol_kind { UNIT_FUNC, UNIT_INIT, UNIT_TRAMPOLINE, UNIT_SYMBOL_KINDS };

enum unit_target {
    UNIT_TO_FUNC = UNIT_FUNC,
    UNIT_TO_INIT = UNIT_INIT,
    UNIT_TO_TRAMPOLINE = UNIT_TRAMPOLINE,
    UNIT_TO_CODE, /* of this unit */
    UNIT_TO_RODATA,
    UNIT_TO_FUNCTABLE,
    UNIT_TO_CODESTART,
    UNIT_TARGETS
};

struct unit_header {
    uint32_t magic;
    uint32_t functions_lowered; /* to the fast level, while it was compiled */
    uint32_t code_bytes, code_align;
    uint32_t rodata_bytes, rodata_align;
    uint32_t symbols_count, relocations_count, rows_count;
    uint32_t zero;
};

/* What the unit defines, by ascending offset. */
struct unit_symbol {
    uint32_t kind, number;       /* enum unit_symbol_kind */
    uint32_t offset, size_bytes; /* within the code */
};

/* target + addend - place is stored at `offset` of code or rodata. */
struct unit_relocation {
    uint32_t offset;
    uint8_t in_rodata;
    uint8_t size_bytes; /* 4 or 8 */
    uint8_t target;     /* enum unit_target */
    uint8_t zero;
    uint32_t number; /* of a function, init function or trampoline */
    uint32_t zero2;
    int64_t addend;
};

/* The code from here on comes from the instruction at `line`; 0: from none. In ascending order;
 * each function ends with a row. */
struct unit_row {
    uint32_t code_offset, line;
};

struct unit {
    const struct unit_header *header;
    const struct unit_symbol *symbols;
    const struct unit_relocation *relocations;
    const struct unit_row *rows;
    const uint8_t *code, *rodata;
};

/* Makes a unit of an ELF object and appends it to *ret, which is empty. Errors: ST_INTERNAL (the
 * object holds what an artifact has no place for), ST_LIMIT, ST_NO_MEMORY. */
NODISCARD enum status unit_from_object(const struct object_file *object, uint32_t functions_lowered,
                                       struct buffer *ret, struct error *err);

/* Finds the parts of a unit, whose bytes are borrowed and 8-byte aligned. False unless every offset
 * and size lies within the bytes: they may come from a file. */
NODISCARD bool unit_open(struct unit *u, const uint8_t *bytes, size_t size_bytes);

/* "f" of "f7". */
const char *unit_symbol_prefix(uint32_t kind);

#endif
