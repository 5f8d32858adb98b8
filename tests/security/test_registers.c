/* What a guest finds in its registers when it begins: nothing of the guest before it, however that
 * one ended, and nothing of the host. */
#include <string.h>

#include "os/guest_entry.h"
#include "rig.h"

#define SLICE_NS INSTANCE_SLICE_NS_MIN

static bool wide_vectors;

static enum host_result waits(struct instance *i, struct value *values)
{
    values[0].i32 = 0;
    return instance_suspend(i) ? HOST_OK : HOST_CANCEL;
}

static enum host_result exits(struct instance *i, UNUSED struct value *values)
{
    instance_set_exit(i, 3);
    return HOST_EXIT;
}

static void assert_clean(struct instance *i)
{
    uint8_t *bytes;
    struct blob_registers r;
    struct value none[1];
    assert_true(guest_slice(i, 0, 0, 0x2000, &bytes));
    memcpy(bytes + BLOB_WIDE, &(uint32_t){wide_vectors}, sizeof(uint32_t));
    enum call_result result = instance_call(i, BLOB_registers, none);
    while (result == CALL_PREEMPTED) result = instance_resume(i);
    assert_int_equal(result, CALL_RETURNED);
    memcpy(&r, bytes + BLOB_REGISTERS, sizeof r);
    const uint64_t zero[] = {r.rbx, r.rcx, r.rdx, r.r8, r.r9, r.r10, r.r11, r.r12, r.r14, r.r15};
    for (size_t k = 0; k < ARRAY_COUNT(zero); k++)
        if (zero[k]) fail_msg("register %zu holds %llx", k, (unsigned long long)zero[k]);
    for (size_t n = 0; n < 16; n++)
        for (size_t k = 0; k < 4; k++)
            if (r.vectors[n][k])
                fail_msg("vector %zu holds %llx", n, (unsigned long long)r.vectors[n][k]);
    /* These the entry needs; all are addresses that guest code was given anyway. */
    assert_ptr_equal(r.r13, i->slot.base);
    assert_in_range(r.rsp, (uintptr_t)i->slot.stack_low,
                    (uintptr_t)i->slot.stack_low + i->slot.stack_bytes);
    assert_in_range(r.rbp, r.rsp, (uintptr_t)i->slot.stack_low + i->slot.stack_bytes);
    assert_int_equal(r.flags & 0x40400u, 0); /* direction, alignment checks */
    assert_int_equal(r.mxcsr, 0x1f80);
    assert_int_equal(r.x87_control, 0x037f);
}

/* Fills the registers of a guest and ends it in the given way. */
static void fill(struct instance *i, enum blob_way way, bool by_exit)
{
    static struct value values[2]; /* of a call that is left, until it is cancelled */
    values[0].i32 = way;
    values[1].i32 = wide_vectors;
    rig_host = by_exit ? exits : waits;
    enum call_result result = instance_call(i, BLOB_fill_registers, values);
    switch (way) {
    case BLOB_WAY_RETURN:
        while (result == CALL_PREEMPTED) result = instance_resume(i);
        assert_int_equal(result, CALL_RETURNED);
        break;
    case BLOB_WAY_FAULT:
        while (result == CALL_PREEMPTED) result = instance_resume(i);
        assert_int_equal(result, CALL_TRAPPED);
        break;
    case BLOB_WAY_HOST:
        while (result == CALL_PREEMPTED) result = instance_resume(i);
        assert_int_equal(result, by_exit ? CALL_EXITED : CALL_SUSPENDED);
        break;
    default: assert_int_equal(result, CALL_PREEMPTED);
    }
    rig_host = NULL;
}

static void test_after_guests(const struct module *m)
{
    const struct instance_config sliced = {.slice_ns = SLICE_NS};
    struct error err;
    struct instance *first = rig_instance_of(m, &sliced), *other = rig_instance_of(m, NULL);
    for (uint32_t round = 0; round < 20; round++)
        for (uint32_t way = 0; way < BLOB_WAYS_COUNT; way++) {
            fill(first, way, round % 2);
            assert_clean(other); /* while the first one may still be suspended */
            assert_int_equal(instance_reset(first, NULL, &err), ST_OK);
            assert_clean(first);
            assert_int_equal(instance_reset(first, NULL, &err), ST_OK);
            assert_int_equal(instance_reset(other, NULL, &err), ST_OK);
        }
    instance_free(first);
    instance_free(other);
}

static void test_narrow(void **state)
{
    (void)state;
    wide_vectors = false;
    test_after_guests(rig_module);
}

static void test_wide(void **state)
{
    (void)state;
    if (!guest_wide_vectors()) skip();
    wide_vectors = true;
    const struct blob_options options = {.cpu_level = 3};
    struct module *m = rig_link(blob_artifact(&options));
    test_after_guests(m);
    module_free(m);
}

/* What the host computed with last. */
static void test_after_host(void **state)
{
    (void)state;
    wide_vectors = false;
    struct instance *i = rig_instance();
    for (int round = 0; round < 10; round++) {
        const uint64_t mark = BLOB_MARK;
        __asm__ volatile("movq %0, %%xmm0\n\tmovaps %%xmm0, %%xmm7\n\tmovaps %%xmm0, %%xmm15"
                         :
                         : "r"(mark)
                         : "xmm0", "xmm7", "xmm15");
        assert_clean(i);
    }
    instance_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_after_host),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
