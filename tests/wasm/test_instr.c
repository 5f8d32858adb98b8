#include "../base/cmocka_all.h"

#include <string.h>

#include "wasm/instr.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct op {
    uint32_t code;
    const char *text, *signature;
    uint8_t immediate;
} ops[] = {
#define OP(name, code, text, immediate, signature) {code, text, signature, WASM_IMM_##immediate},
#include "wasm/opcode.def"
#undef OP
};

static size_t encode(uint32_t op, uint8_t bytes[4])
{
    if (op < 0x100) {
        bytes[0] = (uint8_t)op;
        return 1;
    }
    uint32_t number = op & 0xffff;
    bytes[0] = (uint8_t)(op >> 16);
    bytes[1] = (uint8_t)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
    if (number <= 0x7f) return 2;
    bytes[2] = (uint8_t)(number >> 7);
    return 3;
}

/* Zeros are a well-formed immediate of every kind but a block type, which then is an index. */
static void every_opcode_of_the_table_is_read(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_COUNT(ops), 499);
    for (size_t i = 0; i < ARRAY_COUNT(ops); i++) {
        uint8_t bytes[40] = {0};
        encode(ops[i].code, bytes);
        struct wasm_reader r = {bytes, 0, sizeof bytes};
        struct wasm_instr in;
        struct error err;
        if (wasm_instr_next(&r, &in, &err)) fail_msg("%s: %s", ops[i].text, err.text);
        assert_int_equal(in.op, ops[i].code);
        assert_int_equal(in.immediate, ops[i].immediate);
        assert_string_equal(wasm_op_name(in.op), ops[i].text);
        const char *signature = wasm_op_signature(in.op);
        if (ops[i].signature)
            assert_string_equal(signature, ops[i].signature);
        else
            assert_null(signature);
    }
}

/* Cut short at any byte, an instruction is refused and no byte behind the end is looked at. */
static void every_opcode_cut_short_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(ops); i++) {
        uint8_t bytes[40] = {0};
        size_t opcode_size = encode(ops[i].code, bytes);
        struct wasm_reader r = {bytes, 0, sizeof bytes};
        struct wasm_instr in;
        struct error err;
        assert_int_equal(wasm_instr_next(&r, &in, &err), ST_OK);
        size_t whole = r.offset;
        assert_true(whole >= opcode_size);
        for (size_t end = 0; end < whole; end++) {
            r = (struct wasm_reader){bytes, 0, end};
            assert_int_equal(wasm_instr_next(&r, &in, &err), ST_INVALID);
            assert_non_null(strstr(err.text, "offset 0x"));
        }
    }
}

static void numbers_outside_of_the_table_are_no_opcodes(void **state)
{
    (void)state;
    size_t known = 0;
    for (uint32_t prefix = 0; prefix <= 0xff; prefix++) {
        for (uint32_t number = 0; number < (prefix ? 0x200u : 0x100u); number++) {
            uint32_t op = prefix << 16 | number;
            if (strcmp(wasm_op_name(op), "unknown") != 0) known++;
        }
    }
    assert_int_equal(known, ARRAY_COUNT(ops));
    assert_string_equal(wasm_op_name(UINT32_MAX), "unknown");
    assert_null(wasm_op_signature(UINT32_MAX));
}

