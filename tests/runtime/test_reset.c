/* Nothing survives a reset, and images hold what was frozen. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "rig.h"

#define PAGE   65536u
#define CANARY 0x5ec7e700u

/* Leaves a canary wherever a guest or its host can write. */
static void pollute(struct instance *i)
{
    HELP(i, memory_grow, 0, 3);
    HELP(i, memory_grow, 1, 2);
    for (uint32_t at = 0; at < 4 * PAGE; at += 4096) rig_call(i, BLOB_store, at, CANARY + at);
    uint8_t *slice;
    assert_true(guest_slice(i, 1, PAGE, PAGE, &slice));
    memset(slice, 0xcc, PAGE);
    HELP(i, table_grow, 0, 90, CANARY);
    HELP(i, table_fill, 0, 0, CANARY, 10);
    HELP(i, data_drop, 0);
    HELP(i, elem_drop, 0);
    const struct value value = {.i64 = CANARY};
    instance_global_set(i, 0, &value);
    instance_global_set(i, 1, &value);
    rig_call(i, BLOB_low_stack, 300, CANARY);
    rig_trap(i, BLOB_store, 4 * PAGE, 1, TRAP_MEMORY_BOUNDS);
    instance_set_exit(i, 9);
}

static void test_reset(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    struct error err;
    int mark;
    for (int round = 0; round < 3; round++) {
        rig_assert_fresh(i);
        pollute(i);
        assert_int_equal(instance_reset(i, &mark, &err), ST_OK);
        assert_ptr_equal(instance_context(i), &mark);
        rig_assert_fresh(i);
        /* What was grown is out of reach again, and zero once it is grown into. */
        rig_trap(i, BLOB_load, PAGE, 0, TRAP_MEMORY_BOUNDS);
        HELP(i, memory_grow, 0, 3);
        HELP(i, memory_grow, 1, 2);
        uint8_t *slice;
        assert_true(guest_slice(i, 0, 0, 4 * PAGE, &slice));
        rig_assert_zero(slice, 4 * PAGE);
        assert_true(guest_slice(i, 1, 0, 2 * PAGE, &slice));
        rig_assert_zero(slice, 2 * PAGE);
        HELP(i, table_grow, 0, 90, 0);
        rig_assert_zero(i->slot.base + BLOB_TABLE_0, 400);
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    }
    instance_free(i);
}

static struct module *frozen_module(struct instance *i)
{
    struct buffer extents, image;
    buffer_init(&extents, 1 << 16);
    buffer_init(&image, 1 << 22);
    struct error err;
    if (instance_freeze(i, &extents, &image, &err)) fail_msg("%s", err.text);
    struct artifact *with = blob_with_image(module_artifact(rig_module), &extents, &image);
    buffer_done(&extents);
    buffer_done(&image);
    return rig_link(with);
}

/* A state with pages here and there, in both memories, in a table and in globals. */
static struct module *module_with_image(void)
{
    struct instance *i = rig_instance();
    assert_int_equal(instance_init_all(i), CALL_RETURNED);
    HELP(i, memory_grow, 0, 2);
    HELP(i, memory_grow, 1, 1);
    rig_call(i, BLOB_store, 2 * PAGE + 4096, 0xaaaa);
    rig_call(i, BLOB_store, 3 * PAGE - 4, 0xbbbb);
    uint8_t *slice;
    assert_true(guest_slice(i, 1, 0, PAGE, &slice));
    slice[5] = 5;
    HELP(i, table_grow, 0, 5, 33);
    struct module *m = frozen_module(i);
    instance_free(i);
    return m;
}

