/* Values of every type cross as parameter and as result, and come out as they went in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define MEMORY_BYTES 65536u

struct row {
    const char *type, *value, *wanted; /* NULL: printed as written */
};

static void check_with(const struct row *r, enum canon_encoding from, enum canon_encoding to)
{
    struct pair p;
    pair_init(&p, MEMORY_BYTES, from, to);
    pair_start(&p, world_type(p.w, r->type));
    bool called = pair_call(&p, r->value);
    if (!called) print_error("%s %s: %s\n", r->type, r->value, p.trap);
    assert_true(called);
    const char *wanted = r->wanted ? r->wanted : r->value;
    assert_string_equal((const char *)p.seen.data, wanted);
    assert_string_equal((const char *)p.result.data, wanted);
    pair_done(&p);
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t k = 0; k < count; k++) check_with(&rows[k], CANON_UTF8, CANON_UTF8);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_scalars(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"bool", "true", "1"},
        {"bool", "false", "0"},
        {"u8", "0", NULL},
        {"u8", "255", NULL},
        {"s8", "-128", NULL},
        {"s8", "127", NULL},
        {"u16", "65535", NULL},
        {"s16", "-32768", NULL},
        {"u32", "4294967295", NULL},
        {"s32", "-2147483648", NULL},
        {"u64", "18446744073709551615", NULL},
        {"s64", "-9223372036854775808", NULL},
        {"f32", "1.5", "0x1.8p+0"},
        {"f32", "-inf", NULL},
        {"f32", "nan", NULL},
        {"f64", "-0x1p-1074", "-0x0.0000000000001p-1022"},
        {"f64", "nan", NULL},
        {"f64", "inf", NULL},
        {"char", "'a'", "U+61"},
        {"char", "'%f0%9f%8d%b0'", "U+1f370"},
    };
    check_rows(rows, COUNT(rows));
}

static void test_compounds(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"string", "\"\"", NULL},
        {"string", "\"hello\"", NULL},
        {"list<u8>", "[]", NULL},
        {"list<u8>", "[1,2,3]", NULL},
        {"list<bool>", "[true,false]", "[1,0]"},
        {"list<char>", "['x','y']", "[U+78,U+79]"},
        {"list<string>", "[\"a\",\"\",\"bc\"]", NULL},
        {"list<list<string>>", "[[],[\"a\"],[\"b\",\"c\"]]", NULL},
        {"list<u64, 3>", "[1,2,3]", NULL},
        {"list<tuple<u8, u32>, 2>", "[(1,2),(3,4)]", "[{:1,:2},{:3,:4}]"},
        {"tuple<u8, u64, u8>", "(1,2,3)", "{:1,:2,:3}"},
        {"record{a: u8, b: string}", "{a:1,b:\"x\"}", NULL},
        {"list<record{a: u8, b: u32, c: f64}>", "[{a:1,b:2,c:3}]", "[{a:1,b:2,c:0x1.8p+1}]"},
        {"enum{red, green}", "green", NULL},
        {"flags{a, b, c}", "{a,c}", "flags:5"},
        {"flags{f0, f1, f2, f3, f4, f5, f6, f7, f8}", "{f8,f0}", "flags:101"},
        {"option<u32>", "none", NULL},
        {"option<u32>", "some(7)", NULL},
        {"option<option<string>>", "some(some(\"x\"))", NULL},
        {"result", "ok", NULL},
        {"result<u8>", "ok(3)", NULL},
        {"result<u8, string>", "err(\"no\")", "error(\"no\")"},
        {"result<_, u64>", "ok", NULL},
        {"variant{a(u32), b(f32), c(u64), d(f64)}", "a(7)", NULL},
        {"variant{a(u32), b(f32), c(u64), d(f64)}", "b(1)", "b(0x1p+0)"},
        {"variant{a(u32), b(f32), c(u64), d(f64)}", "c(18446744073709551615)", NULL},
        {"variant{a(u32), b(f32), c(u64), d(f64)}", "d(-2)", "d(-0x1p+1)"},
        {"variant{p(tuple<f32, f32>), q(u32)}", "p((1,2))", "p({:0x1p+0,:0x1p+1})"},
        {"variant{p(tuple<f32, f32>), q(u32)}", "q(9)", NULL},
        {"list<variant{n(u8), s(string), w(u64)}>", "[n(1),s(\"x\"),w(2)]", NULL},
    };
    check_rows(rows, COUNT(rows));
}

/* More than 16 core values go through memory. */
static void test_spilled(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"list<u32, 16>", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]", NULL},
        {"list<u32, 17>", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]", NULL},
        {"list<tuple<string, u8>, 6>",
         "[(\"a\",1),(\"b\",2),(\"c\",3),(\"d\",4),(\"e\",5),(\"f\",6)]",
         "[{:\"a\",:1},{:\"b\",:2},{:\"c\",:3},{:\"d\",:4},{:\"e\",:5},{:\"f\",:6}]"},
    };
    check_rows(rows, COUNT(rows));
}

