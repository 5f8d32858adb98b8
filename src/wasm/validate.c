#include "validate.h"

#include <stdlib.h>

enum status validator_new(struct wasm_module *m, struct error *err, struct validator **ret)
{
    struct validator *v = calloc(1, sizeof *v);
    if (!v) return error_set(err, ST_NO_MEMORY, "out of memory for the validator");
    v->m = m;
    v->err = err;
    *ret = v;
    return ST_OK;
}

void validator_free(struct validator *v)
{
    if (!v) return;
    free(v->operands);
    free(v->frames);
    free(v->run_ends);
    free(v->inits);
    free(v);
}

/* Core §3.4.13. */
static bool is_constant(const struct validator *v)
{
    switch (v->in.op) {
    case WASM_OP_END:
    case WASM_OP_I32_CONST:
    case WASM_OP_I64_CONST:
    case WASM_OP_F32_CONST:
    case WASM_OP_F64_CONST:
    case WASM_OP_V128_CONST:
    case WASM_OP_REF_NULL:
    case WASM_OP_REF_FUNC:
    case WASM_OP_REF_I31:
    case WASM_OP_STRUCT_NEW:
    case WASM_OP_STRUCT_NEW_DEFAULT:
    case WASM_OP_ARRAY_NEW:
    case WASM_OP_ARRAY_NEW_DEFAULT:
    case WASM_OP_ARRAY_NEW_FIXED:
    case WASM_OP_ANY_CONVERT_EXTERN:
    case WASM_OP_EXTERN_CONVERT_ANY:
    case WASM_OP_I32_ADD:
    case WASM_OP_I32_SUB:
    case WASM_OP_I32_MUL:
    case WASM_OP_I64_ADD:
    case WASM_OP_I64_SUB:
    case WASM_OP_I64_MUL: return true;
    case WASM_OP_GLOBAL_GET:
        return v->in.index >= v->m->globals_count || !v->m->globals[v->in.index].mutable;
    default: return false;
    }
}

static enum status check_constant(struct validator *v)
{
    if (!is_constant(v)) return validate_fail(v, "constant expression required");
    switch (v->in.op) {
    case WASM_OP_I32_ADD:
    case WASM_OP_I32_SUB:
    case WASM_OP_I32_MUL:
    case WASM_OP_I64_ADD:
    case WASM_OP_I64_SUB:
    case WASM_OP_I64_MUL: v->features |= WASM_FEATURE_EXTENDED_CONST; break;
    default: break;
    }
    return ST_OK;
}

/* log2 of the bytes of a lane of extract_lane and replace_lane. */
static uint32_t lane_bytes_log2(uint32_t op)
{
    if (op <= WASM_OP_I8X16_REPLACE_LANE) return 0;
    if (op <= WASM_OP_I16X8_REPLACE_LANE) return 1;
    if (op <= WASM_OP_I32X4_REPLACE_LANE) return 2;
    if (op <= WASM_OP_I64X2_REPLACE_LANE) return 3;
    return op <= WASM_OP_F32X4_REPLACE_LANE ? 2 : 3;
}

/* The instructions whose type is a column of opcode.def. */
static enum status validate_simple(struct validator *v)
{
    if (v->in.immediate == WASM_IMM_LANE && v->in.lane >= 16u >> lane_bytes_log2(v->in.op))
        return validate_fail(v, "invalid lane index %u", v->in.lane);
    const char *signature = wasm_op_signature(v->in.op);
    if (!signature) return error_set(v->err, ST_INTERNAL, "opcode.def lacks a signature");
    return apply_signature(v, signature, WASM_I32);
}

static enum status validate_bulk(struct validator *v)
{
    if (v->in.op < WASM_OP_MEMORY_INIT) return validate_simple(v);
    v->features |= WASM_FEATURE_BULK_MEMORY;
    if (v->in.op <= WASM_OP_MEMORY_FILL) return validate_memory(v);
    return validate_table(v);
}

static enum status validate_collected(struct validator *v)
{
    v->features |= WASM_FEATURE_GC;
    if (v->in.op <= WASM_OP_STRUCT_SET) return validate_struct(v);
    if (v->in.op <= WASM_OP_ARRAY_INIT_ELEM) return validate_array(v);
    return validate_cast(v);
}

