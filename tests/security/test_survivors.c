/* Nothing of one instance is there for the next in its slot, however the first one ended and
 * however the system says which pages were written; CVE-2022-39393, CVE-2022-39392, CVE-2026-34988
 * and a dirty page that was in swap among what others had. */
#include <string.h>
#include <sys/mman.h>

#include "artifact/artifact.h"
#include "compiled.h"
#include "guest.h"
#include "swap.h"

#define ROUNDS       24
#define SLICE_NS     20000u
#define CPU_LIMIT_NS 100000000u /* far above what pollution takes on a slow machine */

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static const struct codegen_options levels[] = {
    {.level = CODEGEN_FAST, .cpu_level = 2, .threads = 1},
    {.level = CODEGEN_OPTIMISED, .cpu_level = 2, .threads = 1},
};
static struct module *plain[ARRAY_COUNT(levels)], *imaged[ARRAY_COUNT(levels)];

static const struct instance_config config = {.slice_ns = SLICE_NS, .cpu_ns_max = CPU_LIMIT_NS};

/* The same guest with an image: its state after init. */
static struct module *with_image(const struct module *m)
{
    struct instance *i = rig_instance_of(m, NULL);
    struct buffer extents, image;
    struct error err = {0};
    buffer_init(&extents, 1 << 16);
    buffer_init(&image, 4 << 20);
    guest_init(i);
    assert_int_equal(instance_freeze(i, &extents, &image, &err), ST_OK);
    struct module *frozen = rig_link(blob_with_image(module_artifact(m), &extents, &image));
    buffer_done(&extents);
    buffer_done(&image);
    instance_free(i);
    return frozen;
}

static int setup(void **state)
{
    if (rig_setup(state)) return 1;
    for (size_t k = 0; k < ARRAY_COUNT(levels); k++) {
        plain[k] = compile_file(GUESTS "/state.wasm", &levels[k]);
        imaged[k] = with_image(plain[k]);
    }
    return 0;
}

static int teardown(void **state)
{
    for (size_t k = 0; k < ARRAY_COUNT(levels); k++) {
        module_free(plain[k]);
        module_free(imaged[k]);
    }
    return rig_teardown(state);
}

static enum call_result through(struct instance *i, enum call_result result)
{
    while (result == CALL_PREEMPTED) result = instance_resume(i);
    return result;
}

static void pollute(struct instance *i, uint32_t mark)
{
    assert_int_equal(through(i, guest_call(i, "pollute", mark, NULL)), CALL_RETURNED);
}

/* The ways in which an instance ends. */
static void end(struct instance *i, uint32_t way)
{
    enum call_result result;
    switch (way) {
    case 0: break;
    case 1: assert_int_equal(through(i, guest_call(i, "trap", 7, NULL)), CALL_TRAPPED); break;
    case 2: assert_int_equal(through(i, guest_call(i, "recurse", 7, NULL)), CALL_TRAPPED); break;
    case 3:
        rig_host = guest_waits;
        result = through(i, guest_call(i, "wait", 7, NULL));
        assert_int_equal(result, CALL_SUSPENDED);
        break;
    case 4: assert_int_equal(guest_call(i, "spin", 7, NULL), CALL_PREEMPTED); break;
    default:
        assert_int_equal(through(i, guest_call(i, "spin", 7, NULL)), CALL_TRAPPED);
        assert_int_equal(instance_trap(i)->kind, TRAP_CPU_LIMIT);
    }
}

/* inspect's answer comes through the values of a call that may be preempted, so it is asked in an
 * instance that is not. */
static void inspect(struct instance *i, const char *after)
{
    const uint64_t slice_ns = i->preempt.slice_ns, cpu_ns_max = i->preempt.cpu_ns_max;
    uint32_t found = 99;
    guest_init(i);
    i->preempt.slice_ns = i->preempt.cpu_ns_max = UINT64_MAX;
    enum call_result result = guest_call(i, "inspect", 0, &found);
    i->preempt.slice_ns = slice_ns;
    i->preempt.cpu_ns_max = cpu_ns_max;
    if (result != CALL_RETURNED || found) fail_msg("after %s: finding %u", after, found);
}

