/* The life of an emitter, and what a batch is made of: functions, thunks, trampolines, init
 * functions. Private to codegen; used by compile.c. */
#ifndef CODEGEN_EMIT_MODULE_H
#define CODEGEN_EMIT_MODULE_H

#include "emit.h"

#define EMIT_ON_FUNCTION ((LLVMAttributeIndex)LLVMAttributeFunctionIndex)

/* Stores and calls in one instance's init function; more ends the compile with ST_LIMIT. */
#define EMIT_INIT_STEPS_MAX 4000000u

/* Makes the LLVM context, module and builder of one batch, for `level`. `numbers` gives for each
 * program function that the batch defines or calls its number in the batch: it is "f<number>"
 * there, so that objects do not depend on the order of the program. Ended by emitter_done(), also
 * after a failure. */
void emitter_init(struct emitter *e, const struct program *program, const struct layout *layout,
                  const struct codegen_options *options, enum codegen_level level,
                  const uint32_t *numbers);
void emitter_done(struct emitter *e);

/* Ends what is open in the module (debug information); call once, after the last function. */
void emitter_finish(struct emitter *e);

/* Each adds one definition to the module. Errors: ST_NO_MEMORY, ST_UNSUPPORTED, ST_LIMIT,
 * ST_INTERNAL. */
NODISCARD enum status emit_function(struct emitter *e, uint32_t func, struct error *err);
NODISCARD enum status emit_thunk(struct emitter *e, uint32_t func, struct error *err);
NODISCARD enum status emit_init(struct emitter *e, uint32_t instance, struct error *err);
/* "t<number>"; type id 0: of the type ":". */
void emit_trampoline(struct emitter *e, uint32_t type_id, uint32_t number);

/* The calling convention of guest functions: of the whole program, for they call each other. */
unsigned emit_callconv(const struct program *program);

/* ---- shared by the emitter's files ---- */

/* The declaration of program function `func` in this module. */
LLVMValueRef emit_declare(struct emitter *e, uint32_t func);
LLVMTypeRef emit_function_type(const struct emitter *e, const struct wasm_type *type);
const struct wasm_type *emit_program_type(const struct program *p, uint32_t type_id);

/* Adds a function with the attributes that all generated code has. */
LLVMValueRef emit_define(struct emitter *e, const char *name, LLVMTypeRef type, unsigned callconv);

/* A function emitter for `fn`, whose body is yet empty: entry block, base, debug scope. `module`
 * and locals are not set. Ended by emit_close(). */
NODISCARD enum status emit_open(struct function_emitter *f, struct emitter *e, LLVMValueRef fn,
                                const char *name, struct error *err);
void emit_close(struct function_emitter *f);

/* What follows comes from the instruction at `offset` … */
void emit_at(struct function_emitter *f, size_t offset);

/* … and now something is built that may trap or call: from here on the debug information says so.
 * What can do neither keeps the location of what came before it, which makes that information much
 * smaller, and a load that is folded into its user keeps its own. */
void emit_locate(struct function_emitter *f);

/* A slot of `count` struct values in the entry block. */
LLVMValueRef emit_alloca_values(struct function_emitter *f, uint32_t count);
LLVMValueRef emit_value_pointer(struct function_emitter *f, LLVMValueRef values, uint32_t index);

/* Calls `callee` of `type` with `args` of params_count; pushes its results. `tail`: a wasm tail
 * call, which also returns. */
void emit_call_with(struct function_emitter *f, const struct wasm_type *type, LLVMValueRef callee,
                    bool tail);

/* Returns the topmost values as the function's results. */
void emit_return(struct function_emitter *f);

/* Pops an index: the element of the module's table `table` there, checked. */
LLVMValueRef emit_table_element(struct function_emitter *f, uint32_t table);

/* One trap whose kind is only known at run time: `kind` is an i64. */
void emit_trap_value(struct function_emitter *f, LLVMValueRef kind);

/* Hands the instruction to its family; false when no family has it. */
bool emit_instruction(struct function_emitter *f, const struct wasm_instr *instr);

/* Applies the active data segments at constant offsets from segment `first` of the module on, when
 * they are so many that a table is better than code for each: *ret_count of them, or 0.
 * Errors: ST_NO_MEMORY. */
NODISCARD enum status emit_constant_datas(struct function_emitter *f, uint32_t first,
                                          uint32_t *ret_count);

/* Constant expressions: the value of `expr` in the instance of `f`; NULL when it holds what code
 * generation does not support. */
LLVMValueRef emit_constant_expr(struct function_emitter *f, struct wasm_expr expr);

/* Control: labels. */
struct emit_label {
    uint8_t kind;                /* enum emit_label_kind */
    LLVMBasicBlockRef target;    /* where a branch goes; of a block: NULL until one is needed */
    LLVMBasicBlockRef otherwise; /* of an if without an else yet */
    LLVMValueRef *phis;          /* of the target: arity of them, or NULL */
    LLVMValueRef *params;        /* of an if: what the else branch starts with */
    const struct wasm_valtype *param_types, *result_types; /* no result_types: `single` */
    struct wasm_valtype single;
    uint32_t params_count, results_count;
    uint32_t stack_count;         /* below the parameters */
    LLVMBasicBlockRef table_edge; /* of the br_table number table_serial */
    uint32_t table_serial;
};
void emit_label_function(struct function_emitter *f);

#endif
