#include <stdio.h>
#include <string.h>

#include "validate.h"

#define TYPE_TEXT_MAX 40

enum status validate_fail(struct validator *v, const char *fmt, ...)
{
    char text[192];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return wasm_fail(v->err, ST_INVALID, v->in.offset, "%s: %s", wasm_op_name(v->in.op), text);
}

enum status validate_fail_unknown(struct validator *v, const char *what, uint32_t index)
{
    return validate_fail(v, "unknown %s %u", what, index);
}

enum status validate_fail_memory(struct validator *v)
{
    return wasm_fail_memory(v->err, v->in.offset);
}

static enum status fail_mismatch(struct validator *v, struct wasm_valtype expected,
                                 const struct wasm_valtype *found)
{
    char want[TYPE_TEXT_MAX], have[TYPE_TEXT_MAX] = "an empty stack";
    wasm_valtype_print(expected, want, sizeof want);
    if (found) wasm_valtype_print(*found, have, sizeof have);
    return validate_fail(v, "type mismatch: expected %s, found %s", want, have);
}

static inline struct frame *top(struct validator *v)
{
    return &v->frames[v->frames_count - 1];
}

static enum status operands_reserve(struct validator *v, uint32_t more)
{
    if (more > VALIDATE_OPERANDS_MAX - v->operands_count)
        return wasm_fail(v->err, ST_LIMIT, v->in.offset, "more than %u operands on the stack",
                         VALIDATE_OPERANDS_MAX);
    if (!GROW(v->operands, v->operands_capacity, v->operands_count + more))
        return validate_fail_memory(v);
    return ST_OK;
}

enum status push(struct validator *v, struct wasm_valtype type)
{
    if (v->operands_count == v->operands_capacity || v->operands_count >= VALIDATE_OPERANDS_MAX)
        TRY(operands_reserve(v, 1));
    v->operands[v->operands_count++] = type;
    return ST_OK;
}

enum status push_number(struct validator *v, enum wasm_kind kind)
{
    return push(v, valtype_number(kind));
}

enum status push_list(struct validator *v, struct type_list list)
{
    TRY(operands_reserve(v, list.count));
    if (list.count)
        memcpy(v->operands + v->operands_count, list.items, list.count * sizeof *list.items);
    v->operands_count += list.count;
    return ST_OK;
}

/* Below a frame's base there is nothing to pop, or, in unreachable code, whatever is asked for. */
static inline bool stack_is_empty(struct validator *v)
{
    return v->operands_count == top(v)->operands_base;
}

bool stack_is_polymorphic(struct validator *v)
{
    return stack_is_empty(v) && top(v)->unreachable;
}

enum status pop_any(struct validator *v, struct wasm_valtype *ret)
{
    *ret = (struct wasm_valtype){0};
    if (stack_is_empty(v)) {
        if (top(v)->unreachable) return ST_OK;
        return validate_fail(v, "type mismatch: expected an operand, found an empty stack");
    }
    *ret = v->operands[--v->operands_count];
    return ST_OK;
}

enum status pop(struct validator *v, struct wasm_valtype expected)
{
    if (stack_is_empty(v)) {
        if (top(v)->unreachable) return ST_OK;
        return fail_mismatch(v, expected, NULL);
    }
    struct wasm_valtype found = v->operands[--v->operands_count];
    if (!matches(v, found, expected)) return fail_mismatch(v, expected, &found);
    return ST_OK;
}

enum status pop_number(struct validator *v, enum wasm_kind kind)
{
    if (!stack_is_empty(v)) {
        uint8_t found = v->operands[v->operands_count - 1].kind;
        if (found == kind || found == WASM_BOTTOM) {
            v->operands_count--;
            return ST_OK;
        }
    }
    return pop(v, valtype_number(kind));
}

enum status pop_ref(struct validator *v, struct wasm_valtype *ret)
{
    TRY(pop_any(v, ret));
    if (ret->kind == WASM_BOTTOM)
        *ret = (struct wasm_valtype){.kind = WASM_REF, .heap = HEAP_BOTTOM};
    if (ret->kind == WASM_REF) return ST_OK;
    char have[TYPE_TEXT_MAX];
    wasm_valtype_print(*ret, have, sizeof have);
    return validate_fail(v, "type mismatch: expected a reference, found %s", have);
}

