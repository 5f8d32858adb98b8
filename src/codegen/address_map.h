/* ARTIFACT_ADDRESSES: which code came from which wasm offset, out of the objects' line tables, in
 * which "line" is the wasm offset of the instruction. */
#ifndef CODEGEN_ADDRESS_MAP_H
#define CODEGEN_ADDRESS_MAP_H

#include "linker_state.h"

/* Needs the objects placed and ARTIFACT_FUNC_ORDER built. Code outside of functions, and functions
 * without debug information, come from nowhere: offset 0.
 * Errors: ST_INTERNAL (a line table of another shape), ST_LIMIT, ST_NO_MEMORY. */
NODISCARD enum status address_map_build(struct linker *l, struct error *err);

#endif
