/* The function cache from the inside: what a unit depends on is in its key, and nothing else is. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/function_cache.h"
#include "codegen/function_store.h"
#include "link_fixture.h"

#define FILE_BYTES_MAX (64u << 20)
#define TEXT_BYTES_MAX (4u << 20)
#define CACHE_BYTES    (256u << 20)
#define MANY_FUNCTIONS 1500

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/mayfly-functions-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* Compiles with the cache of the folder, and adds to it. */
static enum status compile_cached(const struct link_program *p,
                                  const struct codegen_options *options, struct buffer *file,
                                  struct codegen_stats *stats, struct error *err)
{
    struct codegen_options cached = *options;
    struct function_store *store;
    buffer_init(file, FILE_BYTES_MAX);
    if (function_store_open(folder, CACHE_BYTES, &store, err) ||
        function_cache_new(function_store_files(store), &cached.cache, err))
        fail_msg("%s", err->text);
    enum status st = codegen_compile(p->program, &cached, file, stats, err);
    function_cache_free(cached.cache);
    if (!st && function_store_commit(store, err)) fail_msg("%s", err->text);
    function_store_close(store);
    return st;
}

/* The artifact is what it is without a cache, and all that is taken from the cache is what
 * compiling gives. */
static struct codegen_stats check(const struct link_program *p,
                                  const struct codegen_options *options, const char *what)
{
    struct buffer plain, cached;
    struct codegen_stats stats = {0}, ignored;
    struct codegen_options verifying = *options;
    struct error err = {0};
    verifying.verify_cache = true;
    buffer_init(&plain, FILE_BYTES_MAX);
    if (codegen_compile(p->program, options, &plain, &ignored, &err))
        fail_msg("%s: %s", what, err.text);
    if (compile_cached(p, &verifying, &cached, &stats, &err)) fail_msg("%s: %s", what, err.text);
    for (int again = 0;; again++) {
        if (cached.size_bytes != plain.size_bytes ||
            memcmp(cached.data, plain.data, plain.size_bytes))
            fail_msg("%s: the artifact differs with a cache", what);
        buffer_done(&cached);
        if (again) break;
        struct codegen_stats full = {0};
        if (compile_cached(p, options, &cached, &full, &err)) fail_msg("%s: %s", what, err.text);
        assert_int_equal(full.batches, stats.batches);
        assert_int_equal(full.functions_lowered, ignored.functions_lowered);
        assert_int_equal(full.batches_cached, full.batches - p->program->instances_count);
    }
    buffer_done(&plain);
    return stats;
}

/* ---- mutations ---- */

enum place {
    TYPES,
    IMPORTS,
    MEMORIES,
    MEMORY_LIMITS,
    WIDE_LIMITS,
    TABLES,
    TABLE_LIMITS,
    GLOBALS,
    FRONT,
    CONSTANT,
    NAME,
    CALLEE,
    BACK,
    DATAS,
    ELEMENTS,
    PLACES
};

static const char *const usual[PLACES] = {
    [MEMORY_LIMITS] = "1 10", [WIDE_LIMITS] = "1 10", [TABLE_LIMITS] = "4 10",
    [CONSTANT] = "77",        [NAME] = "$named",      [CALLEE] = "$plain",
};