/* Most operands are numbers of the very type that is expected. */
static inline bool operand_matches(const struct validator *v, struct wasm_valtype found,
                                   struct wasm_valtype expected)
{
    if (found.kind == expected.kind && found.kind != WASM_REF) return true;
    return matches(v, found, expected);
}

enum status peek_list(struct validator *v, struct type_list list)
{
    uint32_t base = top(v)->operands_base, at = v->operands_count;
    for (uint32_t i = list.count; i-- > 0;) {
        if (at == base) {
            if (top(v)->unreachable) return ST_OK;
            return fail_mismatch(v, list.items[i], NULL);
        }
        if (!operand_matches(v, v->operands[--at], list.items[i]))
            return fail_mismatch(v, list.items[i], &v->operands[at]);
    }
    return ST_OK;
}

enum status pop_list(struct validator *v, struct type_list list)
{
    TRY(peek_list(v, list));
    uint32_t there = v->operands_count - top(v)->operands_base;
    v->operands_count -= list.count < there ? list.count : there;
    return ST_OK;
}

static enum wasm_kind letter_kind(char letter, enum wasm_kind address)
{
    switch (letter) {
    case 'i': return WASM_I32;
    case 'l': return WASM_I64;
    case 'f': return WASM_F32;
    case 'd': return WASM_F64;
    case 'v': return WASM_V128;
    default: return address;
    }
}

enum status apply_signature(struct validator *v, const char *signature, enum wasm_kind address)
{
    const char *colon = signature;
    while (*colon != ':') colon++;
    for (const char *c = colon; c-- > signature;) TRY(pop_number(v, letter_kind(*c, address)));
    if (!colon[1]) return ST_OK;
    return push_number(v, letter_kind(colon[1], address));
}

enum status frame_push(struct validator *v, uint32_t op, struct wasm_block_type block)
{
    if (v->frames_count > WASM_BLOCK_DEPTH_MAX)
        return wasm_fail(v->err, ST_LIMIT, v->in.offset, "blocks nested deeper than %u",
                         WASM_BLOCK_DEPTH_MAX);
    if (!GROW(v->frames, v->frames_capacity, v->frames_count + 1)) return validate_fail_memory(v);
    v->frames[v->frames_count++] = (struct frame){
        .op = op,
        .block = block,
        .operands_base = v->operands_count,
        .inits_base = v->inits_count,
    };
    return ST_OK;
}

enum status frame_pop(struct validator *v, struct frame *ret)
{
    TRY(pop_list(v, block_results(v, &top(v)->block)));
    if (v->operands_count != top(v)->operands_base)
        return validate_fail(v, "type mismatch: %u values too many at the end of the block",
                             v->operands_count - top(v)->operands_base);
    *ret = *top(v);
    inits_undo(v, ret->inits_base);
    v->frames_count--;
    return ST_OK;
}

struct type_list block_params(const struct validator *v, const struct wasm_block_type *block)
{
    if (block->form != WASM_BLOCK_TYPE) return (struct type_list){NULL, 0};
    return params_of(&v->m->types[block->type]);
}

struct type_list block_results(const struct validator *v, const struct wasm_block_type *block)
{
    if (block->form == WASM_BLOCK_EMPTY) return (struct type_list){NULL, 0};
    if (block->form == WASM_BLOCK_VALUE) return (struct type_list){&block->value, 1};
    return results_of(&v->m->types[block->type]);
}

struct type_list frame_label(const struct validator *v, const struct frame *f)
{
    return f->op == WASM_OP_LOOP ? block_params(v, &f->block) : block_results(v, &f->block);
}

enum status label_find(struct validator *v, uint32_t depth, struct frame **ret)
{
    if (depth >= v->frames_count) return validate_fail_unknown(v, "label", depth);
    *ret = &v->frames[v->frames_count - 1 - depth];
    return ST_OK;
}

void mark_unreachable(struct validator *v)
{
    v->operands_count = top(v)->operands_base;
    top(v)->unreachable = true;
}

void inits_undo(struct validator *v, uint32_t base)
{
    while (v->inits_count > base) v->local_is_set[v->inits[--v->inits_count]] = false;
}
