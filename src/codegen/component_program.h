/* A component's plan as a program, and what the artifact says about the component.
 *
 * The core instances of a plan (component/plan.h) become the instances of one program, whose
 * imports are exports of one another or canonical definitions; out of the finished program come the
 * sections ARTIFACT_COMPONENTS … ARTIFACT_WIT_STRINGS, for codegen_options.component_parts. The
 * same plan gives the same bytes.
 *
 * Not for several threads at a time until it is made, then immutable. */
#ifndef CODEGEN_COMPONENT_PROGRAM_H
#define CODEGEN_COMPONENT_PROGRAM_H

#include "base/error.h"
#include "component/plan.h"
#include "wasm/program.h"

struct artifact_part;
struct component_program;

#define COMPONENT_TABLES_BYTES_MAX (256u << 20) /* of one section; then ST_LIMIT */

/* `plan` is borrowed until component_program_free().
 * Success: *ret is the caller's. Failure: *ret is untouched.
 * Errors: ST_UNSUPPORTED (what is of WASI 0.3, by name; no core module at all), ST_LIMIT,
 * ST_NO_MEMORY, and those of program_builder_add_sources(), which only a bug can cause. */
NODISCARD enum status component_program_new(const struct plan *plan, struct component_program **ret,
                                            struct error *err);
void component_program_free(struct component_program *c); /* legal on NULL */

const struct program *component_program_program(const struct component_program *c);

/* ARTIFACT_COMPONENT_SECTIONS contents. */
const struct artifact_part *component_program_parts(const struct component_program *c);

#endif
