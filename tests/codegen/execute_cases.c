#include "execute_cases.h"

#include "base/compiler.h"

#define RUN   "(func (export \"run\") (param $a i64) (param $b i64) (result i64) "
#define A32   "(i32.wrap_i64 (local.get $a))"
#define B32   "(i32.wrap_i64 (local.get $b))"
#define FA    "(f64.reinterpret_i64 (local.get $a))"
#define FB    "(f64.reinterpret_i64 (local.get $b))"
#define U64   "i64.extend_i32_u"
#define OF(x) "i64.reinterpret_f64 " x

#define NAN_QUIET     0x7ff8000000000000ull
#define NAN_SIGNALLED 0x7ff0000000000001ull /* quieted: | 1 << 51 */
#define MINUS_ZERO    0x8000000000000000ull
#define ONE           0x3ff0000000000000ull
#define TWO           0x4000000000000000ull

/* So many that they are applied by a loop. */
#define DATA_3  "(data (i32.const 0) \"a\") (data (i32.const 2) \"bc\") (data (i32.const 3) \"d\")"
#define DATA_15 DATA_3 DATA_3 DATA_3 DATA_3 DATA_3
#define DATA_75 DATA_15 DATA_15 DATA_15 DATA_15 DATA_15
#define DATAS                                                                                      \
    "(memory 1 1)" DATA_75 "(data (i32.const 1) \"e\") (data (i32.add (i32.const 3) (i32.const "   \
    "1)) \"f\") (data \"g\")" DATA_75 "(data (i32.const 0xffff) \"h\") "

