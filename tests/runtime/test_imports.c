/* Linking: every missing import is named, with its type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

static enum host_result nothing(struct instance *i, struct value *values)
{
    (void)i;
    (void)values;
    return HOST_OK;
}

static const struct host_function first_set[] = {{"env", "host", "ii:i", nothing},
                                                 {"env", "other", ":i", nothing}};
static const struct host_function second_set[] = {{"env", "second", ":", nothing},
                                                  {"env", "host", ":", nothing}};
static const struct host_set sets[] = {{first_set, 2, NULL}, {second_set, 2, NULL}};

static enum status link_with(const struct blob_import *imports, size_t count, struct error *err)
{
    const struct blob_options options = {.imports = imports, .imports_count = count};
    struct artifact *a = blob_artifact(&options);
    struct module *m = NULL;
    enum status st = module_new(a, sets, ARRAY_COUNT(sets), &m, err);
    if (st)
        artifact_close(a); /* a failure leaves it ours */
    else
        module_free(m);
    return st;
}

static void test_granted(void **state)
{
    (void)state;
    static const struct blob_import imports[] = {{"env", "host", BLOB_host},
                                                 {"env", "second", BLOB_recurse}};
    struct error err = {0};
    assert_int_equal(link_with(imports, 2, &err), ST_OK);
    assert_int_equal(link_with(imports, 0, &err), ST_OK);
}

static void test_missing(void **state)
{
    (void)state;
    static const struct blob_import imports[] = {
        {"env", "host", BLOB_host},     {"env", "foo", BLOB_add},    {"a\nb", "", BLOB_recurse},
        {"env", "helper", BLOB_helper}, {"env", "other", BLOB_load}, /* another type, but missing
                                                                        ones come first */
    };
    struct error err = {0};
    assert_int_equal(link_with(imports, ARRAY_COUNT(imports), &err), ST_NOT_FOUND);
    assert_string_equal(err.text,
                        "imports that are not granted: \"env\" \"foo\" (i32, i32) -> i32; "
                        "\"a?b\" \"\" () -> (); "
                        "\"env\" \"helper\" (i32, i64, i64, i64, i64, i64) -> i64");
}

static void test_mistyped(void **state)
{
    (void)state;
    static const struct blob_import imports[] = {{"env", "other", BLOB_load},
                                                 {"env", "host", BLOB_host}};
    struct error err = {0};
    assert_int_equal(link_with(imports, 2, &err), ST_INVALID);
    assert_string_equal(err.text, "imports of another type: \"env\" \"other\" (i32, i32) -> i32, "
                                  "which is () -> i32");
}

static void test_many(void **state)
{
    (void)state;
    static char names[60][40];
    struct blob_import imports[60];
    for (uint32_t k = 0; k < 60; k++) {
        snprintf(names[k], sizeof names[k], "an_import_of_some_length_%u", k);
        imports[k] = (struct blob_import){"environment", names[k], BLOB_add};
    }
    struct error err = {0};
    assert_int_equal(link_with(imports, 60, &err), ST_NOT_FOUND);
    assert_non_null(strstr(err.text, "an_import_of_some_length_0\""));
    const char *tail = strstr(err.text, "; and ");
    assert_non_null(tail);
    char *more_end;
    unsigned long more = strtoul(tail + strlen("; and "), &more_end, 10), listed = 0;
    assert_string_equal(more_end, " more");
    for (const char *at = err.text; (at = strstr(at, "\"environment\"")); at++) listed++;
    assert_int_equal(listed + more, 60);
    /* One whose name alone is too long to be listed. */
    static char name[1100];
    memset(name, 'x', sizeof name - 1);
    const struct blob_import tall[] = {{"env", name, BLOB_add}, {"env", "foo", BLOB_add}};
    assert_int_equal(link_with(tall, 2, &err), ST_NOT_FOUND);
    assert_string_equal(err.text, "imports that are not granted: 2 more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_granted),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_mistyped),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
