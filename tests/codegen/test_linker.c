/* The linker on objects that clang makes out of C: what it builds runs, and what does not belong
 * into an artifact is refused by name. */
#include "../base/cmocka_all.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "link_fixture.h"

/* f1 host import, f2 add, f3 pick, f4 start; types 1 (ii:i), 2 (i:d), 3 (:) in some order. */
static const char module_text[] =
    "(module $calc"
    "  (import \"env\" \"log\" (func (param i32 i32) (result i32)))"
    "  (memory (export \"memory\") 1 3) (table (export \"table\") 4 8 funcref)"
    "  (global (export \"counter\") (mut i64) (i64.const 7))"
    "  (func $add (export \"add\") (param i32 i32) (result i32)"
    "    (i32.add (local.get 0) (local.get 1)))"
    "  (func (export \"pick\") (param i32) (result f64) (f64.const 0))"
    "  (func $begin) (start $begin)"
    "  (data \"passive\") (data (i32.const 8) \"active\")"
    "  (elem (i32.const 0) func 2 $add) (elem declare func $begin))";

#define COMMON                                                                                     \
    "typedef struct { unsigned type; int offset; } entry;\n"                                       \
    "#pragma GCC visibility push(hidden)\n"                                                        \
    "extern const entry functable[]; extern const char codestart[];"

static const char first_object[] =
    COMMON "extern int f2(int, int);"
           "int f1(int a, int b) { return a * b; }"
           "int caller(int a);"
           "void init0(void) {} void t0(void) {} void f4(void) {}"
           "double f3(int a) {"
           "  switch (a) {" /* a jump table: relocations in .rodata */
           "  case 0: return f2(a, 5); case 1: return 2.5 * f2(a, 1);"
           "  case 2: return ((int (*)(int, int))(codestart + functable[2].offset))(40, 2);"
           "  case 3: return functable[a].type; case 4: return functable[7].type;"
           "  case 5: return f1(3, f2(a, 2)) * 0.5; case 6: return f2(a, a) + f2(a, 1);"
           "  default: return -1.25; } }";
static const char second_object[] =
    COMMON "int f2(int a, int b) { return a + b; }"
           "int t1(int a) { return f2(a, 1); } void t2(void) {} void t3(void) {}";

static void make_objects(struct buffer objects[2])
{
    link_object(&objects[0], first_object, "");
    link_object(&objects[1], second_object, "");
}

static void done_objects(struct buffer objects[2])
{
    buffer_done(&objects[0]);
    buffer_done(&objects[1]);
}

static struct artifact *link_sound(struct link_program *p, struct buffer *ret_file)
{
    struct buffer objects[2];
    struct artifact *a = NULL;
    struct error err;
    make_objects(objects);
    link_program_from_text(p, module_text);
    if (link_program(p, objects, 2, &a, ret_file, &err)) fail_msg("%s", err.text);
    done_objects(objects);
    return a;
}

static const struct artifact_func *func_at(const struct artifact *a, uint32_t i)
{
    return (const struct artifact_func *)artifact_section(a, ARTIFACT_FUNCS, NULL) + i;
}

static void test_runs(void **state)
{
    (void)state;
    struct link_program p;
    struct artifact *a = link_sound(&p, NULL);
    const uint8_t *code = artifact_code(a, NULL);
    int (*add)(int, int) = (int (*)(int, int))(uintptr_t)(code + func_at(a, 2)->code_offset);
    double (*pick)(int) = (double (*)(int))(uintptr_t)(code + func_at(a, 3)->code_offset);
    assert_int_equal(add(20, 22), 42);
    static const double expected[] = {5, 5, 42, -1, 4294967295.0, 10.5, 19, -1.25};
    for (int i = 0; i < (int)ARRAY_COUNT(expected); i++)
        if (i != 3) assert_true(pick(i) == expected[i]);
    assert_int_equal((uint32_t)pick(3), func_at(a, 3)->type);
    artifact_close(a);
    link_program_done(&p);
}

