/* The emitter: the bodies of wasm functions into LLVM IR. Private to codegen.
 *
 * One `struct emitter` serves one batch: an LLVM context and module of its own, on one thread. A
 * `struct function_emitter` serves one function of it. Bodies are valid (wasm_module_decode() saw
 * to that), so nothing here checks types; code that cannot be reached is never handed to the
 * families, so a value popped is always there.
 *
 * Each family of opcodes has one function in a file of its own,
 *     bool emit_<family>(struct function_emitter *f, const struct wasm_instr *instr);
 * which pops operands, builds IR at f->builder, pushes results, and returns true; or false, nothing
 * done, when the opcode is not one of its family. What it knows of the program around the function
 * it knows from facts.h: code is cached under those answers and the bytes of the bodies.
 *
 * Values on the stack have exactly these LLVM types:
 *     i32 → i32   i64 → i64   f32 → float   f64 → double   v128 → <16 x i8>   references → i32
 * (null is 0). Every other vector type is a bitcast away: emit_pop_vector(), emit_push_vector().
 *
 * Two modes. `strict` (conforming): functions are strictfp, all arithmetic on floats goes through
 * the constrained intrinsics, guest memory accesses are volatile. Otherwise plain instructions,
 * never with fast-math flags. A family calls emit_fp_*() and emit_load()/emit_store(), which do the
 * right thing in both; it must never build FAdd, FCmp, SIToFP … itself. FNeg, fabs and copysign
 * are bit operations and may be built directly in both modes, and so may Select. */
#ifndef CODEGEN_EMIT_H
#define CODEGEN_EMIT_H

#include <stdbool.h>
#include <stdint.h>

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>

#include "artifact/artifact.h"
#include "base/arena.h"
#include "base/error.h"
#include "codegen/codegen.h"
#include "facts.h"
#include "wasm/instr.h"
#include "wasm/program.h"
#include "wasm/wasm.h"

/* More results than these come back through memory: a pointer to struct value[results] that is
 * the parameter behind the base. */
#define EMIT_RESULTS_DIRECT_MAX 2u

struct emit_types {
    LLVMTypeRef void_, ptr, metadata;
    LLVMTypeRef i1, i8, i16, i32, i64, f32, f64;
    LLVMTypeRef v128; /* <16 x i8> */
    LLVMTypeRef v8i16, v4i32, v2i64, v4f32, v2f64;
    LLVMTypeRef v8i8, v4i16, v2i32, v2f32; /* half vectors, on the way only */
    LLVMTypeRef value;                     /* struct value: [2 x i64] */
};

/* What a load or store is about, for alias analysis. */
enum emit_alias { EMIT_ALIAS_MEMORY, EMIT_ALIAS_CONTEXT, EMIT_ALIAS_HOST_PAGE, EMIT_ALIAS_COUNT };

struct emitter {
    const struct program *program;
    const struct layout *layout;
    const struct codegen_options *options;
    enum codegen_level level; /* of this batch */
    bool fast;                /* CODEGEN_FAST */
    bool strict;              /* options->conforming */
    uint32_t cpu_level;       /* 2: SSE4.2; 3: AVX2, FMA, BMI */
    unsigned callconv;        /* of guest functions */
    const uint32_t *numbers;  /* by program function: its number in this batch */
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    LLVMDIBuilderRef debug;
    LLVMMetadataRef debug_unit, debug_file, debug_type;
    struct emit_types types;
    LLVMValueRef fp_rounding, fp_exceptions; /* metadata arguments of constrained intrinsics */
    LLVMValueRef alias_tags[EMIT_ALIAS_COUNT];
    LLVMValueRef invariant;
    unsigned alias_kind, invariant_kind; /* metadata kinds */
    uint32_t stack_depth_max;            /* of the value stack, of all functions so far */
    LLVMAttributeRef swiftself, strictfp, noreturn, cold, nounwind, noinline;
};

struct emit_label;