static void assert_as_frozen(struct instance *i)
{
    slot_wake(&i->slot);
    assert_int_equal(guest_memory_bytes(i, 0), 3 * PAGE);
    assert_int_equal(guest_memory_bytes(i, 1), PAGE);
    assert_int_equal(rig_call(i, BLOB_load, 64, 0), 0x5678);
    assert_int_equal(rig_call(i, BLOB_load, 2 * PAGE + 4096, 0), 0xaaaa);
    assert_int_equal(rig_call(i, BLOB_load, 3 * PAGE - 4, 0), 0xbbbb);
    uint8_t *slice;
    assert_true(guest_slice(i, 0, 0, 3 * PAGE, &slice));
    rig_assert_zero(slice + 68, 2 * PAGE + 4096 - 68);
    rig_assert_zero(slice + 2 * PAGE + 4100, PAGE - 4104);
    assert_true(guest_slice(i, 1, 0, PAGE, &slice));
    assert_int_equal(slice[5], 5);
    rig_assert_zero(slice + 6, PAGE - 6);
    struct value global;
    instance_global_get(i, 0, &global);
    assert_int_equal(global.i32, 0x1234);
    assert_int_equal(rig_call(i, BLOB_context, (uint32_t)BLOB_TABLE_0 + 4 * 14, 0), 33);
    assert_int_equal(rig_call(i, BLOB_context, (uint32_t)BLOB_TABLE_SIZE_0, 0), 15);
    rig_trap(i, BLOB_load, 3 * PAGE, 0, TRAP_MEMORY_BOUNDS);
}

static void test_image(void **state)
{
    (void)state;
    struct module *m = module_with_image();
    size_t extents;
    (void)artifact_section(module_artifact(m), ARTIFACT_EXTENTS, &extents);
    assert_in_range(extents, 4, 5);
    struct instance *a = rig_instance_of(m, NULL), *b = rig_instance_of(m, NULL);
    assert_as_frozen(a);
    assert_int_equal(instance_init(a, 0), CALL_RETURNED); /* did nothing */
    struct error err;
    for (int round = 0; round < 2; round++) {
        HELP(a, memory_grow, 0, 1);
        for (uint32_t at = 0; at < 4 * PAGE; at += 4096) rig_call(a, BLOB_store, at, CANARY);
        const struct value value = {.i32 = CANARY};
        instance_global_set(a, 0, &value);
        HELP(a, table_fill, 0, 0, CANARY, 15);
        assert_as_frozen(b); /* writes are its own */
        assert_int_equal(instance_reset(a, NULL, &err), ST_OK);
        assert_as_frozen(a);
    }
    instance_free(a);
    instance_free(b);
    module_free(m);
}

/* An image with many scattered pages is kept to a number of mappings. */
static void test_freeze_scattered(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    HELP(i, memory_grow, 0, 3);
    for (uint32_t at = 0; at < 4 * PAGE; at += 2 * 4096) rig_call(i, BLOB_store, at, at + 1);
    struct module *m = frozen_module(i);
    size_t extents;
    (void)artifact_section(module_artifact(m), ARTIFACT_EXTENTS, &extents);
    assert_in_range(extents, 1, 3);
    instance_free(i);
    i = rig_instance_of(m, NULL);
    for (uint32_t at = 0; at < 4 * PAGE; at += 2 * 4096)
        assert_int_equal(rig_call(i, BLOB_load, at, 0), at + 1);
    instance_free(i);
    module_free(m);
}

/* Freezing what a buffer cannot hold is an error. */
static void test_freeze_limit(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_call(i, BLOB_store, 0, 1);
    struct buffer extents, image;
    buffer_init(&extents, 1 << 16);
    buffer_init(&image, 2 * 4096 - 1);
    struct error err;
    assert_int_equal(instance_freeze(i, &extents, &image, &err), ST_LIMIT);
    buffer_done(&extents);
    buffer_done(&image);
    instance_free(i);
}

/* Image A, then B without one: B never sees A's pages. */
static void test_images_apart(void **state)
{
    (void)state;
    struct module *m = module_with_image();
    for (int round = 0; round < 4; round++) {
        struct instance *with = rig_instance_of(m, NULL);
        rig_call(with, BLOB_store, 100, CANARY);
        instance_free(with);
        struct instance *without = rig_instance();
        rig_assert_fresh(without);
        instance_free(without);
    }
    module_free(m);
}

/* Gives memory back piece by piece; how many there were. */
static uint32_t shrink(struct instance *i, uint64_t *longest_ns)
{
    uint32_t calls = 1;
    for (bool done = false; !done; calls += !done) {
        uint64_t begin_ns = clock_monotonic_ns(clock_system());
        done = instance_shrink(i);
        uint64_t took_ns = clock_monotonic_ns(clock_system()) - begin_ns;
        if (took_ns > *longest_ns) *longest_ns = took_ns;
    }
    return calls;
}

