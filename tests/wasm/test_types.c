/* Identity and subtyping of types, within a module and across modules. */
#include "../base/cmocka_all.h"

#include "module_builder.h"

static struct wasm_module *decode_types(struct module_builder *b, const char *section)
{
    builder_init(b);
    builder_section_hex(b, 1, section);
    return builder_decode_keep(b);
}

/* Types of one section, and whether the last is the same as type `same` (-1: as none before). */
static const struct {
    const char *section;
    int same;
} identities[] = {
    {"02 60 00 00 60 00 00", 0},
    {"02 60 01 7f 00 60 01 7e 00", -1},
    {"02 60 01 7f 00 60 00 01 7f", -1},
    {"02 60 00 00 4e 01 60 00 00", 0},           /* a group of one is the type alone */
    {"02 60 00 00 4f 00 60 00 00", 0},           /* sub final without supertype, too */
    {"02 60 00 00 50 00 60 00 00", -1},          /* open and final differ */
    {"02 60 00 00 4e 02 60 00 00 60 00 00", -1}, /* a member of a larger group */
    {"01 4e 02 60 00 00 60 00 00", -1},          /* members of one group are distinct */
    {"02 5f 01 7f 00 5f 01 7f 01", -1},          /* mutability counts */
    {"02 5f 01 78 00 5f 01 77 00", -1},
    {"02 5f 00 5e 7f 00", -1},
    {"02 60 01 64 00 00 60 01 64 01 00", 0},  /* each refers to itself */
    {"02 60 01 64 00 00 60 01 64 00 00", -1}, /* to itself and to another one */
    {"02 60 01 64 00 00 60 01 63 01 00", -1},
    {"03 60 00 00 60 01 64 00 00 60 01 64 00 00", 1},
    {"04 60 00 00 60 00 00 60 01 64 00 00 60 01 64 01 00", 2}, /* to equal types */
    {"02 4e 02 60 01 64 01 00 60 01 64 00 00 4e 02 60 01 64 03 00 60 01 64 02 00", 1},
    {"02 4e 02 60 01 64 01 00 60 01 64 00 00 4e 02 60 01 64 02 00 60 01 64 03 00", -1},
    {"03 50 00 5f 00 50 01 00 5f 00 50 01 00 5f 00", 1},
    {"04 50 00 5f 00 50 00 5f 00 50 01 00 5f 00 50 01 01 5f 00", 2}, /* of equal supertypes */
    {"03 50 00 5f 00 50 01 00 5f 00 50 01 01 5f 00", -1},
};

static void types_are_the_same_when_their_groups_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(identities); i++) {
        struct module_builder b;
        struct wasm_module *m = decode_types(&b, identities[i].section);
        uint32_t last = m->types_count - 1;
        uint32_t expected = identities[i].same < 0 ? last : (uint32_t)identities[i].same;
        if (m->types[last].canonical != expected)
            fail_msg("%s: canonical %u", identities[i].section, m->types[last].canonical);
        wasm_module_free(m);
        builder_done(&b);
    }
}

/* The same group elsewhere: other types before it, its own references moved. */
static void identity_holds_across_modules(void **state)
{
    (void)state;
    struct module_builder a, b;
    struct wasm_module *am =
        decode_types(&a, "02 60 00 00  4e 02 60 02 64 02 64 00 00 50 00 5f 01 63 01 00");
    struct wasm_module *bm = decode_types(
        &b, "04 5f 00  60 01 7f 00  60 00 00  4e 02 60 02 64 04 64 02 00 50 00 5f 01 63 03 00");
    assert_true(wasm_type_equal(am, 0, bm, 2));
    assert_true(wasm_type_equal(am, 1, bm, 3));
    assert_true(wasm_type_equal(bm, 4, am, 2));
    assert_false(wasm_type_equal(am, 1, bm, 4));
    assert_false(wasm_type_equal(am, 2, bm, 3));
    assert_false(wasm_type_equal(am, 0, bm, 1));
    assert_false(wasm_type_equal(am, 2, bm, 0));
    wasm_module_free(am);
    wasm_module_free(bm);
    builder_done(&a);
    builder_done(&b);
}

static struct wasm_valtype ref(enum wasm_heap heap, bool nullable)
{
    return (struct wasm_valtype){.kind = WASM_REF, .heap = (uint8_t)heap, .nullable = nullable};
}

