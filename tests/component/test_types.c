/* What types look like to core code (CanonicalABI "Alignment", "Element Size", "Flattening"), and
 * which of them are the same. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "component/canonical.h"
#include "component_builder.h"

/* Types 0 to 4 are there for the others to refer to. */
static const char prelude[] = "72 03 'a' 7d 'b' 79 'c' 7b"      /* 0: record of u8, u32, u16 */
                              "70 7d"                           /* 1: list<u8> */
                              "3f 7f 00"                        /* 2: a resource */
                              "71 02 'f' 01 76 00 'g' 01 77 00" /* 3: variant of f32, u64 */
                              "68 02";                          /* 4: a borrow */
#define PRELUDE_COUNT 5u

static struct component *decode_type(struct builder *b, const char *hex)
{
    builder_init(b);
    builder_section(b, 7);
    builder_u32(b, PRELUDE_COUNT + 1);
    builder_hex(b, prelude);
    builder_hex(b, hex);
    builder_section_end(b);
    return builder_decode_keep(b);
}

static void print_flat(const struct component *c, uint32_t type, char *text, size_t size)
{
    uint8_t kinds[64];
    static const char letters[] = "?ilfd";
    uint32_t count = component_flatten(c->types, type, kinds, sizeof kinds);
    assert_true(count < size);
    for (uint32_t i = 0; i < count; i++) text[i] = letters[kinds[i]];
    text[count] = 0;
}

static const struct layout_case {
    const char *hex;
    uint32_t size, align, discriminant, payload;
    const char *flat;
    bool has_pointer;
} layouts[] = {
    {"7f", 1, 1, 0, 0, "i", false},                /* bool */
    {"7c", 2, 2, 0, 0, "i", false},                /* s16 */
    {"78", 8, 8, 0, 0, "l", false},                /* s64 */
    {"76", 4, 4, 0, 0, "f", false},                /* f32 */
    {"75", 8, 8, 0, 0, "d", false},                /* f64 */
    {"74", 4, 4, 0, 0, "i", false},                /* char */
    {"73", 8, 4, 0, 0, "ii", true},                /* string */
    {"64", 4, 4, 0, 0, "i", false},                /* error-context */
    {"70 00", 8, 4, 0, 0, "ii", true},             /* list of the record */
    {"63 73 7d", 8, 4, 0, 0, "ii", true},          /* map */
    {"67 00 03", 36, 4, 0, 0, "iiiiiiiii", false}, /* three records */
    {"6f 02 7d 00", 16, 4, 0, 0, "iiii", false},   /* tuple */
    {"6f 03 7d 78 7d", 24, 8, 0, 0, "ili", false}, /* tuple with padding behind */
    {"6e 01 'a'", 1, 1, 0, 0, "i", false},         /* flags */
    {"6e 09 'a' 'b' 'c' 'd' 'e' 'f' 'g' 'h' 'i'", 2, 2, 0, 0, "i", false},
    {"6d 02 'a' 'b'", 1, 1, 1, 1, "i", false},    /* enum */
    {"6b 7d", 2, 1, 1, 1, "ii", false},           /* option<u8> */
    {"6b 78", 16, 8, 1, 8, "il", false},          /* option<s64> */
    {"6b 73", 12, 4, 1, 4, "iii", true},          /* option<string> */
    {"6a 00 00", 1, 1, 1, 1, "i", false},         /* result */
    {"6a 01 7d 01 75", 16, 8, 1, 8, "il", false}, /* i32 with f64 is i64 */
    {"6a 01 79 01 76", 8, 4, 1, 4, "ii", false},  /* i32 with f32 is i32 */
    {"6a 01 76 01 75", 16, 8, 1, 8, "il", false}, /* f32 with f64 is i64 */
    {"6b 03", 24, 8, 1, 8, "iil", false},         /* option of the variant */
    {"71 02 'a' 01 01 00 'b' 01 03 00", 24, 8, 1, 8, "iil", true},
    {"69 02", 4, 4, 0, 0, "i", false},    /* own */
    {"68 02", 4, 4, 0, 0, "i", false},    /* borrow */
    {"66 01 73", 4, 4, 0, 0, "i", false}, /* stream<string> */
    {"65 00", 4, 4, 0, 0, "i", false},    /* future */
};

