#include "machine.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>

/* What makes SSA of the locals; the code generator's own passes do the rest. */
#define PASSES_OPTIMISED "function(mem2reg)"

#define PASSES_AGGRESSIVE "default<O2>"

static pthread_once_t llvm_once = PTHREAD_ONCE_INIT;

static void start_llvm(void)
{
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
}

void machine_init(struct machine *m, const struct codegen_options *options)
{
    pthread_once(&llvm_once, start_llvm);
    *m = (struct machine){.options = options};
}

void machine_done(struct machine *m)
{
    if (m->fast) LLVMDisposeTargetMachine(m->fast);
    if (m->optimised) LLVMDisposeTargetMachine(m->optimised);
    *m = (struct machine){0};
}

static enum status machine_get(struct machine *m, const struct emitter *e,
                               LLVMTargetMachineRef *ret, struct error *err)
{
    LLVMTargetMachineRef *slot = e->fast ? &m->fast : &m->optimised;
    if (!*slot) {
        const char *triple = LLVMGetTarget(e->module);
        LLVMTargetRef target;
        char *message = NULL;
        if (LLVMGetTargetFromTriple(triple, &target, &message)) {
            enum status st = error_set(err, ST_INTERNAL, "LLVM: %s", message);
            LLVMDisposeMessage(message);
            return st;
        }
        LLVMCodeGenOptLevel level = LLVMCodeGenLevelLess;
        if (e->fast)
            level = LLVMCodeGenLevelNone;
        else if (m->options->level == CODEGEN_AGGRESSIVE)
            level = LLVMCodeGenLevelDefault;
        const char *cpu = m->options->cpu_level >= 3 ? "x86-64-v3" : "x86-64-v2";
        *slot = LLVMCreateTargetMachine(target, triple, cpu, "", level, LLVMRelocPIC,
                                        LLVMCodeModelSmall);
        if (!*slot) return error_set(err, ST_INTERNAL, "LLVM: no machine for %s", cpu);
    }
    *ret = *slot;
    return ST_OK;
}

static enum status verify(struct emitter *e, struct error *err)
{
#ifdef __SANITIZE_ADDRESS__
    const bool wanted = true;
#else
    const bool wanted = false;
#endif
    char *message = NULL;
    enum status st = ST_OK;
    if (wanted && LLVMVerifyModule(e->module, LLVMReturnStatusAction, &message))
        st = error_set(err, ST_INTERNAL, "LLVM: %s", message);
    LLVMDisposeMessage(message);
    return st;
}

enum status machine_optimise(struct machine *m, struct emitter *e, struct error *err)
{
    enum status st = verify(e, err);
    if (st || e->fast) return st;
    LLVMTargetMachineRef machine;
    st = machine_get(m, e, &machine, err);
    if (st) return st;
    const char *passes =
        m->options->level == CODEGEN_AGGRESSIVE ? PASSES_AGGRESSIVE : PASSES_OPTIMISED;
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(e->module, passes, machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error) return ST_OK;
    char *message = LLVMGetErrorMessage(error);
    st = error_set(err, ST_INTERNAL, "LLVM: %s", message);
    LLVMDisposeErrorMessage(message);
    return st;
}

enum status machine_emit(struct machine *m, struct emitter *e, LLVMMemoryBufferRef *ret,
                         struct error *err)
{
    LLVMTargetMachineRef machine;
    enum status st = machine_get(m, e, &machine, err);
    if (st) return st;
    char *message = NULL;
    if (LLVMTargetMachineEmitToMemoryBuffer(machine, e->module, LLVMObjectFile, &message, ret)) {
        st = error_set(err, ST_INTERNAL, "LLVM: %s", message);
        LLVMDisposeMessage(message);
    }
    return st;
}