static void reset(struct instance *i)
{
    struct error err;
    assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
}

static unsigned long swapped_kib; /* by all calls */

static void page_out(struct instance *i)
{
    const unsigned long before = swap_used_kib();
    slot_wake(&i->slot);
    (void)madvise(slot_lane(&i->slot, 0), *slot_memory_size(&i->slot, 0), MADV_PAGEOUT);
    (void)madvise(i->slot.base - i->module->header->context_bytes, i->module->header->context_bytes,
                  MADV_PAGEOUT);
    (void)madvise(i->slot.stack_low, i->slot.stack_bytes, MADV_PAGEOUT);
    const unsigned long after = swap_used_kib();
    if (after > before) swapped_kib += after - before;
}

static void rounds(const struct module *m, enum pages_method method, bool swapped)
{
    static const char *const ways[] = {"a return", "a trap",       "recursion",
                                       "a wait",   "a preemption", "the CPU limit"};
    pages_set_method(method);
    struct instance *i = rig_instance_of(m, &config);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t way = round % ARRAY_COUNT(ways);
        if (way == 5 && round > 6) way = 0; /* the limit takes its time */
        guest_init(i);
        if (round % 3) pollute(i, 0x5ec7e700 + round);
        end(i, way);
        if (swapped) page_out(i);
        reset(i);
        slot_wake(&i->slot);
        for (size_t k = 0; k < i->slot.stack_bytes; k++)
            if (i->slot.stack_low[k]) fail_msg("after %s: byte %zu of the stack", ways[way], k);
        inspect(i, ways[way]);
        if (swapped) page_out(i);
        reset(i);
    }
    instance_free(i);
    pages_set_method(rig_pages);
}

static void test_methods(void **state)
{
    (void)state;
    static const enum pages_method methods[] = {PAGES_BEST, PAGES_READ_ENTRIES, PAGES_UNKNOWN};
    for (size_t k = 0; k < ARRAY_COUNT(methods); k++)
        for (size_t level = 0; level < ARRAY_COUNT(levels); level++) {
            rounds(plain[level], methods[k], false);
            rounds(imaged[level], methods[k], false);
        }
}

/* Pages that were written and then swapped out are the instance's all the same. */
static void test_swapped(void **state)
{
    (void)state;
    const char *none = swap_want();
    for (size_t k = 0; k < ARRAY_COUNT(levels); k++) {
        /* What is only mapped leaves memory even without swap. */
        rounds(plain[k], PAGES_BEST, true);
        rounds(imaged[k], PAGES_BEST, true);
        rounds(imaged[k], PAGES_READ_ENTRIES, true);
        rounds(imaged[k], PAGES_UNKNOWN, true);
    }
    if (!none) {
        print_message("%lu KiB were swapped out\n", swapped_kib);
        assert_true(swapped_kib > 0);
        return;
    }
    print_message("skipped: %s\n", none);
    skip();
}

/* Image A, image B, none, in one process and in each other's address space. */
static void test_images(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 12; round++) {
        const struct module *m = round % 3 == 0   ? imaged[0]
                                 : round % 3 == 1 ? imaged[1]
                                                  : plain[round % 2];
        struct instance *i = rig_instance_of(m, &config);
        inspect(i, "another's image");
        reset(i);
        guest_init(i);
        pollute(i, round);
        instance_free(i);
        struct instance *other = rig_instance(); /* without an image, memories smaller */
        uint8_t *bytes;
        assert_true(guest_slice(other, 0, 0, guest_memory_bytes(other, 0), &bytes));
        for (uint64_t k = 0; k < guest_memory_bytes(other, 0); k++) assert_int_equal(bytes[k], 0);
        instance_free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_swapped),
        cmocka_unit_test(test_images),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
