/* Every allocation of decoding and linking fails once: the call reports it and leaks nothing (which
 * a sanitizer build sees). */
#include "../base/cmocka_all.h"
#include "../base/failing_memory.h"

#include <stdbool.h>
#include <stdlib.h>

#include "module_builder.h"
#include "wasm/program.h"

static enum status decode(const struct module_builder *b, struct error *err)
{
    struct wasm_module *m = NULL;
    enum status st = wasm_module_decode(b->out.data, b->out.size_bytes, 1, &m, err);
    wasm_module_free(m);
    return st;
}

/* Calls `attempt` with the 1st, 2nd, … allocation failing until it gets by without a failure. */
static long fail_each_in_turn(enum status (*attempt)(const struct module_builder *b,
                                                     struct error *err),
                              const struct module_builder *b)
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
        if (st != ST_NO_MEMORY) fail_msg("allocation %ld failed: %s", n, status_name(st));
    }
}

static void decoding_survives_any_failed_allocation(void **state)
{
    (void)state;
    struct module_builder b;
    builder_init_rich(&b);
    assert_true(fail_each_in_turn(decode, &b) > 10);
    builder_done(&b);
}

static void deep_bodies_survive_any_failed_allocation(void **state)
{
    (void)state;
    struct module_builder b;
    builder_init(&b);
    builder_section_hex(&b, 1, "02 60 00 00 4e 02 5f 01 64 02 00 5f 00");
    builder_section_hex(&b, 3, "01 00");
    builder_section_hex(&b, 7, "01 00 00 00");
    builder_section(&b, 10);
    builder_hex(&b, "01");
    builder_body(&b);
    builder_hex(&b, "03 28 64 00 01 7f 01 7e");
    for (uint8_t i = 0; i < 40; i++) {
        builder_hex(&b, "d2 00 21");
        builder_byte(&b, i);
    }
    builder_repeat(&b, 100, "02 40");
    builder_repeat(&b, 100, "41 00");
    builder_hex(&b, "00");
    builder_repeat(&b, 101, "0b");
    builder_body_end(&b);
    builder_section_end(&b);
    assert_true(fail_each_in_turn(decode, &b) > 15);
    builder_done(&b);
}

static const struct wasm_module *linked;

static enum status link_twice(const struct module_builder *unused, struct error *err)
{
    (void)unused;
    struct program_builder *b = NULL;
    const struct program *p = NULL;
    uint32_t instance;
    enum status st = program_builder_new(&b, err);
    if (st) return st;
    for (int i = 0; i < 20 && !st; i++)
        st = program_builder_add(b, linked, NULL, 0, true, &instance, err);
    if (!st) st = program_builder_finish(b, &p, err);
    program_builder_free(b);
    return st;
}

static void linking_survives_any_failed_allocation(void **state)
{
    (void)state;
    struct module_builder b;
    builder_init(&b);
    builder_section_hex(&b, 1, "02 60 00 00 60 01 7f 00");
    builder_section_hex(&b, 2, "02 01 77 01 61 00 00 01 77 01 62 00 01");
    builder_section_hex(&b, 3, "01 00");
    builder_section_hex(&b, 4, "01 70 00 01");
    builder_section_hex(&b, 5, "01 00 01");
    builder_section_hex(&b, 13, "01 00 01");
    builder_section_hex(&b, 6, "01 7f 00 41 00 0b");
    builder_section_hex(&b, 7, "01 01 66 00 02");
    builder_section_hex(&b, 9, "01 01 00 01 02");
    builder_section_hex(&b, 10, "01 02 00 0b");
    builder_section_hex(&b, 11, "01 01 00");
    struct wasm_module *m = builder_decode_keep(&b);
    linked = m;
    assert_true(fail_each_in_turn(link_twice, &b) > 20);
    wasm_module_free(m);
    builder_done(&b);
}

/* After a failed allocation the builder says so instead of giving out half a program. */
static void a_builder_without_memory_stays_failed(void **state)
{
    (void)state;
    struct module_builder b;
    struct program_builder *p = NULL;
    const struct program *program = NULL;
    struct error err;
    uint32_t instance;
    builder_init(&b);
    builder_section_hex(&b, 1, "01 60 00 00");
    builder_section_hex(&b, 3, "01 00");
    builder_section_hex(&b, 10, "01 02 00 0b");
    struct wasm_module *m = builder_decode_keep(&b);
    unsigned stuck = 0;
    for (long n = 0; n < 40; n++) {
        assert_int_equal(program_builder_new(&p, &err), ST_OK);
        failing_memory_countdown = n;
        enum status st = program_builder_add(p, m, NULL, 0, false, &instance, &err);
        failing_memory_countdown = -1;
        enum status end = program_builder_finish(p, &program, &err);
        if (st && end == ST_NO_MEMORY) stuck++;
        if (st) assert_int_not_equal(end, ST_OK);
        program_builder_free(p);
    }
    assert_true(stuck > 0);
    wasm_module_free(m);
    builder_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_survives_any_failed_allocation),
        cmocka_unit_test(deep_bodies_survive_any_failed_allocation),
        cmocka_unit_test(linking_survives_any_failed_allocation),
        cmocka_unit_test(a_builder_without_memory_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
