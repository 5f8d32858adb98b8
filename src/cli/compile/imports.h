/* Whether there is a host for everything that a component imports, before it is compiled. */
#ifndef CLI_COMPILE_IMPORTS_H
#define CLI_COMPILE_IMPORTS_H

#include "base/error.h"

struct plan;
struct program;

/* Of a component only what its core modules call: `program` is made of `plan`.
 * Errors: ST_NOT_FOUND (no host has it), ST_INVALID (a host has it with another type), each with
 * all names, the nearest that there is, and the types; ST_NO_MEMORY. */
NODISCARD enum status imports_check(const struct plan *plan, const struct program *program,
                                    struct error *err);

#endif
