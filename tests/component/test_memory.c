/* Every allocation of decoding and planning fails once: the call reports it and leaks nothing
 * (which a sanitizer build sees). */
#include "../base/cmocka_all.h"
#include "../base/failing_memory.h"

#include <stdbool.h>
#include <stdlib.h>

#include "component/plan.h"
#include "component_builder.h"
#include "sample.h"

static enum status attempt(const struct builder *b, struct error *err)
{
    struct component *c = NULL;
    struct plan *p = NULL;
    enum status st = component_decode(b->out[0].data, b->out[0].size_bytes, 1, &c, err);
    if (!st) st = plan_new(c, &p, err);
    plan_free(p);
    component_free(c);
    return st;
}

/* Attempts with the 1st, 2nd, … allocation failing until one gets by without a failure. */
static long fail_each_in_turn(const struct builder *b)
{
    for (long n = 0;; n++) {
        struct error err = {0};
        failing_memory_countdown = n;
        failing_memory_failed = false;
        enum status st = attempt(b, &err);
        failing_memory_countdown = -1;
        if (!failing_memory_failed) {
            assert_int_equal(st, ST_OK);
            return n;
        }
        if (st != ST_NO_MEMORY)
            fail_msg("allocation %ld failed: %s %s", n, status_name(st), err.text);
    }
}

static void decoding_and_planning_survive_any_failed_allocation(void **state)
{
    struct builder b;
    (void)state;
    builder_init(&b);
    builder_hex(&b, sample_hex + SAMPLE_PREAMBLE_DIGITS);
    assert_true(fail_each_in_turn(&b) > 100);
    builder_done(&b);
}

static void types_survive_any_failed_allocation(void **state)
{
    struct builder b;
    (void)state;
    builder_init(&b);
    /* a core type, a module type; a record, flags, an instance type with a resource */
    builder_section_hex(&b, 3, "02 60 00 00 50 03 01 60 00 00 00 'a' 'b' 00 00 03 'c' 00 00");
    builder_section_hex(&b, 7,
                        "03 72 02 'x' 79 'y' 73 6e 01 'f' 42 03 04 00 'r' 03 01 01 69 00"
                        " 04 00 't' 03 00 01");
    builder_section_hex(&b, 10, "02 00 'i' 05 02 00 'k' 05 02");
    builder_section_hex(&b, 4,
                        "00 61 73 6d 0d 00 01 00 07 09 01 42 01 04 00 01 72 03 01"
                        " 0a 06 01 00 01 69 05 00");
    builder_section_hex(&b, 5, "01 00 00 01 'i' 05 01");
    assert_true(fail_each_in_turn(&b) > 50);
    builder_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_and_planning_survive_any_failed_allocation),
        cmocka_unit_test(types_survive_any_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
