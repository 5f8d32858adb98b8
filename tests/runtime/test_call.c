/* Entry, parameters, nesting, and what a guest finds in its registers' surroundings. */
#include <string.h>
#include <xmmintrin.h>

#include "rig.h"

static void test_parameters(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    assert_int_equal(rig_call(i, BLOB_add, 40, 2), 42);
    assert_int_equal(rig_call(i, BLOB_add, 0xffffffff, 2), 1);
    assert_ptr_equal(instance_module(i), rig_module);
    instance_free(i);
}

static void test_init(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    assert_int_equal(instance_init_all(i), CALL_RETURNED);
    struct value value;
    instance_global_get(i, 0, &value);
    assert_int_equal(value.i32, 0x1234);
    assert_int_equal(rig_call(i, BLOB_load, 64, 0), 0x5678);
    instance_free(i);
}

static void test_globals(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    const struct value set = {.i64 = 0x1122334455667788};
    instance_global_set(i, 1, &set);
    struct value got;
    instance_global_get(i, 1, &got);
    assert_true(got.i64 == set.i64);
    instance_global_get(i, 0, &got); /* its neighbour, four bytes wide */
    assert_true(got.i64 == 0);
    instance_global_set(i, 0, &set);
    instance_global_get(i, 0, &got);
    assert_true(got.i64 == 0x55667788);
    assert_int_equal(rig_call(i, BLOB_context, (uint32_t)BLOB_GLOBAL_0, 0), 0x55667788);
    instance_free(i);
}

static enum host_result host_context(struct instance *i, struct value *values)
{
    values[0].i32 = *(const uint32_t *)instance_context(i) + values[1].i32;
    return HOST_OK;
}

static void test_host_function(void **state)
{
    (void)state;
    uint32_t number = 1000;
    const struct instance_config config = {.context = &number};
    struct instance *i = rig_instance_of(rig_module, &config);
    rig_host = host_context;
    assert_int_equal(rig_call(i, BLOB_host, 7, 8), 1008);
    rig_host = NULL;
    assert_int_equal(rig_call(i, BLOB_host, 7, 8), 15);
    instance_free(i);
}

/* Guest and host take turns: host(n) calls recurse_host(0, n - 1), which calls host(0, n - 1). */
static enum host_result host_nested(struct instance *i, struct value *values)
{
    uint32_t n = values[1].i32;
    if (n == 0) {
        values[0].i32 = 100;
        return HOST_OK;
    }
    uint32_t ret = 0;
    switch (rig_try(i, BLOB_recurse_host, 0, n - 1, &ret)) {
    case CALL_RETURNED: values[0].i32 = ret + 1; return HOST_OK;
    case CALL_TRAPPED:
        instance_set_trap_text(i, "nested trap %u", instance_trap(i)->kind);
        return HOST_TRAP;
    default: return HOST_EXIT;
    }
}

static void test_nested(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_nested;
    assert_int_equal(rig_call(i, BLOB_host, 0, 3), 103);
    /* The outermost call is one level, the nested ones are the rest. */
    assert_int_equal(rig_call(i, BLOB_host, 0, INSTANCE_CALL_DEPTH_MAX - 1),
                     100 + INSTANCE_CALL_DEPTH_MAX - 1);
    rig_trap(i, BLOB_host, 0, INSTANCE_CALL_DEPTH_MAX, TRAP_HOST);
    assert_string_equal(instance_trap(i)->text, "nested trap 11"); /* TRAP_HOST, all the way down */
    assert_int_equal(rig_call(i, BLOB_host, 0, 5), 105);
    instance_free(i);
}

/* A trap in the nested call ends that call only; the host function decides about its own. */
static enum host_result host_nested_fault(struct instance *i, struct value *values)
{
    uint32_t ret;
    if (rig_try(i, BLOB_load, 0xfffffff0, 0, &ret) != CALL_TRAPPED) return HOST_TRAP;
    values[0].i32 = instance_trap(i)->kind;
    return HOST_OK;
}

static void test_nested_fault(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_nested_fault;
    assert_int_equal(rig_call(i, BLOB_recurse_host, 5, 0), TRAP_MEMORY_BOUNDS);
    instance_free(i);
}

static struct instance *other;

static enum host_result host_other_instance(struct instance *i, struct value *values)
{
    enum host_result (*self)(struct instance *, struct value *) = rig_host;
    if (i == other) {
        values[0].i32 = 1;
        return HOST_OK;
    }
    uint32_t ret = rig_call(other, BLOB_recurse_host, 3, 0);
    rig_trap(other, BLOB_store, 0x20000, 7, TRAP_MEMORY_BOUNDS);
    assert_ptr_equal(rig_host, self);
    values[0].i32 = ret + 10;
    return HOST_OK;
}

static void test_other_instance(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    other = rig_instance();
    rig_host = host_other_instance;
    assert_int_equal(rig_call(i, BLOB_recurse_host, 3, 0), 11);
    rig_trap(i, BLOB_store, 0x20000, 7, TRAP_MEMORY_BOUNDS);
    instance_free(other);
    instance_free(i);
}

/* The host's rounding mode neither reaches the guest nor is lost. */
static unsigned guest_mxcsr;

static enum host_result host_controls(struct instance *i, struct value *values)
{
    (void)i;
    (void)values;
    guest_mxcsr = _mm_getcsr() & 0xffc0u;
    return HOST_OK;
}

static void test_float_controls(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_controls;
    unsigned before = _mm_getcsr();
    _mm_setcsr((before & ~0x3fu) | _MM_ROUND_UP | _MM_FLUSH_ZERO_ON);
    rig_call(i, BLOB_host, 0, 0);
    unsigned after = _mm_getcsr();
    enum call_result trapped = rig_try(i, BLOB_load, 0xffffffff, 0, NULL);
    unsigned after_trap = _mm_getcsr();
    _mm_setcsr(before);
    assert_int_equal(trapped, CALL_TRAPPED);
    assert_int_equal(guest_mxcsr, 0x1f80);
    assert_int_equal(after & 0xffc0u, (before & 0x1f80) | _MM_ROUND_UP | _MM_FLUSH_ZERO_ON);
    assert_int_equal(after_trap & 0xffc0u, after & 0xffc0u);
    instance_free(i);
}

static void test_limits(void **state)
{
    (void)state;
    struct error err;
    struct instance *i = NULL;
    const struct instance_config memory = {.memory_bytes_max = 65535};
    assert_int_equal(instance_new(rig_module, &memory, &i, &err), ST_LIMIT);
    assert_non_null(strstr(err.text, "65536"));
    const struct instance_config exact = {.memory_bytes_max = 65536};
    i = rig_instance_of(rig_module, &exact);
    assert_true(HELP(i, memory_grow, 0, 1) == UINT64_MAX);
    instance_free(i);
    const struct instance_config stack = {.stack_bytes = INSTANCE_STACK_BYTES_MAX + 1};
    assert_int_equal(instance_new(rig_module, &stack, &i, &err), ST_LIMIT);
    const struct instance_config tall = {.stack_bytes = INSTANCE_STACK_BYTES_MAX};
    i = rig_instance_of(rig_module, &tall);
    assert_int_equal(rig_call(i, BLOB_low_stack, INSTANCE_STACK_BYTES_MAX / 4096, 1), 0);
    instance_free(i);
    instance_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters),     cmocka_unit_test(test_init),
        cmocka_unit_test(test_globals),        cmocka_unit_test(test_host_function),
        cmocka_unit_test(test_nested),         cmocka_unit_test(test_nested_fault),
        cmocka_unit_test(test_other_instance), cmocka_unit_test(test_float_controls),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