static void layouts_follow_the_canonical_abi(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(layouts); i++) {
        const struct layout_case *l = &layouts[i];
        struct builder b;
        char flat[64];
        struct component *c = decode_type(&b, l->hex);
        uint32_t type = c->root->types[PRELUDE_COUNT];
        const struct component_layout *have = &c->types->entries[type].layout;
        print_flat(c, type, flat, sizeof flat);
        if (have->size_bytes != l->size || have->align_bytes != l->align ||
            have->discriminant_bytes != l->discriminant || have->payload_offset != l->payload ||
            have->flat_count != strlen(l->flat) || strcmp(flat, l->flat) != 0 ||
            have->has_pointer != l->has_pointer)
            fail_msg("%s: size %u, align %u, discriminant %u, payload %u, flat %s", l->hex,
                     have->size_bytes, have->align_bytes, have->discriminant_bytes,
                     have->payload_offset, flat);
        component_free(c);
        builder_done(&b);
    }
}

static void discriminants_grow_with_the_cases(void **state)
{
    static const struct {
        uint32_t cases, bytes;
    } table[] = {{1, 1}, {256, 1}, {257, 2}, {10000, 2}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        struct builder b;
        builder_init(&b);
        builder_section(&b, 7);
        builder_hex(&b, "01 6d");
        builder_u32(&b, table[i].cases);
        for (uint32_t k = 0; k < table[i].cases; k++) {
            char name[16];
            snprintf(name, sizeof name, "c%u", k);
            builder_name(&b, name);
        }
        builder_section_end(&b);
        struct component *c = builder_decode_keep(&b);
        assert_int_equal(c->types->entries[c->root->types[0]].layout.discriminant_bytes,
                         table[i].bytes);
        component_free(c);
        builder_done(&b);
    }
}

static void fields_have_offsets(void **state)
{
    struct builder b;
    (void)state;
    struct component *c = decode_type(&b, "7d");
    uint32_t record = c->root->types[0];
    assert_int_equal(component_field_offset(c->types, record, 0), 0);
    assert_int_equal(component_field_offset(c->types, record, 1), 4);
    assert_int_equal(component_field_offset(c->types, record, 2), 8);
    component_free(c);
    builder_done(&b);
}

static void equal_types_have_one_number(void **state)
{
    struct builder b;
    (void)state;
    builder_init(&b);
    builder_section_hex(&b, 7,
                        "08 72 01 'a' 7d" /* 0 */
                        "72 01 'a' 7d"    /* 1: as 0 */
                        "72 01 'b' 7d"    /* 2: another name */
                        "70 00 70 01"     /* 3, 4: lists of 0 and 1 */
                        "70 02"           /* 5 */
                        "3f 7f 00 3f 7f 00" /* 6, 7: two resources */);
    struct component *c = builder_decode_keep(&b);
    const uint32_t *t = c->root->types;
#define EQUAL(i) (c->types->entries[t[i]].equal)
    assert_int_not_equal(t[0], t[1]);
    assert_int_equal(EQUAL(0), EQUAL(1));
    assert_int_not_equal(EQUAL(0), EQUAL(2));
    assert_int_equal(EQUAL(3), EQUAL(4));
    assert_int_not_equal(EQUAL(3), EQUAL(5));
    assert_int_not_equal(EQUAL(6), EQUAL(7));
    component_free(c);
    builder_done(&b);
}

/* A function of `params` u32 and a result of so many flat values, as a core function. */
static const struct call_case {
    uint32_t params, results;
    bool is_lift, is_async, has_callback;
    const char *signature;
    bool params_in_memory, results_in_memory;
} calls[] = {
    {0, 0, true, false, false, ":", false, false},
    {0, 0, false, false, false, ":", false, false},
    {2, 1, true, false, false, "ii:i", false, false},
    {2, 2, true, false, false, "ii:i", false, true},
    {2, 2, false, false, false, "iii:", false, true},
    {16, 1, false, false, false, "iiiiiiiiiiiiiiii:i", false, false},
    {16, 2, false, false, false, "iiiiiiiiiiiiiiiii:", false, true},
    {17, 1, true, false, false, "i:i", true, false},
    {17, 2, false, false, false, "ii:", true, true},
    {2, 1, true, true, true, "ii:i", false, false},
    {2, 5, true, true, true, "ii:i", false, false},
    {2, 1, true, true, false, "ii:", false, false},
    {17, 1, true, true, true, "i:i", true, false},
    {4, 0, false, true, false, "iiii:i", false, false},
    {5, 0, false, true, false, "i:i", true, false},
    {4, 1, false, true, false, "iiiii:i", false, true},
    {5, 3, false, true, false, "ii:i", true, true},
};

