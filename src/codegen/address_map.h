/* ARTIFACT_ADDRESSES: which code came from which wasm offset, out of the rows of the units. */
#ifndef CODEGEN_ADDRESS_MAP_H
#define CODEGEN_ADDRESS_MAP_H

#include "linker_state.h"

/* Needs the units placed. Code outside of functions, and functions without debug information, come
 * from nowhere: offset 0. A failed append shows in parts[ARTIFACT_ADDRESSES].failed. */
void address_map_build(struct linker *l);

#endif
