/* What the linker's files share while one artifact is linked. */
#ifndef CODEGEN_LINKER_STATE_H
#define CODEGEN_LINKER_STATE_H

#include "linker.h"
#include "unit.h"

struct linker_symbol {
    uint32_t code_offset, size_bytes; /* size 0: not defined */
};

struct linker_placed {
    struct unit unit;
    const struct linker_unit *from;
    uint64_t code_offset, rodata_offset; /* where its first bytes went */
};

struct linker {
    const struct layout *layout;
    const struct program *program;
    const struct codegen_options *options;
    struct linker_placed *units;
    size_t units_count;
    /* By program function, instance and type id. */
    struct linker_symbol *funcs, *inits, *trampolines;
    /* The sections' contents, by enum artifact_section; CODE and RODATA by linker.c, ADDRESSES by
     * address_map.c, LINES by guest_lines.c, the others by linker_sections.c. */
    struct buffer parts[ARTIFACT_SECTIONS_COUNT];
};

/* The program index of number `number` of a kind in the unit. False: it has none. */
bool linker_index(const struct linker_placed *p, uint32_t kind, uint32_t number, uint32_t *ret);

/* Where the offsets count from that the code of program function `func` names; 0: it names none. */
uint32_t linker_origin(const struct program *p, uint32_t func);

#define linker_bad(err, ...) error_set((err), ST_INTERNAL, "linker: " __VA_ARGS__)

/* Fills the sections that come from the program, and adds the constant segments to RODATA. Needs
 * the symbols. Errors: ST_INTERNAL, ST_LIMIT, ST_NO_MEMORY. */
NODISCARD enum status linker_build_sections(struct linker *l, struct error *err);

/* The offset of a copy of `text` in STRINGS, NUL inside as C0 80; 0 for an empty one. A failed
 * append shows in parts[ARTIFACT_STRINGS].failed. */
uint32_t linker_add_string(struct linker *l, const char *text, size_t size_bytes);

/* ST_LIMIT or ST_NO_MEMORY when an append to any part has failed. */
NODISCARD enum status linker_check_parts(const struct linker *l, struct error *err);

#endif