struct function_emitter {
    struct emitter *e;
    LLVMBuilderRef builder; /* e->builder */
    const struct emit_types *t;
    struct facts facts;
    const struct wasm_module *module;
    size_t origin;                  /* offsets in the code count from here */
    size_t offset;                  /* wasm offset of the current instruction */
    size_t located;                 /* the offset that debug information names now */
    LLVMValueRef fn, base, results; /* results: NULL unless they go through memory */
    LLVMBasicBlockRef entry;
    LLVMMetadataRef scope;
    const struct wasm_type *type;

    LLVMValueRef *stack;
    uint32_t stack_count, stack_capacity;
    struct emit_label *labels;
    uint32_t labels_count, labels_capacity;
    uint32_t dead_depth; /* blocks opened since the code became unreachable */
    bool dead;

    LLVMValueRef *locals;  /* allocas */
    LLVMValueRef *cached;  /* what a local is known to hold in the current block, or NULL */
    uint32_t *cached_list; /* the locals that have an entry in `cached` */
    uint32_t locals_count, cached_count;
    struct wasm_valtype *local_types;
    LLVMValueRef scratch; /* struct value[]: results of calls through memory, or NULL */
    uint32_t scratch_count;
    uint32_t table_serial; /* br_tables so far */
    uint32_t block_calls;  /* in the current block */
    bool failed;           /* out of memory */
    struct error *err;
};

/* ---- families ---- */

bool emit_control(struct function_emitter *f, const struct wasm_instr *instr);
bool emit_call(struct function_emitter *f, const struct wasm_instr *instr);
bool emit_variable(struct function_emitter *f, const struct wasm_instr *instr);
bool emit_table(struct function_emitter *f, const struct wasm_instr *instr);
bool emit_memory(struct function_emitter *f, const struct wasm_instr *instr);
bool emit_bulk(struct function_emitter *f, const struct wasm_instr *instr);
bool emit_int(struct function_emitter *f, const struct wasm_instr *instr);
bool emit_float(struct function_emitter *f, const struct wasm_instr *instr);
bool emit_convert(struct function_emitter *f, const struct wasm_instr *instr);
bool emit_simd(struct function_emitter *f, const struct wasm_instr *instr); /* prefix 0xFD */

/* ---- the value stack ---- */

void emit_push(struct function_emitter *f, LLVMValueRef value);
LLVMValueRef emit_pop(struct function_emitter *f);

/* A v128 seen as `type`, a vector of 128 bits. */
LLVMValueRef emit_pop_vector(struct function_emitter *f, LLVMTypeRef type);
void emit_push_vector(struct function_emitter *f, LLVMValueRef vector);

/* An i1 as the i32 that wasm's comparisons give; an i32 as the i1 "not zero", which undoes the
 * former. */
void emit_push_bool(struct function_emitter *f, LLVMValueRef i1);
LLVMValueRef emit_pop_condition(struct function_emitter *f);

/* ---- constants, types, intrinsics ---- */

LLVMValueRef emit_i32(const struct emitter *e, uint32_t value);
LLVMValueRef emit_i64(const struct emitter *e, uint64_t value);
LLVMTypeRef emit_type(const struct emitter *e, struct wasm_valtype type);

/* A vector of `count` equal elements from a scalar (constant or not). */
LLVMValueRef emit_splat(struct function_emitter *f, LLVMValueRef scalar, uint32_t count);

/* Calls the intrinsic `name` ("llvm.ctpop", "llvm.x86.ssse3.pshuf.b.128") with the overloaded
 * types `types` (none: NULL, 0). Not for constrained floats. */
LLVMValueRef emit_intrinsic(struct function_emitter *f, const char *name, LLVMTypeRef *types,
                            uint32_t types_count, LLVMValueRef *args, uint32_t args_count);

/* The same for the frequent shapes: overloaded on the type of `a`, with one or two operands. */
LLVMValueRef emit_intrinsic1(struct function_emitter *f, const char *name, LLVMValueRef a);
LLVMValueRef emit_intrinsic2(struct function_emitter *f, const char *name, LLVMValueRef a,
                             LLVMValueRef b);

