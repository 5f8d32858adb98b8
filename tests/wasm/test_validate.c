/* Function bodies: what is accepted, and for what is not the rule and the offset from the body's
 * first instruction. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "module_builder.h"

/* Types of the module around the body under test. */
#define T_NONE     "00" /* [] -> [] */
#define T_I32      "01" /* [] -> [i32] */
#define T_I32_I32  "02" /* [i32] -> [i32] */
#define T_STRUCT   "03" /* struct: (mut i32) i8 (mut (ref null func)) */
#define T_ARRAY    "04" /* array (mut i32) */
#define T_BYTES    "05" /* array i8 */
#define T_PAIR     "06" /* [i32 i64] -> [], of tag 0 */
#define T_FUNCS    "07" /* array (mut (ref null func)) */
#define T_NONNULL  "08" /* struct (ref func) */
#define T_FUNCREF  "09" /* [(ref 0)] -> [(ref 0)] */
#define T_OPEN     "0a" /* open struct i32 */
#define T_SUB      "0b" /* sub T_OPEN: struct i32 i64 */
#define T_NULLFUNC "0c" /* [] -> [(ref null func)] */
#define T_TWO      "0d" /* [] -> [i32 i32] */

/* Functions: 0 exported, 1 known to nobody, both [] -> []; 2 under test. Tables: 0 funcref,
 * 1 externref, 2 funcref with i64 addresses. Memories: 0 i32, 1 i64. Globals: 0 i32, 1 mutable i64.
 * Element segments: 0 functions, 1 externref. Data segments: one. */
static void build(struct module_builder *b, const char *type, const char *locals, const char *body,
                  size_t *ret_body_at)
{
    builder_init(b);
    builder_section_hex(b, 1,
                        "0e 60 00 00  60 00 01 7f  60 01 7f 01 7f  5f 03 7f 01 78 00 70 01"
                        " 5e 7f 01  5e 78 00  60 02 7f 7e 00  5e 70 01  5f 01 64 70 00"
                        " 60 01 64 00 01 64 00  50 00 5f 01 7f 00  50 01 0a 5f 02 7f 00 7e 00"
                        " 60 00 01 70  60 00 02 7f 7f");
    builder_section(b, 3);
    builder_hex(b, "03 00 00");
    builder_hex(b, type);
    builder_section_end(b);
    builder_section_hex(b, 4, "03 70 00 01  6f 00 01  70 04 01");
    builder_section_hex(b, 5, "02 00 01  04 01");
    builder_section_hex(b, 13, "01 00 06");
    builder_section_hex(b, 6, "02 7f 00 41 00 0b  7e 01 42 00 0b");
    builder_section_hex(b, 7, "01 01 66 00 00");
    builder_section_hex(b, 9, "02 01 00 00  05 6f 00");
    builder_section_hex(b, 12, "01");
    builder_section(b, 10);
    builder_hex(b, "03 02 00 0b 02 00 0b");
    builder_body(b);
    builder_hex(b, locals);
    builder_hex(b, body);
    size_t tail = b->body.size_bytes;
    builder_body_end(b);
    size_t locals_size = 0;
    for (const char *c = locals; *c; c++) locals_size += *c != ' ';
    *ret_body_at = b->out.size_bytes - tail + locals_size / 2 + 5; /* 5: the section's length */
    builder_section_end(b);
    builder_section_hex(b, 11, "01 01 00");
}

