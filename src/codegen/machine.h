/* LLVM as a function from a module to an object file: target machines and pass pipelines. Private
 * to codegen. One `struct machine` a thread. */
#ifndef CODEGEN_MACHINE_H
#define CODEGEN_MACHINE_H

#include <llvm-c/TargetMachine.h>

#include "emit.h"

struct machine {
    const struct codegen_options *options;
    LLVMTargetMachineRef fast, optimised; /* made at the first use */
};

void machine_init(struct machine *m, const struct codegen_options *options);
void machine_done(struct machine *m);

/* Runs the passes of the emitter's level over its module, all but the code generator's own.
 * Errors: ST_INTERNAL with LLVM's words. */
NODISCARD enum status machine_optimise(struct machine *m, struct emitter *e, struct error *err);

/* The object file: *ret is the caller's, ended with LLVMDisposeMemoryBuffer().
 * Errors: ST_INTERNAL with LLVM's words. */
NODISCARD enum status machine_emit(struct machine *m, struct emitter *e, LLVMMemoryBufferRef *ret,
                                   struct error *err);

#endif
