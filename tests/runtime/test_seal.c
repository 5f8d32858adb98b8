/* A sealed slot behaves like any other: whatever is written behind the seal arrives, and is gone
 * after the reset. */
#include <string.h>

#include "base/clock.h"
#include "rig.h"

#define PAGE   65536u
#define CANARY 0x5ec7e700u

static const struct instance_config sealable = {.sealable = true};

/* What every instance of these tests does. */
static void do_usual(struct instance *i)
{
    rig_call(i, BLOB_store, 100, CANARY);
    rig_call(i, BLOB_store, 5 * 4096, CANARY);
}

static void reset(struct instance *i)
{
    struct error err;
    assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
}

/* How many instances it took. */
static uint32_t until_sealed(struct instance *i)
{
    for (uint32_t k = 0;; k++) {
        if (i->slot.sealed) return k;
        if (k > (SLOT_CALM_RESETS + 4) << SLOT_UNSEALS_MAX) fail_msg("never sealed");
        do_usual(i);
        reset(i);
    }
}

/* The first instance has been there; or the test is skipped, where the system does not tell pages.
 */
static struct instance *begin(const struct instance_config *config)
{
    struct instance *i = rig_instance_of(rig_module, config);
    do_usual(i);
    reset(i);
    if (i->slot.learned.process) return i;
    for (uint32_t k = 0; k < 2 * SLOT_CALM_RESETS; k++) reset(i);
    assert_false(i->slot.sealed);
    instance_free(i);
    skip();
    return NULL;
}

/* ---- what is written behind the seal ---- */

static void by_guest(struct instance *i)
{
    rig_call(i, BLOB_store, 9 * 4096 - 2, CANARY); /* across two pages */
    assert_int_equal(rig_call(i, BLOB_load, 9 * 4096 - 2, 0), CANARY);
}

static void by_host(struct instance *i)
{
    uint8_t *slice;
    assert_true(guest_slice(i, 0, 0, PAGE, &slice));
    memset(slice, 0xcc, PAGE);
}

static void by_system(struct instance *i)
{
    const struct random_source *random = random_system();
    uint8_t *slice;
    assert_true(guest_slice(i, 0, 2 * 4096, 3 * 4096, &slice));
    random->fill(random->context, slice, 3 * 4096);
}

static void by_stack(struct instance *i)
{
    rig_call(i, BLOB_low_stack, 300, CANARY);
}

static void by_table(struct instance *i)
{
    HELP(i, table_fill, 1, 0, CANARY, 5); /* not in the page of the sizes, which all write */
}

static void by_helper(struct instance *i)
{
    HELP(i, memory_fill, 0, 0, 0xcc, PAGE);
}

static void by_growing(struct instance *i)
{
    HELP(i, memory_grow, 0, 3);
    HELP(i, memory_grow, 1, 2);
    HELP(i, memory_fill, 0, PAGE - 10, 0xcc, 3 * PAGE);
    HELP(i, memory_fill, 1, 0, 0xcc, 2 * PAGE);
}

static void (*const writers[])(struct instance *i) = {by_guest, by_host,   by_system, by_stack,
                                                      by_table, by_helper, by_growing};

static void test_written(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(writers); k++) {
        struct instance *i = begin(&sealable);
        until_sealed(i);
        rig_assert_fresh(i);
        for (int again = 0; again < 2; again++) {
            do_usual(i);
            writers[k](i);
            if (!again) assert_false(i->slot.sealed); /* the second time it may be a usual page */
            reset(i);
            rig_assert_fresh(i);
            until_sealed(i);
            rig_assert_fresh(i);
        }
        instance_free(i);
    }
}

/* What instances write is written as before, and what none may write none can. */
static void test_usual(void **state)
{
    (void)state;
    struct instance *i = begin(&sealable);
    until_sealed(i);
    struct pages_moment before = pages_now();
    for (int round = 0; round < 100; round++) {
        do_usual(i);
        assert_int_equal(rig_call(i, BLOB_load, 5 * 4096, 0), CANARY);
        assert_int_equal(rig_call(i, BLOB_load, 3 * 4096, 0), 0);
        reset(i);
    }
    assert_true(i->slot.sealed);
    struct pages_moment after = pages_now();
    assert_in_range(after.faults - before.faults, 0, 5);
    rig_trap(i, BLOB_store, PAGE, 1, TRAP_MEMORY_BOUNDS);
    rig_trap(i, BLOB_recurse, 0, 0, TRAP_STACK_EXHAUSTED);
    reset(i);
    rig_assert_fresh(i);
    instance_free(i);
}

/* Who wrote behind the seal waits twice as long for the next. */
static void test_patience(void **state)
{
    (void)state;
    struct instance *i = begin(&sealable);
    uint32_t took = until_sealed(i);
    assert_in_range(took, SLOT_CALM_RESETS, SLOT_CALM_RESETS + 3);
    for (int round = 1; round < 3; round++) {
        rig_call(i, BLOB_store, (uint32_t)(8 + round) * 4096, CANARY);
        reset(i);
        /* The page must go first, where so many are kept that it does. */
        took = until_sealed(i);
        assert_in_range(took, SLOT_CALM_RESETS << round,
                        (SLOT_CALM_RESETS << round) + SLOT_UNUSED_RESETS + SLOT_TIDY_RESETS);
    }
    instance_free(i);
}

/* A slot whose instances write in more places than a slot may be split at. */
static void test_scattered(void **state)
{
    (void)state;
    const struct blob_options options = {.memory_0_pages_min = 4, .memory_0_pages_max = 4};
    struct module *m = rig_link(blob_artifact(&options));
    struct instance *i = rig_instance_of(m, &sealable);
    for (uint32_t k = 0; k < 4 * SLOT_CALM_RESETS; k++) {
        uint32_t step = k < 2 * SLOT_CALM_RESETS ? 2 * 4096 : 4096;
        for (uint32_t at = 0; at < 4 * PAGE; at += step) rig_call(i, BLOB_store, at, CANARY);
        reset(i);
        if (step != 4096) assert_false(i->slot.sealed);
    }
    if (i->slot.learned.process) assert_true(i->slot.sealed); /* now they are neighbours */
    instance_free(i);
    module_free(m);
}

/* More slots than may be sealed, and a host that did not ask for it. */
static void test_limits(void **state)
{
    (void)state;
    enum { SLOTS = SLOT_SEALED_MAX + 1 };
    static struct instance *slots[SLOTS];
    struct instance *i = begin(NULL);
    for (uint32_t k = 0; k < 2 * SLOT_CALM_RESETS; k++) {
        do_usual(i);
        reset(i);
    }
    assert_false(i->slot.sealed);
    instance_free(i);

    for (size_t k = 0; k < SLOTS; k++) {
        slots[k] = rig_instance_of(rig_module, &sealable);
        for (uint32_t n = 0; n < SLOT_CALM_RESETS + 4; n++) {
            do_usual(slots[k]);
            reset(slots[k]);
        }
        if (slots[k]->slot.sealed != (k < SLOT_SEALED_MAX)) fail_msg("slot %zu", k);
    }
    /* Each is found, and makes room. */
    for (size_t k = 0; k < SLOT_SEALED_MAX; k += 5) by_guest(slots[k]);
    until_sealed(slots[SLOTS - 1]);
    for (size_t k = 0; k < SLOTS; k++) instance_free(slots[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),  cmocka_unit_test(test_usual),
        cmocka_unit_test(test_patience), cmocka_unit_test(test_scattered),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
