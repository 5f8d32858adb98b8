/* The same program gives the same bytes, however many threads compile it, at every level; and what
 * the artifact's code and tables say about each other holds for real code, too. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "link_fixture.h"

#define FUNCTIONS 120

static void make_program(struct link_program *p)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    buffer_append_string(&text, "(module (import \"env\" \"tick\" (func $tick (param i32)))"
                                "(memory (export \"memory\") 1) (table 300 funcref)"
                                "(global $g (mut i32) (i32.const 1))"
                                "(type $unary (func (param i32) (result i32)))");
    for (int i = 0; i < FUNCTIONS; i++) {
        buffer_printf(&text, "(func $f%d (export \"f%d\") (param i32) (result i32) (local f64)", i,
                      i);
        buffer_printf(&text,
                      "(local.set 1 (f64.mul (f64.const %d.25)"
                      " (f64.convert_i32_s (local.get 0))))"
                      "(if (i32.gt_u (local.get 0) (i32.const %d)) (then (return (i32.add"
                      " (i32.const 1) (call_indirect (type $unary)"
                      " (i32.div_u (local.get 0) (i32.const 3)) (i32.const %d))))))"
                      "(call $tick (i32.const %d))"
                      "(f64.store (local.get 0) (local.get 1))",
                      i, i * 7, (i * 11 + 5) % FUNCTIONS, i);
        buffer_printf(&text,
                      "(block (block (block (br_table 0 1 2 (i32.rem_u (local.get 0)"
                      " (i32.const 3)))) (global.set $g (i32.const %d)))"
                      "(local.set 0 (i32.load8_u (local.get 0))))"
                      "(i32.add (global.get $g) (local.get 0)))",
                      i);
    }
    buffer_append_string(&text, "(elem (i32.const 0) func");
    for (int i = 0; i < FUNCTIONS; i++) buffer_printf(&text, " $f%d", i);
    buffer_append_string(&text, "))");
    assert_false(text.failed);
    buffer_append(&text, "", 1);
    link_program_from_text(p, (const char *)text.data);
    buffer_done(&text);
}

static void compile(const struct link_program *p, enum codegen_level level, uint32_t threads,
                    struct buffer *file)
{
    const struct codegen_options options = {.level = level, .cpu_level = 2, .threads = threads};
    struct codegen_stats stats;
    struct error err;
    buffer_init(file, 64u << 20);
    if (codegen_compile(p->program, &options, file, &stats, &err)) fail_msg("%s", err.text);
}

static void test_same_bytes(void **state)
{
    (void)state;
    struct link_program p;
    make_program(&p);
    for (int level = CODEGEN_FAST; level <= CODEGEN_AGGRESSIVE; level++) {
        struct buffer one, two;
        compile(&p, (enum codegen_level)level, 1, &one);
        compile(&p, (enum codegen_level)level, 2, &two);
        assert_int_equal(one.size_bytes, two.size_bytes);
        assert_memory_equal(one.data, two.data, one.size_bytes);
        buffer_done(&one);
        buffer_done(&two);
    }
    link_program_done(&p);
}

/* Every wasm offset that the address map names lies in the body that the function at that place of
 * the code was compiled from; calls and accesses are covered. */
static void test_addresses(void **state)
{
    (void)state;
    struct link_program p;
    make_program(&p);
    for (int level = CODEGEN_FAST; level <= CODEGEN_OPTIMISED; level++) {
        struct buffer file;
        struct artifact *a = NULL;
        struct error err;
        size_t count, known = 0;
        compile(&p, (enum codegen_level)level, 2, &file);
        assert_int_equal(artifact_open_bytes(file.data, file.size_bytes, &a, &err), ST_OK);
        const struct artifact_address *rows = artifact_section(a, ARTIFACT_ADDRESSES, &count);
        for (size_t i = 0; i < count; i++) {
            if (!rows[i].wasm_offset) continue;
            const struct artifact_func *f = artifact_find_func(a, rows[i].code_offset);
            assert_non_null(f);
            const struct wasm_func *body = &p.module->funcs[f->index];
            if (body->imported || !strcmp(artifact_string(a, f->name), "(init)")) continue;
            assert_in_range(rows[i].wasm_offset, body->body_offset, body->body_end - 1);
            known++;
        }
        assert_true(known > 5 * FUNCTIONS);
        artifact_close(a);
        buffer_done(&file);
    }
    link_program_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