static void test_tables(void **state)
{
    (void)state;
    struct link_program p;
    struct artifact *a = link_sound(&p, NULL);
    size_t count;
    assert_string_equal(artifact_string(a, func_at(a, 2)->name), "add");
    assert_string_equal(artifact_string(a, func_at(a, 1)->name), "env.log");
    assert_string_equal(artifact_string(a, func_at(a, 3)->name), "pick"); /* its export's */
    assert_string_equal(artifact_string(a, func_at(a, 4)->name), "begin");
    assert_string_equal(artifact_string(a, func_at(a, 5)->name), "(init)");
    assert_true(func_at(a, 5)->code_size > 0);

    const struct artifact_import *imports = artifact_section(a, ARTIFACT_IMPORTS, &count);
    assert_int_equal(count, 1);
    assert_string_equal(artifact_string(a, imports[0].module), "env");
    assert_string_equal(artifact_string(a, imports[0].field), "log");
    assert_int_equal(imports[0].func, 1);

    assert_int_equal(artifact_find_export(a, "add", WASM_EXT_FUNC)->index, 2);
    assert_int_equal(artifact_find_export(a, "memory", WASM_EXT_MEMORY)->index, 0);
    assert_int_equal(artifact_find_export(a, "table", WASM_EXT_TABLE)->index, 0);
    assert_int_equal(artifact_find_export(a, "counter", WASM_EXT_GLOBAL)->index, 0);

    const struct artifact_instance *in = artifact_section(a, ARTIFACT_INSTANCES, &count);
    assert_int_equal(count, 1);
    assert_string_equal(artifact_string(a, in->name), "calc");
    assert_int_equal(in->start_func, 4);
    const struct artifact_memory *m = artifact_section(a, ARTIFACT_MEMORIES, NULL);
    assert_int_equal(m->pages_min, 1);
    assert_int_equal(m->pages_max, 3);
    const struct artifact_table *t = artifact_section(a, ARTIFACT_TABLES, NULL);
    assert_int_equal(t->min, 4);
    assert_int_equal(t->capacity, 8);
    const struct artifact_global *g = artifact_section(a, ARTIFACT_GLOBALS, NULL);
    assert_int_equal(g->type, 'l');
    assert_int_equal(g->mutable, 1);
    artifact_close(a);
    link_program_done(&p);
}

static void test_segments_and_types(void **state)
{
    (void)state;
    struct link_program p;
    struct artifact *a = link_sound(&p, NULL);
    size_t count;
    const uint8_t *rodata = artifact_rodata(a, NULL);
    const struct artifact_data *datas = artifact_section(a, ARTIFACT_DATAS, &count);
    assert_int_equal(count, 2);
    assert_int_equal(datas[0].size_bytes, 7);
    assert_memory_equal(rodata + datas[0].rodata_offset, "passive", 7);
    assert_memory_equal(rodata + datas[1].rodata_offset, "active", 6);
    const struct artifact_element *e = artifact_section(a, ARTIFACT_ELEMENTS, &count);
    assert_int_equal(count, 2);
    static const uint32_t expected[] = {3, 2};
    assert_memory_equal(rodata + e[0].elements_offset, expected, sizeof expected);
    assert_int_equal(e[1].count, 0);

    const char *codes = artifact_section(a, ARTIFACT_TYPE_CODES, NULL);
    const struct artifact_type *types = artifact_section(a, ARTIFACT_TYPES, &count);
    assert_int_equal(count, p.program->types_count);
    assert_string_equal(codes + types[0].signature, ":");
    assert_string_equal(codes + types[func_at(a, 1)->type].signature, "ii:i");
    assert_string_equal(codes + types[func_at(a, 3)->type].signature, "i:d");
    assert_string_equal(codes + types[func_at(a, 4)->type].signature, ":");
    const uint8_t *code = artifact_code(a, NULL);
    int (*t1)(int) = (int (*)(int))(uintptr_t)(code + types[1].trampoline_offset);
    assert_int_equal(t1(4), 5);
    artifact_close(a);
    link_program_done(&p);
}