/* Every instruction that names something of the module, in functions that are batched together. */
static void write_module(struct buffer *text, const char *const places[PLACES])
{
    const char *v[PLACES];
    for (int i = 0; i < PLACES; i++) v[i] = places[i] ? places[i] : usual[i] ? usual[i] : "";
    buffer_printf(text,
                  "(module %s (type $unary (func (param i32) (result i32)))"
                  "(type $pair (func (param i32 i32) (result i32 i32)))"
                  "%s (import \"env\" \"tick\" (func $tick (param i32)))"
                  "%s (memory $m %s) (memory $w i64 %s)"
                  "%s (table $t %s funcref) (table $u 5 20 externref) (table $fixed 4 4 funcref)"
                  "%s (global $g (mut i32) (i32.const 1)) (global $h (mut i64) (i64.const 2))"
                  "(global $d (mut f64) (f64.const 3)) (global $c f32 (f32.const 4)) %s",
                  v[TYPES], v[IMPORTS], v[MEMORIES], v[MEMORY_LIMITS], v[WIDE_LIMITS], v[TABLES],
                  v[TABLE_LIMITS], v[GLOBALS], v[FRONT]);
    buffer_printf(text,
                  "(func $plain (type $unary) (i32.add (local.get 0) (i32.const %s)))"
                  "(func %s (type $unary) (i32.div_u (i32.const 9) (local.get 0)))"
                  "(func $other (type $unary) (unreachable))"
                  "(func $calls (type $unary) (call $tick (local.get 0))"
                  "  (call %s (call $calls (local.get 0))))"
                  "(func $indirect (type $unary) (i32.add"
                  "  (call_indirect $t (type $unary) (local.get 0) (local.get 0))"
                  "  (call_indirect $fixed (type $unary) (local.get 0) (local.get 0))))",
                  v[CONSTANT], v[NAME], v[CALLEE]);
    buffer_append_string(
        text, "(func $globals (global.set $g (i32.const 5)) (global.set $h (i64.extend_i32_u"
              "  (global.get $g))) (global.set $d (f64.promote_f32 (global.get $c))))"
              "(func $memory (type $unary) (i32.store $m offset=8 (local.get 0) (local.get 0))"
              "  (i64.store $w offset=70000 (i64.const 3) (i64.load $w (i64.const 65530)))"
              "  (i32.load8_s $m (local.get 0)))"
              "(func $grow (drop (memory.grow $m (i32.const 1)))"
              "  (drop (memory.grow $w (memory.size $w))) (drop (memory.size $m)))"
              "(func $bulk (memory.fill $m (i32.const 0) (i32.const 1) (i32.const 2))"
              "  (memory.copy $m $m (i32.const 0) (i32.const 1) (i32.const 2))"
              "  (memory.init $m $one (i32.const 0) (i32.const 1) (i32.const 2))"
              "  (data.drop $two))"
              "(func $table (drop (table.get $t (i32.const 0)))"
              "  (table.set $u (i32.const 1) (ref.null extern))"
              "  (drop (table.grow $u (ref.null extern) (table.size $t)))"
              "  (table.fill $u (i32.const 0) (ref.null extern) (i32.const 2))"
              "  (table.copy $t $fixed (i32.const 0) (i32.const 0) (i32.const 1))"
              "  (table.init $t $some (i32.const 0) (i32.const 0) (i32.const 1))"
              "  (elem.drop $more))");
    buffer_append_string(
        text, "(func $blocks (param i32 i32) (result i32) (local f64 i64)"
              "  (local.get 0) (local.get 1) (block (type $pair) (loop (type $pair)"
              "    (br_if 1 (local.get 0)) (br_table 0 1 0 (local.get 1)))) (i32.add)"
              "  (select (i32.const 1) (local.get 0)) (if (result i32) (then (i32.const 3))"
              "  (else (i32.trunc_f64_s (local.get 2)))))"
              "(func $refs (result funcref) (table.set $t (i32.const 1) (ref.func $other))"
              "  (select (result funcref) (ref.func $plain) (ref.null func) (i32.const 1)))"
              "(func (export \"go\") (call $globals) (call $grow) (call $bulk) (call $table)"
              "  (drop (call $blocks (i32.const 1) (i32.const 2))) (drop (call $refs))"
              "  (drop (call $memory (i32.const 3))) (drop (call $indirect (i32.const 0))))");
    buffer_printf(text,
                  "%s %s (data $one \"one\") (data $two \"two\")"
                  "%s (elem $some func $plain $other) (elem $more func $calls))",
                  v[BACK], v[DATAS], v[ELEMENTS]);
    buffer_append(text, "", 1);
    assert_false(text->failed);
}