static const struct {
    const char *bytes;
    size_t size;
    enum status status;
    const char *text;
} refused[] = {
    {BYTES("\x06\x40"), ST_UNSUPPORTED,
     "offset 0x0: legacy exceptions: try is not part of WebAssembly 3.0"},
    {BYTES("\x07\x00"), ST_UNSUPPORTED, "legacy exceptions: catch is"},
    {BYTES("\x09\x00"), ST_UNSUPPORTED, "legacy exceptions: rethrow"},
    {BYTES("\x18\x00"), ST_UNSUPPORTED, "legacy exceptions: delegate"},
    {BYTES("\x19"), ST_UNSUPPORTED, "legacy exceptions: catch_all"},
    {BYTES("\xfe\x00\x02\x00"), ST_UNSUPPORTED, "threads: an atomic instruction"},
    {BYTES("\x16"), ST_INVALID, "offset 0x0: illegal opcode 0x16"},
    {BYTES("\x1d"), ST_INVALID, "illegal opcode 0x1d"},
    {BYTES("\x27"), ST_INVALID, "illegal opcode 0x27"},
    {BYTES("\xc5"), ST_INVALID, "illegal opcode 0xc5"},
    {BYTES("\xd7"), ST_INVALID, "illegal opcode 0xd7"},
    {BYTES("\xff"), ST_INVALID, "illegal opcode 0xff"},
    {BYTES("\xfb\x1f"), ST_INVALID, "illegal opcode with prefix 0xfb"},
    {BYTES("\xfc\x12"), ST_INVALID, "illegal opcode with prefix 0xfc"},
    {BYTES("\xfd\x9a\x01"), ST_INVALID, "illegal opcode with prefix 0xfd"},
    {BYTES("\xfd\x94\x02"), ST_INVALID, "illegal opcode with prefix 0xfd"},
    {BYTES("\xfd\xff\xff\xff\xff\x0f"), ST_INVALID, "illegal opcode with prefix 0xfd"},
    {BYTES("\xfc\x80\x80\x80\x80\x80\x00"), ST_INVALID, "integer representation too long"},
    {BYTES("\x28\x80\x01\x00"), ST_INVALID, "offset 0x1: malformed memory access flags"},
    {BYTES("\x28\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), ST_INVALID, "integer too large"},
    {BYTES("\x02\x41"), ST_INVALID, "malformed value type 0x41"},
    {BYTES("\x02\x78"), ST_INVALID, "malformed value type 0x78"},
    {BYTES("\x02\xff\x7f"), ST_INVALID, "malformed type index"},
    {BYTES("\x0e\x02\x00\x00"), ST_INVALID, "unexpected end"},
    {BYTES("\x0e\xff\xff\xff\xff\x0f"), ST_INVALID, "length out of bounds"},
    {BYTES("\x1c\x01\x40"), ST_INVALID, "malformed value type 0x40"},
    {BYTES("\x1f\x40\x01\x04\x00"), ST_INVALID, "offset 0x3: malformed catch clause"},
    {BYTES("\xd0\x7f"), ST_INVALID, "malformed heap type 0x7f"},
    {BYTES("\xfb\x18\x04\x00\x70\x70"), ST_INVALID, "offset 0x2: malformed cast flags"},
    {BYTES("\xfd\x0d\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x20"), ST_INVALID,
     "offset 0x11: invalid lane index"},
};

static void malformed_instructions_are_refused_with_the_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        struct wasm_reader r = {(const uint8_t *)refused[i].bytes, 0, refused[i].size};
        struct wasm_instr in;
        struct error err = {0};
        enum status st = wasm_instr_next(&r, &in, &err);
        if (st != refused[i].status || !strstr(err.text, refused[i].text))
            fail_msg("%zu: expected \"%s\", got %s \"%s\"", i, refused[i].text, status_name(st),
                     err.text);
    }
}

static struct wasm_instr read_one(const char *bytes, size_t size)
{
    struct wasm_reader r = {(const uint8_t *)bytes, 0, size};
    struct wasm_instr in;
    struct error err;
    memset(&in, 0xee, sizeof in);
    if (wasm_instr_next(&r, &in, &err)) fail_msg("%s", err.text);
    assert_int_equal(r.offset, size);
    assert_int_equal(in.offset, 0);
    return in;
}

static void immediates_land_in_their_fields(void **state)
{
    (void)state;
    struct wasm_instr in = read_one(BYTES("\x41\x7f"));
    assert_int_equal(in.value.i32, -1);
    in = read_one(BYTES("\x42\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"));
    assert_true(in.value.i64 == INT64_MIN);
    in = read_one(BYTES("\x43\x00\x00\xc0\x7f"));
    assert_int_equal(in.value.f32_bits, 0x7fc00000);
    in = read_one(BYTES("\x44\x01\x02\x03\x04\x05\x06\x07\x08"));
    assert_true(in.value.f64_bits == 0x0807060504030201);
    in = read_one(BYTES("\x28\x02\x80\x80\x04"));
    assert_int_equal(in.memarg.align_log2, 2);
    assert_int_equal(in.memarg.memory, 0);
    assert_int_equal(in.memarg.offset, 65536);
    in = read_one(BYTES("\xfd\x54\x40\x07\x09\x0f"));
    assert_int_equal(in.memarg.align_log2, 0);
    assert_int_equal(in.memarg.memory, 7);
    assert_int_equal(in.memarg.offset, 9);
    assert_int_equal(in.lane, 15);
    in = read_one(BYTES("\x11\x05\x06"));
    assert_int_equal(in.index, 5);
    assert_int_equal(in.index2, 6);
    in = read_one(BYTES("\xfc\x08\x03\x04"));
    assert_int_equal(in.index, 3);
    assert_int_equal(in.index2, 4);
    in = read_one(BYTES("\xfb\x18\x01\x02\x6e\x6c"));
    assert_int_equal(in.index, 2);
    assert_true(in.type.nullable && in.type.heap == WASM_HEAP_ANY);
    assert_true(!in.type2.nullable && in.type2.heap == WASM_HEAP_I31);
    in = read_one(BYTES("\xfb\x14\x03"));
    assert_true(!in.type.nullable && in.type.heap == WASM_HEAP_TYPE && in.type.type == 3);
    in = read_one(BYTES("\xfb\x15\x6b"));
    assert_true(in.type.nullable && in.type.heap == WASM_HEAP_STRUCT);
    in = read_one(BYTES("\x02\x40"));
    assert_int_equal(in.block.form, WASM_BLOCK_EMPTY);
    in = read_one(BYTES("\x03\x7c"));
    assert_int_equal(in.block.form, WASM_BLOCK_VALUE);
    assert_int_equal(in.block.value.kind, WASM_F64);
    in = read_one(BYTES("\x04\x80\x01"));
    assert_int_equal(in.block.form, WASM_BLOCK_TYPE);
    assert_int_equal(in.block.type, 128);
}

