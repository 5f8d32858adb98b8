/* Bulk operations on memories and tables at their bounds, growth, slices. */
#include <string.h>

#include "rig.h"

#define PAGE      65536u
#define NEAR_2_64 0xfffffffffffffff0u

static uint8_t *memory(const struct instance *i, uint32_t number)
{
    uint8_t *start;
    assert_true(guest_slice(i, number, 0, guest_memory_bytes(i, number), &start));
    return start;
}

static void test_grow(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    assert_int_equal(HELP(i, memory_grow, 0, 0), 1);
    assert_int_equal(HELP(i, memory_grow, 0, 1), 1);
    assert_int_equal(guest_memory_bytes(i, 0), 2 * PAGE);
    assert_int_equal(rig_call(i, BLOB_load, 2 * PAGE - 4, 0), 0);
    rig_trap(i, BLOB_load, 2 * PAGE - 3, 0, TRAP_MEMORY_BOUNDS);
    assert_true(HELP(i, memory_grow, 0, 3) == UINT64_MAX);
    assert_true(HELP(i, memory_grow, 0, UINT64_MAX) == UINT64_MAX);
    assert_true(HELP(i, memory_grow, 0, 1ull << 48) == UINT64_MAX);
    assert_int_equal(guest_memory_bytes(i, 0), 2 * PAGE);
    assert_int_equal(HELP(i, memory_grow, 0, 2), 2);
    assert_int_equal(HELP(i, memory_grow, 0, 0), 4);
    assert_true(HELP(i, memory_grow, 0, 1) == UINT64_MAX);
    assert_int_equal(HELP(i, memory_grow, 1, 2), 0); /* from nothing */
    memory(i, 1)[2 * PAGE - 1] = 1;
    instance_free(i);
    /* The limit is one for all memories. */
    const struct instance_config config = {.memory_bytes_max = 3 * PAGE};
    i = rig_instance_of(rig_module, &config);
    assert_int_equal(HELP(i, memory_grow, 0, 1), 1);
    assert_true(HELP(i, memory_grow, 1, 2) == UINT64_MAX);
    assert_int_equal(HELP(i, memory_grow, 1, 1), 0);
    assert_true(HELP(i, memory_grow, 0, 1) == UINT64_MAX);
    instance_free(i);
}

static void test_memory_fill(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    HELP(i, memory_fill, 0, 10, 0x1ab, 3);
    assert_memory_equal(memory(i, 0) + 9, "\0\xab\xab\xab\0", 5);
    HELP(i, memory_fill, 0, PAGE - 1, 7, 1);
    HELP(i, memory_fill, 0, PAGE, 7, 0);
    HELP(i, memory_fill, 1, 0, 7, 0); /* an empty memory has an end, too */
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_fill, 0, PAGE + 1, 7, 0);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_fill, 0, PAGE - 2, 9, 3);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_fill, 0, 8, 9, NEAR_2_64);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_fill, 0, NEAR_2_64, 9, 0x20);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_fill, 1, 0, 9, 1);
    assert_int_equal(memory(i, 0)[PAGE - 2], 0); /* nothing before the trap */
    assert_int_equal(memory(i, 0)[PAGE - 1], 7);
    instance_free(i);
}

static void test_memory_copy(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    HELP(i, memory_grow, 1, 1);
    memcpy(memory(i, 0), "abcdefgh", 8);
    HELP(i, memory_copy, 0, 0, 2, 0, 6);
    assert_memory_equal(memory(i, 0), "ababcdef", 8);
    HELP(i, memory_copy, 0, 0, 0, 2, 6);
    assert_memory_equal(memory(i, 0), "abcdefef", 8);
    HELP(i, memory_copy, 1, 0, PAGE - 3, 0, 3);
    assert_memory_equal(memory(i, 1) + PAGE - 4, "\0abc", 4);
    HELP(i, memory_copy, 0, 1, PAGE, PAGE, 0);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_copy, 0, 1, PAGE + 1, 0, 0);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_copy, 0, 1, 0, PAGE + 1, 0);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_copy, 0, 0, PAGE - 2, 0, 3);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_copy, 0, 0, 0, PAGE - 2, 3);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_copy, 0, 0, 0, 1, UINT64_MAX);
    assert_memory_equal(memory(i, 0), "abcdefef", 8);
    instance_free(i);
}

static void test_memory_init(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    HELP(i, memory_init, 0, 0, 100, 2, 8);
    assert_memory_equal(memory(i, 0) + 99, "\00023456789", 10);
    HELP(i, memory_init, 0, 0, PAGE, 10, 0);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_init, 0, 0, 0, 11, 0);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_init, 0, 0, 0, 3, 8);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_init, 0, 0, PAGE - 1, 0, 2);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_init, 0, 0, 0, 5, NEAR_2_64);
    HELP(i, data_drop, 0);
    HELP(i, memory_init, 0, 0, 0, 0, 0);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_init, 0, 0, 0, 0, 1);
    HELP_TRAPS(i, TRAP_MEMORY_BOUNDS, memory_init, 0, 0, 0, 1, 0);
    HELP(i, data_drop, 0);
    instance_free(i);
}

static uint32_t element(struct instance *i, int32_t table, uint32_t k)
{
    return rig_call(i, BLOB_context, (uint32_t)table + 4 * k, 0);
}

