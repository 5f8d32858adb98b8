/* The context's layout: everything has a place of its own, aligned, the hot things nearest. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link_fixture.h"

static struct layout *layout_of(const struct link_program *p)
{
    struct layout *l = NULL;
    struct error err;
    if (layout_new(p->program, &l, &err)) fail_msg("%s", err.text);
    return l;
}

/* Marks [offset, offset + bytes) of a map of the context; fails when any of it is taken. */
static void take(uint8_t *map, const struct layout *l, int32_t offset, uint64_t bytes,
                 uint32_t align)
{
    assert_true(offset < 0);
    assert_int_equal((uint32_t)offset % align, 0);
    uint64_t at = l->context_bytes + (uint64_t)(int64_t)offset;
    assert_true(at + bytes <= l->context_bytes);
    for (uint64_t i = 0; i < bytes; i++) {
        assert_int_equal(map[at + i], 0);
        map[at + i] = 1;
    }
}

static const char disjoint_text[] =
    "(module (import \"m\" \"g\" (func $h))"
    "  (memory 1) (memory i64 2 3) (table 5 funcref) (table 7 7 externref)"
    "  (global (mut i32) (i32.const 1)) (global i64 (i64.const 2))"
    "  (global (mut v128) (v128.const i32x4 0 0 0 0)) (global f32 (f32.const 0))"
    "  (global (mut externref) (ref.null extern)) (global f64 (f64.const 0))"
    "  (global $f funcref (ref.func $h))"
    "  (data \"abc\") (data (i32.const 0) \"d\")"
    "  (elem func $h $h) (elem funcref (ref.null func) (ref.func $h))"
    "  (elem funcref (ref.null func) (ref.null func) (ref.func $h)) (elem declare func $h)"
    "  (func (export \"grow\") (result i32)"
    "    (table.grow 0 (ref.null func) (i32.const 3))))";

static void test_disjoint(void **state)
{
    (void)state;
    struct link_program p;
    struct buffer wasm;
    link_assemble(&wasm, disjoint_text);
    /* Assemblers of today do not know global.get in a segment: it takes a ref.null's place. */
    uint8_t *first = memmem(wasm.data, wasm.size_bytes, "\xd0\x70\x0b\xd0\x70\x0b", 6);
    assert_non_null(first);
    memcpy(first, "\x23\x06", 2);
    link_program_from_bytes(&p, &wasm);
    struct layout *l = layout_of(&p);
    uint8_t *map = calloc(1, l->context_bytes);
    assert_int_equal(l->context_bytes % ARTIFACT_PAGE, 0);
    assert_int_equal(l->lanes_count, 2);
    assert_int_equal(l->functable_count, 4); /* null, import, grow; padded */
    for (uint32_t i = 0; i < 2; i++) take(map, l, l->memory_sizes[i], 8, 8);
    static const uint32_t sizes[] = {4, 8, 16, 4, 4, 8, 4};
    for (uint32_t i = 0; i < ARRAY_COUNT(sizes); i++)
        take(map, l, l->globals[i], sizes[i], sizes[i]);
    assert_int_equal(l->tables[0].capacity, LAYOUT_TABLE_GROWTH_MAX);
    assert_int_equal(l->tables[1].capacity, 7);
    for (uint32_t i = 0; i < 2; i++) {
        take(map, l, l->tables[i].size_offset, 4, 4);
        take(map, l, l->tables[i].elements_offset, l->tables[i].capacity * 4ull, 8);
        assert_true(l->tables[i].elements_offset < l->globals[6]);
    }
    for (uint32_t i = 0; i < 2; i++) take(map, l, l->data_dropped[i], 1, 1);
    for (uint32_t i = 0; i < 4; i++) take(map, l, l->elements[i].dropped_offset, 1, 1);
    assert_false(l->elements[0].in_context);
    assert_false(l->elements[1].in_context);
    assert_true(l->elements[2].in_context);
    assert_int_equal(l->elements[2].count, 3);
    take(map, l, l->elements[2].elements_offset, 12, 4);
    assert_int_equal(l->elements[3].count, 0);
    /* An 8-bit displacement reaches sizes and the first globals. */
    assert_true(l->memory_sizes[1] >= -128 && l->globals[6] >= -128);
    free(map);
    layout_free(l);
    link_program_done(&p);
}

static void test_capacity(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t capacity;
    } cases[] = {
        {"(module (table 9 funcref))", 9},
        {"(module (table 9 20 funcref))", 9},
        {"(module (table (export \"t\") 9 20 funcref))", 20},
        {"(module (table (export \"t\") 9 9 funcref))", 9},
        {"(module (table (export \"t\") 9 funcref))", 1000000},
        {"(module (table (export \"t\") 9 1000001 funcref))", 1000000},
        {"(module (table (export \"t\") 1000001 funcref))", 1000001},
        {"(module (table (export \"t\") 1000001 1000002 funcref))", 1000001},
        {"(module (table $a 1 funcref) (table $b 2 externref)"
         " (func (drop (table.grow $b (ref.null extern) (i32.const 1)))))",
         1},
        {"(module (table $a 1 5 funcref) (func (drop (i32.const 0xfc))"
         " (drop (table.grow $a (ref.null func) (i32.const 0xfffc)))))",
         5},
        {"(module (table 0 funcref))", 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct link_program p;
        link_program_from_text(&p, cases[i].text);
        struct layout *l = layout_of(&p);
        assert_int_equal(l->tables[0].capacity, cases[i].capacity);
        layout_free(l);
        link_program_done(&p);
    }
}

static void test_empty(void **state)
{
    (void)state;
    struct link_program p;
    link_program_from_text(&p, "(module)");
    struct layout *l = layout_of(&p);
    assert_int_equal(l->context_bytes, ARTIFACT_PAGE);
    assert_int_equal(l->lanes_count, 1);
    assert_int_equal(l->functable_count, 1);
    layout_free(l);
    layout_free(NULL);
    link_program_done(&p);
}

/* 26 tables of ten million elements fit 1 GiB, 27 do not. */
static void test_limit(void **state)
{
    (void)state;
    for (unsigned count = 26; count <= 27; count++) {
        char text[4096];
        int n = snprintf(text, sizeof text, "(module");
        for (unsigned i = 0; i < count; i++)
            n += snprintf(text + n, sizeof text - (size_t)n, "(table 10000000 funcref)");
        snprintf(text + n, sizeof text - (size_t)n, ")");
        struct link_program p;
        struct layout *l = NULL;
        struct error err;
        link_program_from_text(&p, text);
        assert_int_equal(layout_new(p.program, &l, &err), count == 26 ? ST_OK : ST_LIMIT);
        if (count == 27) assert_non_null(strstr(err.text, "1073741824 bytes of context"));
        layout_free(l);
        link_program_done(&p);
    }
}

static void test_memory_limit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum status status;
    } cases[] = {
        {"(module (memory i64 65536))", ST_OK},
        {"(module (memory i64 65537))", ST_LIMIT},
        {"(module (memory i64 1 0x100000000))", ST_OK},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct link_program p;
        struct layout *l = NULL;
        struct error err;
        link_program_from_text(&p, cases[i].text);
        assert_int_equal(layout_new(p.program, &l, &err), cases[i].status);
        layout_free(l);
        link_program_done(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disjoint),     cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_empty),        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_memory_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