static const struct mutation {
    enum place place;
    const char *text, *name;
} mutations[] = {
    {TYPES, "", "the module itself"},
    {TYPES, "(type (func (param f64)))", "another type before"},
    {TYPES, "(type (func (param i32) (result i32)))", "the same type twice"},
    {IMPORTS, "(import \"env\" \"tock\" (func (param i64)))", "another import before"},
    {IMPORTS, "(import \"env\" \"g\" (func $g (type $pair)))", "an import of two results"},
    {MEMORIES, "(memory $first 1)", "another memory before"},
    {MEMORIES, "(memory $first i64 1)", "another wide memory before"},
    {MEMORY_LIMITS, "2 10", "the memory's minimum"},
    {MEMORY_LIMITS, "1", "the memory's maximum"},
    {MEMORY_LIMITS, "1 1", "a memory that cannot grow"},
    {WIDE_LIMITS, "2 10", "the wide memory's minimum"},
    {WIDE_LIMITS, "1 200", "the wide memory's maximum"},
    {TABLES, "(table $first 3 3 funcref)", "another table before"},
    {TABLE_LIMITS, "5 10", "the table's minimum"},
    {TABLE_LIMITS, "4 11", "the table's maximum"},
    {TABLE_LIMITS, "4 4", "a table that cannot grow"},
    {GLOBALS, "(global (mut i32) (i32.const 0))", "another global before"},
    {GLOBALS, "(global v128 (v128.const i64x2 1 2))", "another wide global before"},
    {FRONT, "(func (nop))", "another function before"},
    {FRONT, "(func $x (call $calls (i32.const 1)) (drop)) (func $y (call $x)) (func $z)",
     "three functions before"},
    {CONSTANT, "78", "a constant"},
    {CONSTANT, "7777", "a longer constant"},
    {NAME, "$renamed", "a name"},
    {CALLEE, "$other", "a callee"},
    {CALLEE, "$calls", "itself as callee"},
    {BACK, "(func (drop (i32.const 5)))", "another function behind"},
    {BACK, "(func (type $unary) (return_call $plain (local.get 0)))", "a tail call"},
    {DATAS, "(data \"zero\")", "another segment before"},
    {DATAS, "(data (i32.const 0) \"zero\")", "an active segment before"},
    {ELEMENTS, "(elem func $other)", "other elements before"},
    {ELEMENTS, "(elem (table $t) (i32.const 0) func $other)", "active elements before"},
};

static void check_mutations(const struct codegen_options *options)
{
    for (size_t i = 0; i < ARRAY_COUNT(mutations); i++) {
        const char *places[PLACES] = {0};
        struct link_program p;
        struct buffer text;
        buffer_init(&text, TEXT_BYTES_MAX);
        places[mutations[i].place] = mutations[i].text;
        write_module(&text, places);
        link_program_from_text(&p, (const char *)text.data);
        check(&p, options, mutations[i].name);
        buffer_done(&text);
        link_program_done(&p);
    }
}

static void test_mutations_fast(void **state)
{
    (void)state;
    check_mutations(&(struct codegen_options){.level = CODEGEN_FAST, .cpu_level = 3});
}

/* In the cache that has the others' units, so that options count too. */
static void test_mutations_optimised(void **state)
{
    (void)state;
    check_mutations(&(struct codegen_options){.level = CODEGEN_OPTIMISED, .cpu_level = 3});
}

static void test_options(void **state)
{
    (void)state;
    const char *places[PLACES] = {0};
    struct link_program p;
    struct buffer text;
    buffer_init(&text, TEXT_BYTES_MAX);
    places[CONSTANT] = "123456";
    write_module(&text, places);
    link_program_from_text(&p, (const char *)text.data);
    for (unsigned i = 0; i < 12; i++) {
        const struct codegen_options options = {.level = (enum codegen_level)(i % 3),
                                                .conforming = i / 3 % 2,
                                                .cpu_level = 2 + i / 6,
                                                .threads = 1 + i % 2};
        struct codegen_stats stats = check(&p, &options, "options");
        /* Entries are compiled at the fast level, whatever the others are. */
        assert_true(stats.batches_cached <= 1);
    }
    buffer_done(&text);
    link_program_done(&p);
}

/* ---- what is told apart ---- */

#define FUNCTIONS_5   "(func)(func)(func)(func)(func)"
#define FUNCTIONS_25  FUNCTIONS_5 FUNCTIONS_5 FUNCTIONS_5 FUNCTIONS_5 FUNCTIONS_5
#define FUNCTIONS_125 FUNCTIONS_25 FUNCTIONS_25 FUNCTIONS_25 FUNCTIONS_25 FUNCTIONS_25
#define ALONE_NOPS    (25u << 10)

/* Two modules whose functions $x have equal bytes and unequal code. In front of $x: `same` with
 * `one` or `other` for its %s. $x is so long that it is compiled alone, and nothing but its own key
 * tells it from the other. */
