/* ARTIFACT_LINES: source lines of the guest, out of the DWARF in its modules' custom sections. */
#ifndef CODEGEN_GUEST_LINES_H
#define CODEGEN_GUEST_LINES_H

#include "linker_state.h"

/* At most this many rows of one program; past it the rest has no lines. */
#define GUEST_LINES_ROWS_MAX 8000000u
/* Longer paths are cut; of all paths together, past this many bytes further files have no lines. */
#define GUEST_LINES_PATH_MAX        1024u
#define GUEST_LINES_PATHS_BYTES_MAX (64u << 20)

/* Appends to LINES and STRINGS. The bytes are hostile and of no consequence to what the guest
 * does: malformed tables give fewer lines, never an error. */
void guest_lines_build(struct linker *l);

#endif