/* It says at once that nothing is left, unless every page has to go back, where the system does not
 * tell which were written: that may take a slow machine more than one call. */
static void check_shrinks_at_once(struct instance *i)
{
    if (instance_shrink(i)) return;
    uint64_t longest_ns = 0;
    assert_false(i->slot.learned.process);
    shrink(i, &longest_ns);
}

/* ---- which pages are copied back is the system's answer, or nobody's ---- */

static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % n;
}

/* Reads, writes, growth and traps at random; whatever was written must be gone after the reset. */
static void random_work(struct instance *i)
{
    uint32_t writes = random_below(40);
    for (uint32_t k = 0; k < writes; k++) {
        uint32_t bytes = (uint32_t)guest_memory_bytes(i, 0);
        uint32_t at = random_below(bytes / 4) * 4;
        switch (random_below(8)) {
        case 0: rig_call(i, BLOB_low_stack, 1 + random_below(300), CANARY); break;
        case 1: (void)HELP(i, memory_grow, 0, 1); break;
        case 2: rig_call(i, BLOB_load, at, 0); break;
        case 3:
            rig_call(i, BLOB_set_context, (uint32_t)BLOB_TABLE_0 + 4 * random_below(100), 7);
            break;
        case 4: (void)HELP(i, memory_grow, 1, 1); break;
        case 5: (void)HELP(i, memory_fill, 0, at / 2, 9, bytes / 2); break;
        default: rig_call(i, BLOB_store, at, CANARY); break;
        }
    }
    if (random_below(4) == 0) rig_trap(i, BLOB_recurse, 0, 0, TRAP_STACK_EXHAUSTED);
}

static void random_rounds(enum pages_method method, uint64_t seed)
{
    pages_set_method(method);
    random_state = seed;
    struct module *m = module_with_image();
    struct instance *plain = rig_instance(), *imaged = rig_instance_of(m, NULL);
    struct error err;
    for (int round = 0; round < 60; round++) {
        rig_assert_fresh(plain);
        assert_as_frozen(imaged);
        /* What the checks left on the stacks goes before the work: so do the learned pages. */
        random_work(plain);
        random_work(imaged);
        uint64_t longest_ns = 0;
        if (random_below(2)) shrink(plain, &longest_ns);
        if (random_below(2)) shrink(imaged, &longest_ns);
        assert_int_equal(instance_reset(plain, NULL, &err), ST_OK);
        assert_int_equal(instance_reset(imaged, NULL, &err), ST_OK);
    }
    instance_free(plain);
    instance_free(imaged);
    module_free(m);
    pages_set_method(rig_pages);
}

static void test_methods(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        random_rounds(PAGES_BEST, seed);
        random_rounds(PAGES_READ_ENTRIES, seed);
        random_rounds(PAGES_UNKNOWN, seed);
    }
}

/* More than the resident budget, and more runs than are kept. */
static void test_large(void **state)
{
    (void)state;
    const struct blob_options options = {.memory_0_pages_min = 300, .memory_0_pages_max = 400};
    struct module *m = rig_link(blob_artifact(&options));
    struct instance *i = rig_instance_of(m, NULL);
    struct error err;
    const uint32_t bytes = 300 * PAGE;
    for (uint32_t step = 4096; step <= 4 * 4096; step *= 2) {
        for (uint32_t at = 0; at < bytes; at += step) rig_call(i, BLOB_store, at, CANARY);
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
        uint8_t *slice;
        assert_true(guest_slice(i, 0, 0, bytes, &slice));
        rig_assert_zero(slice, bytes);
        assert_true(i->slot.pages_count <= SLOT_RESIDENT_PAGES_MAX);
    }
    instance_free(i);
    module_free(m);
}

/* Grown, or there from the start, or both: no call does much, and the instance is fresh after it.
 */
