/* Says what a module is made of. */
#ifndef CLI_COMPILE_INSPECT_H
#define CLI_COMPILE_INSPECT_H

#include "base/buffer.h"
#include "base/error.h"

NODISCARD enum status inspect_module(const char *name, const struct buffer *wasm,
                                     struct error *err);

#endif
