/* From a plan to a program and the sections of a component: what comes out is sound for the
 * artifact's reader, is the same each time, and every allocation may fail. */
#include "../base/cmocka_all.h"
#include "../base/failing_memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../component/component_builder.h"
#include "../component/sample.h"
#include "artifact/artifact_writer.h"
#include "codegen/codegen.h"
#include "codegen/component_program.h"

struct rig {
    struct builder bytes;
    struct component *component;
    struct plan *plan;
};

static int set_up(void **state)
{
    static struct rig rig;
    struct error err = {0};
    builder_init(&rig.bytes);
    builder_hex(&rig.bytes, sample_hex + SAMPLE_PREAMBLE_DIGITS);
    enum status st = component_decode(rig.bytes.out[0].data, rig.bytes.out[0].size_bytes, 1,
                                      &rig.component, &err);
    if (!st) st = plan_new(rig.component, &rig.plan, &err);
    if (st) print_error("%s\n", err.text);
    *state = &rig;
    return st != ST_OK;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    plan_free(rig->plan);
    component_free(rig->component);
    builder_done(&rig->bytes);
    return 0;
}

static void compile(const struct rig *rig, struct buffer *file)
{
    struct component_program *c = NULL;
    struct error err = {0};
    struct codegen_options options = {.level = CODEGEN_FAST, .cpu_level = 2};
    buffer_init(file, ARTIFACT_BYTES_MAX);
    enum status st = component_program_new(rig->plan, &c, &err);
    if (!st) {
        options.component_parts = component_program_parts(c);
        st = codegen_compile(component_program_program(c), &options, file, NULL, &err);
    }
    if (st) fail_msg("%s: %s", status_name(st), err.text);
    component_program_free(c);
}

static void the_reader_finds_it_sound(void **state)
{
    struct buffer file;
    struct artifact *a = NULL;
    struct error err = {0};
    size_t count;
    compile(*state, &file);
    if (artifact_open_bytes(file.data, file.size_bytes, &a, &err)) fail_msg("%s", err.text);
    const struct plan *plan = ((struct rig *)*state)->plan;
    (void)artifact_section(a, ARTIFACT_COMPONENTS, &count);
    assert_int_equal(count, plan->components_count);
    (void)artifact_section(a, ARTIFACT_INSTANCES, &count);
    assert_int_equal(count, plan->instances_count);
    (void)artifact_section(a, ARTIFACT_LIFTS, &count);
    assert_int_equal(count, plan->lifts_count);
    (void)artifact_section(a, ARTIFACT_RESOURCES, &count);
    assert_int_equal(count, plan->resources_count);
    (void)artifact_section(a, ARTIFACT_IMPORTS, &count);
    assert_int_equal(count, 0);
    artifact_close(a);
    buffer_done(&file);
}

static void two_builds_give_the_same_bytes(void **state)
{
    struct buffer first, second;
    compile(*state, &first);
    compile(*state, &second);
    assert_int_equal(first.size_bytes, second.size_bytes);
    assert_memory_equal(first.data, second.data, first.size_bytes);
    buffer_done(&first);
    buffer_done(&second);
}

static void any_allocation_may_fail(void **state)
{
    const struct rig *rig = *state;
    long n = 0;
    do {
        struct component_program *c = NULL;
        struct error err = {0};
        failing_memory_failed = false;
        failing_memory_countdown = n++;
        enum status st = component_program_new(rig->plan, &c, &err);
        failing_memory_countdown = -1;
        if (failing_memory_failed && st != ST_NO_MEMORY)
            fail_msg("allocation %ld failed: %s %s", n, status_name(st), err.text);
        if (!failing_memory_failed) assert_int_equal(st, ST_OK);
        component_program_free(c);
    } while (failing_memory_failed);
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_reader_finds_it_sound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_builds_give_the_same_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_allocation_may_fail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