/* ---- guest memory ---- */

/* Pops an address; the host pointer for an access of `access_bytes` there, checked where guard
 * pages do not do it (memory64). For a store: pop the value first. */
LLVMValueRef emit_address(struct function_emitter *f, const struct wasm_memarg *memarg,
                          uint32_t access_bytes);

/* Guest memory at alignment 1, volatile in strict mode. */
LLVMValueRef emit_load(struct function_emitter *f, LLVMTypeRef type, LLVMValueRef pointer);
void emit_store(struct function_emitter *f, LLVMValueRef value, LLVMValueRef pointer);

/* The context at `offset` from the base. */
LLVMValueRef emit_context_pointer(struct function_emitter *f, int64_t offset);
LLVMValueRef emit_context_load(struct function_emitter *f, LLVMTypeRef type, int64_t offset);
void emit_context_store(struct function_emitter *f, LLVMValueRef value, int64_t offset);

/* ---- floats; scalars and vectors alike ---- */

enum emit_rounding { EMIT_CEIL, EMIT_FLOOR, EMIT_TRUNC, EMIT_NEAREST };

/* op: LLVMFAdd, LLVMFSub, LLVMFMul, LLVMFDiv. */
LLVMValueRef emit_fp_binary(struct function_emitter *f, LLVMOpcode op, LLVMValueRef a,
                            LLVMValueRef b);
LLVMValueRef emit_fp_sqrt(struct function_emitter *f, LLVMValueRef a);
LLVMValueRef emit_fp_round(struct function_emitter *f, enum emit_rounding rounding, LLVMValueRef a);

/* A quiet comparison: an i1, or a vector of them. */
LLVMValueRef emit_fp_compare(struct function_emitter *f, LLVMRealPredicate predicate,
                             LLVMValueRef a, LLVMValueRef b);

/* wasm's min and max: a NaN gives a quiet NaN, −0 < +0. */
LLVMValueRef emit_fp_min(struct function_emitter *f, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef emit_fp_max(struct function_emitter *f, LLVMValueRef a, LLVMValueRef b);

/* op: LLVMSIToFP, LLVMUIToFP, LLVMFPTrunc, LLVMFPExt, LLVMFPToSI, LLVMFPToUI. The last two are
 * poison outside of the target's range: check or clamp first, or use emit_fp_to_int_sat(). */
LLVMValueRef emit_fp_convert(struct function_emitter *f, LLVMOpcode op, LLVMValueRef value,
                             LLVMTypeRef to);

/* trunc_sat: NaN gives 0, the rest is clamped. */
LLVMValueRef emit_fp_to_int_sat(struct function_emitter *f, LLVMValueRef value, LLVMTypeRef to,
                                bool is_signed);

/* ---- blocks, traps, helpers ---- */

LLVMBasicBlockRef emit_block_new(struct function_emitter *f);

/* Goes on building in `block`; what locals were known to hold is forgotten unless `keep_cache`
 * (the block has the current one as its only predecessor). */
void emit_block_enter(struct function_emitter *f, LLVMBasicBlockRef block, bool keep_cache);

/* After a call: at the fast level ends a block of many calls, for LLVM's fast allocation of
 * registers takes time in the number of calls times the number of values in the block. */
void emit_called(struct function_emitter *f);

/* Traps when the i1 `condition` holds, and goes on in a new block. */
void emit_trap_if(struct function_emitter *f, LLVMValueRef condition, enum trap_kind kind);

/* Traps, and ends the current block. */
void emit_trap(struct function_emitter *f, enum trap_kind kind);

/* Calls `helper` with its C parameters; NULL for those without a result. */
LLVMValueRef emit_helper(struct function_emitter *f, enum helper helper, LLVMValueRef *args,
                         uint32_t args_count);

#endif