static enum status validate_vector(struct validator *v)
{
    v->features |= WASM_FEATURE_SIMD;
    if (v->in.op >= WASM_OP_I8X16_RELAXED_SWIZZLE) v->features |= WASM_FEATURE_RELAXED_SIMD;
    if (v->in.immediate == WASM_IMM_MEMARG || v->in.immediate == WASM_IMM_MEMARG_LANE)
        return validate_memory_access(v);
    return validate_simple(v);
}

static enum status validate_one(struct validator *v)
{
    uint32_t op = v->in.op;
    if (v->constant) TRY(check_constant(v));
    switch (op >> 16) {
    case 0xFB: return validate_collected(v);
    case 0xFC: return validate_bulk(v);
    case 0xFD: return validate_vector(v);
    default: break;
    }
    if (op >= WASM_OP_I32_CONST && op < WASM_OP_REF_NULL) return validate_simple(v);
    if (op >= WASM_OP_REF_NULL) return validate_reference(v);
    if (op >= WASM_OP_MEMORY_SIZE) return validate_memory(v);
    if (op >= WASM_OP_I32_LOAD) return validate_memory_access(v);
    if (op >= WASM_OP_TABLE_GET) return validate_table(v);
    if (op >= WASM_OP_LOCAL_GET) return validate_variable(v);
    if (op == WASM_OP_TRY_TABLE || op == WASM_OP_THROW || op == WASM_OP_THROW_REF)
        return validate_exception(v);
    if (op >= WASM_OP_DROP) return validate_parametric(v);
    if (op >= WASM_OP_CALL) return validate_call(v);
    return validate_control(v);
}

static enum status validate_until_end(struct validator *v)
{
    while (v->frames_count) {
        TRY(wasm_instr_next(&v->r, &v->in, v->err));
        TRY(validate_one(v));
    }
    return ST_OK;
}

static void validator_reset(struct validator *v)
{
    v->operands_count = 0;
    v->frames_count = 0;
    inits_undo(v, 0);
}

/* Spreads the first locals out, and notes where each run ends for the others. */
static enum status locals_prepare(struct validator *v, const struct wasm_func *f)
{
    v->func = f;
    v->func_type = &v->m->types[f->type];
    if (!GROW(v->run_ends, v->run_ends_capacity, f->runs_count)) return validate_fail_memory(v);
    uint32_t end = 0, expanded = 0;
    for (uint32_t i = 0; i < f->runs_count; i++) {
        end += f->runs[i].count;
        v->run_ends[i] = end;
        while (expanded < end && expanded < VALIDATE_LOCALS_EXPANDED)
            v->locals[expanded++] = f->runs[i].type;
    }
    return ST_OK;
}

enum status validate_body(struct validator *v, const struct wasm_func *f)
{
    validator_reset(v);
    v->constant = false;
    v->in.op = WASM_OP_BLOCK;
    v->in.offset = f->body_offset;
    v->r = (struct wasm_reader){v->m->bytes, f->body_offset, f->body_end};
    TRY(locals_prepare(v, f));
    struct wasm_block_type block = {.form = WASM_BLOCK_TYPE, .type = f->type};
    TRY(frame_push(v, WASM_OP_BLOCK, block));
    TRY(validate_until_end(v));
    if (v->r.offset != v->r.end)
        return wasm_fail(v->err, ST_INVALID, v->r.offset, "bytes behind the end of the function");
    return ST_OK;
}

enum status validate_constant(struct validator *v, struct wasm_reader *r,
                              struct wasm_valtype expected, struct wasm_expr *ret)
{
    validator_reset(v);
    v->constant = true;
    v->in.op = WASM_OP_BLOCK;
    v->in.offset = r->offset;
    v->r = *r;
    struct wasm_block_type block = {.form = WASM_BLOCK_VALUE, .value = expected};
    TRY(frame_push(v, WASM_OP_BLOCK, block));
    TRY(validate_until_end(v));
    *ret = (struct wasm_expr){.offset = r->offset, .size_bytes = v->r.offset - r->offset};
    r->offset = v->r.offset;
    return ST_OK;
}