/* Strings of all widths between all encodings. */
static void test_encodings(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\"\"",
        "\"plain ascii that is longer than one block of the fast way\"",
        "\"caf%c3%a9\"",
        "\"%c3%bf%c3%80 latin one\"",
        "\"latin first, then %e2%98%83 wide\"",
        "\"%f0%9f%8d%b0 astral\"",
        "\"%e2%98%83\"",
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%f0%9f%8d%b0\"",
        "\"%ef%bf%bf%ee%80%80%ed%9f%bf\"",
    };
    for (size_t k = 0; k < COUNT(texts); k++)
        for (unsigned from = CANON_UTF8; from <= CANON_LATIN1_UTF16; from++)
            for (unsigned to = CANON_UTF8; to <= CANON_LATIN1_UTF16; to++) {
                char text[200], *at = text;
                /* Spaces part words, so they stand as %20. */
                for (const char *c = texts[k]; *c; c++)
                    at += sprintf(at, *c == ' ' || *c == ',' ? "%%%02x" : "%c", (unsigned char)*c);
                const struct row r = {"string", text, NULL};
                const struct row list = {"list<string>", text, NULL};
                check_with(&r, from, to);
                char items[500];
                snprintf(items, sizeof items, "[%s,%s]", text, text);
                check_with(&(struct row){list.type, items, NULL}, from, to);
            }
}

/* What is dropped on the way: bits beyond a type's width, unknown flags, NaN payloads, padding. */
static void test_normalised(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        uint64_t in, out;
    } rows[] = {
        {"bool", 0x100, 1},
        {"u8", 0xffffff02, 2},
        {"s8", 0x80, 0xffffff80},
        {"u16", 0x10001, 1},
        {"s16", 0xffff8000, 0xffff8000},
        {"flags{a, b, c}", 0xffffffff, 7},
        {"f32", 0xffa12345, 0x7fc00000},
        {"f64", 0xfff0000000000001, 0x7ff8000000000000},
        {"u32", 0xdeadbeef00000001, 1},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        struct pair p;
        pair_init(&p, MEMORY_BYTES, CANON_UTF8, CANON_UTF8);
        pair_start(&p, world_type(p.w, rows[k].type));
        struct value v[2] = {{.i64 = rows[k].in}};
        assert_true(pair_call_flat(&p, v));
        assert_int_equal(v[0].i64, rows[k].out);
        pair_done(&p);
    }
}

/* What lies between the fields of the caller's records is none of the callee's business. */
static void test_padding(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, MEMORY_BYTES, CANON_UTF8, CANON_UTF8);
    pair_start(&p, world_type(p.w, "list<tuple<u8, u32>>"));
    uint8_t *from = p.w->memories[0].bytes + 64;
    memset(from, 0xee, 16);
    struct value v[3] = {{.i32 = 64}, {.i32 = 2}, {.i32 = 8}};
    memset(p.w->memories[1].bytes, 0, MEMORY_BYTES);
    assert_true(pair_call_flat(&p, v));
    unsigned copied = 0;
    for (uint32_t at = 0; at < MEMORY_BYTES; at++) copied += p.w->memories[1].bytes[at] == 0xee;
    assert_int_equal(copied, 20); /* two elements, as parameter and as result */
    pair_done(&p);
}

/* As deep as types may be, and one deeper. */
static void test_depth(void **state)
{
    (void)state;
    for (unsigned depth = WIT_DEPTH_MAX - 1; depth <= WIT_DEPTH_MAX; depth++) {
        struct pair p;
        struct error err;
        struct canonical *c = NULL;
        pair_init(&p, MEMORY_BYTES, CANON_UTF8, CANON_UTF8);
        struct world *w = p.w;
        uint32_t type = WIT_STRING;
        for (unsigned k = 0; k < depth; k++) {
            struct artifact_wit_type t = {
                .kind = k % 2 ? WIT_RECORD : WIT_LIST, .element = type, .fields_count = k % 2};
            t.fields_first = world_add_field(w, "", type);
            type = world_add_type(w, t);
        }
        if (depth < WIT_DEPTH_MAX) {
            char text[1000] = "\"deep\"", outer[sizeof text + 4];
            for (unsigned k = 0; k < depth; k++) {
                snprintf(outer, sizeof outer, k % 2 ? "(%s)" : "[%s]", text);
                memcpy(text, outer, sizeof text - 1);
            }
            pair_start(&p, type);
            assert_true(pair_call(&p, text));
            assert_non_null(strstr((const char *)p.result.data, "deep"));
        } else {
            struct artifact_wit_type func = {.kind = WIT_FUNC, .element = type};
            world_add_type(w, func);
            assert_int_equal(world_try(w, &c, &err), ST_CORRUPT);
        }
        pair_done(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),    cmocka_unit_test(test_compounds),
        cmocka_unit_test(test_spilled),    cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_normalised), cmocka_unit_test(test_padding),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
