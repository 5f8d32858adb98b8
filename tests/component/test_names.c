/* Names of imports and exports, and which of them may stand side by side. */
#include "../base/cmocka_all.h"

#include "component_builder.h"

static enum status decode_with(const char *const *names, size_t count, uint8_t section)
{
    struct builder b;
    struct error err = {0};
    builder_init(&b);
    builder_section_hex(&b, 7, "01 40 00 01 00");
    if (section == 11) builder_section_hex(&b, 10, "01 00 'imported' 01 00");
    builder_section(&b, section);
    builder_u32(&b, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        builder_hex(&b, "00");
        builder_name(&b, names[i]);
        builder_hex(&b, section == 11 ? "01 00 00" : "01 00");
    }
    builder_section_end(&b);
    enum status st = builder_decode(&b, &err);
    builder_done(&b);
    return st;
}

static void expect(const char *name, bool valid)
{
    enum status st = decode_with(&name, 1, 10);
    if ((st == ST_OK) != valid) fail_msg("`%s` is %s", name, valid ? "refused" : "accepted");
}

static void valid_names(void **state)
{
    static const char *const names[] = {
        "a",
        "a1",
        "a-1",
        "A",
        "B-1-C-2-D-3",
        "a11-B11-123-ABC-abc",
        "a:b/c",
        "ns-1-a:b-1-c/D-2",
        "wasi:http/types@0.2.12",
        "a:b/c@0.0.0+abcd-efg",
        "a:b/c@0.0.0-abcd.1.2+efg.4.ee.5",
        "a:b/c@0.3.0-rc-2025-09-16",
        "unlocked-dep=<a:b>",
        "unlocked-dep=<a:b@*>",
        "unlocked-dep=<a:b@{>=1.2.3}>",
        "unlocked-dep=<a:b@{<2.0.0}>",
        "unlocked-dep=<a:b@{>=1.2.3 <2.0.0}>",
        "locked-dep=<a:b>",
        "locked-dep=<a:b@1.2.3>",
        "locked-dep=<a:b@1.2.3>,integrity=<sha256-a>",
        "url=<https://example.com/x>",
        "url=<>",
        "url=<https://example.com/x>,integrity=<sha512-abc+/==>",
        "integrity=<sha256-abc>",
        "integrity=<sha256-abc sha384-def=>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) expect(names[i], true);
}

static void invalid_names(void **state)
{
    static const char *const names[] = {
        "",
        "1",
        "1-a",
        "a-",
        "a--b",
        "-a",
        "aB",
        "Ab",
        "a_b",
        "a b",
        "a.b",
        "\xc3\xa4",
        "a:b",
        ":b/c",
        "a:/c",
        "a:b/",
        "a:b/c/d",
        "a:b:c/d",
        "A:b/c",
        "a:B/c",
        "a:b/c@",
        "a:b/c@1",
        "a:b/c@1.2",
        "a:b/c@1.2.",
        "a:b/c@1.2.3.4",
        "a:b/c@01.2.3",
        "a:b/c@1.2.3-",
        "a:b/c@1.2.3-01",
        "a:b/c@1.2.3-a..b",
        "a:b/c@1.2.3+",
        "a:b/c@1.2.3+a+b",
        "a:b/c@v1.2.3",
        "a:b/c@99999999999999999999.0.0",
        "[constructor]",
        "[method]",
        "[method]a",
        "[method]a.",
        "[method].b",
        "[method]a.b.c",
        "[static]a",
        "[other]a",
        "[method",
        "unlocked-dep=<>",
        "unlocked-dep=<a>",
        "unlocked-dep=<a:b@1.2.3>",
        "unlocked-dep=<a:b@{}>",
        "unlocked-dep=<a:b@{>1.2.3}>",
        "unlocked-dep=<a:b",
        "locked-dep=<a:b@*>",
        "locked-dep=<a:b>,",
        "locked-dep=<a:b>,integrity=<>",
        "url=",
        "url=<a",
        "url=<a>b",
        "url=<<>",
        "integrity=<>",
        "integrity=<md5-abc>",
        "integrity=<sha256->",
        "integrity=<sha256-abc ,>",
        "other=<a>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) expect(names[i], false);
}

static void what_is_imported_only(void **state)
{
    static const char *const names[] = {"url=<x>", "unlocked-dep=<a:b>", "locked-dep=<a:b>",
                                        "integrity=<sha256-abc>"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        assert_int_equal(decode_with(&names[i], 1, 11), ST_INVALID);
    assert_int_equal(decode_with((const char *const[]){"a:b/c@1.0.0"}, 1, 11), ST_OK);
}

static void names_that_are_too_much_alike(void **state)
{
    static const char *const alike[][2] = {
        {"a", "a"},
        {"a", "A"},
        {"foo-BAR", "FOO-bar"},
        {"a:b/c", "a:b/c"},
        {"a:b/c@1.0.0", "a:b/c@1.0.0"},
    };
    static const char *const apart[][2] = {
        {"a", "b"},     {"a1", "a-1"}, {"a:b/c", "a:b/c@1.0.0"}, {"a:b/c@1.0.0", "a:b/c@2.0.0"},
        {"a", "a:b/c"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(alike); i++) {
        assert_int_equal(decode_with(alike[i], 2, 10), ST_INVALID);
        assert_int_equal(decode_with(alike[i], 2, 11), ST_INVALID);
    }
    for (size_t i = 0; i < ARRAY_COUNT(apart); i++)
        assert_int_equal(decode_with(apart[i], 2, 10), ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_names),
        cmocka_unit_test(invalid_names),
        cmocka_unit_test(what_is_imported_only),
        cmocka_unit_test(names_that_are_too_much_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
