/* Active data segments, for init functions. A language runtime that was snapshotted has thousands,
 * at constant offsets: those are rows of a table that a loop goes through, instead of two calls
 * each, which would take longer to compile than they take to run. */
#include <stdlib.h>

#include "emit_module.h"

/* Fewer in a row are calls: then a trap tells which segment it was. */
#define LOOP_SEGMENTS_MIN 64u

struct row {
    uint64_t at, count;
    uint32_t memory, segment;
};

static bool constant_offset(const struct wasm_module *m, struct wasm_expr expr, uint64_t *ret)
{
    struct wasm_reader r = {m->bytes, expr.offset, expr.offset + expr.size_bytes};
    struct wasm_instr first, end;
    if (wasm_instr_next(&r, &first, NULL) || wasm_instr_next(&r, &end, NULL) ||
        end.op != WASM_OP_END)
        return false;
    if (first.op == WASM_OP_I32_CONST) {
        *ret = (uint32_t)first.value.i32;
        return true;
    }
    *ret = (uint64_t)first.value.i64;
    return first.op == WASM_OP_I64_CONST;
}

static LLVMValueRef rows_constant(struct function_emitter *f, const struct row *rows,
                                  uint32_t count)
{
    LLVMValueRef bytes =
        LLVMConstStringInContext2(f->e->context, (const char *)rows, count * sizeof *rows, true);
    LLVMValueRef table = LLVMAddGlobal(f->e->module, LLVMTypeOf(bytes), "segments");
    LLVMSetInitializer(table, bytes);
    LLVMSetGlobalConstant(table, true);
    LLVMSetLinkage(table, LLVMPrivateLinkage);
    LLVMSetAlignment(table, _Alignof(struct row));
    return table;
}

static LLVMValueRef load_field(struct function_emitter *f, LLVMValueRef row, LLVMTypeRef type,
                               size_t offset)
{
    LLVMValueRef at = emit_i64(f->e, offset);
    return LLVMBuildLoad2(f->builder, type, LLVMBuildGEP2(f->builder, f->t->i8, row, &at, 1, ""),
                          "");
}

static void apply_rows(struct function_emitter *f, const struct row *rows, uint32_t count)
{
    LLVMValueRef table = rows_constant(f, rows, count);
    LLVMBasicBlockRef before = LLVMGetInsertBlock(f->builder);
    LLVMBasicBlockRef loop = emit_block_new(f), behind = emit_block_new(f);
    LLVMBuildBr(f->builder, loop);
    emit_block_enter(f, loop, false);
    LLVMValueRef offset = LLVMBuildPhi(f->builder, f->t->i64, "");
    LLVMValueRef row = LLVMBuildGEP2(f->builder, f->t->i8, table, &offset, 1, "");
    LLVMValueRef segment = load_field(f, row, f->t->i32, offsetof(struct row, segment));
    LLVMValueRef args[5] = {load_field(f, row, f->t->i32, offsetof(struct row, memory)), segment,
                            load_field(f, row, f->t->i64, offsetof(struct row, at)),
                            emit_i64(f->e, 0),
                            load_field(f, row, f->t->i64, offsetof(struct row, count))};
    emit_helper(f, HELPER_memory_init, args, 5);
    emit_helper(f, HELPER_data_drop, &segment, 1);
    LLVMValueRef next = LLVMBuildAdd(f->builder, offset, emit_i64(f->e, sizeof *rows), "");
    LLVMValueRef more =
        LLVMBuildICmp(f->builder, LLVMIntULT, next, emit_i64(f->e, count * sizeof *rows), "");
    LLVMBasicBlockRef end = LLVMGetInsertBlock(f->builder);
    LLVMBuildCondBr(f->builder, more, loop, behind);
    LLVMValueRef values[2] = {emit_i64(f->e, 0), next};
    LLVMBasicBlockRef blocks[2] = {before, end};
    LLVMAddIncoming(offset, values, blocks, 2);
    emit_block_enter(f, behind, false);
}

enum status emit_constant_datas(struct function_emitter *f, uint32_t first, uint32_t *ret_count)
{
    const struct wasm_module *m = f->module;
    const struct program_instance *in = f->facts.instance;
    uint64_t at;
    uint32_t count = 0;
    *ret_count = 0;
    while (first + count < m->datas_count && m->datas[first + count].mode == WASM_ACTIVE &&
           constant_offset(m, m->datas[first + count].offset, &at))
        count++;
    if (count < LOOP_SEGMENTS_MIN) return ST_OK;
    struct row *rows = calloc(count, sizeof *rows);
    if (!rows) return error_set(f->err, ST_NO_MEMORY, "code generation: segments");
    for (uint32_t i = 0; i < count; i++) {
        const struct wasm_data_segment *d = &m->datas[first + i];
        (void)constant_offset(m, d->offset, &at);
        rows[i] =
            (struct row){at, d->bytes_size, in->memories[d->memory], in->datas_first + first + i};
    }
    emit_at(f, m->datas[first].offset.offset);
    apply_rows(f, rows, count);
    free(rows);
    *ret_count = count;
    return ST_OK;
}