static struct wasm_valtype ref_type(uint32_t type, bool nullable)
{
    struct wasm_valtype t = ref(WASM_HEAP_TYPE, nullable);
    t.type = type;
    return t;
}

/* All pairs of abstract heap types: the upper ones of each. */
static void abstract_heap_types_form_four_hierarchies(void **state)
{
    (void)state;
    static const struct {
        enum wasm_heap heap;
        unsigned above; /* a bit for each that it matches */
    } heaps[] = {
#define BIT(h) (1u << WASM_HEAP_##h)
        {WASM_HEAP_FUNC, BIT(FUNC)},
        {WASM_HEAP_NOFUNC, BIT(NOFUNC) | BIT(FUNC)},
        {WASM_HEAP_EXTERN, BIT(EXTERN)},
        {WASM_HEAP_NOEXTERN, BIT(NOEXTERN) | BIT(EXTERN)},
        {WASM_HEAP_EXN, BIT(EXN)},
        {WASM_HEAP_NOEXN, BIT(NOEXN) | BIT(EXN)},
        {WASM_HEAP_ANY, BIT(ANY)},
        {WASM_HEAP_EQ, BIT(EQ) | BIT(ANY)},
        {WASM_HEAP_I31, BIT(I31) | BIT(EQ) | BIT(ANY)},
        {WASM_HEAP_STRUCT, BIT(STRUCT) | BIT(EQ) | BIT(ANY)},
        {WASM_HEAP_ARRAY, BIT(ARRAY) | BIT(EQ) | BIT(ANY)},
        {WASM_HEAP_NONE, BIT(NONE) | BIT(I31) | BIT(STRUCT) | BIT(ARRAY) | BIT(EQ) | BIT(ANY)},
#undef BIT
    };
    struct module_builder b;
    struct wasm_module *m = decode_types(&b, "00");
    for (size_t i = 0; i < ARRAY_COUNT(heaps); i++) {
        for (enum wasm_heap h = WASM_HEAP_FUNC; h <= WASM_HEAP_NOEXN; h++) {
            bool expected = heaps[i].above >> h & 1;
            bool found = wasm_valtype_matches(m, ref(heaps[i].heap, false), m, ref(h, false));
            if (found != expected) fail_msg("heap %d <= %d: %d", heaps[i].heap, h, found);
        }
    }
    wasm_module_free(m);
    builder_done(&b);
}

