/* Reads the instructions of function bodies and constant expressions, one at a time: opcode and
 * immediates. The validator, the code generator and the tests read with this and nothing else, so
 * what is malformed is decided in one place. */
#ifndef WASM_INSTR_H
#define WASM_INSTR_H

#include "wasm/wasm.h"

/* WASM_OP_<NAME> for each line of opcode.def; prefixed opcodes are (prefix << 16 | number), such as
 * 0xFC000A for memory.copy. */
enum wasm_op {
#define OP(name, code, text, immediate, signature) WASM_OP_##name = (code),
#include "wasm/opcode.def"
#undef OP
};

/* The kinds of immediates, a column of opcode.def. */
enum wasm_immediate {
    WASM_IMM_NONE,
    WASM_IMM_BLOCK,         /* block */
    WASM_IMM_LABEL,         /* index */
    WASM_IMM_LABEL_TABLE,   /* labels */
    WASM_IMM_INDEX,         /* index: function, local, global, table, type, tag, segment … */
    WASM_IMM_INDEX2,        /* index, index2 */
    WASM_IMM_CALL_INDIRECT, /* index = type, index2 = table */
    WASM_IMM_SELECT,        /* types */
    WASM_IMM_MEMARG,        /* memarg */
    WASM_IMM_MEMARG_LANE,   /* memarg, lane */
    WASM_IMM_I32,           /* value.i32 */
    WASM_IMM_I64,
    WASM_IMM_F32, /* value.f32_bits */
    WASM_IMM_F64,
    WASM_IMM_V128,      /* value.v128 */
    WASM_IMM_LANE,      /* lane */
    WASM_IMM_SHUFFLE,   /* value.v128: 16 lane numbers */
    WASM_IMM_HEAP,      /* type: the reference type that ref.null, ref.test … name */
    WASM_IMM_CAST,      /* index = label, type = from, type2 = to (br_on_cast) */
    WASM_IMM_TRY_TABLE, /* block, catches */
};

struct wasm_memarg {
    uint32_t align_log2;
    uint32_t memory;
    uint64_t offset;
};

enum wasm_block_form { WASM_BLOCK_EMPTY, WASM_BLOCK_VALUE, WASM_BLOCK_TYPE };

struct wasm_block_type {
    enum wasm_block_form form;
    struct wasm_valtype value; /* WASM_BLOCK_VALUE: the one result */
    uint32_t type;             /* WASM_BLOCK_TYPE: index of a function type */
};

/* Of an instruction only op, immediate, offset and what its kind of immediate names are set; the
 * rest keeps what it held before. */
struct wasm_instr {
    uint32_t op;       /* enum wasm_op */
    uint8_t immediate; /* enum wasm_immediate */
    uint8_t lane;
    size_t offset; /* of the opcode's first byte */
    uint32_t index, index2;
    struct wasm_block_type block;
    struct wasm_memarg memarg;
    struct wasm_valtype type, type2;
    union {
        int32_t i32;
        int64_t i64;
        uint32_t f32_bits;
        uint64_t f64_bits;
        uint8_t v128[16];
    } value;
    /* Vectors stay in the module's bytes: `vector_count` entries starting at `vector_offset`, read
     * with wasm_label_next(), wasm_select_next() and wasm_catch_next() on a reader of their own. */
    uint32_t vector_count; /* br_table: labels without the default, which comes last */
    size_t vector_offset;
};

/* A cursor over [offset, end) of the module's bytes. */
struct wasm_reader {
    const uint8_t *bytes;
    size_t offset, end;
};

struct wasm_catch {
    uint8_t kind; /* 0 catch, 1 catch_ref, 2 catch_all, 3 catch_all_ref */
    uint32_t tag, label;
};

/* Reads one instruction and moves on. Checks all that concerns a single instruction's encoding
 * (LEB128 forms, known opcode, lane and alignment encodings), not types or index ranges.
 * Errors: ST_INVALID with the offset, ST_UNSUPPORTED for instructions outside of 3.0, by name. */
NODISCARD enum status wasm_instr_next(struct wasm_reader *r, struct wasm_instr *ret,
                                      struct error *err);

/* Entries of an instruction's vector; each checks and moves on. A br_table has vector_count + 1. */
NODISCARD enum status wasm_label_next(struct wasm_reader *r, uint32_t *ret, struct error *err);
NODISCARD enum status wasm_select_next(struct wasm_reader *r, struct wasm_valtype *ret,
                                       struct error *err);
NODISCARD enum status wasm_catch_next(struct wasm_reader *r, struct wasm_catch *ret,
                                      struct error *err);

/* "i32.add"; "unknown" for a number that is no opcode. */
const char *wasm_op_name(uint32_t op);

/* The operand signature column of opcode.def, such as "ii:i", or NULL when the instruction's type
 * depends on its immediates. Letters: i i32, l i64, f f32, d f64, v v128,
 * a the address type of the memory that the memarg (or, for memory.size, memory.grow and
 * memory.fill, the index) names. */
const char *wasm_op_signature(uint32_t op);

/* log2 of the bytes that a load or store with a memarg reaches: 0 for i32.load8_s. */
uint32_t wasm_op_access_log2(uint32_t op);

#endif
