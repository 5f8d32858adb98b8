/* The rows of a unit, out of its object's line table, in which "line" is where an instruction
 * stands. Private to codegen. */
#ifndef CODEGEN_UNIT_LINES_H
#define CODEGEN_UNIT_LINES_H

#include "unit.h"

/* Needs the sections placed. Code outside of `symbols`, and functions without debug information,
 * come from nowhere: line 0. Errors: ST_INTERNAL (a line table of another shape), ST_NO_MEMORY. */
NODISCARD enum status unit_lines(const struct object *object, const struct unit_symbol *symbols,
                                 size_t symbols_count, struct buffer *rows, struct error *err);

#endif
