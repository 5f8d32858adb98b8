#include "cmocka_all.h"

#include <string.h>

#include "base/arena.h"

static void cap_counts_at_n_and_one_past(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 64);
    assert_non_null(arena_alloc(&a, 64));
    assert_null(arena_alloc(&a, 1));
    arena_done(&a);

    arena_init(&a, 64);
    assert_null(arena_alloc(&a, 65));
    assert_non_null(arena_alloc(&a, 49)); /* rounds up to 64 */
    assert_null(arena_alloc(&a, 1));
    arena_done(&a);
}

static void cap_of_zero_gives_nothing(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 0);
    assert_null(arena_alloc(&a, 0));
    assert_null(arena_alloc(&a, 1));
    arena_done(&a);
}

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1u << 20);
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 65536, 65537, 3, 70000, 1};
    unsigned char *last = NULL;
    size_t last_size = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *p = arena_alloc(&a, sizes[i]);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t k = 0; k < sizes[i]; k++) assert_int_equal(p[k], 0);
        if (sizes[i]) memset(p, 0xa5, sizes[i]);
        for (size_t k = 0; k < last_size; k++) assert_int_equal(last[k], 0xa5);
        last = p;
        last_size = sizes[i];
    }
    arena_done(&a);
}

static void a_large_request_leaves_the_current_block_in_use(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1u << 20);
    char *first = arena_alloc(&a, 16);
    assert_non_null(first);
    assert_non_null(arena_alloc(&a, 100000));
    char *second = arena_alloc(&a, 16);
    assert_ptr_equal(second, first + 16);
    arena_done(&a);
}

static void sizes_near_the_end_of_the_address_space_fail(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, SIZE_MAX);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 15));
    assert_null(arena_alloc_array(&a, SIZE_MAX / 2, 3));
    assert_null(arena_copy_string(&a, "x", SIZE_MAX));
    assert_non_null(arena_alloc(&a, 1));
    arena_done(&a);
}

static void done_gives_the_cap_back(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 32);
    assert_non_null(arena_alloc(&a, 32));
    arena_done(&a);
    assert_int_equal(a.used_bytes, 0);
    assert_non_null(arena_alloc(&a, 32));
    arena_done(&a);

    struct arena zeroed = {0};
    arena_done(&zeroed);
}

static void strings_are_copied_and_ended(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1024);
    char *copy = arena_copy_string(&a, "mayfly", 3);
    assert_string_equal(copy, "may");
    assert_string_equal(arena_copy_string(&a, NULL, 0), "");
    int *numbers = arena_array(&a, int, 4);
    assert_non_null(numbers);
    assert_int_equal(numbers[3], 0);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cap_counts_at_n_and_one_past),
        cmocka_unit_test(cap_of_zero_gives_nothing),
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(a_large_request_leaves_the_current_block_in_use),
        cmocka_unit_test(sizes_near_the_end_of_the_address_space_fail),
        cmocka_unit_test(done_gives_the_cap_back),
        cmocka_unit_test(strings_are_copied_and_ended),
    };
    return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