static struct component *decode_func(struct builder *b, const struct call_case *k)
{
    builder_init(b);
    builder_section(b, 7);
    builder_hex(b, "02 6f");
    builder_u32(b, k->results ? k->results : 1);
    builder_repeat(b, k->results ? k->results : 1, "79");
    builder_hex(b, k->is_async ? "43" : "40");
    builder_u32(b, k->params);
    for (uint32_t i = 0; i < k->params; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%u", i);
        builder_name(b, name);
        builder_hex(b, "79");
    }
    builder_hex(b, k->results ? "00 00" : "01 00");
    builder_section_end(b);
    return builder_decode_keep(b);
}

static void calls_are_flattened(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        const struct call_case *k = &calls[i];
        struct builder b;
        struct component_call call;
        char text[64];
        size_t at = 0;
        struct component *c = decode_func(&b, k);
        struct component_options options = {.is_async = k->is_async,
                                            .has_callback = k->has_callback};
        component_call_of(c->types, c->root->types[1], k->is_lift, &options, &call);
        for (uint32_t n = 0; n < call.signature.params_count; n++)
            text[at++] = call.signature.params[n] == WASM_I32 ? 'i' : '?';
        text[at++] = ':';
        for (uint32_t n = 0; n < call.signature.results_count; n++)
            text[at++] = call.signature.results[n] == WASM_I32 ? 'i' : '?';
        text[at] = 0;
        if (strcmp(text, k->signature) != 0 || call.params_in_memory != k->params_in_memory ||
            call.results_in_memory != k->results_in_memory)
            fail_msg("case %zu: %s, %d, %d", i, text, call.params_in_memory,
                     call.results_in_memory);
        component_free(c);
        builder_done(&b);
    }
}

static const struct refused {
    const char *hex, *text;
} refused_types[] = {
    {"67 7d 00", "at least one element"},
    {"63 76 7d", "key type cannot be f32"},
    {"63 00 7d", "key type cannot be record"},
    {"66 01 74", "stream<char>"},
    {"66 01 04", "cannot contain a `borrow`"},
    {"65 01 04", "cannot contain a `borrow`"},
    {"69 00", "not a resource type"},
    {"3f 7e 00", "i64"},
    {"3f 7d 00", "represented by `i32`"},
    {"70 05", "out of bounds"},
    {"40 00 00 04", "result cannot contain a `borrow`"},
    {"43 00 00 04", "result cannot contain a `borrow`"},
};

static void types_that_cannot_be_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(refused_types); i++) {
        struct builder b;
        struct error err = {0};
        builder_init(&b);
        builder_section(&b, 7);
        builder_u32(&b, PRELUDE_COUNT + 1);
        builder_hex(&b, prelude);
        builder_hex(&b, refused_types[i].hex);
        builder_section_end(&b);
        enum status st = builder_decode(&b, &err);
        if ((st != ST_INVALID && st != ST_UNSUPPORTED) || !strstr(err.text, refused_types[i].text))
            fail_msg("%s: %s %s", refused_types[i].hex, status_name(st), err.text);
        builder_done(&b);
    }
}

/* A component is given its imports before it can make resources. */
static void imports_do_not_know_own_resources(void **state)
{
    struct builder b;
    (void)state;
    builder_init(&b);
    builder_section_hex(&b, 7, "01 3f 7f 00");
    builder_section_hex(&b, 10, "01 00 't' 03 00 00");
    builder_expect(&b, ST_INVALID, "local resource type found in imports", "import");
    builder_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_follow_the_canonical_abi),
        cmocka_unit_test(discriminants_grow_with_the_cases),
        cmocka_unit_test(fields_have_offsets),
        cmocka_unit_test(equal_types_have_one_number),
        cmocka_unit_test(calls_are_flattened),
        cmocka_unit_test(types_that_cannot_be_are_refused),
        cmocka_unit_test(imports_do_not_know_own_resources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
