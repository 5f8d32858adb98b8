#include "cmocka_all.h"

#include <string.h>

#include "base/buffer.h"

static void appends_up_to_the_cap_and_not_past(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 8);
    assert_int_equal(buffer_append(&b, "12345678", 8), ST_OK);
    assert_false(b.failed);
    assert_int_equal(buffer_append(&b, "9", 1), ST_LIMIT);
    assert_true(b.failed);
    assert_int_equal(b.size_bytes, 8);
    assert_memory_equal(b.data, "12345678", 8);
    assert_int_equal(buffer_append(&b, NULL, 0), ST_OK);
    buffer_done(&b);
}

static void printf_may_fill_the_cap_exactly(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 8);
    assert_int_equal(buffer_printf(&b, "%d%s", 1234, "5678"), ST_OK);
    assert_int_equal(b.size_bytes, 8);
    assert_memory_equal(b.data, "12345678", 8);
    buffer_clear(&b);
    assert_int_equal(buffer_printf(&b, "%s", "123456789"), ST_LIMIT);
    assert_int_equal(b.size_bytes, 0);
    buffer_done(&b);

    buffer_init(&b, 512); /* the first allocation is full to the last byte */
    for (int i = 0; i < 256; i++) assert_int_equal(buffer_printf(&b, "%c", 'a'), ST_OK);
    assert_int_equal(b.size_bytes, 256);
    buffer_done(&b);
}

static void failed_stays_set_until_cleared(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 4);
    assert_int_equal(buffer_append_string(&b, "hello"), ST_LIMIT);
    assert_int_equal(buffer_append_string(&b, "hi"), ST_OK);
    assert_true(b.failed);
    assert_int_equal(b.size_bytes, 2);
    buffer_clear(&b);
    assert_false(b.failed);
    assert_int_equal(b.size_bytes, 0);
    buffer_done(&b);
}

static void reserve_near_the_end_of_the_address_space_fails(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, SIZE_MAX);
    assert_int_equal(buffer_append(&b, "x", 1), ST_OK);
    assert_int_equal(buffer_reserve(&b, SIZE_MAX), ST_LIMIT);
    assert_int_equal(buffer_reserve(&b, SIZE_MAX - 1), ST_NO_MEMORY);
    assert_int_equal(b.size_bytes, 1);
    assert_int_equal(b.data[0], 'x');
    buffer_done(&b);
}

static void growth_is_geometric_up_to_the_cap(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 100000);
    size_t moves = 0;
    size_t capacity = 0;
    for (size_t i = 0; i < 100000; i++) {
        assert_int_equal(buffer_append(&b, "x", 1), ST_OK);
        if (b.capacity_bytes != capacity) moves++;
        capacity = b.capacity_bytes;
    }
    assert_true(moves < 12);
    assert_int_equal(buffer_append(&b, "x", 1), ST_LIMIT);
    buffer_done(&b);
}

static void aligns_with_zeros(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 32);
    assert_int_equal(buffer_align(&b, 16), ST_OK);
    assert_int_equal(b.size_bytes, 0);
    assert_int_equal(buffer_append(&b, "\xff", 1), ST_OK);
    assert_int_equal(buffer_align(&b, 16), ST_OK);
    assert_int_equal(b.size_bytes, 16);
    for (size_t i = 1; i < 16; i++) assert_int_equal(b.data[i], 0);
    assert_int_equal(buffer_append(&b, "\xff", 1), ST_OK);
    assert_int_equal(buffer_align(&b, 64), ST_LIMIT);
    assert_int_equal(b.size_bytes, 17);
    buffer_done(&b);
}

static void consumes_from_the_front(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 32);
    assert_int_equal(buffer_append_string(&b, "headbody"), ST_OK);
    buffer_consume(&b, 4);
    assert_int_equal(b.size_bytes, 4);
    assert_memory_equal(b.data, "body", 4);
    buffer_consume(&b, 4);
    assert_int_equal(b.size_bytes, 0);
    buffer_consume(&b, 0);
    buffer_done(&b);
}

static void done_leaves_an_empty_buffer_with_its_cap(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 2);
    assert_int_equal(buffer_append_string(&b, "hi"), ST_OK);
    buffer_done(&b);
    assert_null(b.data);
    assert_int_equal(buffer_append_string(&b, "hi"), ST_OK);
    assert_int_equal(buffer_append_string(&b, "!"), ST_LIMIT);
    buffer_done(&b);

    struct buffer zeroed = {0};
    buffer_done(&zeroed);
    assert_int_equal(buffer_append_string(&zeroed, "x"), ST_LIMIT);
    buffer_done(&zeroed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_up_to_the_cap_and_not_past),
        cmocka_unit_test(printf_may_fill_the_cap_exactly),
        cmocka_unit_test(failed_stays_set_until_cleared),
        cmocka_unit_test(reserve_near_the_end_of_the_address_space_fails),
        cmocka_unit_test(growth_is_geometric_up_to_the_cap),
        cmocka_unit_test(aligns_with_zeros),
        cmocka_unit_test(consumes_from_the_front),
        cmocka_unit_test(done_leaves_an_empty_buffer_with_its_cap),
    };
    return cmocka_run_group_tests_name("base/buffer", tests, NULL, NULL);
}
