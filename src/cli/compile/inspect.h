/* Says what a module or component is made of. */
#ifndef CLI_COMPILE_INSPECT_H
#define CLI_COMPILE_INSPECT_H

#include "base/buffer.h"
#include "base/error.h"

NODISCARD enum status inspect_module(const char *name, const struct buffer *wasm,
                                     struct error *err);

/* Its core modules, and its world: what it imports and exports, with types. */
NODISCARD enum status inspect_component(const char *name, const struct buffer *wasm,
                                        struct error *err);

#endif