static void test_shrink(void **state)
{
    (void)state;
    const uint32_t all = 2048, fresh[] = {1, 1024, 2048}; /* pages of 64 KiB: 128 MiB */
    struct error err;
    for (size_t k = 0; k < ARRAY_COUNT(fresh); k++) {
        const struct blob_options options = {.memory_0_pages_min = fresh[k],
                                             .memory_0_pages_max = all};
        struct module *m = rig_link(blob_artifact(&options));
        struct instance *i = rig_instance_of(m, NULL);
        for (int round = 0; round < 3; round++) {
            uint64_t longest_ns = 0;
            uint8_t *slice;
            if (fresh[k] < all) HELP(i, memory_grow, 0, all - fresh[k]);
            HELP(i, memory_fill, 0, 0, 0xcc, (uint64_t)all * PAGE);
            uint32_t calls = shrink(i, &longest_ns);
            print_message("%u pages at the start: %u calls, the longest %llu us\n", fresh[k], calls,
                          (unsigned long long)(longest_ns / 1000));
            /* A piece a call, on a slow machine; beside memory, a piece of each other range. */
            assert_in_range(calls, 4, all * (uint64_t)PAGE / SLOT_PIECE_BYTES + SLOT_BACK_MAX(m));
            if (round == 2) break; /* freed as it is */
            assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
            assert_int_equal(guest_memory_bytes(i, 0), fresh[k] * PAGE);
            assert_true(guest_slice(i, 0, 0, PAGE, &slice));
            rig_assert_zero(slice, PAGE);
            assert_true(guest_slice(i, 0, (fresh[k] - 1) * PAGE, PAGE, &slice));
            rig_assert_zero(slice, PAGE);
            rig_trap(i, BLOB_load, fresh[k] * PAGE, 0, TRAP_MEMORY_BOUNDS);
            if (fresh[k] < all) HELP(i, memory_grow, 0, 1);
            rig_call(i, BLOB_load, (fresh[k] - 1) * PAGE, 0);
            assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
            assert_in_range(i->slot.pages_count, 0, SLOT_RESIDENT_PAGES_MAX);
        }
        instance_free(i);
        module_free(m);
    }
}

/* Half done is done by the reset; and what needs no shrinking says so at once. */
static void test_shrink_half(void **state)
{
    (void)state;
    const struct blob_options options = {.memory_0_pages_min = 1, .memory_0_pages_max = 1024};
    struct module *m = rig_link(blob_artifact(&options));
    struct instance *i = rig_instance_of(m, NULL);
    struct error err;
    for (int round = 0; round < 3; round++) {
        HELP(i, memory_grow, 0, 1023);
        HELP(i, memory_fill, 0, 0, 0xcc, 1024 * PAGE);
        assert_false(instance_shrink(i));
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
        HELP(i, memory_grow, 0, 1);
        uint8_t *slice;
        assert_true(guest_slice(i, 0, 0, 2 * PAGE, &slice));
        rig_assert_zero(slice, 2 * PAGE);
        memset(slice, 1, 2 * PAGE);
        check_shrinks_at_once(i);
        assert_true(instance_shrink(i));
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    }
    instance_free(i);
    module_free(m);
}

/* Fewer pages than are kept take no fault the next time, however they came. */
static void test_shrink_keeps(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    struct error err;
    struct pages_moment before = {0};
    for (int round = 0; round < 20; round++) {
        if (round == 10) before = pages_now();
        for (uint32_t at = 0; at < PAGE; at += 4096) rig_call(i, BLOB_store, at, CANARY);
        check_shrinks_at_once(i);
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    }
    struct pages_moment after = pages_now();
    if (i->slot.learned.process) assert_in_range(after.faults - before.faults, 0, 5);
    rig_assert_fresh(i);
    instance_free(i);
}

