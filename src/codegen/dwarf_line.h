/* Reads line tables (DWARF 2 to 5 §6.2, .debug_line), of our own objects and of guests.
 *
 * Guests' bytes are hostile: nothing outside of the sections is read, time is linear in their
 * size, and whatever is malformed ends the reading of its unit and no more. Reads borrowed memory
 * only, allocates nothing, safe on every thread. */
#ifndef CODEGEN_DWARF_LINE_H
#define CODEGEN_DWARF_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct dwarf_bytes {
    const uint8_t *bytes; /* NULL and 0 where there is no such section */
    size_t size_bytes;
};

struct dwarf_line_sections {
    struct dwarf_bytes line, line_str, str;
};

/* The header of one unit's table. Offsets are into `line`. */
struct dwarf_line_unit {
    const struct dwarf_line_sections *sections;
    size_t tables, program, end;
    uint16_t version;
    bool is_dwarf64;
    uint8_t address_bytes; /* of set_address; 0: whatever the operand's size is (before DWARF 5) */
    uint8_t instruction_bytes_min, line_range, opcode_base;
    int8_t line_base;
    const uint8_t *opcode_lengths; /* of the standard opcodes, from 1 */
};

struct dwarf_line_row {
    uint64_t address;
    uint32_t file, line;
    bool starts_sequence, ends_sequence;
};

struct dwarf_line_visitor {
    /* The value of the address operand at `operand` of `line`; NULL: as it stands there. False
     * ends the reading. */
    bool (*address)(void *context, size_t operand, uint64_t *address);
    bool (*row)(void *context, const struct dwarf_line_row *row); /* false ends the reading */
    void *context;
};

/* Reads the header of the unit at *at and moves *at behind the unit. False: there is none, or its
 * length is not to be trusted, and *at is the section's end. A unit whose header cannot be read
 * has version 0. */
NODISCARD bool dwarf_line_next(const struct dwarf_line_sections *sections, size_t *at,
                               struct dwarf_line_unit *ret);

/* Runs the unit's program. False when it is malformed or the visitor ended it. */
NODISCARD bool dwarf_line_run(const struct dwarf_line_unit *unit,
                              const struct dwarf_line_visitor *visitor);

/* The unit's directories, then its files, in the order of their numbers: from 0 in DWARF 5, where
 * directory 0 is the compilation's own; from 1 before. */
struct dwarf_line_names {
    bool (*directory)(void *context, struct dwarf_bytes text); /* false ends the reading */
    bool (*file)(void *context, uint64_t directory, struct dwarf_bytes text);
    void *context;
};
NODISCARD bool dwarf_line_read_names(const struct dwarf_line_unit *unit,
                                     const struct dwarf_line_names *names);

#endif