static const struct body_case {
    const char *type, *locals, *body;
    int at;           /* offset of the error from the first instruction */
    const char *text; /* NULL: accepted */
} cases[] = {
    /* control */
    {T_NONE, "00", "0b", 0, NULL},
    {T_NONE, "00", "01 0b", 0, NULL},
    {T_NONE, "00", "", 0, "unexpected end"},
    {T_NONE, "00", "01", 1, "unexpected end"},
    {T_NONE, "00", "0b 0b", 1, "bytes behind the end of the function"},
    {T_NONE, "00", "41 00 0b", 2, "end: type mismatch: 1 values too many"},
    {T_I32, "00", "0b", 0, "end: type mismatch: expected i32, found an empty stack"},
    {T_I32, "00", "42 00 0b", 2, "end: type mismatch: expected i32, found i64"},
    {T_I32, "00", "00 0b", 0, NULL},
    {T_I32, "00", "02 7f 41 00 0b 0b", 0, NULL},
    {T_NONE, "00", "02 7f 41 00 0b 0b", 5, "end: type mismatch: 1 values too many"},
    {T_NONE, "00", "02 0f 0b 0b", 0, "block: unknown type 15"},
    {T_NONE, "00", "02 03 0b 0b", 0, "block: type 3 is not a function type"},
    {T_NONE, "00", "02 64 0f 0b 0b", 0, "unknown type 15"},
    {T_I32, "00", "02 02 0b 0b", 0, "block: type mismatch: expected i32, found an empty stack"},
    {T_I32, "00", "41 00 02 02 0b 0b", 0, NULL},
    {T_I32, "00", "41 00 03 02 0c 00 0b 0b", 0, NULL},
    {T_I32, "00", "41 00 04 7f 41 01 05 41 02 0b 0b", 0, NULL},
    {T_I32, "00", "41 00 04 7f 41 01 0b 0b", 6, "end: type mismatch: if without else"},
    {T_I32, "00", "41 00 41 00 04 02 0b 0b", 0, NULL},
    {T_NONE, "00", "42 00 04 40 0b 0b", 2, "if: type mismatch: expected i32, found i64"},
    {T_NONE, "00", "05 0b", 0, "else: else without if"},
    {T_NONE, "00", "41 00 04 40 05 05 0b 0b", 5, "else: else without if"},
    {T_NONE, "00", "02 40 05 0b 0b", 2, "else: else without if"},
    {T_NONE, "00", "0c 00 0b", 0, NULL},
    {T_NONE, "00", "0c 01 0b", 0, "br: unknown label 1"},
    {T_NONE, "00", "0c ff ff ff ff 0f 0b", 0, "br: unknown label 4294967295"},
    {T_I32, "00", "0c 00 0b", 0, "br: type mismatch: expected i32, found an empty stack"},
    {T_NONE, "00", "41 00 0d 00 0b", 0, NULL},
    {T_NONE, "00", "0d 00 0b", 0, "br_if: type mismatch: expected i32"},
    {T_NONE, "00", "41 00 0d 01 0b", 2, "br_if: unknown label 1"},
    {T_I32, "00", "41 00 41 00 0e 00 00 0b", 0, NULL},
    {T_I32, "00", "41 00 41 00 0e 01 00 01 0b", 4, "br_table: unknown label 1"},
    {T_I32, "00", "02 40 41 00 41 00 0e 01 01 00 0b 00 0b", 6, "labels of 1 and of 0 values"},
    {T_I32, "00", "02 7e 41 00 41 00 0e 01 01 00 0b 1a 00 0b", 6,
     "br_table: type mismatch: expected i64, found i32"},
    {T_I32, "00", "02 7e 00 41 00 0e 01 01 00 0b 1a 00 0b", 0, NULL},
    {T_NONE, "00", "42 00 0e 00 00 0b", 2, "br_table: type mismatch: expected i32, found i64"},
    {T_I32, "00", "41 00 0f 0b", 0, NULL},
    {T_I32, "00", "0f 0b", 0, "return: type mismatch: expected i32"},
    /* calls */
    {T_NONE, "00", "10 00 10 01 0b", 0, NULL},
    {T_NONE, "00", "10 03 0b", 0, "call: unknown function 3"},
    {T_NONE, "00", "41 00 11 00 00 0b", 0, NULL},
    {T_NONE, "00", "42 00 11 00 02 0b", 0, NULL},
    {T_NONE, "00", "42 00 11 00 00 0b", 2, "call_indirect: type mismatch: expected i32"},
    {T_NONE, "00", "41 00 11 00 03 0b", 2, "call_indirect: unknown table 3"},
    {T_NONE, "00", "41 00 11 00 01 0b", 2, "table 1 does not hold functions"},
    {T_NONE, "00", "41 00 11 03 00 0b", 2, "type 3 is not a function type"},
    {T_NONE, "00", "41 00 11 0e 00 0b", 2, "call_indirect: unknown type 14"},
    {T_NONE, "00", "12 00 0b", 0, NULL},
    {T_I32, "00", "12 00 0b", 0, "return_call: type mismatch: the callee's results"},
    {T_NONE, "00", "41 00 13 00 00 0b", 0, NULL},
    {T_NONE, "00", "41 00 13 01 00 0b", 2, "return_call_indirect: type mismatch: the callee's"},
    {T_NONE, "00", "d2 00 14 00 0b", 0, NULL},
    {T_NONE, "00", "d0 00 14 00 0b", 0, NULL},
    {T_NONE, "00", "d0 70 14 00 0b", 2, "call_ref: type mismatch: expected (ref null 0), found"},
    {T_NONE, "00", "d0 03 14 03 0b", 2, "call_ref: type 3 is not a function type"},
    {T_NONE, "00", "d2 00 15 00 0b", 0, NULL},
    {T_I32, "00", "d2 00 15 00 0b", 2, "return_call_ref: type mismatch: the callee's"},
    /* variables */
    {T_I32_I32, "00", "20 00 0b", 0, NULL},
    {T_I32_I32, "00", "20 01 0b", 0, "local.get: unknown local 1"},
    {T_I32_I32, "01 01 7e", "20 01 0b", 2, "end: type mismatch: expected i32, found i64"},
    {T_NONE, "01 01 7f", "41 00 21 00 0b", 0, NULL},
    {T_NONE, "01 01 7f", "42 00 21 00 0b", 2, "local.set: type mismatch: expected i32"},
    {T_I32, "01 01 7f", "41 00 22 00 0b", 0, NULL},
    {T_NONE, "01 01 7f", "41 00 22 01 0b", 2, "local.tee: unknown local 1"},
    {T_NONE, "03 ff 01 7f 01 7e 02 7d", "20 fe 01 1a 20 80 02 43 00 00 00 00 92 1a 0b", 0, NULL},
    {T_NONE, "03 ff 01 7f 01 7e 02 7d", "20 ff 01 42 00 7c 1a 0b", 0, NULL},
    {T_NONE, "03 ff 01 7f 01 7e 02 7d", "20 82 02 1a 0b", 0, "unknown local 258"},
    {T_NONE, "01 01 64 00", "20 00 1a 0b", 0, "local.get: uninitialized local 0"},
    {T_NONE, "01 01 64 00", "d2 00 21 00 20 00 1a 0b", 0, NULL},
    {T_NONE, "01 01 64 00", "d2 00 22 00 1a 20 00 1a 0b", 0, NULL},
    {T_NONE, "01 01 64 00", "02 40 d2 00 21 00 0b 20 00 1a 0b", 7, "uninitialized local 0"},
    {T_NONE, "01 01 64 00", "d2 00 21 00 02 40 20 00 1a 0b 20 00 1a 0b", 0, NULL},
    {T_NONE, "01 01 64 00", "41 00 04 40 d2 00 21 00 05 20 00 1a 0b 0b", 9, "uninitialized"},
    {T_NONE, "01 01 64 00", "00 20 00 1a 0b", 1, "uninitialized local 0"},
    {T_I32, "00", "23 00 0b", 0, NULL},
    {T_I32, "00", "23 02 0b", 0, "global.get: unknown global 2"},
    {T_NONE, "00", "42 00 24 01 0b", 0, NULL},
    {T_NONE, "00", "41 00 24 00 0b", 2, "global.set: global 0 is immutable"},
    {T_NONE, "00", "41 00 24 01 0b", 2, "global.set: type mismatch: expected i64"},
    /* drop and select */
    {T_NONE, "00", "1a 0b", 0, "drop: type mismatch: expected an operand"},
    {T_NONE, "00", "00 1a 0b", 0, NULL},
    {T_I32, "00", "41 00 41 01 41 02 1b 0b", 0, NULL},
    {T_I32, "00", "41 00 42 01 41 02 1b 0b", 6, "select: type mismatch: select of two types"},
    {T_NONE, "00", "d0 70 d0 70 41 02 1b 1a 0b", 6, "select of references must name their type"},
    {T_NONE, "00", "d0 70 d0 70 41 02 1c 01 70 1a 0b", 0, NULL},
    {T_NONE, "00", "d0 70 d0 70 41 02 1c 01 6f 1a 0b", 6, "select: type mismatch: expected"},
    {T_NONE, "00", "00 1c 00 0b", 1, "select: invalid result arity 0"},
    {T_NONE, "00", "00 1c 02 7f 7f 0b", 1, "select: invalid result arity 2"},
    {T_NONE, "00", "00 1c 01 64 0f 0b", 1, "unknown type 15"},
    {T_I32, "00", "00 42 00 41 00 1b 0b", 6, "end: type mismatch: expected i32, found i64"},
    /* numbers and unreachable code */
    {T_I32, "00", "41 00 41 01 6a 0b", 0, NULL},
    {T_I32, "00", "41 00 42 01 6a 0b", 4, "i32.add: type mismatch: expected i32, found i64"},
    {T_I32, "00", "41 01 6a 0b", 2, "i32.add: type mismatch: expected i32, found an empty stack"},
    {T_I32, "00", "00 6a 0b", 0, NULL},
    {T_I32, "00", "00 42 00 6a 0b", 3, "i32.add: type mismatch: expected i32, found i64"},
    {T_I32, "00", "00 d4 6a 0b", 2, "i32.add: type mismatch: expected i32, found (ref unknown)"},
    /* memory */
    {T_I32, "00", "41 00 28 02 00 0b", 0, NULL},
    {T_I32, "00", "41 00 28 03 00 0b", 2, "i32.load: alignment must not be larger than natural"},
    {T_I32, "00", "41 00 28 3f 00 0b", 2, "alignment must not be larger"},
    {T_I32, "00", "42 00 28 42 01 00 0b", 0, NULL},
    {T_I32, "00", "41 00 28 42 01 00 0b", 2, "i32.load: type mismatch: expected i64, found i32"},
    {T_I32, "00", "41 00 28 42 02 00 0b", 2, "i32.load: unknown memory 2"},
    {T_I32, "00", "41 00 28 02 ff ff ff ff 0f 0b", 0, NULL},
    {T_I32, "00", "41 00 28 02 80 80 80 80 10 0b", 2, "i32.load: offset out of range"},
    {T_I32, "00", "42 00 28 42 01 80 80 80 80 10 0b", 0, NULL},
    {T_NONE, "00", "41 00 41 00 37 03 00 0b", 4, "i64.store: type mismatch: expected i64"},
    {T_NONE, "00", "3f 00 40 00 1a 0b", 0, NULL},
    {T_NONE, "00", "3f 02 1a 0b", 0, "memory.size: unknown memory 2"},
    {T_NONE, "00", "3f 00 40 01 1a 0b", 2, "memory.grow: type mismatch: expected i64"},
    {T_NONE, "00", "41 00 41 00 41 00 fc 08 00 00 0b", 0, NULL},
    {T_NONE, "00", "41 00 41 00 41 00 fc 08 01 00 0b", 6, "memory.init: unknown data segment 1"},
    {T_NONE, "00", "fc 09 00 0b", 0, NULL},
    {T_NONE, "00", "fc 09 01 0b", 0, "data.drop: unknown data segment 1"},
    {T_NONE, "00", "41 00 42 00 41 00 fc 0a 00 01 0b", 0, NULL},
    {T_NONE, "00", "42 00 42 00 42 00 fc 0a 01 01 0b", 0, NULL},
    {T_NONE, "00", "42 00 42 00 42 00 fc 0a 01 00 0b", 6, "memory.copy: type mismatch"},
    {T_NONE, "00", "42 00 41 00 42 00 fc 0b 01 0b", 0, NULL},
    {T_NONE, "00", "42 00 41 00 41 00 fc 0b 01 0b", 6, "memory.fill: type mismatch"},
    /* vectors */
    {T_I32, "00", "41 00 fd 0f fd 15 0f 0b", 0, NULL},
    {T_I32, "00", "41 00 fd 0f fd 15 10 0b", 4, "i8x16.extract_lane_s: invalid lane index 16"},
    {T_NONE, "00", "41 00 fd 0f fd 21 02 1a 0b", 4, "f64x2.extract_lane: invalid lane index 2"},
    {T_NONE, "00", "41 00 fd 0f fd 1b 04 1a 0b", 4, "i32x4.extract_lane: invalid lane index 4"},
    {T_NONE, "00", "41 00 41 00 fd 0f fd 54 00 00 10 1a 0b", 6, "invalid lane index 16"},
    {T_NONE, "00", "41 00 41 00 fd 0f fd 57 03 00 01 1a 0b", 0, NULL},
    {T_NONE, "00", "41 00 41 00 fd 0f fd 57 03 00 02 1a 0b", 6, "invalid lane index 2"},
    {T_NONE, "00", "41 00 fd 00 05 00 1a 0b", 2, "v128.load: alignment must not be larger"},
    {T_NONE, "00", "41 00 fd 6e 1a 0b", 2, "i8x16.add: type mismatch: expected v128, found i32"},
    {T_NONE, "00", "00 fd 85 02 1a 0b", 0, NULL},
    /* tables */
    {T_NONE, "00", "41 00 25 00 1a 0b", 0, NULL},
    {T_NONE, "00", "41 00 25 02 1a 0b", 2, "table.get: type mismatch: expected i64"},
    {T_NONE, "00", "41 00 25 03 1a 0b", 2, "table.get: unknown table 3"},
    {T_NONE, "00", "41 00 d0 6f 26 00 0b", 4, "table.set: type mismatch: expected (ref null func)"},
    {T_NONE, "00", "41 00 d2 00 26 00 0b", 0, NULL},
    {T_NONE, "00", "41 00 41 00 41 00 fc 0c 00 00 0b", 0, NULL},
    {T_NONE, "00", "41 00 41 00 41 00 fc 0c 01 00 0b", 6, "element segment 1 for table 0"},
    {T_NONE, "00", "41 00 41 00 41 00 fc 0c 02 00 0b", 6, "unknown element segment 2"},
    {T_NONE, "00", "fc 0d 02 0b", 0, "elem.drop: unknown element segment 2"},
    {T_NONE, "00", "41 00 41 00 41 00 fc 0e 00 01 0b", 6, "element types of tables 1 and 0"},
    {T_NONE, "00", "42 00 41 00 41 00 fc 0e 02 00 0b", 0, NULL},
    {T_I32, "00", "d0 70 41 00 fc 0f 00 0b", 0, NULL},
    {T_I32, "00", "fc 10 02 0b", 3, "end: type mismatch: expected i32, found i64"},
    {T_NONE, "00", "41 00 d0 70 41 00 fc 11 00 0b", 0, NULL},
    /* references */
    {T_NONE, "00", "d2 01 1a 0b", 0, "ref.func: undeclared function reference 1"},
    {T_NONE, "00", "d2 03 1a 0b", 0, "ref.func: unknown function 3"},
    {T_NONE, "00", "d0 0f 1a 0b", 0, "unknown type 15"},
    {T_I32, "00", "d0 6e d1 0b", 0, NULL},
    {T_I32, "00", "41 00 d1 0b", 2, "ref.is_null: type mismatch: expected a reference, found i32"},
    {T_I32, "00", "d0 6d d0 71 d3 0b", 0, NULL},
    {T_I32, "00", "d0 6d d0 70 d3 0b", 4, "ref.eq: type mismatch: expected (ref null eq), found"},
    {T_NONE, "00", "d0 00 d4 14 00 0b", 0, NULL},
    {T_NONE, "00", "d0 00 d5 00 14 00 0b", 0, NULL},
    {T_NONE, "00", "d0 00 d6 00 0b", 2, "br_on_non_null: type mismatch: label 0 takes no value"},
    {T_NULLFUNC, "00", "d0 00 d6 00 d0 70 0b", 0, NULL},
    {T_NULLFUNC, "00", "d0 6e d6 00 d0 70 0b", 2, "the reference does not match label 0"},
    {T_NULLFUNC, "00", "d0 00 d5 00 0b", 2, "br_on_null: type mismatch"},
    {T_I32, "00", "d0 6e fb 14 6c 0b", 0, NULL},
    {T_I32, "00", "d0 70 fb 14 6c 0b", 2, "ref.test: type mismatch: expected (ref null any)"},
    {T_I32, "00", "d0 6e fb 17 0f 0b", 2, "unknown type 15"},
    {T_NONE, "00", "02 64 6c d0 6e fb 18 01 00 6e 6c 1a 00 0b 1a 0b", 0, NULL},
    {T_NONE, "00", "02 64 6c d0 6e fb 18 01 00 6e 70 1a 00 0b 1a 0b", 5,
     "br_on_cast: type mismatch: the target type does not match the source type"},
    {T_NONE, "00", "02 64 6c d0 6e fb 18 03 00 6e 6c 1a 00 0b 1a 0b", 5,
     "br_on_cast: type mismatch: the reference does not match label 0"},
    {T_NONE, "00", "02 63 6e d0 6e fb 19 01 00 6e 6c 0b 1a 0b", 0, NULL},
    {T_NONE, "00", "02 64 6e d0 6e fb 19 01 00 6e 6c 0b 1a 0b", 5, "br_on_cast_fail"},
    {T_NONE, "00", "d0 6f fb 1a fb 1b 1a 0b", 0, NULL},
    {T_NONE, "00", "d0 6f fb 1b 1a 0b", 2, "extern.convert_any: type mismatch: a reference of"},
    {T_I32, "00", "41 00 fb 1c fb 1d 0b", 0, NULL},
    {T_I32, "00", "d0 6e fb 1e 0b", 2, "i31.get_u: type mismatch: expected (ref null i31)"},
    /* structs */
    {T_NONE, "00", "41 00 41 00 d0 70 fb 00 03 1a 0b", 0, NULL},
    {T_NONE, "00", "41 00 41 00 d0 6e fb 00 03 1a 0b", 6, "struct.new: type mismatch"},
    {T_NONE, "00", "fb 01 03 1a 0b", 0, NULL},
    {T_NONE, "00", "fb 01 08 1a 0b", 0, "struct.new_default: a field has no default value"},
    {T_NONE, "00", "fb 01 04 1a 0b", 0, "struct.new_default: type 4 is not a struct type"},
    {T_I32, "00", "fb 01 03 fb 02 03 00 0b", 0, NULL},
    {T_I32, "00", "fb 01 03 fb 02 03 01 0b", 3, "struct.get: the field is packed"},
    {T_I32, "00", "fb 01 03 fb 03 03 01 0b", 0, NULL},
    {T_I32, "00", "fb 01 03 fb 04 03 00 0b", 3, "struct.get_u: the field is not packed"},
    {T_I32, "00", "fb 01 03 fb 02 03 03 0b", 3, "struct.get: unknown field 3"},
    {T_NONE, "00", "fb 01 03 41 00 fb 05 03 00 0b", 0, NULL},
    {T_NONE, "00", "fb 01 03 41 00 fb 05 03 01 0b", 5, "struct.set: the field is immutable"},
    {T_I32, "00", "fb 01 0b fb 02 0a 00 0b", 0, NULL},
    {T_NONE, "00", "fb 01 0a fb 02 0b 01 1a 0b", 3, "expected (ref null 11), found (ref 10)"},
    /* arrays */
    {T_I32, "00", "41 00 41 03 fb 06 04 fb 0f 0b", 0, NULL},
    {T_I32, "00", "41 03 fb 07 04 41 00 fb 0b 04 0b", 0, NULL},
    {T_I32, "00", "41 03 fb 07 03 fb 0f 0b", 2, "array.new_default: type 3 is not an array type"},
    {T_I32, "00", "41 00 41 01 fb 08 05 02 41 00 fb 0c 05 0b", 0, NULL},
    {T_I32, "00", "41 00 fb 08 05 02 41 00 fb 0c 05 0b", 2, "array.new_fixed: type mismatch"},
    {T_I32, "00", "41 03 fb 07 05 41 00 fb 0b 05 0b", 7, "array.get: the field is packed"},
    {T_NONE, "00", "41 00 41 00 fb 09 05 00 1a 0b", 0, NULL},
    {T_NONE, "00", "41 00 41 00 fb 09 07 00 1a 0b", 4, "element is not a number or vector"},
    {T_NONE, "00", "41 00 41 00 fb 09 05 01 1a 0b", 4, "array.new_data: unknown data segment 1"},
    {T_NONE, "00", "41 00 41 00 fb 0a 07 00 1a 0b", 0, NULL},
    {T_NONE, "00", "41 00 41 00 fb 0a 07 01 1a 0b", 4, "element segment 1 for the array"},
    {T_NONE, "00", "d0 04 41 00 41 00 fb 0e 04 0b", 0, NULL},
    {T_NONE, "00", "d0 05 41 00 41 00 fb 0e 05 0b", 6, "array.set: the field is immutable"},
    {T_NONE, "00", "d0 04 41 00 41 00 41 00 fb 10 04 0b", 0, NULL},
    {T_NONE, "00", "d0 05 41 00 41 00 41 00 fb 10 05 0b", 8, "array.fill: the field is immutable"},
    {T_NONE, "00", "d0 04 41 00 d0 04 41 00 41 00 fb 11 04 04 0b", 0, NULL},
    {T_NONE, "00", "d0 04 41 00 d0 05 41 00 41 00 fb 11 04 05 0b", 10,
     "element types of arrays 5 and 4"},
    {T_NONE, "00", "d0 04 41 00 41 00 41 00 fb 12 04 00 0b", 0, NULL},
    {T_NONE, "00", "d0 07 41 00 41 00 41 00 fb 13 07 00 0b", 0, NULL},
    {T_NONE, "00", "d0 07 41 00 41 00 41 00 fb 12 07 00 0b", 8, "not a number or vector"},
    {T_I32, "00", "d0 03 fb 0f 0b", 2, "array.len: type mismatch: expected (ref null array)"},
    /* exceptions */
    {T_NONE, "00", "41 00 42 00 08 00 0b", 0, NULL},
    {T_NONE, "00", "41 00 08 00 0b", 2, "throw: type mismatch: expected i64, found i32"},
    {T_NONE, "00", "08 01 0b", 0, "throw: unknown tag 1"},
    {T_NONE, "00", "d0 69 0a 0b", 0, NULL},
    {T_NONE, "00", "d0 70 0a 0b", 2, "throw_ref: type mismatch: expected (ref null exn)"},
    {T_NONE, "00", "1f 40 01 02 00 0b 0b", 0, NULL},
    {T_NONE, "00", "1f 40 01 02 01 0b 0b", 0, "try_table: unknown label 1"},
    {T_NONE, "00", "1f 40 01 00 00 00 0b 0b", 0, "a catch clause does not match label 0"},
    {T_NONE, "00", "1f 40 01 00 01 00 0b 0b", 0, "try_table: unknown tag 1"},
    {T_NONE, "00", "02 64 69 1f 40 01 03 00 0b 00 0b 1a 0b", 0, NULL},
    {T_NONE, "00", "02 64 70 1f 40 01 03 00 0b 00 0b 1a 0b", 3, "does not match label 0"},
    {T_TWO, "00", "1f 40 00 0b 41 00 41 01 0b", 0, NULL},
};

