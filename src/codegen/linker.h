/* Links units into an artifact: places text and read-only data, resolves every relocation, builds
 * the function table, the address map and all other sections.
 *
 * Units come from objects of our own emitter. They are not hostile, yet what they hold is checked
 * against the short list below, here or in unit_build.c, so that a surprise of the code generator
 * ends as ST_INTERNAL with words and never as a wrong byte in an artifact.
 *
 *   sections     .text*, .rodata*, .debug_line (read for the address map); other .debug_*,
 *                .eh_frame, .comment, notes and tables are dropped; writable data is an error
 *   symbols      f<i> program function, defined for each i >= 1 (host imports: the thunk)
 *                init<k> init function of instance k, defined for each k, type ":"
 *                t<i> trampoline of type id i: at least those of exported and of start functions;
 *                t0: of the type ":", always
 *                each an STT_FUNC with a size
 *   undefined    f<i>, init<k>, t<i>, functable, codestart
 *   relocations  R_X86_64_PC32, R_X86_64_PLT32, R_X86_64_PC64
 *
 * In a unit functions and trampolines have numbers of its own; who links it says which program
 * functions and types they are.
 *
 * functable is struct linker_functable_entry[layout.functable_count] in rodata; codestart is the
 * first byte of ARTIFACT_CODE, which no function occupies: an offset of 0 is never code. */
#ifndef CODEGEN_LINKER_H
#define CODEGEN_LINKER_H

#include "artifact/artifact_writer.h"
#include "base/buffer.h"
#include "codegen.h"
#include "layout.h"

#define LINKER_UNITS_MAX 1000000u
#define LINKER_CODE_MAX  (2047ull * 1024 * 1024) /* code and rodata together */

struct linker_functable_entry {
    uint32_t type_id;    /* LAYOUT_TYPE_ID_NONE for the null function and the padding */
    int32_t code_offset; /* from codestart */
};

struct linker_unit {
    const uint8_t *bytes; /* a unit, borrowed until linker_link() returns; 8-byte aligned */
    size_t size_bytes;
    /* By number: the program function, the type id. NULL: numbers are program indices. */
    const uint32_t *funcs, *types;
    uint32_t funcs_count, types_count;
};

struct linker_stats {
    uint64_t code_bytes, rodata_bytes, addresses_count, lines_count;
};

/* Appends the artifact to *file. Functions are placed in the order of `units`. The same input
 * gives the same bytes. Errors: ST_INTERNAL, ST_LIMIT, ST_NO_MEMORY. */
NODISCARD enum status linker_link(const struct layout *layout,
                                  const struct codegen_options *options,
                                  const struct linker_unit *units, size_t units_count,
                                  struct buffer *file, struct linker_stats *ret_stats,
                                  struct error *err);

#endif
