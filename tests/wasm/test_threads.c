/* Bodies that are validated on several threads: the outcome is that of one thread, to the letter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "module_builder.h"

#define FUNCTIONS 8000u
#define MODULES   60u
#define SPECIAL   6u /* bodies that are not like the others; a module may have fewer */

enum kind {
    PLAIN,
    VECTOR,
    BULK,
    NULL_REFERENCE,
    INVALID,
    UNKNOWN_FUNCTION,
    TOO_MANY_LOCALS,
    KINDS
};

static const char *const bodies[KINDS] = {
    [VECTOR] = "00 fd 0c 00010203 04050607 08090a0b 0c0d0e0f 1a 0b",
    [BULK] = "00 41 00 41 00 41 00 fc 0b 00 0b",
    [NULL_REFERENCE] = "00 d0 70 1a 0b",
    [INVALID] = "00 1a 0b",
    [UNKNOWN_FUNCTION] = "00 10 ff ff 03 0b",
    [TOO_MANY_LOCALS] = "01 ff ff ff ff 0f 7f 0b",
};

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)random_state * n >> 32);
}

static void put_body(struct module_builder *b, enum kind kind)
{
    builder_body(b);
    if (kind != PLAIN) {
        builder_hex(b, bodies[kind]);
    } else {
        builder_hex(b, "00");
        builder_repeat(b, 16, "41 00 1a");
        builder_hex(b, "0b");
    }
    builder_body_end(b);
}

/* Functions without parameters and results, of which `special` are of any of the first `kinds`. */
static void build(struct module_builder *b, uint32_t special, uint32_t kinds)
{
    uint8_t of[FUNCTIONS] = {PLAIN};
    for (uint32_t k = 0; k < special; k++)
        of[random_below(FUNCTIONS)] = (uint8_t)(1 + random_below(kinds - 1));
    builder_init(b);
    builder_functions(b, FUNCTIONS);
    builder_section_hex(b, 5, "01 00 01");
    builder_section(b, 10);
    builder_u32(b, FUNCTIONS);
    for (uint32_t k = 0; k < FUNCTIONS; k++) put_body(b, (enum kind)of[k]);
    builder_section_end(b);
}

struct outcome {
    enum status status;
    uint32_t features;
    char text[ERROR_TEXT_MAX];
};

static struct outcome decode(const struct module_builder *b, uint32_t threads)
{
    struct outcome ret = {0};
    struct wasm_module *m = NULL;
    struct error err = {0};
    ret.status = wasm_module_decode(b->out.data, b->out.size_bytes, threads, &m, &err);
    if (ret.status) {
        memcpy(ret.text, err.text, sizeof ret.text);
    } else {
        ret.features = m->features;
        wasm_module_free(m);
    }
    return ret;
}

static void compare(const struct module_builder *b, const struct outcome *one, uint32_t threads)
{
    struct outcome many = decode(b, threads);
    assert_int_equal(one->status, many.status);
    assert_int_equal(one->features, many.features);
    assert_string_equal(one->text, many.text);
}

static void test_same(void **state)
{
    (void)state;
    random_state = (uint32_t)time(NULL);
    print_message("seed %u\n", random_state);
    uint32_t invalid = 0;
    for (uint32_t k = 0; k < MODULES; k++) {
        struct module_builder b;
        build(&b, k % (SPECIAL + 1), k % 2 ? KINDS : INVALID);
        struct outcome one = decode(&b, 1);
        if (!(k % 2)) assert_int_equal(one.status, ST_OK);
        invalid += one.status != ST_OK;
        compare(&b, &one, 4);
        compare(&b, &one, 0);
        builder_done(&b);
    }
    assert_in_range(invalid, 1, MODULES / 2);
}

/* The first of many. */
static void test_all_invalid(void **state)
{
    (void)state;
    struct module_builder b;
    random_state = 1;
    build(&b, 2000, KINDS);
    struct outcome one = decode(&b, 1);
    assert_true(one.status != ST_OK);
    for (int k = 0; k < 50; k++) compare(&b, &one, 4);
    builder_done(&b);
}

static void put_long_body(struct module_builder *b, uint32_t instructions, const char *end)
{
    builder_body(b);
    builder_hex(b, "00");
    builder_repeat(b, instructions, "41 00 1a");
    builder_hex(b, end);
    builder_body_end(b);
}

/* A body that takes so long that an earlier one has been found invalid before its own fault is. */
static void test_found_later(void **state)
{
    (void)state;
    enum { EARLIER = 32 };
    struct module_builder b;
    builder_init(&b);
    builder_functions(&b, EARLIER + 1);
    builder_section(&b, 10);
    builder_u32(&b, EARLIER + 1);
    for (uint32_t k = 0; k < EARLIER - 1; k++) put_long_body(&b, 5000, "0b");
    put_long_body(&b, 1, "1a 0b");
    put_long_body(&b, 1000000, "1a 0b");
    builder_section_end(&b);
    struct outcome one = decode(&b, 1);
    assert_true(one.status != ST_OK);
    for (int k = 0; k < 10; k++) compare(&b, &one, 4);
    builder_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_all_invalid),
        cmocka_unit_test(test_found_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