static void test_deterministic(void **state)
{
    (void)state;
    struct link_program p, q;
    struct buffer one, two;
    artifact_close(link_sound(&p, &one));
    artifact_close(link_sound(&q, &two));
    assert_int_equal(one.size_bytes, two.size_bytes);
    assert_memory_equal(one.data, two.data, one.size_bytes);
    buffer_done(&one);
    buffer_done(&two);
    link_program_done(&p);
    link_program_done(&q);
}

/* The mapped code is the file's bytes wherever it lies: nothing was relocated at load. */
static void test_no_load_time_relocation(void **state)
{
    (void)state;
    struct link_program p, q;
    struct artifact *a = link_sound(&p, NULL), *b = link_sound(&q, NULL);
    size_t code_bytes, rodata_bytes;
    assert_ptr_not_equal(artifact_code(a, &code_bytes), artifact_code(b, NULL));
    assert_memory_equal(artifact_code(a, NULL), artifact_code(b, NULL), code_bytes);
    const uint8_t *rodata = artifact_rodata(a, &rodata_bytes);
    assert_memory_equal(rodata, artifact_rodata(b, NULL), rodata_bytes);
    assert_memory_equal(artifact_code(a, NULL), artifact_section(a, ARTIFACT_CODE, NULL),
                        code_bytes);
    /* Filling before, between and behind functions traps. */
    assert_int_equal(artifact_code(a, NULL)[0], 0xcc);
    assert_int_equal(artifact_code(a, NULL)[code_bytes - 1], 0xcc);
    artifact_close(a);
    artifact_close(b);
    link_program_done(&p);
    link_program_done(&q);
}

static void test_address_map(void **state)
{
    (void)state;
    struct link_program p;
    struct buffer object;
    struct artifact *a = NULL;
    struct error err;
    uint32_t offset = 0;
    link_program_from_text(&p, "(module (func $a) (func $b))");
    link_object(&object,
                "extern void f1(void);\n"
                "void f2(void) {\n"
                "#line 5000\n"
                "  f1();\n"
                "#line 70000\n"
                "  f1(); }\n"
                "void init0(void) {}\n"
                "#line 300\n"
                "void f1(void) { __builtin_trap(); }\n"
                "__attribute__((nodebug)) void t0(void) { __builtin_trap(); }\n",
                "-gline-tables-only -O0 -fomit-frame-pointer -gdwarf-5");
    if (link_program(&p, &object, 1, &a, NULL, &err)) fail_msg("%s", err.text);
    const struct artifact_func *f1 = func_at(a, 1), *f2 = func_at(a, 2);
    /* Lines count from one byte before the function's body. */
    uint32_t origin = (uint32_t)p.module->funcs[0].body_offset - 1;
    assert_int_equal(f1->wasm_origin, origin);
    assert_true(artifact_find_wasm_offset(a, f1->code_offset, &offset));
    assert_int_equal(offset, origin + 300);
    origin = (uint32_t)p.module->funcs[1].body_offset - 1;
    unsigned seen_first = 0, seen_second = 0;
    for (uint32_t at = f2->code_offset; at < f2->code_offset + f2->code_size; at++) {
        if (!artifact_find_wasm_offset(a, at, &offset)) continue;
        seen_first += offset == origin + 5000;
        seen_second += offset == origin + 70000;
    }
    assert_true(seen_first >= 5 && seen_second >= 5); /* a call is five bytes */
    const struct artifact_type *types = artifact_section(a, ARTIFACT_TYPES, NULL);
    assert_false(artifact_find_wasm_offset(a, types[0].trampoline_offset, &offset));
    assert_false(artifact_find_wasm_offset(a, 0, &offset));
    assert_ptr_equal(artifact_find_func(a, f2->code_offset + f2->code_size - 1), f2);
    assert_null(artifact_find_func(a, types[0].trampoline_offset));
    artifact_close(a);
    buffer_done(&object);
    link_program_done(&p);
}

