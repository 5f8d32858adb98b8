/* What a compile job compiles: a core module or a component, decoded and linked into a program. */
#ifndef CLI_COMPILE_INPUT_H
#define CLI_COMPILE_INPUT_H

#include "base/buffer.h"
#include "base/error.h"

struct artifact_part;
struct component;
struct component_program;
struct plan;
struct program;
struct program_builder;
struct wasm_module;

struct input {
    const struct program *program;
    const struct artifact_part *component_parts; /* NULL for a module */
    const struct plan *plan;                     /* likewise */

    /* what they are made of */
    struct wasm_module *module;
    struct program_builder *builder;
    struct component *component;
    struct plan *own_plan;
    struct component_program *component_program;
};

/* Told apart by their first bytes; `threads` (0: one a core) validate function bodies; `wasm` is
 * borrowed until input_done(), which is to be called after a failure too. Errors: those of decoding
 * and linking, each with an offset or a name. */
NODISCARD enum status input_init(struct input *in, const struct buffer *wasm, uint32_t threads,
                                 struct error *err);
void input_done(struct input *in);

#endif
