/* Every limit of component.h and types.h that a file of reasonable size reaches: a component at it,
 * and one past it. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "component_builder.h"

static void nested_components(struct builder *b, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        builder_section(b, 4);
        builder_preamble(b);
    }
    for (uint32_t i = 1; i < n; i++) builder_section_end(b);
}

/* The component itself is one scope, each type another. */
static void nested_types(struct builder *b, uint32_t n)
{
    builder_section(b, 7);
    builder_hex(b, "01");
    for (uint32_t i = 1; i < n; i++) builder_hex(b, i + 1 < n ? "42 01 01" : "42 00");
    builder_section_end(b);
}

static void components(struct builder *b, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) builder_section_hex(b, 4, "00 61 73 6d 0d 00 01 00");
}

static void modules(struct builder *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) builder_section_hex(b, 1, "00 61 73 6d 01 00 00 00");
}

static void core_types(struct builder *b, uint32_t n)
{
    builder_section(b, 3);
    builder_u32(b, n);
    builder_repeat(b, n, "60 00 00");
    builder_section_end(b);
}

/* u8 has depth 0. */
static void type_depth(struct builder *b, uint32_t n)
{
    builder_section(b, 7);
    builder_u32(b, n);
    builder_hex(b, "70 7d");
    for (uint32_t i = 1; i < n; i++) {
        builder_hex(b, "70");
        builder_type(b, i - 1);
    }
    builder_section_end(b);
}

/* A tuple of n bytes has the size n + 1; ten of them and a list in a tuple make it exact. */
static void type_size(struct builder *b, uint32_t n)
{
    uint32_t rest = n - 1 - 100 * 9901 - 1;
    builder_section(b, 7);
    builder_hex(b, "03 6f");
    builder_u32(b, 9900);
    builder_repeat(b, 9900, "7d");
    builder_hex(b, "6f");
    builder_u32(b, rest);
    builder_repeat(b, rest, "7d");
    builder_hex(b, "6f");
    builder_u32(b, 101);
    builder_repeat(b, 100, "00");
    builder_hex(b, "01");
    builder_section_end(b);
}

static void fields(struct builder *b, uint32_t n)
{
    builder_section(b, 7);
    builder_hex(b, "01 6f");
    builder_u32(b, n);
    builder_repeat(b, n, "7d");
    builder_section_end(b);
}

static void params(struct builder *b, uint32_t n)
{
    builder_section(b, 7);
    builder_hex(b, "01 40");
    builder_u32(b, n);
    for (uint32_t i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%u", i);
        builder_name(b, name);
        builder_hex(b, "7d");
    }
    builder_hex(b, "01 00");
    builder_section_end(b);
}

static void name_bytes(struct builder *b, uint32_t n)
{
    char *name = malloc(n + 1);
    assert_non_null(name);
    memset(name, 'a', n);
    name[n] = 0;
    builder_section_hex(b, 7, "01 40 00 01 00");
    builder_section(b, 10);
    builder_hex(b, "01 00");
    builder_name(b, name);
    builder_hex(b, "01 00");
    builder_section_end(b);
    free(name);
}

static void list_bytes(struct builder *b, uint32_t n)
{
    builder_section(b, 7);
    builder_hex(b, "01 67 7d");
    builder_u32(b, n);
    builder_section_end(b);
}

static void options(struct builder *b, uint32_t n)
{
    builder_section_hex(b, 7, "01 40 00 01 00");
    builder_section_hex(b, 10, "01 00 'f' 01 00");
    builder_section(b, 8);
    builder_hex(b, "01 01 00 00");
    builder_u32(b, n);
    builder_repeat(b, n, "00");
    builder_section_end(b);
}

static void definitions(struct builder *b, uint32_t n)
{
    builder_section(b, 7);
    builder_u32(b, n);
    builder_repeat(b, n, "7d");
    builder_section_end(b);
}

static void arguments(struct builder *b, uint32_t n)
{
    builder_section_hex(b, 4, "00 61 73 6d 0d 00 01 00");
    builder_section_hex(b, 7, "01 7d");
    builder_section(b, 5);
    builder_hex(b, "01 00 00");
    builder_u32(b, n);
    for (uint32_t i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "a%u", i);
        builder_name(b, name);
        builder_hex(b, "03 00");
    }
    builder_section_end(b);
}