/* Two instances: the second's import is the first's export, in one index space of functions. */
static void test_two_instances(void **state)
{
    (void)state;
    struct link_program first;
    struct wasm_module *second = NULL;
    struct buffer wasm;
    struct program_builder *builder;
    const struct program *program;
    struct buffer object;
    struct artifact *a = NULL;
    struct error err;
    uint32_t instance;
    link_program_from_text(&first, "(module $lib (memory (export \"m\") 2) (func (export \"f\")))");
    link_assemble(&wasm, "(module $app (import \"lib\" \"m\" (memory 1))"
                         "  (import \"lib\" \"f\" (func $f)) (export \"f\" (func $f))"
                         "  (func (export \"g\")) (data (i32.const 0) \"x\"))");
    assert_int_equal(wasm_module_decode(wasm.data, wasm.size_bytes, 1, &second, &err), ST_OK);
    const struct program_namespace lib = {"lib", 3, 0};
    assert_int_equal(program_builder_new(&builder, &err), ST_OK);
    assert_int_equal(program_builder_add(builder, first.module, NULL, 0, false, &instance, &err),
                     ST_OK);
    if (program_builder_add(builder, second, &lib, 1, false, &instance, &err))
        fail_msg("%s", err.text);
    assert_int_equal(program_builder_finish(builder, &program, &err), ST_OK);
    const struct link_program both = {.program = program};
    link_object(&object,
                "void f1(void) {} void f2(void) {} void init0(void) {} void init1(void) {}"
                "void t0(void) {} void t1(void) {}",
                "");
    if (link_program(&both, &object, 1, &a, NULL, &err)) fail_msg("%s", err.text);
    assert_int_equal(func_at(a, 1)->instance, 0);
    assert_int_equal(func_at(a, 2)->instance, 1);
    assert_int_equal(func_at(a, 2)->index, 1);
    assert_int_equal(func_at(a, 4)->instance, 1); /* init1 */
    const struct artifact_instance *in = artifact_section(a, ARTIFACT_INSTANCES, NULL);
    assert_string_equal(artifact_string(a, in[0].name), "lib");
    assert_string_equal(artifact_string(a, in[1].name), "app");
    assert_int_equal(in[1].init_func, 4);
    assert_int_equal(artifact_find_export(a, "f", WASM_EXT_FUNC)->instance, 1);
    assert_int_equal(artifact_find_export(a, "f", WASM_EXT_FUNC)->index, 1);
    assert_int_equal(artifact_find_export(a, "m", WASM_EXT_MEMORY)->instance, 0);
    artifact_close(a);
    buffer_done(&object);
    program_builder_free(builder);
    link_program_done(&first);
    wasm_module_free(second);
    buffer_done(&wasm);
}

#define SOUND "void f1(void) {} void init0(void) {} void t0(void) {}"

