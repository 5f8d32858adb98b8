#include "cmocka_all.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

static void a_failure_carries_status_and_text(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(error_set(&err, ST_INVALID, "byte %d: %s", 7, "bad magic"), ST_INVALID);
    assert_int_equal(err.status, ST_INVALID);
    assert_string_equal(err.text, "byte 7: bad magic");
    assert_int_equal(error_prefix(&err, "%s", "a.wasm"), ST_INVALID);
    assert_string_equal(err.text, "a.wasm: byte 7: bad magic");
}

static void nobody_has_to_ask_for_the_text(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ST_LIMIT, "x"), ST_LIMIT);
    assert_int_equal(error_set_errno(NULL, ENOENT, "x"), ST_NOT_FOUND);
    assert_int_equal(error_prefix(NULL, "x"), ST_INTERNAL);
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    char text[2 * ERROR_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct error err;
    error_set(&err, ST_IO, "%s", text);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
    error_prefix(&err, "%s", text);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
    error_set_errno(&err, EACCES, "%s", text);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
    assert_int_equal(err.status, ST_DENIED);
    error_set(&err, ST_IO, "%s", "short");
    error_prefix(&err, "%s", "pre");
    assert_string_equal(err.text, "pre: short");
}

static void a_text_stays_on_one_line(void **state)
{
    (void)state;
    struct error err;
    error_set(&err, ST_INVALID, "import %s", "a\nb\r\x1b[31m\x7f\xc3\xa4");
    assert_string_equal(err.text, "import a?b??[31m?\xc3\xa4");
    error_prefix(&err, "x\ny");
    assert_string_equal(err.text, "x?y: import a?b??[31m?\xc3\xa4");
    error_set_errno(&err, ENOENT, "%s", "p\nq");
    assert_null(strchr(err.text, '\n'));
}

static void errno_maps_to_status(void **state)
{
    (void)state;
    static const struct {
        int number;
        enum status status;
    } rows[] = {
        {ENOENT, ST_NOT_FOUND}, {ENOTDIR, ST_NOT_FOUND}, {EACCES, ST_DENIED}, {EPERM, ST_DENIED},
        {EEXIST, ST_EXISTS},    {ENOMEM, ST_NO_MEMORY},  {EIO, ST_IO},        {ENOSPC, ST_IO},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error err;
        assert_int_equal(error_set_errno(&err, rows[i].number, "f"), rows[i].status);
        assert_int_equal(err.status, rows[i].status);
        assert_int_equal(strncmp(err.text, "f: ", 3), 0);
    }
}

static void every_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = ST_OK; i <= ST_INTERNAL; i++) {
        assert_string_not_equal(status_name((enum status)i), "unknown");
        for (int k = ST_OK; k < i; k++)
            assert_string_not_equal(status_name((enum status)i), status_name((enum status)k));
    }
    assert_string_equal(status_name((enum status)(ST_INTERNAL + 1)), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_carries_status_and_text),
        cmocka_unit_test(nobody_has_to_ask_for_the_text),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(a_text_stays_on_one_line),
        cmocka_unit_test(errno_maps_to_status),
        cmocka_unit_test(every_status_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests_name("base/error", tests, NULL, NULL);
}
