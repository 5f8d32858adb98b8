/* Validation of function bodies and constant expressions (Core §3.4, appendix A.3). Private.
 *
 * One validator serves a whole module, body after body; its stacks are kept in between. A body is
 * read once from front to end. The instructions whose type is fixed go by the signature column of
 * opcode.def; each family of the others has a file validate_<family>.c. */
#ifndef WASM_VALIDATE_H
#define WASM_VALIDATE_H

#include "reader.h"
#include "types.h"

/* Limit on the operand stack's height: a call may push a thousand values with two bytes. */
#define VALIDATE_OPERANDS_MAX 1000000u

/* Limit on the operands of array.new_fixed, which in unreachable code need not be there. */
#define VALIDATE_ARRAY_FIXED_MAX 10000u

/* Bodies with more locals than this find a local's type by bisection over the runs, so that
 * checking costs in proportion to the bytes and not to what they declare. */
#define VALIDATE_LOCALS_EXPANDED 256u

struct type_list {
    const struct wasm_valtype *items;
    uint32_t count;
};

struct frame {
    uint32_t op; /* WASM_OP_BLOCK, also for the function itself; LOOP, IF, ELSE, TRY_TABLE */
    uint32_t operands_base;
    uint32_t inits_base;
    uint32_t visit; /* the last br_table that has checked this frame's label */
    bool unreachable;
    struct wasm_block_type block;
};

struct validator {
    struct wasm_module *m;
    struct error *err;
    uint32_t features; /* enum wasm_feature of what it has seen, or-ed */
    struct wasm_reader r;
    struct wasm_instr in; /* the instruction under check */
    bool has_data_count;
    uint32_t data_count;

    bool constant; /* a constant expression */
    struct wasm_valtype *operands;
    uint32_t operands_count, operands_capacity;
    struct frame *frames;
    uint32_t frames_count, frames_capacity;
    uint32_t visit;

    const struct wasm_func *func;
    const struct wasm_type *func_type;
    struct wasm_valtype locals[VALIDATE_LOCALS_EXPANDED]; /* the first declared ones */
    uint32_t *run_ends; /* of func->runs: count of locals up to the run's end */
    uint32_t run_ends_capacity;

    /* Locals without a default value must be set before they are read. Which ones are is known per
     * declared local; `inits` lists them in the order of their setting, so that the end of a block
     * can undo those of the block. */
    bool local_is_set[WASM_LOCALS_MAX];
    uint32_t *inits;
    uint32_t inits_count, inits_capacity;
};

NODISCARD enum status validator_new(struct wasm_module *m, struct error *err,
                                    struct validator **ret);
void validator_free(struct validator *v);

/* Checks the body of `f`, whose local runs have been read. */
NODISCARD enum status validate_body(struct validator *v, const struct wasm_func *f);

/* Checks the constant expression at r->offset, which yields `expected`, and moves behind its end.
 */
NODISCARD enum status validate_constant(struct validator *v, struct wasm_reader *r,
                                        struct wasm_valtype expected, struct wasm_expr *ret);

/* ---- stacks: validate_stack.c ---- */

/* Fills v->err with the offset and name of the instruction under check. */
enum status validate_fail(struct validator *v, const char *fmt, ...) PRINTF(2, 3);
enum status validate_fail_unknown(struct validator *v, const char *what, uint32_t index);
enum status validate_fail_memory(struct validator *v);

NODISCARD enum status push(struct validator *v, struct wasm_valtype type);
NODISCARD enum status push_number(struct validator *v, enum wasm_kind kind);
NODISCARD enum status push_list(struct validator *v, struct type_list list);
NODISCARD enum status pop_any(struct validator *v, struct wasm_valtype *ret);
NODISCARD enum status pop(struct validator *v, struct wasm_valtype expected);
NODISCARD enum status pop_number(struct validator *v, enum wasm_kind kind);
NODISCARD enum status pop_list(struct validator *v, struct type_list list);

/* True when whatever is popped next will be there, since the code cannot be reached: a loop that
 * pops many may end. */
bool stack_is_polymorphic(struct validator *v);

/* Pops a reference of any type; in unreachable code it may be the bottom reference. */
NODISCARD enum status pop_ref(struct validator *v, struct wasm_valtype *ret);

/* Checks that the top of the stack matches the list, and leaves it. */
NODISCARD enum status peek_list(struct validator *v, struct type_list list);

/* Pops and pushes by a signature of opcode.def; `address` is what the letter `a` stands for. */
NODISCARD enum status apply_signature(struct validator *v, const char *signature,
                                      enum wasm_kind address);

NODISCARD enum status frame_push(struct validator *v, uint32_t op, struct wasm_block_type block);
NODISCARD enum status frame_pop(struct validator *v, struct frame *ret);
struct type_list block_params(const struct validator *v, const struct wasm_block_type *block);
struct type_list block_results(const struct validator *v, const struct wasm_block_type *block);

/* What a branch to the frame takes along. */
struct type_list frame_label(const struct validator *v, const struct frame *f);
NODISCARD enum status label_find(struct validator *v, uint32_t depth, struct frame **ret);

/* What follows cannot be reached. */
void mark_unreachable(struct validator *v);

/* Undoes what the block has set, down to `base` entries of v->inits. */
void inits_undo(struct validator *v, uint32_t base);

/* ---- lookups: validate_stack.c; each is the only check of that index space ---- */

NODISCARD enum status find_type(struct validator *v, uint32_t index, enum wasm_composite composite,
                                const struct wasm_type **ret);
NODISCARD enum status find_func(struct validator *v, uint32_t index, const struct wasm_type **ret);
NODISCARD enum status find_table(struct validator *v, uint32_t index,
                                 const struct wasm_table **ret);
NODISCARD enum status find_memory(struct validator *v, uint32_t index, enum wasm_kind *ret_address);
NODISCARD enum status find_tag(struct validator *v, uint32_t index, const struct wasm_type **ret);
NODISCARD enum status find_data(struct validator *v, uint32_t index);
NODISCARD enum status find_element(struct validator *v, uint32_t index,
                                   const struct wasm_element_segment **ret);
NODISCARD enum status check_type(struct validator *v, struct wasm_valtype type);

static inline bool matches(const struct validator *v, struct wasm_valtype a, struct wasm_valtype b)
{
    return wasm_valtype_matches(v->m, a, v->m, b);
}

static inline struct type_list params_of(const struct wasm_type *t)
{
    return (struct type_list){t->params, t->params_count};
}

static inline struct type_list results_of(const struct wasm_type *t)
{
    return (struct type_list){t->results, t->results_count};
}

/* ---- families ---- */

/* The parts of all instructions that open a block: the type's check, then the parameters' way in.
 */
NODISCARD enum status check_block_type(struct validator *v);
NODISCARD enum status enter_block(struct validator *v);

NODISCARD enum status validate_control(struct validator *v);
NODISCARD enum status validate_call(struct validator *v);
NODISCARD enum status validate_exception(struct validator *v);
NODISCARD enum status validate_variable(struct validator *v);
NODISCARD enum status validate_parametric(struct validator *v);
NODISCARD enum status validate_memory(struct validator *v);
NODISCARD enum status validate_memory_access(struct validator *v);
NODISCARD enum status validate_table(struct validator *v);
NODISCARD enum status validate_reference(struct validator *v);
NODISCARD enum status validate_cast(struct validator *v);
NODISCARD enum status validate_struct(struct validator *v);
NODISCARD enum status validate_array(struct validator *v);

#endif
