/* An ELF64 x86-64 relocatable object in memory, as LLVM writes it: sections, symbols, relocations,
 * bounds checked. What the linker takes and what it drops is decided here. */
#ifndef CODEGEN_OBJECT_H
#define CODEGEN_OBJECT_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "base/error.h"

struct object_file {
    const uint8_t *bytes; /* 8-byte aligned */
    size_t size_bytes;
};

enum object_place { OBJECT_DROPPED, OBJECT_CODE, OBJECT_RODATA };

struct object_section {
    const uint8_t *bytes;
    size_t size_bytes;
    const char *name;
    uint64_t align_bytes;
    const Elf64_Rela *relocations; /* that apply to this section */
    size_t relocations_count;
    enum object_place place;
    uint64_t placed_offset; /* within the unit's code or rodata; its builder's to set */
};

struct object {
    struct object_section *sections; /* by ELF section number */
    size_t sections_count;
    const Elf64_Sym *symbols;
    size_t symbols_count;
    const char *names;
    size_t names_bytes;
};

/* `bytes` are borrowed until object_done(). Errors: ST_INTERNAL (an object of another shape, or
 * with sections that an artifact has no place for), ST_NO_MEMORY. */
NODISCARD enum status object_init(struct object *o, const struct object_file *from,
                                  struct error *err);
void object_done(struct object *o); /* legal on a zeroed one */

/* The name of a symbol; "" for a bad offset. */
const char *object_symbol_name(const struct object *o, const Elf64_Sym *symbol);

/* The section that defines `symbol` and is placed, or NULL. */
const struct object_section *object_symbol_section(const struct object *o, const Elf64_Sym *symbol);

const struct object_section *object_find_section(const struct object *o, const char *name);

#endif
