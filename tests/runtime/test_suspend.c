/* Calls that are left inside a host function, and end later or never. */
#include "rig.h"

/* What a host function holds while it waits. */
static int held;

static enum host_result host_waits(struct instance *i, struct value *values)
{
    enum host_result result = HOST_OK;
    uint32_t rounds = values[1].i32;
    held++;
    for (uint32_t k = 0; k < rounds && result == HOST_OK; k++)
        if (!instance_suspend(i)) result = HOST_CANCEL;
    held--;
    values[0].i32 = 77;
    return result;
}

static void test_resume(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_waits;
    struct value values[2] = {{.i32 = 4}, {.i32 = 3}};
    assert_int_equal(instance_call(i, BLOB_recurse_host, values), CALL_SUSPENDED);
    assert_null(guest_current);
    assert_int_equal(held, 1);
    assert_int_equal(instance_resume(i), CALL_SUSPENDED);
    assert_int_equal(instance_resume(i), CALL_SUSPENDED);
    assert_int_equal(instance_resume(i), CALL_RETURNED);
    assert_int_equal(values[0].i32, 77);
    assert_int_equal(held, 0);
    assert_int_equal(rig_call(i, BLOB_add, 1, 2), 3);
    instance_free(i);
}

static void test_cancel(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_waits;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(rig_try(i, BLOB_recurse_host, 4, 3, NULL), CALL_SUSPENDED);
        assert_int_equal(instance_cancel(i), CALL_TRAPPED);
        assert_int_equal(instance_trap(i)->kind, TRAP_CANCEL);
        assert_int_equal(held, 0);
    }
    assert_int_equal(rig_call(i, BLOB_add, 1, 2), 3);
    instance_free(i);
}

/* A host function that will not hear of it: the guest goes nowhere all the same. */
static int deaf_calls;

static enum host_result host_deaf(struct instance *i, struct value *values)
{
    deaf_calls++;
    if (instance_suspend(i)) return HOST_OK;
    assert_false(instance_suspend(i));
    assert_int_equal(rig_try(i, BLOB_add, 1, 2, NULL), CALL_TRAPPED);
    assert_int_equal(instance_trap(i)->kind, TRAP_CANCEL);
    instance_set_exit(i, 3);
    return values[1].i32 ? HOST_EXIT : HOST_OK;
}

static void test_cancel_deaf(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_deaf;
    for (uint32_t exits = 0; exits < 2; exits++) {
        assert_int_equal(rig_try(i, BLOB_recurse_host, 1, exits, NULL), CALL_SUSPENDED);
        assert_int_equal(instance_cancel(i), CALL_TRAPPED);
        assert_int_equal(instance_trap(i)->kind, TRAP_CANCEL);
    }
    assert_int_equal(deaf_calls, 2);
    instance_free(i);
}

/* Suspended two guest calls deep: the whole fiber is left, and cancelled level by level. */
static enum host_result host_nested(struct instance *i, struct value *values)
{
    if (values[1].i32 == 0) {
        bool goes_on = instance_suspend(i);
        values[0].i32 = 5;
        return goes_on ? HOST_OK : HOST_CANCEL;
    }
    held++;
    uint32_t ret = 0;
    enum call_result result = rig_try(i, BLOB_recurse_host, 2, values[1].i32 - 1, &ret);
    held--;
    values[0].i32 = ret + 1;
    return result == CALL_RETURNED ? HOST_OK : HOST_CANCEL;
}

static void test_nested(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_nested;
    struct value values[2] = {{.i32 = 1}, {.i32 = 2}};
    assert_int_equal(instance_call(i, BLOB_recurse_host, values), CALL_SUSPENDED);
    assert_int_equal(held, 2);
    assert_int_equal(instance_resume(i), CALL_RETURNED);
    assert_int_equal(values[0].i32, 7);
    assert_int_equal(rig_try(i, BLOB_recurse_host, 1, 3, NULL), CALL_SUSPENDED);
    assert_int_equal(held, 3);
    assert_int_equal(instance_cancel(i), CALL_TRAPPED);
    assert_int_equal(instance_trap(i)->kind, TRAP_CANCEL);
    assert_int_equal(held, 0);
    instance_free(i);
}

static void test_many(void **state)
{
    (void)state;
    enum { COUNT = 8 };
    struct instance *all[COUNT];
    struct value values[COUNT][2];
    for (uint32_t k = 0; k < COUNT; k++) {
        all[k] = rig_instance();
        rig_host = host_waits;
        values[k][0].i32 = k;
        values[k][1].i32 = k + 1;
        assert_int_equal(instance_call(all[k], BLOB_recurse_host, values[k]), CALL_SUSPENDED);
    }
    for (uint32_t round = 0; round < COUNT; round++)
        for (uint32_t k = round; k < COUNT; k++)
            assert_int_equal(instance_resume(all[k]), k == round ? CALL_RETURNED : CALL_SUSPENDED);
    for (uint32_t k = 0; k < COUNT; k++) {
        assert_int_equal(values[k][0].i32, 77);
        instance_free(all[k]);
    }
}

/* Ending an instance ends its call first: nothing that the host function holds is lost. */
static void test_free_and_reset(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_waits;
    struct error err;
    assert_int_equal(rig_try(i, BLOB_recurse_host, 4, 3, NULL), CALL_SUSPENDED);
    assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    assert_int_equal(held, 0);
    assert_int_equal(instance_trap(i)->kind, TRAP_NONE);
    assert_int_equal(rig_call(i, BLOB_add, 1, 2), 3);
    assert_int_equal(rig_try(i, BLOB_recurse_host, 4, 3, NULL), CALL_SUSPENDED);
    instance_free(i);
    assert_int_equal(held, 0);
}

/* A trap after the resume returns to who resumed, not to who called. */
static enum host_result host_waits_then_traps(struct instance *i, struct value *values)
{
    (void)values;
    if (!instance_suspend(i)) return HOST_CANCEL;
    rig_trap(i, BLOB_load, 65536, 0, TRAP_MEMORY_BOUNDS);
    return HOST_TRAP;
}

static enum call_result resume_elsewhere(struct instance *i, int depth)
{
    volatile char room[512];
    room[depth] = 1;
    enum call_result result = depth > 0 ? resume_elsewhere(i, depth - 1) : instance_resume(i);
    return room[depth] ? result : CALL_RETURNED;
}

static void test_trap_after_resume(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_waits_then_traps;
    assert_int_equal(rig_try(i, BLOB_recurse_host, 4, 3, NULL), CALL_SUSPENDED);
    assert_int_equal(resume_elsewhere(i, 10), CALL_TRAPPED);
    assert_int_equal(instance_trap(i)->kind, TRAP_HOST);
    assert_int_equal(instance_trap(i)->frames_count, 6);
    instance_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_deaf),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_free_and_reset),
        cmocka_unit_test(test_trap_after_resume),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
