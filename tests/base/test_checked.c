#include "cmocka_all.h"

#include "base/checked.h"

static void additions(void **state)
{
    (void)state;
    size_t s;
    uint64_t u;
    assert_true(checked_add_size(SIZE_MAX - 1, 1, &s));
    assert_true(s == SIZE_MAX);
    assert_false(checked_add_size(SIZE_MAX, 1, &s));
    assert_false(checked_add_size(SIZE_MAX, SIZE_MAX, &s));
    assert_true(checked_add_u64(UINT64_MAX, 0, &u));
    assert_true(u == UINT64_MAX);
    assert_false(checked_add_u64(UINT64_MAX, 1, &u));
}

static void products(void **state)
{
    (void)state;
    size_t s;
    uint64_t u;
    assert_true(checked_mul_size(SIZE_MAX, 1, &s));
    assert_true(checked_mul_size(0, SIZE_MAX, &s));
    assert_int_equal(s, 0);
    assert_false(checked_mul_size(SIZE_MAX / 2 + 1, 2, &s));
    assert_true(checked_mul_u64(UINT32_MAX, UINT32_MAX, &u));
    assert_true(u == UINT64_C(0xfffffffe00000001));
    assert_false(checked_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &u));
}

static void alignment(void **state)
{
    (void)state;
    size_t s;
    assert_true(checked_align_size(0, 16, &s));
    assert_int_equal(s, 0);
    assert_true(checked_align_size(1, 16, &s));
    assert_int_equal(s, 16);
    assert_true(checked_align_size(16, 16, &s));
    assert_int_equal(s, 16);
    assert_true(checked_align_size(17, 1, &s));
    assert_int_equal(s, 17);
    assert_true(checked_align_size(SIZE_MAX - 15, 16, &s));
    assert_true(s == SIZE_MAX - 15);
    assert_false(checked_align_size(SIZE_MAX - 14, 16, &s));
}

static void ranges(void **state)
{
    (void)state;
    static const struct {
        uint64_t offset, length, size;
        bool within;
    } rows[] = {
        {0, 0, 0, true},
        {0, 1, 0, false},
        {1, 0, 0, false},
        {0, 10, 10, true},
        {1, 10, 10, false},
        {10, 0, 10, true},
        {11, 0, 10, false},
        {UINT64_MAX, 1, 10, false},
        {1, UINT64_MAX, 10, false},
        {5, UINT64_MAX - 2, 10, false},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, false},
        {0, UINT64_MAX, UINT64_MAX, true},
        {UINT64_MAX, 0, UINT64_MAX, true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_int_equal(range_within(rows[i].offset, rows[i].length, rows[i].size),
                         rows[i].within);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(additions),
        cmocka_unit_test(products),
        cmocka_unit_test(alignment),
        cmocka_unit_test(ranges),
    };
    return cmocka_run_group_tests_name("base/checked", tests, NULL, NULL);
}
