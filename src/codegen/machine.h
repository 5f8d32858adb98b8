/* LLVM as a function from a module to an object file: target machines and pass pipelines. Private
 * to codegen. One `struct machine` a thread. */
#ifndef CODEGEN_MACHINE_H
#define CODEGEN_MACHINE_H

#include <llvm-c/TargetMachine.h>

#include "emit.h"

struct machine {
    uint32_t cpu_level;
    LLVMTargetMachineRef by_level[3]; /* by enum codegen_level; made at the first use */
};

void machine_init(struct machine *m, uint32_t cpu_level);
void machine_done(struct machine *m);

/* Runs the passes of the emitter's level over its module, all but the code generator's own. The
 * first makes SSA of the locals; then *ret_merges is how many operands the phis of the function
 * with the most of them have, and nothing more is done when that is above `merges_max`.
 * Errors: ST_INTERNAL with LLVM's words. */
NODISCARD enum status machine_optimise(struct machine *m, struct emitter *e, uint64_t merges_max,
                                       uint64_t *ret_merges, struct error *err);

/* The object file: *ret is the caller's, ended with LLVMDisposeMemoryBuffer().
 * Errors: ST_INTERNAL with LLVM's words. */
NODISCARD enum status machine_emit(struct machine *m, struct emitter *e, LLVMMemoryBufferRef *ret,
                                   struct error *err);

#endif