static const struct {
    const char *source, *flags, *words;
} refusals[] = {
    {"void init0(void) {} void t0(void) {}", "", "\"f1\" is not defined"},
    {"void f1(void) {} void t0(void) {}", "", "\"init0\" is not defined"},
    {"void f1(void) {} void init0(void) {}", "", "\"t0\" is not defined"},
    {SOUND "void f2(void) {}", "", "object defines the symbol \"f2\""},
    {SOUND "void f0(void) {}", "", "object defines the symbol \"f0\""},
    {SOUND "void f01(void) {}", "", "object defines the symbol \"f01\""},
    {SOUND "void init1(void) {}", "", "object defines the symbol \"init1\""},
    {SOUND "void t9(void) {}", "", "object defines the symbol \"t9\""},
    {SOUND "void helper(void) {}", "", "object defines the symbol \"helper\""},
    {SOUND "const int functable[4] = {1};", "", "object defines the symbol \"functable\""},
    {"volatile int x; void f1(void) { x = 1; } void init0(void) {} void t0(void) {}",
     "-fvisibility=hidden", "cannot be part of an artifact"},
    {"static volatile int x = 5; void f1(void) { x++; } void init0(void) {} void t0(void) {}", "",
     "section .data cannot be part of an artifact"},
    {"__thread int x = 5; void *f1(void) { return &x; } void init0(void) {} void t0(void) {}", "",
     "cannot be part of an artifact"},
    {"extern void *memcpy(void *, const void *, unsigned long);"
     "void *f1(void *a, void *b, long n) { return memcpy(a, b, n); }"
     "void init0(void) {} void t0(void) {}",
     "", "undefined symbol \"memcpy\""},
    {"__attribute__((visibility(\"default\"))) extern int x;"
     "int f1(void) { return x; } void init0(void) {} void t0(void) {}",
     "", "relocation of kind 42"},
    {"extern int f7(void); int f1(void) { return f7(); } void init0(void) {} void t0(void) {}", "",
     "undefined symbol \"f7\""},
    {"static void g(void); void (*const table[])(void) = {g};"
     "static void g(void) {} void f1(void) { table[0](); } void init0(void) {} void t0(void) {}",
     "-O0", "cannot be part of an artifact"},
    {SOUND "__attribute__((section(\"other\"))) int f(void) { return 1; }", "",
     "section other has no place"},
};

static void test_refusals(void **state)
{
    (void)state;
    struct link_program p;
    link_program_from_text(&p, "(module (func))");
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        struct buffer object;
        struct error err = {0};
        link_object(&object, refusals[i].source, refusals[i].flags);
        enum status st = link_program(&p, &object, 1, NULL, NULL, &err);
        if (st != ST_INTERNAL || !strstr(err.text, refusals[i].words))
            print_error("refusal %zu gives %s: %s\n", i, status_name(st), err.text);
        assert_int_equal(st, ST_INTERNAL);
        assert_non_null(strstr(err.text, refusals[i].words));
        buffer_done(&object);
    }
    link_program_done(&p);
}

static void test_defined_twice(void **state)
{
    (void)state;
    struct link_program p;
    struct buffer objects[2];
    struct error err = {0};
    link_program_from_text(&p, "(module (func))");
    link_object(&objects[0], SOUND, "");
    link_object(&objects[1], "void f1(void) {}", "");
    assert_int_equal(link_program(&p, objects, 2, NULL, NULL, &err), ST_INTERNAL);
    assert_non_null(strstr(err.text, "\"f1\" is defined twice"));
    assert_int_equal(link_program(&p, objects, 1, NULL, NULL, &err), ST_OK);
    assert_int_equal(link_program(&p, objects, 0, NULL, NULL, &err), ST_INTERNAL);
    done_objects(objects);
    link_program_done(&p);
}

/* Objects are not hostile, but a damaged one ends with words all the same. */
static void test_damaged_object(void **state)
{
    (void)state;
    struct link_program p;
    struct buffer object;
    struct error err;
    link_program_from_text(&p, "(module (func))");
    link_object(&object, SOUND, "-gline-tables-only");
    for (size_t i = 0; i < object.size_bytes; i++) {
        size_t size = object.size_bytes;
        uint8_t *cut = malloc(i + 1); /* its end is the allocation's, for the sanitizer */
        memcpy(cut, object.data, i);
        struct buffer short_one = {.data = cut, .size_bytes = i};
        assert_int_equal(link_program(&p, &short_one, 1, NULL, NULL, &err), ST_INTERNAL);
        free(cut);
        object.data[i] ^= 0xff;
        struct artifact *a = NULL;
        if (!link_program(&p, &object, 1, &a, NULL, &err)) artifact_close(a);
        object.data[i] ^= 0xff;
        assert_int_equal(size, object.size_bytes);
    }
    buffer_done(&object);
    link_program_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_segments_and_types),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_no_load_time_relocation),
        cmocka_unit_test(test_address_map),
        cmocka_unit_test(test_two_instances),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_defined_twice),
        cmocka_unit_test(test_damaged_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