const struct execute_case execute_cases[] = {
    /* data segments */
    {"many data segments", DATAS RUN "(i64.load (i32.const 0)))", 0, 0, 0x6664626561, TRAP_NONE},
    {"the last of many data segments", DATAS RUN "(i64.load8_u (i32.const 0xffff)))", 0, 0, 'h',
     TRAP_NONE},
    {"many data segments are dropped",
     DATAS RUN "(memory.init 9 (i32.const 0) (i32.const 0) (i32.const 1)) (i64.const 0))", 0, 0, 0,
     TRAP_MEMORY_BOUNDS},
    {"a passive one among many data segments",
     DATAS RUN "(memory.init 77 (i32.const 9) (i32.const 0) (i32.const 1))"
               "(i64.load8_u (i32.const 9)))",
     0, 0, 'g', TRAP_NONE},
    /* control */
    {"loop",
     RUN "(local $s i64) (loop $l (local.set $s (i64.add (local.get $s) (local.get $a)))"
         "(br_if $l (i64.ne (local.tee $a (i64.sub (local.get $a) (i64.const 1)))"
         "(i64.const 0)))) local.get $s)",
     100, 0, 5050, TRAP_NONE},
    {"loop with parameters",
     RUN "(local.get $a) (local.get $b) (loop $l (param i64 i64) (result i64)"
         "(local.set $b) (local.set $a) (i64.mul (local.get $a) (i64.const 3)) (local.tee $a)"
         "(i64.sub (local.get $b) (i64.const 1)) (local.tee $b)"
         "(br_if $l (i64.ne (local.get $b) (i64.const 0))) drop))",
     2, 5, 486, TRAP_NONE},
    {"if with parameters and no else",
     RUN "(local.get $a) (if (param i64) (result i64) (i64.eqz (local.get $b))"
         "(then (i64.add (i64.const 7)))))",
     5, 1, 5, TRAP_NONE},
    {"br_table with a value",
     RUN "(block $x (result i64) (block $y (result i64) (block $z (result i64)"
         "(local.get $a) (br_table $x $y $z $z $x (i32.wrap_i64 (local.get $b))))"
         "(i64.add (i64.const 1))) (i64.add (i64.const 10))))",
     100, 3, 111, TRAP_NONE},
    {"br_table, the default",
     RUN "(block $x (block $y (br_table $x $y (i32.wrap_i64 (local.get $b)"
         "))) (return (i64.const 1))) (i64.const 2))",
     0, ~0ull, 1, TRAP_NONE},
    {"dead code",
     RUN "(block (br 0) (drop (i32.div_u (i32.const 1) (i32.const 0))) (block (loop"
         "(br 1))) (if (i32.const 1) (then) (else))) (return (local.get $b))"
         "unreachable)",
     0, 9, 9, TRAP_NONE},
    {"unreachable", RUN "unreachable)", 0, 0, 0, TRAP_UNREACHABLE},
    {"infinite recursion", RUN "(call 0 (local.get $a) (local.get $b)))", 0, 0, 0,
     TRAP_STACK_EXHAUSTED},
    /* integers */
    {"division by zero is not optimised away",
     RUN "(drop (i64.div_u (local.get $a) (local.get $b)))"
         "(i64.const 1))",
     1, 0, 0, TRAP_DIVIDE_BY_ZERO},
    {"constant division by zero", RUN "(i64.div_s (i64.const 1) (i64.const 0)))", 1, 0, 0,
     TRAP_DIVIDE_BY_ZERO},
    {"constant MIN / -1", RUN "(i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))", 1, 0, 0,
     TRAP_INTEGER_OVERFLOW},
    {"MIN / -1", RUN "(i64.div_s (local.get $a) (local.get $b)))", 1ull << 63, ~0ull, 0,
     TRAP_INTEGER_OVERFLOW},
    {"MIN rem -1", RUN "(i64.rem_s (local.get $a) (local.get $b)))", 1ull << 63, ~0ull, 0,
     TRAP_NONE},
    {"rem by zero", RUN "(i64.rem_s (local.get $a) (local.get $b)))", 1, 0, 0, TRAP_DIVIDE_BY_ZERO},
    {"shifts are taken modulo the width", RUN "(" U64 " (i32.shl " A32 " " B32 ")))", 1, 33, 2,
     TRAP_NONE},
    {"rotations", RUN "(i64.rotr (local.get $a) (local.get $b)))", 1, 65, 1ull << 63, TRAP_NONE},
    {"clz of zero", RUN "(i64.add (i64.clz (local.get $a)) (" U64 " (i32.ctz " A32 "))))", 0, 0, 96,
     TRAP_NONE},
    {"eqz of a comparison", RUN "(" U64 " (i32.eqz (i64.lt_u (local.get $a) (local.get $b)))))", 1,
     2, 0, TRAP_NONE},
    {"sign extension", RUN "(i64.extend8_s (local.get $a)))", 0x80, 0, ~0x7full, TRAP_NONE},
    /* floats */
    {"x * 1 quiets", RUN "(" OF("(f64.mul " FA " (f64.const 1))") "))", NAN_SIGNALLED, 0,
     NAN_QUIET | 1, TRAP_NONE},
    {"x - 0 quiets", RUN "(" OF("(f64.sub " FA " (f64.const 0))") "))", NAN_SIGNALLED, 0,
     NAN_QUIET | 1, TRAP_NONE},
    {"min of zeros", RUN "(" OF("(f64.min " FA " " FB ")") "))", 0, MINUS_ZERO, MINUS_ZERO,
     TRAP_NONE},
    {"max of zeros", RUN "(" OF("(f64.max " FA " " FB ")") "))", MINUS_ZERO, 0, 0, TRAP_NONE},
    {"min with a NaN", RUN "(" OF("(f64.min " FA " " FB ")") "))", ONE, NAN_QUIET, NAN_QUIET,
     TRAP_NONE},
    {"max with a signalling NaN", RUN "(" OF("(f64.max " FA " " FB ")") "))", NAN_SIGNALLED, TWO,
     NAN_QUIET | 1, TRAP_NONE},
    {"nearest ties to even", RUN "(" OF("(f64.nearest (f64.const 2.5))") "))", 0, 0, TWO,
     TRAP_NONE},
    {"no fusing: (2^27+1)^2 - 2^54 - 2^28",
     RUN "(" OF("(f64.sub (f64.sub (f64.mul " FA " " FA
                ") (f64.const 0x1p54)) (f64.const 0x1p28))") "))",
     0x41a0000002000000ull, 0, 0, TRAP_NONE},
    {"trunc of a NaN", RUN "(i64.trunc_f64_s " FA "))", NAN_QUIET, 0, 0, TRAP_BAD_CONVERSION},
    {"trunc out of range", RUN "(i64.trunc_f64_s " FA "))", 0x43e0000000000000ull, 0, 0,
     TRAP_INTEGER_OVERFLOW},
    {"trunc at the edge", RUN "(i64.trunc_f64_s " FA "))", 0xc3e0000000000000ull, 0, 1ull << 63,
     TRAP_NONE},
    {"unsigned trunc of -0.9", RUN "(i64.trunc_f64_u (f64.const -0.9)))", 0, 0, 0, TRAP_NONE},
    {"saturating trunc", RUN "(" U64 " (i32.trunc_sat_f64_u " FA ")))", 0x43e0000000000000ull, 0,
     0xffffffff, TRAP_NONE},
    {"sum of large unsigned", RUN "(" OF("(f64.convert_i64_u (local.get $a))") "))", ~0ull, 0,
     0x43f0000000000000ull, TRAP_NONE},
    /* memory */
    {"a dead load traps", "(memory 1)" RUN "(drop (i32.load " A32 ")) (local.get $b))", 65533, 0, 0,
     TRAP_MEMORY_BOUNDS},
    {"the last byte",
     "(memory 1)" RUN "(i32.store8 " A32 " (i32.const 0x155))"
     "(i64.load8_u " A32 "))",
     65535, 0, 0x55, TRAP_NONE},
    {"33 bits of address", "(memory 1)" RUN "(i64.load offset=0xffffffff " A32 "))", 0xffffffff, 0,
     0, TRAP_MEMORY_BOUNDS},
    {"the index is unsigned", "(memory 1)" RUN "(i64.load offset=8 " A32 "))", 0xfffffff8, 0, 0,
     TRAP_MEMORY_BOUNDS},
    {"grow",
     "(memory 1 3)" RUN "(i64.add (" U64 " (memory.grow (i32.const 1)))"
     "(i64.mul (" U64 " (memory.size)) (i64.const 10))))",
     0, 0, 21, TRAP_NONE},
    {"grow too far", "(memory 1 3)" RUN "(i64.extend_i32_s (memory.grow (i32.const 3))))", 0, 0,
     ~0ull, TRAP_NONE},
    {"data", "(memory 1) (data (i32.const 8) \"\\01\\02\\03\")" RUN "(i64.load (i32.const 8)))", 0,
     0, 0x030201, TRAP_NONE},
    {"fill and copy",
     "(memory 1)" RUN "(memory.fill " A32 " (i32.const 0x11) (i32.const 3))"
     "(memory.copy (i32.const 100) " A32 " (i32.const 8)) (i64.load (i32.const "
     "100)))",
     40, 0, 0x111111, TRAP_NONE},
    {"copy past the end",
     "(memory 1)" RUN "(memory.copy (i32.const 0) " A32 " (i32.const 8))"
     "(i64.const 0))",
     65529, 0, 0, TRAP_MEMORY_BOUNDS},
    {"64-bit memory",
     "(memory i64 1)" RUN "(i64.store (local.get $a) (i64.const 77))"
     "(i64.load offset=8 (i64.sub (local.get $a) (i64.const 8))))",
     65528, 0, 77, TRAP_NONE},
    {"64-bit memory wraps nowhere", "(memory i64 1)" RUN "(i64.load offset=16 (local.get $a)))",
     ~7ull, 0, 0, TRAP_MEMORY_BOUNDS},
    {"64-bit memory, an index of 33 bits", "(memory i64 1)" RUN "(i64.load (local.get $a)))",
     1ull << 32, 0, 0, TRAP_MEMORY_BOUNDS},
    {"second memory",
     "(memory 1) (memory $m 1)" RUN "(i64.store (i32.const 0) (i64.const 5))"
     "(i64.store $m (i32.const 0) (i64.const 6))"
     "(i64.add (i64.load (i32.const 0)) (i64.mul (i64.const 10)"
     "(i64.load $m (i32.const 0)))))",
     0, 0, 65, TRAP_NONE},
    /* globals, tables, references */
    {"globals",
     "(global $g (mut i64) (i64.const 40)) (global $h i64 (i64.const 2))" RUN
     "(global.set $g (i64.add (global.get $g) (global.get $h))) (global.get $g))",
     0, 0, 42, TRAP_NONE},
    {"extended constants",
     "(global $g i64 (i64.add (i64.const 40) (i64.mul (i64.const 2)"
     "(i64.const 3))))" RUN "(global.get $g))",
     0, 0, 46, TRAP_NONE},
    {"call_indirect",
     "(type $t (func (param i64) (result i64))) (table funcref (elem $f $g))"
     "(func $f (type $t) (i64.add (local.get 0) (i64.const 1)))"
     "(func $g (type $t) (i64.add (local.get 0) (i64.const 2)))" RUN
     "(call_indirect (type $t) (local.get $a) " B32 "))",
     40, 1, 42, TRAP_NONE},
    {"call_indirect of null",
     "(type $t (func)) (table 2 funcref)" RUN "(call_indirect (type $t) " B32 ") (i64.const 0))", 0,
     1, 0, TRAP_NULL_ELEMENT},
    {"call_indirect of another type",
     "(type $t (func)) (table funcref (elem 0))" RUN "(call_indirect (type $t) " B32
     ") (i64.const 0))",
     0, 0, 0, TRAP_TYPE_MISMATCH},
    {"call_indirect past the end",
     "(type $t (func)) (table funcref (elem 0))" RUN "(call_indirect (type $t) " B32
     ") (i64.const 0))",
     0, 1, 0, TRAP_TABLE_BOUNDS},
    {"table.grow, table.set, ref.is_null",
     "(table $t 1 10 funcref) (elem declare func 0)" RUN
     "(drop (table.grow $t (ref.func 0) (i32.const 3))) (table.set $t (i32.const 2) (ref.null "
     "func))"
     "(" U64 " (i32.add (i32.mul (table.size $t) (i32.const 100)) (i32.add"
     "(i32.mul (i32.const 10) (ref.is_null (table.get $t (i32.const 2))))"
     "(ref.is_null (table.get $t (i32.const 3)))))))",
     0, 0, 410, TRAP_NONE},
    {"table.get past the end",
     "(table $t 1 10 funcref)" RUN "(drop (table.get $t " B32 ")) (i64.const 0))", 0, 1, 0,
     TRAP_TABLE_BOUNDS},
    {"a passive segment",
     "(table $t 4 funcref) (elem $e func 0 0)" RUN
     "(table.init $t $e (i32.const 1) (i32.const 0) (i32.const 2))"
     "(elem.drop $e) (" U64 " (ref.is_null (table.get $t (i32.const 2)))))",
     0, 0, 0, TRAP_NONE},
    /* calls */
    {"two results",
     "(func $f (result i64 f64) (i64.const 4) (f64.const 3))" RUN
     "(call $f) i64.trunc_f64_s i64.mul)",
     0, 0, 12, TRAP_NONE},
    {"many results",
     "(func $f (param i64) (result i64 i32 i64 f32 i64) (local.get 0) (i32.const 2)"
     "(i64.const 3) (f32.const 4) (i64.const 5))" RUN
     "(call $f (local.get $a)) (local.set $b) i64.trunc_f32_s i64.add (local.set $a)"
     "i64.extend_i32_s i64.add (i64.add (local.get $a)) (i64.add (local.get $b)))",
     100, 0, 114, TRAP_NONE},
    {"tail calls need no stack",
     "(func $f (param i64 i64) (result i64) (if (i64.eqz (local.get 0))"
     "(then (return (local.get 1)))) (return_call $g (i64.sub"
     "(local.get 0) (i64.const 1)) (i64.const 1) (i64.const 2)"
     "(i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6)"
     "(i64.const 7) (local.get 1)))"
     "(func $g (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)"
     "(return_call $f (local.get 0) (i64.add (local.get 8)"
     "(local.get 7))))" RUN "(return_call $f (local.get $a) (local.get $b)))",
     1000000, 3, 7000003, TRAP_NONE},
    {"tail calls with many results",
     "(type $t (func (param i64) (result i64 i64 i64))) (table funcref (elem $g))"
     "(func $g (type $t) (local.get 0) (i64.const 2) (i64.const 3))"
     "(func $f (type $t) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))" RUN
     "(call $f (local.get $a)) i64.mul i64.mul)",
     7, 0, 42, TRAP_NONE},
    /* vectors */
    {"vectors through locals and calls",
     "(func $f (param v128) (result v128) (i32x4.add (local.get 0) (local.get 0)))" RUN
     "(local $v v128) (local.set $v (i64x2.splat (local.get $a)))"
     "(i64x2.extract_lane 1 (call $f (local.get $v))))",
     0x100000001ull, 0, 0x200000002ull, TRAP_NONE},
};

const size_t execute_cases_count = ARRAY_COUNT(execute_cases);