static const struct pair {
    const char *name, *same, *one, *other, *x;
} pairs[] = {
    {"a reference", "%s (func $a) (global $r (mut funcref) (ref.null func)) (elem declare func $a)",
     "", "(func)", "(func $x (global.set $r (ref.func $a))"},
    {"a dropped element segment", "(func $a) %s (elem $e func $a)", "", "(elem func $a)",
     "(func $x (elem.drop $e)"},
    {"a dropped data segment", "(memory 1) %s (data $d \"d\")", "", "(data \"e\")",
     "(func $x (data.drop $d)"},
    {"an element segment", "(table 4 4 funcref) (func $a) %s (elem $e func $a)", "",
     "(elem func $a)", "(func $x (table.init $e (i32.const 0) (i32.const 0) (i32.const 1))"},
    {"a data segment", "(memory 1) %s (data $d \"d\")", "", "(data \"e\")",
     "(func $x (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))"},
    {"the types of indirect calls",
     "(type $t (func (result %s))) (type $u (func (param %s))) (table 4 4 funcref)", "i64", "f64",
     "(func $x (call_indirect (type $u) (call_indirect (type $t) (i32.const 0)) (i32.const 0))"},
    {"the type's number of an indirect call", "%s (type $t (func (param i64))) (table 4 4 funcref)",
     "", "(type (func (result f64)))",
     "(func $x (call_indirect (type $t) (i64.const 1) (i32.const 0))"},
    {"the types of calls",
     "(import \"e\" \"f\" (func $a (result %s))) (import \"e\" \"g\" (func $b (param %s)))", "i64",
     "f64", "(func $x (call $b (call $a))"},
    {"the parameters of a loop", "(type $t (func %s))", "(param i32) (result i32)",
     "(param i32 i32) (result i32 i32)",
     "(func $x (param i32) (i32.const 1) (i32.const 2)"
     " (loop (type $t) (br_if 0 (local.get 0))) (drop) (drop)"},
    {"the type of a local", "", "i32", "f32", "(func $x (local %s)"},
    {"the number of locals", "", "i32", "i32 i32", "(func $x (local %s)"},
    {"the type of a parameter", "", "i32", "f32", "(func $x (param %s)"},
    {"the place of a global", "(global %s) (global $g (mut i32) (i32.const 1))",
     "i32 (i32.const 1)", "v128 (v128.const i64x2 0 0)", "(func $x (global.set $g (i32.const 1))"},
    {"the place of a table", "(table $u %s 4 funcref) (table $t 4 9 funcref)", "4", "3",
     "(func $x (drop (table.size $t)) (table.set $t (i32.const 0) (ref.null func))"},
    {"the size of a table", "(table $t 4 %s funcref)", "4", "40",
     "(func $x (drop (table.grow $t (ref.null func) (i32.const 1)))"
     " (table.set $t (i32.const 3) (ref.null func))"},
    {"the width of a memory", "(memory %s)", "1", "i64 1", "(func $x (drop (memory.size))"},
    {"the lane of a memory", "(memory %s) (memory $m 1)", "1) (memory 1", "1",
     "(func $x (drop (memory.grow $m (i32.const 1)))"},
    {"the least size of a wide memory", "(memory i64 %s)", "0", "1",
     "(func $x (drop (i32.load offset=9 (i64.const 1)))"},
    {"the length of a number", "(memory 1) %s (func $a)", FUNCTIONS_125 "(func)(func)",
     FUNCTIONS_125 "(func)(func)(func)", "(func $x (call $a) (drop (i32.load8_u (i32.const 1)))"},
    {"the tables of functions", "%s (type $t (func)) (table 4 4 funcref)", "", FUNCTIONS_125,
     "(func $x (call_indirect (type $t) (i32.const 0))"},
};

static void replace(struct buffer *text, const char *pattern, const char *word)
{
    const char *at;
    for (; (at = strstr(pattern, "%s")); pattern = at + 2) {
        buffer_append(text, pattern, (size_t)(at - pattern));
        buffer_append_string(text, word);
    }
    buffer_append_string(text, pattern);
}

static void check_one(const struct pair *pair, const char *word, enum codegen_level level)
{
    const struct codegen_options options = {.level = level, .cpu_level = 2};
    struct link_program p;
    struct buffer text;
    buffer_init(&text, TEXT_BYTES_MAX);
    buffer_append_string(&text, "(module ");
    replace(&text, pair->same, word);
    replace(&text, pair->x, word);
    for (uint32_t i = 0; i < ALONE_NOPS; i++) buffer_append_string(&text, "nop ");
    buffer_append(&text, "))", 3);
    assert_false(text.failed);
    link_program_from_text(&p, (const char *)text.data);
    check(&p, &options, pair->name);
    buffer_done(&text);
    link_program_done(&p);
}