static unsigned check(const struct body_case *c)
{
    struct module_builder b;
    struct error err = {0};
    size_t body_at;
    build(&b, c->type, c->locals, c->body, &body_at);
    enum status st = builder_decode(&b, &err);
    builder_done(&b);
    if (!c->text) {
        if (st) print_error("type %s, body %s: refused: %s\n", c->type, c->body, err.text);
        return st != ST_OK;
    }
    char at[32];
    snprintf(at, sizeof at, "offset 0x%zx: ", body_at + (size_t)c->at);
    if (st == ST_INVALID && strstr(err.text, c->text) && !strncmp(err.text, at, strlen(at)))
        return 0;
    print_error("type %s, body %s: expected %s\"%s\", got %s \"%s\"\n", c->type, c->body, at,
                c->text, status_name(st), st ? err.text : "");
    return 1;
}

static void bodies_are_judged_with_rule_and_offset(void **state)
{
    (void)state;
    unsigned failures = 0;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) failures += check(&cases[i]);
    assert_int_equal(failures, 0);
}

/* Without the data count section no body may name a data segment. */
static void data_count_is_required(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "00 41 00 41 00 41 00 fc 08 00 00 0b",
        "00 fc 09 00 0b",
        "00 41 00 41 00 fb 09 01 00 1a 0b",
    };
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        struct module_builder b;
        builder_init(&b);
        builder_section_hex(&b, 1, "02 60 00 00 5e 78 00");
        builder_section_hex(&b, 3, "01 00");
        builder_section_hex(&b, 5, "01 00 00");
        builder_section(&b, 10);
        builder_hex(&b, "01");
        builder_body(&b);
        builder_hex(&b, bodies[i]);
        builder_body_end(&b);
        builder_section_end(&b);
        builder_section_hex(&b, 11, "01 01 00");
        builder_expect(&b, ST_INVALID, "data count section required", bodies[i]);
        builder_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_judged_with_rule_and_offset),
        cmocka_unit_test(data_count_is_required),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
