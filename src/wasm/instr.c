#include "wasm/instr.h"

#include <string.h>

#include "reader.h"

/* One dense table of all opcodes: the single-byte ones, then those of each prefix. */
#define SLOTS_FB 256u
#define SLOTS_FC (SLOTS_FB + 0x1fu)
#define SLOTS_FD (SLOTS_FC + 0x12u)
#define SLOTS    (SLOTS_FD + 0x114u)

#define SLOT(code)                                                                                 \
    ((code) < 0x100u     ? (code)                                                                  \
     : (code) < 0xFC0000 ? SLOTS_FB + ((code) & 0xFFFFu)                                           \
     : (code) < 0xFD0000 ? SLOTS_FC + ((code) & 0xFFFFu)                                           \
                         : SLOTS_FD + ((code) & 0xFFFFu))

struct op_info {
    const char *text; /* NULL: no such opcode */
    const char *signature;
    uint8_t immediate;
};

static const struct op_info op_table[SLOTS] = {
#define OP(name, code, text, immediate, signature)                                                 \
    [SLOT(code)] = {text, signature, WASM_IMM_##immediate},
#include "wasm/opcode.def"
#undef OP
};

static const struct op_info *op_find(uint32_t op)
{
    static const struct op_info none = {0};
    uint32_t prefix = op >> 16, number = op & 0xFFFF, slot = SLOTS;
    if (!prefix && number < SLOTS_FB) slot = number;
    if (prefix == 0xFB && number < SLOTS_FC - SLOTS_FB) slot = SLOTS_FB + number;
    if (prefix == 0xFC && number < SLOTS_FD - SLOTS_FC) slot = SLOTS_FC + number;
    if (prefix == 0xFD && number < SLOTS - SLOTS_FD) slot = SLOTS_FD + number;
    return slot < SLOTS ? &op_table[slot] : &none;
}

const char *wasm_op_name(uint32_t op)
{
    const char *text = op_find(op)->text;
    return text ? text : "unknown";
}

const char *wasm_op_signature(uint32_t op)
{
    return op_find(op)->signature;
}

/* Instructions that other documents define and 3.0 does not have. */
static const char *op_foreign(uint8_t byte)
{
    switch (byte) {
    case 0x06: return "legacy exceptions: try";
    case 0x07: return "legacy exceptions: catch";
    case 0x09: return "legacy exceptions: rethrow";
    case 0x18: return "legacy exceptions: delegate";
    case 0x19: return "legacy exceptions: catch_all";
    case 0xFE: return "threads: an atomic instruction";
    default: return NULL;
    }
}

static enum status op_unknown(const struct wasm_reader *r, size_t start, struct error *err)
{
    uint8_t byte = r->bytes[start];
    const char *foreign = op_foreign(byte);
    if (foreign)
        return wasm_fail(err, ST_UNSUPPORTED, start, "%s is not part of WebAssembly 3.0", foreign);
    if (byte >= 0xFB && byte <= 0xFD)
        return wasm_fail(err, ST_INVALID, start, "illegal opcode with prefix 0x%02x", byte);
    return wasm_fail(err, ST_INVALID, start, "illegal opcode 0x%02x", byte);
}

static enum status op_next(struct wasm_reader *r, uint32_t *ret, const struct op_info **ret_info,
                           struct error *err)
{
    size_t start = r->offset;
    uint8_t byte = 0;
    TRY(reader_u8(r, &byte, err));
    const struct op_info *info = &op_table[byte];
    uint32_t op = byte;
    if (byte >= 0xFB && byte <= 0xFD) {
        uint32_t number;
        TRY(reader_u32(r, &number, err));
        if (number > 0xFFFF) return op_unknown(r, start, err);
        op = (uint32_t)byte << 16 | number;
        info = op_find(op);
    }
    if (!info->text) return op_unknown(r, start, err);
    *ret = op;
    *ret_info = info;
    return ST_OK;
}

/* Core §5.4.6: below 2^6 the flags are the alignment, with bit 6 a memory index follows. */
static enum status memarg_next(struct wasm_reader *r, struct wasm_memarg *ret, struct error *err)
{
    size_t start = r->offset;
    uint32_t flags;
    TRY(reader_u32(r, &flags, err));
    if (flags >= 0x80) return wasm_fail(err, ST_INVALID, start, "malformed memory access flags");
    ret->align_log2 = flags & 0x3f;
    ret->memory = 0;
    if (flags & 0x40) TRY(reader_u32(r, &ret->memory, err));
    return reader_u64(r, &ret->offset, err);
}

/* Moves over a vector of `ret->vector_count` entries, after whose reading the instruction goes on
 * where the last one ended. */
static enum status label_table_next(struct wasm_reader *r, struct wasm_instr *ret,
                                    struct error *err)
{
    TRY(reader_count(r, WASM_BR_TABLE_MAX, "br_table labels", &ret->vector_count, err));
    ret->vector_offset = r->offset;
    for (uint32_t i = 0; i <= ret->vector_count; i++) {
        uint32_t label;
        TRY(wasm_label_next(r, &label, err));
    }
    return ST_OK;
}

static enum status select_next(struct wasm_reader *r, struct wasm_instr *ret, struct error *err)
{
    TRY(reader_count(r, WASM_RESULTS_MAX, "types of a select", &ret->vector_count, err));
    ret->vector_offset = r->offset;
    for (uint32_t i = 0; i < ret->vector_count; i++) {
        struct wasm_valtype type;
        TRY(wasm_select_next(r, &type, err));
    }
    return ST_OK;
}

static enum status try_table_next(struct wasm_reader *r, struct wasm_instr *ret, struct error *err)
{
    TRY(reader_block_type(r, &ret->block, err));
    TRY(reader_count(r, WASM_CATCH_CLAUSES_MAX, "catch clauses", &ret->vector_count, err));
    ret->vector_offset = r->offset;
    for (uint32_t i = 0; i < ret->vector_count; i++) {
        struct wasm_catch clause;
        TRY(wasm_catch_next(r, &clause, err));
    }
    return ST_OK;
}

static enum status cast_next(struct wasm_reader *r, struct wasm_instr *ret, struct error *err)
{
    size_t start = r->offset;
    uint8_t flags = 0;
    TRY(reader_u8(r, &flags, err));
    if (flags > 3) return wasm_fail(err, ST_INVALID, start, "malformed cast flags");
    TRY(reader_u32(r, &ret->index, err));
    TRY(reader_heap(r, flags & 1, &ret->type, err));
    return reader_heap(r, flags & 2, &ret->type2, err);
}

static enum status bytes_next(struct wasm_reader *r, void *ret, size_t size_bytes,
                              struct error *err)
{
    const uint8_t *bytes = NULL;
    TRY(reader_bytes(r, size_bytes, &bytes, err));
    memcpy(ret, bytes, size_bytes);
    return ST_OK;
}

static enum status shuffle_next(struct wasm_reader *r, uint8_t lanes[16], struct error *err)
{
    size_t start = r->offset;
    TRY(bytes_next(r, lanes, 16, err));
    for (size_t i = 0; i < 16; i++)
        if (lanes[i] >= 32) return wasm_fail(err, ST_INVALID, start + i, "invalid lane index");
    return ST_OK;
}

/* The type that ref.null, ref.test and ref.cast name: nullable but for the non-null forms. */
static bool heap_nullable(uint32_t op)
{
    return op != WASM_OP_REF_TEST && op != WASM_OP_REF_CAST;
}

static enum status immediate_next(struct wasm_reader *r, struct wasm_instr *ret, struct error *err)
{
    switch ((enum wasm_immediate)ret->immediate) {
    case WASM_IMM_NONE: return ST_OK;
    case WASM_IMM_BLOCK: return reader_block_type(r, &ret->block, err);
    case WASM_IMM_LABEL:
    case WASM_IMM_INDEX: return reader_u32(r, &ret->index, err);
    case WASM_IMM_LABEL_TABLE: return label_table_next(r, ret, err);
    case WASM_IMM_INDEX2:
    case WASM_IMM_CALL_INDIRECT:
        TRY(reader_u32(r, &ret->index, err));
        return reader_u32(r, &ret->index2, err);
    case WASM_IMM_SELECT: return select_next(r, ret, err);
    case WASM_IMM_MEMARG: return memarg_next(r, &ret->memarg, err);
    case WASM_IMM_MEMARG_LANE:
        TRY(memarg_next(r, &ret->memarg, err));
        return reader_u8(r, &ret->lane, err);
    case WASM_IMM_I32: return reader_s32(r, &ret->value.i32, err);
    case WASM_IMM_I64: return reader_s64(r, &ret->value.i64, err);
    case WASM_IMM_F32: return bytes_next(r, &ret->value.f32_bits, 4, err);
    case WASM_IMM_F64: return bytes_next(r, &ret->value.f64_bits, 8, err);
    case WASM_IMM_V128: return bytes_next(r, ret->value.v128, 16, err);
    case WASM_IMM_LANE: return reader_u8(r, &ret->lane, err);
    case WASM_IMM_SHUFFLE: return shuffle_next(r, ret->value.v128, err);
    case WASM_IMM_HEAP: return reader_heap(r, heap_nullable(ret->op), &ret->type, err);
    case WASM_IMM_CAST: return cast_next(r, ret, err);
    case WASM_IMM_TRY_TABLE: return try_table_next(r, ret, err);
    }
    return error_set(err, ST_INTERNAL, "opcode.def names no such immediate");
}

enum status wasm_instr_next(struct wasm_reader *r, struct wasm_instr *ret, struct error *err)
{
    const struct op_info *info = NULL;
    ret->offset = r->offset;
    TRY(op_next(r, &ret->op, &info, err));
    ret->immediate = info->immediate;
    if (info->immediate == WASM_IMM_NONE) return ST_OK;
    return immediate_next(r, ret, err);
}

enum status wasm_label_next(struct wasm_reader *r, uint32_t *ret, struct error *err)
{
    return reader_u32(r, ret, err);
}

enum status wasm_select_next(struct wasm_reader *r, struct wasm_valtype *ret, struct error *err)
{
    return reader_valtype(r, ret, err);
}

enum status wasm_catch_next(struct wasm_reader *r, struct wasm_catch *ret, struct error *err)
{
    size_t start = r->offset;
    TRY(reader_u8(r, &ret->kind, err));
    if (ret->kind > 3) return wasm_fail(err, ST_INVALID, start, "malformed catch clause");
    ret->tag = 0;
    if (ret->kind < 2) TRY(reader_u32(r, &ret->tag, err));
    return reader_u32(r, &ret->label, err);
}

/* Widths of the accesses, as log2 of bytes, in the order of the opcodes. */
uint32_t wasm_op_access_log2(uint32_t op)
{
    static const uint8_t plain[] = {2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1,
                                    2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2};
    static const uint8_t vector[] = {4, 3, 3, 3, 3, 3, 3, 0, 1, 2, 3, 4};
    if (op >= WASM_OP_I32_LOAD && op <= WASM_OP_I64_STORE32) return plain[op - WASM_OP_I32_LOAD];
    if (op >= WASM_OP_V128_LOAD && op <= WASM_OP_V128_STORE) return vector[op - WASM_OP_V128_LOAD];
    if (op >= WASM_OP_V128_LOAD8_LANE && op <= WASM_OP_V128_STORE64_LANE)
        return (op - WASM_OP_V128_LOAD8_LANE) & 3;
    return op == WASM_OP_V128_LOAD64_ZERO ? 3 : 2;
}