static void test_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        check_one(&pairs[i], pairs[i].one, CODEGEN_FAST);
        check_one(&pairs[i], pairs[i].other, CODEGEN_FAST);
    }
}

/* Thunks name their function. In a program of many imports one begins a batch. */
static void test_thunks(void **state)
{
    (void)state;
    static const unsigned counts[] = {1, 65};
    const struct codegen_options options = {.level = CODEGEN_FAST, .cpu_level = 2};
    for (size_t k = 0; k < ARRAY_COUNT(counts); k++) {
        struct link_program p;
        struct buffer text;
        buffer_init(&text, TEXT_BYTES_MAX);
        buffer_append_string(&text, "(module ");
        for (unsigned i = 0; i < counts[k]; i++)
            buffer_printf(&text, "(import \"e\" \"%u\" (func (param i32)))", i);
        buffer_append(&text, ")", 2);
        link_program_from_text(&p, (const char *)text.data);
        check(&p, &options, "thunks");
        buffer_done(&text);
        link_program_done(&p);
    }
}

/* ---- what changes ---- */

static void write_many(struct buffer *text, const char *import, const char *memory,
                       const char *front, const char *middle)
{
    buffer_printf(text,
                  "(module %s (memory (export \"memory\") %s) (global $g (mut i32) (i32.const 3))"
                  " %s",
                  import, memory, front);
    for (int i = 0; i < MANY_FUNCTIONS; i++) {
        buffer_printf(text, "(func $f%d (param i32) (result i32) (local i64)", i);
        for (int k = 0; k < 4 + i % 7; k++)
            buffer_printf(text, "(i32.store offset=%d (local.get 0) (i32.const %d))", k * 4, i * k);
        if (i == MANY_FUNCTIONS / 2) buffer_append_string(text, middle);
        buffer_printf(text, "(i32.add (global.get $g) (call $f%d (i32.const %d))))",
                      (i * 7 + 1) % MANY_FUNCTIONS, i);
    }
    buffer_append_string(text, "(export \"f\" (func $f0)))");
    buffer_append(text, "", 1);
}

static struct codegen_stats compile_many(const char *import, const char *memory, const char *front,
                                         const char *middle)
{
    const struct codegen_options options = {.level = CODEGEN_FAST, .cpu_level = 2};
    struct link_program p;
    struct buffer text;
    buffer_init(&text, TEXT_BYTES_MAX);
    write_many(&text, import, memory, front, middle);
    link_program_from_text(&p, (const char *)text.data);
    struct codegen_stats stats = check(&p, &options, "many functions");
    buffer_done(&text);
    link_program_done(&p);
    return stats;
}

/* One unit is compiled always: the init function. */
static void test_what_changes(void **state)
{
    (void)state;
    struct codegen_stats stats = compile_many("", "1", "", "");
    assert_true(stats.batches >= 10);
    assert_int_equal(stats.batches_cached, 0);
    stats = compile_many("", "1", "", "");
    assert_int_equal(stats.batches - stats.batches_cached, 1);
    /* One function is another. It may have been the one that ended its batch, or be so now. */
    stats = compile_many("", "1", "", "(global.set $g (i32.const 12345))");
    assert_in_range(stats.batches - stats.batches_cached, 2, 4);
    /* Others come before it. Where a call names a number that is one byte longer now, it changes.
     */
    stats = compile_many("", "1", "(func (param f32) (result i32) (i32.const 1))", "");
    assert_in_range(stats.batches - stats.batches_cached, 2, 8);
    stats = compile_many("(import \"e\" \"f\" (func (param f64 f64)))", "1", "", "");
    assert_in_range(stats.batches - stats.batches_cached, 2, 8);
    /* Another program with the same functions. */
    stats = compile_many("", "7 80", "", "");
    assert_int_equal(stats.batches - stats.batches_cached, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutations_fast), cmocka_unit_test(test_mutations_optimised),
        cmocka_unit_test(test_options),        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_thunks),         cmocka_unit_test(test_what_changes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