static void vectors_are_read_again_from_where_they_stand(void **state)
{
    (void)state;
    static const char table[] = "\x0e\x03\x01\x00\x80\x01\x05";
    struct wasm_instr in = read_one(BYTES(table));
    struct wasm_reader r = {(const uint8_t *)table, in.vector_offset, sizeof table - 1};
    static const uint32_t labels[] = {1, 0, 128, 5};
    assert_int_equal(in.vector_count, 3);
    for (size_t i = 0; i < ARRAY_COUNT(labels); i++) {
        uint32_t label;
        assert_int_equal(wasm_label_next(&r, &label, NULL), ST_OK);
        assert_int_equal(label, labels[i]);
    }
    assert_int_equal(r.offset, r.end);

    static const char clauses[] = "\x1f\x40\x03\x00\x01\x02\x03\x04\x01\x05\x06";
    in = read_one(BYTES(clauses));
    r = (struct wasm_reader){(const uint8_t *)clauses, in.vector_offset, sizeof clauses - 1};
    static const struct wasm_catch expected[] = {{0, 1, 2}, {3, 0, 4}, {1, 5, 6}};
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        struct wasm_catch clause;
        assert_int_equal(wasm_catch_next(&r, &clause, NULL), ST_OK);
        assert_int_equal(clause.kind, expected[i].kind);
        assert_int_equal(clause.tag, expected[i].tag);
        assert_int_equal(clause.label, expected[i].label);
    }

    static const char select[] = "\x1c\x02\x7f\x63\x05";
    in = read_one(BYTES(select));
    r = (struct wasm_reader){(const uint8_t *)select, in.vector_offset, sizeof select - 1};
    struct wasm_valtype type;
    assert_int_equal(wasm_select_next(&r, &type, NULL), ST_OK);
    assert_int_equal(type.kind, WASM_I32);
    assert_int_equal(wasm_select_next(&r, &type, NULL), ST_OK);
    assert_int_equal(type.type, 5);
}

static void accesses_know_their_width(void **state)
{
    (void)state;
    static const struct {
        uint32_t op, log2;
    } widths[] = {
        {WASM_OP_I32_LOAD, 2},          {WASM_OP_I64_LOAD, 3},
        {WASM_OP_F32_LOAD, 2},          {WASM_OP_F64_LOAD, 3},
        {WASM_OP_I32_LOAD8_S, 0},       {WASM_OP_I32_LOAD16_U, 1},
        {WASM_OP_I64_LOAD8_U, 0},       {WASM_OP_I64_LOAD16_S, 1},
        {WASM_OP_I64_LOAD32_S, 2},      {WASM_OP_I64_LOAD32_U, 2},
        {WASM_OP_I32_STORE, 2},         {WASM_OP_I64_STORE, 3},
        {WASM_OP_F32_STORE, 2},         {WASM_OP_F64_STORE, 3},
        {WASM_OP_I32_STORE8, 0},        {WASM_OP_I32_STORE16, 1},
        {WASM_OP_I64_STORE8, 0},        {WASM_OP_I64_STORE16, 1},
        {WASM_OP_I64_STORE32, 2},       {WASM_OP_V128_LOAD, 4},
        {WASM_OP_V128_LOAD8X8_S, 3},    {WASM_OP_V128_LOAD32X2_U, 3},
        {WASM_OP_V128_LOAD8_SPLAT, 0},  {WASM_OP_V128_LOAD16_SPLAT, 1},
        {WASM_OP_V128_LOAD32_SPLAT, 2}, {WASM_OP_V128_LOAD64_SPLAT, 3},
        {WASM_OP_V128_STORE, 4},        {WASM_OP_V128_LOAD8_LANE, 0},
        {WASM_OP_V128_LOAD64_LANE, 3},  {WASM_OP_V128_STORE16_LANE, 1},
        {WASM_OP_V128_STORE64_LANE, 3}, {WASM_OP_V128_LOAD32_ZERO, 2},
        {WASM_OP_V128_LOAD64_ZERO, 3},
    };
    for (size_t i = 0; i < ARRAY_COUNT(widths); i++)
        assert_int_equal(wasm_op_access_log2(widths[i].op), widths[i].log2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_opcode_of_the_table_is_read),
        cmocka_unit_test(every_opcode_cut_short_is_refused),
        cmocka_unit_test(numbers_outside_of_the_table_are_no_opcodes),
        cmocka_unit_test(malformed_instructions_are_refused_with_the_rule),
        cmocka_unit_test(immediates_land_in_their_fields),
        cmocka_unit_test(vectors_are_read_again_from_where_they_stand),
        cmocka_unit_test(accesses_know_their_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
