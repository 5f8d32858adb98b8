#include "machine.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>

/* Makes SSA of the locals; at the optimised level the code generator's own passes do the rest. */
#define PASSES_SSA "function(mem2reg)"

#define PASSES_AGGRESSIVE "default<O2>"

static pthread_once_t llvm_once = PTHREAD_ONCE_INIT;

static void start_llvm(void)
{
    /* There are lines in our debug information but no variables: the cheaper of LLVM's two ways to
     * follow variables then does nothing, where the other still walks every function. */
    static const char *const options[] = {
        "mayfly",
        "-experimental-debug-variable-locations=false",
        /* A load that was folded into a conditional move would be moved into a branch, volatile or
         * not, and its trap with it. */
        "-x86-cmov-converter-force-mem-operand=false",
    };
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMParseCommandLineOptions(ARRAY_COUNT(options), options, NULL);
}

void machine_init(struct machine *m, uint32_t cpu_level)
{
    pthread_once(&llvm_once, start_llvm);
    *m = (struct machine){.cpu_level = cpu_level};
}

void machine_done(struct machine *m)
{
    for (size_t i = 0; i < ARRAY_COUNT(m->by_level); i++)
        if (m->by_level[i]) LLVMDisposeTargetMachine(m->by_level[i]);
    *m = (struct machine){0};
}

static enum status machine_get(struct machine *m, const struct emitter *e,
                               LLVMTargetMachineRef *ret, struct error *err)
{
    static const LLVMCodeGenOptLevel levels[] = {[CODEGEN_FAST] = LLVMCodeGenLevelNone,
                                                 [CODEGEN_OPTIMISED] = LLVMCodeGenLevelLess,
                                                 [CODEGEN_AGGRESSIVE] = LLVMCodeGenLevelDefault};
    LLVMTargetMachineRef *slot = &m->by_level[e->level];
    if (!*slot) {
        const char *triple = LLVMGetTarget(e->module);
        LLVMTargetRef target;
        char *message = NULL;
        if (LLVMGetTargetFromTriple(triple, &target, &message)) {
            enum status st = error_set(err, ST_INTERNAL, "LLVM: %s", message);
            LLVMDisposeMessage(message);
            return st;
        }
        const char *cpu = m->cpu_level >= 3 ? "x86-64-v3" : "x86-64-v2";
        *slot = LLVMCreateTargetMachine(target, triple, cpu, "", levels[e->level], LLVMRelocPIC,
                                        LLVMCodeModelSmall);
        if (!*slot) return error_set(err, ST_INTERNAL, "LLVM: no machine for %s", cpu);
    }
    *ret = *slot;
    return ST_OK;
}

/* Sanitizer builds check what the emitter made before LLVM relies on it. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define VERIFY_WANTED true
#endif
#endif
#ifndef VERIFY_WANTED
#define VERIFY_WANTED false
#endif

static enum status verify(struct emitter *e, struct error *err)
{
    const bool wanted = VERIFY_WANTED;
    char *message = NULL;
    enum status st = ST_OK;
    if (wanted && LLVMVerifyModule(e->module, LLVMReturnStatusAction, &message))
        st = error_set(err, ST_INTERNAL, "LLVM: %s", message);
    LLVMDisposeMessage(message);
    return st;
}

static enum status run_passes(struct emitter *e, LLVMTargetMachineRef machine, const char *passes,
                              struct error *err)
{
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(e->module, passes, machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error) return ST_OK;
    char *message = LLVMGetErrorMessage(error);
    enum status st = error_set(err, ST_INTERNAL, "LLVM: %s", message);
    LLVMDisposeErrorMessage(message);
    return st;
}

static uint64_t merges_of(LLVMValueRef fn)
{
    uint64_t merges = 0;
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(fn); b; b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef i = LLVMGetFirstInstruction(b); i && LLVMIsAPHINode(i);
             i = LLVMGetNextInstruction(i))
            merges += LLVMCountIncoming(i);
    return merges;
}

static uint64_t merges_most(LLVMModuleRef module)
{
    uint64_t most = 0;
    for (LLVMValueRef fn = LLVMGetFirstFunction(module); fn; fn = LLVMGetNextFunction(fn)) {
        uint64_t merges = merges_of(fn);
        if (merges > most) most = merges;
    }
    return most;
}

enum status machine_optimise(struct machine *m, struct emitter *e, uint64_t merges_max,
                             uint64_t *ret_merges, struct error *err)
{
    LLVMTargetMachineRef machine;
    *ret_merges = 0;
    enum status st = verify(e, err);
    if (st || e->fast) return st;
    st = machine_get(m, e, &machine, err);
    if (!st) st = run_passes(e, machine, PASSES_SSA, err);
    if (st) return st;
    *ret_merges = merges_most(e->module);
    if (*ret_merges > merges_max || e->level != CODEGEN_AGGRESSIVE) return ST_OK;
    return run_passes(e, machine, PASSES_AGGRESSIVE, err);
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
