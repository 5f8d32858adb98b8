/* The C functions behind the entry stubs: helper_trap is none, for its stub stops by itself. */
#ifndef RUNTIME_HELPERS_H
#define RUNTIME_HELPERS_H

#include "artifact/artifact.h"

#define HELPER(name, kind, result, parameters) result helper_##name parameters;
#include "artifact/helpers.def"
#undef HELPER

#endif