static const struct limit {
    const char *name;
    void (*build)(struct builder *b, uint32_t n);
    uint32_t max;
    enum status status; /* one past it */
    const char *text;
    bool fails_below; /* for another reason: only that the limit is not named is looked at */
} limits[] = {
    {"nested components", nested_components, COMPONENT_NESTING_MAX, ST_LIMIT, "nested more than",
     false},
    {"nested types", nested_types, COMPONENT_NESTING_MAX, ST_LIMIT, "nested more than", false},
    {"components", components, COMPONENT_COUNT_MAX, ST_LIMIT, "more than 1000 components", false},
    {"core modules", modules, COMPONENT_MODULES_MAX, ST_LIMIT, "more than 1000 core modules",
     false},
    {"core types", core_types, COMPONENT_CORE_TYPES_MAX, ST_LIMIT, "more than 10000 core types",
     false},
    {"type depth", type_depth, COMPONENT_TYPE_DEPTH_MAX, ST_LIMIT, "type nesting is too deep",
     false},
    {"type size", type_size, COMPONENT_TYPE_SIZE_MAX, ST_LIMIT, "effective type size", false},
    {"fields", fields, COMPONENT_FIELDS_MAX, ST_LIMIT, "the limit is 10000", false},
    {"parameters", params, COMPONENT_PARAMS_MAX, ST_LIMIT, "the limit is 1000", false},
    {"name", name_bytes, COMPONENT_NAME_BYTES_MAX, ST_LIMIT, "the limit is 10000", false},
    {"bytes of a value", list_bytes, COMPONENT_VALUE_BYTES - 1, ST_INVALID,
     "exceeds maximum byte size", false},
    {"options", options, COMPONENT_OPTIONS_MAX, ST_LIMIT, "the limit is 10", true},
    {"definitions", definitions, COMPONENT_DEFINITIONS_MAX, ST_LIMIT, "the limit is 1000000",
     false},
    {"arguments", arguments, COMPONENT_ARGS_MAX, ST_LIMIT, "the limit is 100000", false},
};

static void each_limit_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
        const struct limit *l = &limits[i];
        struct builder b;
        struct error err = {0};
        builder_init(&b);
        l->build(&b, l->max);
        if (!l->fails_below)
            builder_expect(&b, ST_OK, NULL, l->name);
        else if (builder_decode(&b, &err) != ST_INVALID || strstr(err.text, l->text))
            fail_msg("%s: %s", l->name, err.text);
        builder_done(&b);
        builder_init(&b);
        l->build(&b, l->max + 1);
        builder_expect(&b, l->status, l->text, l->name);
        builder_done(&b);
    }
}

/* Two lists of sections may not together pass what one may not. */
static void definitions_are_counted_together(void **state)
{
    (void)state;
    struct builder b;
    builder_init(&b);
    definitions(&b, COMPONENT_DEFINITIONS_MAX);
    definitions(&b, 1);
    builder_expect(&b, ST_LIMIT, "more than 1000000 definitions", "definitions");
    builder_done(&b);
}

/* Looking up n names in an instance of n exports. */
static void work_is_bounded(void **state)
{
    (void)state;
    struct builder b;
    builder_init(&b);
    builder_section_hex(&b, 7, "01 7d");
    builder_section(&b, 5);
    builder_hex(&b, "01 01");
    builder_u32(&b, 30000);
    for (uint32_t i = 0; i < 30000; i++) {
        char name[16];
        snprintf(name, sizeof name, "a%u", i);
        builder_hex(&b, "00");
        builder_name(&b, name);
        builder_hex(&b, "03 00");
    }
    builder_section_end(&b);
    builder_section(&b, 6);
    builder_u32(&b, 30000);
    for (uint32_t i = 0; i < 30000; i++) builder_hex(&b, "03 00 00 'a29999'");
    builder_section_end(&b);
    builder_expect(&b, ST_LIMIT, "steps of comparing types and names", "work");
    builder_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_holds),
        cmocka_unit_test(definitions_are_counted_together),
        cmocka_unit_test(work_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