static void defined_types_match_their_supertypes(void **state)
{
    (void)state;
    struct module_builder b, c;
    /* 0 open struct, 1 its sub, 2 array, 3 function, 4 sub of 1 */
    struct wasm_module *m = decode_types(&b, "05 50 00 5f 00  50 01 00 5f 01 7f 00  5e 7f 00"
                                             " 60 00 00  50 01 01 5f 02 7f 00 7e 01");
    struct wasm_module *n = decode_types(&c, "04 60 00 00  50 00 5f 00  50 01 01 5f 01 7f 00"
                                             " 50 01 02 5f 02 7f 00 7e 01");
    const struct {
        struct wasm_valtype a, b;
        bool matches;
    } pairs[] = {
        {ref_type(1, false), ref_type(0, false), true},
        {ref_type(4, false), ref_type(0, true), true},
        {ref_type(0, false), ref_type(1, false), false},
        {ref_type(0, true), ref_type(0, false), false},
        {ref_type(0, false), ref(WASM_HEAP_STRUCT, false), true},
        {ref_type(0, false), ref(WASM_HEAP_EQ, false), true},
        {ref_type(0, false), ref(WASM_HEAP_ANY, false), true},
        {ref_type(0, false), ref(WASM_HEAP_ARRAY, false), false},
        {ref_type(0, false), ref(WASM_HEAP_FUNC, false), false},
        {ref_type(2, false), ref(WASM_HEAP_ARRAY, false), true},
        {ref_type(3, false), ref(WASM_HEAP_FUNC, false), true},
        {ref_type(3, false), ref(WASM_HEAP_ANY, false), false},
        {ref(WASM_HEAP_NONE, false), ref_type(0, false), true},
        {ref(WASM_HEAP_NONE, true), ref_type(0, false), false},
        {ref(WASM_HEAP_NONE, false), ref_type(3, false), false},
        {ref(WASM_HEAP_NOFUNC, false), ref_type(3, false), true},
        {ref(WASM_HEAP_NOFUNC, false), ref_type(2, false), false},
        {ref(WASM_HEAP_STRUCT, false), ref_type(0, false), false},
        {{.kind = WASM_I32}, {.kind = WASM_I32}, true},
        {{.kind = WASM_I32}, {.kind = WASM_I64}, false},
        {{.kind = WASM_I32}, ref(WASM_HEAP_ANY, true), false},
        {ref(WASM_HEAP_ANY, true), {.kind = WASM_I32}, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++)
        if (wasm_valtype_matches(m, pairs[i].a, m, pairs[i].b) != pairs[i].matches)
            fail_msg("pair %zu", i);
    assert_true(wasm_valtype_matches(m, ref_type(4, false), n, ref_type(1, false)));
    assert_true(wasm_type_matches(n, 3, m, 1));
    assert_false(wasm_type_matches(n, 1, m, 4));
    wasm_module_free(m);
    wasm_module_free(n);
    builder_done(&b);
    builder_done(&c);
}

/* What a sub type may declare over its supertype; type 0 and its subtype, type 1. */
static void declared_subtypes_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *section;
        bool valid;
    } sections[] = {
        {"02 50 00 5f 01 7f 00 50 01 00 5f 02 7f 00 7e 00", true},  /* width */
        {"02 50 00 5f 01 63 6d 00 50 01 00 5f 01 64 6c 00", true},  /* depth */
        {"02 50 00 5f 01 63 6d 01 50 01 00 5f 01 64 6c 01", false}, /* not when mutable */
        {"02 50 00 5f 01 63 6d 01 50 01 00 5f 01 63 6d 01", true},
        {"02 50 00 5f 01 63 6d 00 50 01 00 5f 01 63 6d 01", false},
        {"02 50 00 5e 63 6d 00 50 01 00 5e 63 6c 00", true},
        {"02 50 00 5e 78 00 50 01 00 5e 77 00", false},
        {"02 50 00 60 01 64 6c 00 50 01 00 60 01 64 6d 00", true}, /* contravariant */
        {"02 50 00 60 01 64 6d 00 50 01 00 60 01 64 6c 00", false},
        {"02 50 00 60 00 01 64 6d 50 01 00 60 00 01 64 6c", true}, /* covariant */
        {"02 50 00 60 00 01 64 6c 50 01 00 60 00 01 64 6d", false},
        {"02 50 00 60 00 00 50 01 00 60 01 7f 00", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(sections); i++) {
        struct module_builder b;
        builder_init(&b);
        builder_section_hex(&b, 1, sections[i].section);
        builder_expect(&b, sections[i].valid ? ST_OK : ST_INVALID,
                       sections[i].valid ? NULL : "sub type does not match super type",
                       sections[i].section);
        builder_done(&b);
    }
}

/* Each type names the one before it twice: unrolled, the last is a tree of 2^100000 leaves. Twice
 * over, so that equality has to be found out along the whole chain. */
static void deep_types_take_linear_time(void **state)
{
    (void)state;
    enum { depth = 100000 };
    struct module_builder b;
    builder_init(&b);
    builder_section(&b, 1);
    builder_u32(&b, 2 * depth);
    for (uint32_t copy = 0; copy < 2; copy++) {
        builder_hex(&b, "60 00 00");
        for (uint32_t i = 1; i < depth; i++) {
            uint32_t previous = copy * depth + i - 1;
            builder_hex(&b, "60 02 64");
            builder_heap_index(&b, previous);
            builder_hex(&b, "64");
            builder_heap_index(&b, previous);
            builder_hex(&b, "00");
        }
    }
    builder_section_end(&b);
    struct wasm_module *m = builder_decode_keep(&b);
    assert_int_equal(m->types[2 * depth - 1].canonical, depth - 1);
    wasm_module_free(m);
    builder_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_the_same_when_their_groups_are),
        cmocka_unit_test(identity_holds_across_modules),
        cmocka_unit_test(abstract_heap_types_form_four_hierarchies),
        cmocka_unit_test(defined_types_match_their_supertypes),
        cmocka_unit_test(declared_subtypes_are_checked),
        cmocka_unit_test(deep_types_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