/* One instance that wrote much does not burden those after it for ever; what those write stays. */
static void test_outlier(void **state)
{
    (void)state;
    const uint32_t hot = 12; /* pages that all of them write */
    struct instance *i = rig_instance();
    struct error err;
    rig_call(i, BLOB_low_stack, 300, CANARY);
    for (uint32_t at = 0; at < PAGE; at += 4096) rig_call(i, BLOB_store, at, CANARY);
    assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    if (!i->slot.learned.process) {
        instance_free(i);
        skip();
    }
    assert_in_range(i->slot.pages_count, 64 + 16, 64 + 18);
    struct pages_moment before = {0};
    for (uint32_t k = 0; k < SLOT_UNUSED_RESETS + 2 * SLOT_TIDY_RESETS; k++) {
        for (uint32_t page = 0; page < hot; page++) rig_call(i, BLOB_store, page * 4096, CANARY);
        if (k == 0) before = pages_now();
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    }
    struct pages_moment after = pages_now();
    assert_in_range(i->slot.pages_count, hot, hot + 3);
    assert_in_range(after.faults - before.faults, 0, 5);
    rig_assert_fresh(i);
    instance_free(i);
}

/* A page that comes again and again, but not often, does not keep those that came once. */
static void test_outliers_in_turn(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    struct error err;
    rig_call(i, BLOB_low_stack, 300, CANARY);
    assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    if (!i->slot.learned.process) {
        instance_free(i);
        skip();
    }
    for (uint32_t k = 0; k < 4 * SLOT_UNUSED_RESETS; k++) {
        if (k % 50 == 0) rig_call(i, BLOB_store, k / 50 % 16 * 4096, CANARY);
        for (uint32_t page = 0; page < 4; page++) rig_call(i, BLOB_store, page * 4096, CANARY);
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    }
    /* The stack's 64 are gone; what was written since may be there. */
    assert_in_range(i->slot.pages_count, 4, 18);
    rig_assert_fresh(i);
    instance_free(i);
}

/* What is written with what it held before looks unused, and is not dropped again and again. */
static void test_came_back(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    struct error err;
    struct pages_moment before = {0};
    for (uint32_t k = 0; k < 6 * SLOT_UNUSED_RESETS; k++) {
        if (k == 2 * SLOT_UNUSED_RESETS) before = pages_now();
        for (uint32_t page = 0; page < 8; page++)
            rig_call(i, BLOB_store, page * 4096, page < 6 ? CANARY : 0);
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    }
    struct pages_moment after = pages_now();
    if (i->slot.learned.process) assert_in_range(after.faults - before.faults, 0, 5);
    rig_assert_fresh(i);
    instance_free(i);
}

/* A warm slot takes no page fault, and so asks the system nothing. */
static void test_warm(void **state)
{
    (void)state;
    struct module *m = module_with_image();
    struct instance *i = rig_instance_of(m, NULL);
    struct error err;
    struct pages_moment before = {0}, after = {0};
    for (int round = 0; round < 300; round++) {
        if (round == 200) before = pages_now();
        rig_call(i, BLOB_store, 100, CANARY);
        rig_call(i, BLOB_store, 2 * PAGE + 4096, CANARY);
        rig_call(i, BLOB_recurse_host, 500, 1);
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    }
    after = pages_now();
    if (i->slot.learned.process && before.faults + 5 < after.faults)
        fail_msg("%llu faults", (unsigned long long)(after.faults - before.faults));
    assert_as_frozen(i);
    instance_free(i);
    module_free(m);
}

/* A fork inherits an instance, and neither takes the other's pages for its own. */
static struct error fork_err;

static void run_in_fork(struct instance *i)
{
    for (uint32_t at = 8192; at < PAGE; at += 4096) rig_call(i, BLOB_store, at, CANARY);
    if (instance_reset(i, NULL, &fork_err) != ST_OK) _exit(1);
    rig_assert_fresh(i);
}

static void test_fork(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    struct error err;
    for (int round = 0; round < 3; round++) {
        rig_call(i, BLOB_store, 0, CANARY);
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    }
    assert_int_equal(rig_child_signal(run_in_fork, i), 0);
    rig_assert_fresh(i);
    instance_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_freeze_scattered),
        cmocka_unit_test(test_freeze_limit),
        cmocka_unit_test(test_images_apart),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_shrink),
        cmocka_unit_test(test_shrink_half),
        cmocka_unit_test(test_shrink_keeps),
        cmocka_unit_test(test_outlier),
        cmocka_unit_test(test_outliers_in_turn),
        cmocka_unit_test(test_came_back),
        cmocka_unit_test(test_warm),
        cmocka_unit_test(test_fork),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