static void test_table_fill_and_grow(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    HELP(i, table_fill, 0, 8, 5, 2);
    assert_int_equal(element(i, BLOB_TABLE_0, 7), 0);
    assert_int_equal(element(i, BLOB_TABLE_0, 8), 5);
    assert_int_equal(element(i, BLOB_TABLE_0, 9), 5);
    HELP(i, table_fill, 0, 10, 5, 0);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_fill, 0, 11, 5, 0);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_fill, 0, 9, 6, 2);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_fill, 0, 2, 6, UINT64_MAX);
    assert_int_equal(element(i, BLOB_TABLE_0, 9), 5);
    assert_int_equal(HELP(i, table_grow, 0, 2, 9), 10);
    assert_int_equal(element(i, BLOB_TABLE_0, 10), 9);
    assert_int_equal(element(i, BLOB_TABLE_0, 11), 9);
    assert_int_equal(element(i, BLOB_TABLE_0, 12), 0);
    assert_true(HELP(i, table_grow, 0, 89, 9) == UINT64_MAX);
    assert_true(HELP(i, table_grow, 0, UINT64_MAX, 9) == UINT64_MAX);
    assert_int_equal(HELP(i, table_grow, 0, 0, 9), 12);
    assert_int_equal(HELP(i, table_grow, 0, 88, 3), 12);
    assert_int_equal(element(i, BLOB_TABLE_0, 99), 3);
    assert_true(HELP(i, table_grow, 0, 1, 9) == UINT64_MAX);
    instance_free(i);
}

static void test_table_copy_and_init(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    HELP(i, table_init, 0, 0, 3, 0, 3);
    assert_int_equal(element(i, BLOB_TABLE_0, 3), 11);
    assert_int_equal(element(i, BLOB_TABLE_0, 5), 13);
    HELP(i, table_init, 0, 0, 10, 3, 0);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_init, 0, 0, 8, 0, 3);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_init, 0, 0, 0, 1, 3);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_init, 0, 0, 0, 4, 0);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_init, 0, 0, 11, 0, 0);
    assert_int_equal(element(i, BLOB_TABLE_0, 8), 0);
    HELP(i, elem_drop, 0);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_init, 0, 0, 0, 0, 1);
    HELP(i, table_init, 0, 0, 0, 0, 0);
    /* A segment that the guest computed. */
    rig_call(i, BLOB_set_context, (uint32_t)BLOB_ELEMENTS_1, 21);
    rig_call(i, BLOB_set_context, (uint32_t)BLOB_ELEMENTS_1 + 4, 22);
    HELP(i, table_init, 1, 1, 1, 0, 2);
    assert_int_equal(element(i, BLOB_TABLE_1, 2), 22);
    HELP(i, elem_drop, 1); /* which cannot be dropped */
    HELP(i, table_init, 1, 1, 1, 0, 2);

    HELP(i, table_copy, 0, 0, 4, 3, 3);
    assert_int_equal(element(i, BLOB_TABLE_0, 4), 11);
    assert_int_equal(element(i, BLOB_TABLE_0, 6), 13);
    HELP(i, table_copy, 0, 1, 0, 1, 2);
    assert_int_equal(element(i, BLOB_TABLE_0, 0), 21);
    HELP(i, table_copy, 1, 0, 5, 10, 0);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_copy, 1, 0, 6, 0, 0);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_copy, 1, 0, 0, 11, 0);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_copy, 1, 0, 3, 3, 3);
    HELP_TRAPS(i, TRAP_TABLE_BOUNDS, table_copy, 0, 0, 0, 2, UINT64_MAX);
    assert_int_equal(element(i, BLOB_TABLE_1, 3), 0);
    instance_free(i);
}

static void test_slices(void **state)
{
    (void)state;
    static const struct {
        uint64_t offset, length;
        uint32_t memory;
        bool inside;
    } rows[] = {
        {0, 0, 0, true},           {0, PAGE, 0, true},
        {PAGE, 0, 0, true},        {PAGE - 1, 1, 0, true},
        {PAGE - 1, 2, 0, false},   {PAGE, 1, 0, false},
        {PAGE + 1, 0, 0, false},   {0, PAGE + 1, 0, false},
        {UINT32_MAX, 1, 0, false}, {UINT64_MAX, 1, 0, false},
        {UINT64_MAX, 0, 0, false}, {1, UINT64_MAX, 0, false},
        {0, UINT64_MAX, 0, false}, {UINT64_MAX - PAGE, PAGE + 1, 0, false},
        {0, 0, 1, true},           {0, 1, 1, false},
        {1, 0, 1, false},          {0, 0, 2, false},
        {0, 0, UINT32_MAX, false},
    };
    struct instance *i = rig_instance();
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        uint8_t *slice = NULL;
        bool inside = guest_slice(i, rows[k].memory, rows[k].offset, rows[k].length, &slice);
        if (inside != rows[k].inside) fail_msg("row %zu", k);
        if (inside && rows[k].length) {
            slice[0] = 1;
            slice[rows[k].length - 1] = 1;
        }
    }
    assert_int_equal(guest_memory_bytes(i, 2), 0);
    instance_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_memory_fill),
        cmocka_unit_test(test_memory_copy),
        cmocka_unit_test(test_memory_init),
        cmocka_unit_test(test_table_fill_and_grow),
        cmocka_unit_test(test_table_copy_and_init),
        cmocka_unit_test(test_slices),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
