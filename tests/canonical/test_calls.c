/* The rules of calls: who may enter and leave when, post-return, traps that end everything, and
 * what is wrong with pointers, whoever gives them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "pair.h"

#define MEMORY_BYTES 65536u
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- pointers ---- */

static void start(struct pair *p, const char *type, enum canon_encoding from,
                  enum canon_encoding to)
{
    pair_init(p, MEMORY_BYTES, from, to);
    pair_start(p, world_type(p->w, type));
}

static void flat_traps(const char *type, enum canon_encoding from, uint32_t a, uint32_t b,
                       uint32_t c, const char *text)
{
    struct pair p;
    struct value v[WIT_FLAT_PARAMS + 1] = {{.i32 = a}, {.i32 = b}, {.i32 = c}};
    start(&p, type, from, CANON_UTF8);
    assert_false(pair_call_flat(&p, v));
    assert_string_equal(p.trap, text);
    pair_done(&p);
}

static void test_pointers(void **state)
{
    (void)state;
    static const char big[] = "list<u32, 17>";
    flat_traps("string", CANON_UTF8, 0x80000000, 1, 8, "string content out-of-bounds");
    flat_traps("string", CANON_UTF8, 65535, 2, 8, "string content out-of-bounds");
    flat_traps("string", CANON_UTF8, UINT32_MAX, UINT32_MAX, 8, "string content out-of-bounds");
    flat_traps("string", CANON_UTF8, 65537, 0, 8, "string content out-of-bounds");
    flat_traps("string", CANON_UTF16, 1, 0, 8, "unaligned pointer");
    flat_traps("string", CANON_UTF16, 8, 0x80000000, 8, "string content out-of-bounds");
    flat_traps("string", CANON_UTF16, 8, UINT32_MAX, 8, "string content out-of-bounds");
    flat_traps("string", CANON_LATIN1_UTF16, 1, 0, 8, "unaligned pointer");
    flat_traps("string", CANON_LATIN1_UTF16, 1, 0x80000000, 8, "unaligned pointer");
    flat_traps("string", CANON_LATIN1_UTF16, 65534, 3, 8, "string content out-of-bounds");
    flat_traps("string", CANON_LATIN1_UTF16, 65534, 0x80000002, 8, "string content out-of-bounds");
    flat_traps("list<u32>", CANON_UTF8, 2, 1, 8, "unaligned pointer");
    flat_traps("list<u32>", CANON_UTF8, 0, 16385, 8, "list content out-of-bounds");
    flat_traps("list<u64>", CANON_UTF8, 0, 0x20000001, 8, "list content out-of-bounds");
    flat_traps("list<tuple<u64, u64>>", CANON_UTF8, 0, 0x10000001, 8, "list content out-of-bounds");
    flat_traps("list<u8>", CANON_UTF8, 65536, 1, 8, "list content out-of-bounds");
    flat_traps(big, CANON_UTF8, 1, 8, 0, "unaligned pointer");
    flat_traps(big, CANON_UTF8, 65500, 8, 0, "pointer out of bounds of memory");
    flat_traps(big, CANON_UTF8, 64, 2, 0, "unaligned pointer");
    flat_traps(big, CANON_UTF8, 64, 65500, 0, "pointer out of bounds of memory");
    flat_traps("char", CANON_UTF8, 0xd800, 0, 0, "invalid `char` bit pattern");
    flat_traps("char", CANON_UTF8, 0xdfff, 0, 0, "invalid `char` bit pattern");
    flat_traps("char", CANON_UTF8, 0x110000, 0, 0, "invalid `char` bit pattern");
    flat_traps("option<u8>", CANON_UTF8, 2, 0, 8, "invalid variant discriminant");
    flat_traps("enum{a}", CANON_UTF8, 1, 0, 0, "invalid variant discriminant");
}

/* What is wrong inside of a list is found as well. */
static void test_elements(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        uint32_t words[3];
        const char *text;
    } rows[] = {
        {"list<char>", {0x110000}, "invalid `char` bit pattern"},
        {"list<enum{a, b}>", {2}, "invalid variant discriminant"},
        {"list<option<u8>>", {3}, "invalid variant discriminant"},
        {"list<string>", {65536, 1}, "string content out-of-bounds"},
        {"list<list<u16>>", {3, 1}, "unaligned pointer"},
        {"list<list<string>>", {64, 1}, ""},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        struct pair p;
        start(&p, rows[k].type, CANON_UTF8, CANON_UTF8);
        memcpy(p.w->memories[0].bytes + 128, rows[k].words, sizeof rows[k].words);
        struct value v[3] = {{.i32 = 128}, {.i32 = 1}, {.i32 = 8}};
        assert_int_equal(pair_call_flat(&p, v), *rows[k].text == 0);
        assert_string_equal(p.trap, rows[k].text);
        pair_done(&p);
    }
}

static void test_bad_text(void **state)
{
    (void)state;
    static const struct {
        enum canon_encoding from;
        char bytes[4];
        uint32_t units;
        const char *text;
    } rows[] = {
        {CANON_UTF8, "\xff", 1, "invalid utf-8"},
        {CANON_UTF8, "ok\xc3", 3, "incomplete utf-8 byte sequence"},
        {CANON_UTF16, "\x00\xd8", 1, "invalid utf-16"},
        {CANON_LATIN1_UTF16, "\x00\xdc", 0x80000001, "invalid utf-16"},
    };
    for (size_t k = 0; k < COUNT(rows); k++)
        for (unsigned to = CANON_UTF8; to <= CANON_LATIN1_UTF16; to++) {
            struct pair p;
            start(&p, "string", rows[k].from, to);
            memcpy(p.w->memories[0].bytes + 64, rows[k].bytes, 3);
            struct value v[3] = {{.i32 = 64}, {.i32 = rows[k].units}, {.i32 = 8}};
            assert_false(pair_call_flat(&p, v));
            assert_string_equal(p.trap, rows[k].text);
            pair_done(&p);
        }
}

/* ---- realloc that is wrong ---- */

static uint32_t answer;

static bool answering(struct world *w, struct value *v)
{
    (void)w;
    v[0].i32 = answer;
    return true;
}

static bool trapping(struct world *w, struct value *v)
{
    (void)v;
    w->trap.kind = TRAP_UNREACHABLE;
    return false;
}

static void set_realloc(struct world *w, const struct artifact_canon_options *o, world_code code)
{
    w->codes[o->realloc - 1] = code;
}

static void test_wrong_realloc(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        uint32_t answer, count;
        const char *text;
    } rows[] = {
        {"list<u8>", UINT32_MAX, 0, "list content out-of-bounds"},
        {"list<u8>", 65528, 8, ""},
        {"list<u8>", 65536, 1, "list content out-of-bounds"},
        {"list<u32>", 2, 1, "unaligned pointer"},
        {"list<u32>", UINT32_MAX, 1, "unaligned pointer"},
        {"string", 65535, 2, "string content out-of-bounds"},
        {"list<u32, 17>", 1, 0, "unaligned pointer"},
        {"list<u32, 17>", 65536 - 64, 0, "pointer out of bounds of memory"},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        struct pair p;
        start(&p, rows[k].type, CANON_UTF8, CANON_UTF8);
        set_realloc(p.w, p.callee.side.options, answering);
        answer = rows[k].answer;
        struct value v[3] = {{.i32 = 64}, {.i32 = rows[k].count}, {.i32 = 8}};
        p.hostile = true;
        bool called = pair_call_flat(&p, v);
        assert_int_equal(called, *rows[k].text == 0);
        if (!called) assert_string_equal(p.trap, rows[k].text);
        pair_done(&p);
    }
}

/* A trap in nested guest code keeps its kind. */
static void test_nested_trap(void **state)
{
    (void)state;
    struct pair p;
    start(&p, "string", CANON_UTF8, CANON_UTF8);
    set_realloc(p.w, p.callee.side.options, trapping);
    struct value v[3] = {{.i32 = 64}, {.i32 = 1}, {.i32 = 8}};
    assert_false(pair_call_flat(&p, v));
    assert_int_equal(p.w->trap.kind, TRAP_UNREACHABLE);
    assert_true(p.w->instance.canonical->stopped);
    canonical_clear(p.w->instance.canonical, NULL);
    assert_false(p.w->instance.canonical->stopped);
    pair_done(&p);
}

/* ---- long copies ---- */

static void test_pauses(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        uint32_t count;
        unsigned pauses;
    } rows[] = {
        {"list<u8>", 3u << 20, 2},
        {"list<u64>", 3u << 17, 2},
        {"list<bool>", 40000, 2},
        {"string", 3u << 20, 2},
    };
    for (size_t k = 0; k < COUNT(rows); k++)
        for (unsigned stop = 0; stop < 2; stop++) {
            struct pair p;
            pair_init(&p, 16u << 20, CANON_UTF8, CANON_UTF8);
            pair_start(&p, world_type(p.w, rows[k].type));
            p.w->stop_at_pause = stop;
            struct value v[3] = {{.i32 = 64}, {.i32 = rows[k].count}, {.i32 = 8}};
            assert_int_equal(pair_call_flat(&p, v), !stop);
            assert_int_equal(p.w->pauses, stop ? 1 : 2 * rows[k].pauses);
            if (stop) assert_int_equal(p.w->trap.kind, TRAP_CPU_LIMIT);
            pair_done(&p);
        }
}

/* ---- entering and leaving ---- */

static struct {
    uint32_t call_2, call_1_from_2, call_child, call_parent, child, parent, lift_1;
    unsigned posted, post_result;
    bool leave_in_post, leave_in_realloc;
} g;

static bool calls_2(struct world *w, struct value *v)
{
    return world_import(w, g.call_2, v);
}

static bool returns_7(struct world *w, struct value *v)
{
    (void)w;
    v[0].i32 = 7;
    return true;
}

static bool calls_1(struct world *w, struct value *v)
{
    return world_import(w, g.call_1_from_2, v);
}

static bool posts(struct world *w, struct value *v)
{
    g.posted++;
    g.post_result = v[0].i32;
    struct value again[2] = {{.i32 = 1}};
    return !g.leave_in_post || world_import(w, g.call_1_from_2, again);
}

static struct world *start_two(world_code of_2)
{
    struct world *w = world_new();
    memset(&g, 0, sizeof g);
    uint32_t c1 = world_component(w, 0), c2 = world_component(w, 0);
    struct artifact_canon_options o1 = world_options(w, c1, CANON_MEMORY_NONE, CANON_UTF8);
    struct artifact_canon_options o2 = o1, outer = o1;
    o2.component = c2;
    o2.post_return = world_code_add(w, posts);
    outer.component = 0;
    uint32_t t = world_type(w, "func() -> u32");
    g.lift_1 = world_lift(w, t, world_code_add(w, calls_2), o1);
    uint32_t lift_2 = world_lift(w, t, world_code_add(w, of_2), o2);
    uint32_t lift_0 = world_lift(w, t, world_code_add(w, returns_7), outer);
    g.call_2 = world_lower(w, t, lift_2, o1);
    g.call_1_from_2 = world_lower(w, t, g.lift_1, o2);
    g.call_child = world_lower(w, t, lift_2, outer);
    g.call_parent = world_lower(w, t, lift_0, o1);
    world_start(w, NULL, 0, NULL);
    return w;
}

static void test_post_return(void **state)
{
    (void)state;
    struct world *w = start_two(returns_7);
    struct value v[2] = {{.i32 = 0}};
    assert_string_equal(world_call_lift(w, g.lift_1, v), "");
    assert_int_equal(v[0].i32, 7);
    assert_int_equal(g.posted, 1);
    assert_int_equal(g.post_result, 7);
    assert_string_equal(world_call_lift(w, g.lift_1, v), "");
    assert_int_equal(g.posted, 2);
    g.leave_in_post = true;
    assert_string_equal(world_call_lift(w, g.lift_1, v), "cannot leave component instance");
    world_free(w);
}

static void test_reentrance(void **state)
{
    (void)state;
    struct world *w = start_two(calls_1);
    struct value v[2] = {{.i32 = 0}};
    assert_string_equal(world_call_lift(w, g.lift_1, v), "cannot enter component instance");
    /* From then on the instance is dead. */
    w->codes[w->lifts[w->canons[g.call_2].lift].func - 1] = returns_7;
    assert_string_equal(world_call_lift(w, g.lift_1, v), "cannot enter component instance");
    canonical_clear(w->instance.canonical, NULL);
    w->trap.kind = TRAP_NONE; /* instance_reset() */
    assert_string_equal(world_call_lift(w, g.lift_1, v), "");
    assert_int_equal(v[0].i32, 7);
    world_free(w);
}

static void test_parents(void **state)
{
    (void)state;
    struct world *w = start_two(returns_7);
    struct value v[2] = {{.i32 = 0}};
    assert_string_equal(world_call(w, g.call_child, v), "cannot enter component instance");
    assert_string_equal(world_call(w, g.call_parent, v), "cannot enter component instance");
    world_free(w);
}

static bool leaves_in_realloc(struct world *w, struct value *v)
{
    (void)v;
    struct value again[2] = {{.i32 = 0}};
    return world_import(w, g.child, again);
}

static void test_realloc_may_not_leave(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, MEMORY_BYTES, CANON_UTF8, CANON_UTF8);
    uint32_t r = world_resource(p.w, 2, "", "R", 0);
    g.child = world_builtin(p.w, CANON_RESOURCE_NEW, r, 2);
    pair_start(&p, world_type(p.w, "string"));
    set_realloc(p.w, p.callee.side.options, leaves_in_realloc);
    struct value v[3] = {{.i32 = 64}, {.i32 = 1}, {.i32 = 8}};
    assert_false(pair_call_flat(&p, v));
    assert_string_equal(p.w->trap.text, "cannot leave component instance");
    pair_done(&p);
}

/* ---- host functions and guest memory ---- */

static struct canonical_text texts[3];
static enum host_result take_text(struct canonical_call *c, struct value *v)
{
    return canonical_text(c, v[0].i32, v[1].i32, &texts[0]) ? HOST_OK : HOST_TRAP;
}

static enum host_result take_two(struct canonical_call *c, struct value *v)
{
    if (!canonical_text(c, v[0].i32, v[1].i32, &texts[0]) ||
        !canonical_text(c, v[2].i32, v[3].i32, &texts[1]))
        return HOST_TRAP;
    assert_int_equal(texts[0].bytes[0], 'a'); /* both are there at once */
    assert_int_equal(texts[1].bytes[0], 'b');
    return HOST_OK;
}

static enum host_result put_text(struct canonical_call *c, struct value *v)
{
    uint8_t *out;
    uint32_t at, units;
    if (!canonical_put_text(c, "caf\xc3\xa9", 5, &at, &units) ||
        !canonical_out(c, v[0].i32, 8, 4, &out))
        return HOST_TRAP;
    memcpy(out, &at, 4);
    memcpy(out + 4, &units, 4);
    return HOST_OK;
}

static enum host_result take_list(struct canonical_call *c, struct value *v)
{
    const uint8_t *list;
    return canonical_list(c, v[0].i32, v[1].i32, 8, 4, &list) ? HOST_OK : HOST_TRAP;
}

static enum host_result allocates(struct canonical_call *c, struct value *v)
{
    uint8_t *bytes;
    return canonical_allocate(c, v[0].i32, 4, &v[0].i32, &bytes) ? HOST_OK : HOST_TRAP;
}

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("take-text", NULL, take_text),
    CANONICAL_FUNCTION("take-two", NULL, take_two),
    CANONICAL_FUNCTION("put-text", NULL, put_text),
    CANONICAL_FUNCTION("take-list", NULL, take_list),
    CANONICAL_FUNCTION("allocate", NULL, allocates),
};
static const struct canonical_interface interface = {"t:t/t",          "",   functions,
                                                     COUNT(functions), NULL, 0};
static const struct canonical_interface *const interfaces[] = {&interface};

static struct world *start_host(enum canon_encoding encoding)
{
    struct world *w = world_new();
    world_memory(w, MEMORY_BYTES);
    struct artifact_canon_options o = world_options(w, 0, 0, encoding);
    for (size_t k = 0; k < COUNT(functions); k++)
        world_lower_host(w, "func()", "t:t/t", functions[k].entry.name, o);
    world_start(w, interfaces, 1, NULL);
    return w;
}

static void host_traps(struct world *w, uint32_t canon, uint32_t a, uint32_t b, const char *text)
{
    struct value v[4] = {{.i32 = a}, {.i32 = b}};
    assert_string_equal(world_call(w, canon, v), text);
}

static void test_host_memory(void **state)
{
    (void)state;
    struct world *w = start_host(CANON_UTF8);
    host_traps(w, 0, 0xdeadbeef, 0, "string pointer/length out of bounds of memory");
    host_traps(w, 0, 65535, 2, "string pointer/length out of bounds of memory");
    host_traps(w, 0, 65536, 0, "");
    w->memories[0].bytes[8] = 0xc3;
    host_traps(w, 0, 8, 1, "incomplete utf-8 byte sequence");
    host_traps(w, 0, 8, 2, "invalid utf-8");
    host_traps(w, 3, 0, 8192, "");
    host_traps(w, 3, 0, 8193, "list pointer/length out of bounds of memory");
    host_traps(w, 3, 0, 0x20000000, "list pointer/length out of bounds of memory");
    host_traps(w, 3, 2, 1, "unaligned pointer");
    host_traps(w, 2, 2, 0, "unaligned pointer");
    host_traps(w, 2, 65532, 0, "pointer out of bounds of memory");
    set_realloc(w, &w->canons[0].options, answering);
    answer = 65533;
    host_traps(w, 4, 8, 0, "realloc return: result not aligned");
    answer = 65532;
    host_traps(w, 4, 8, 0, "realloc return: beyond end of memory");
    answer = 65536;
    host_traps(w, 4, 0, 0, "");
    answer = UINT32_MAX;
    host_traps(w, 2, 8, 0, "realloc return: beyond end of memory");
    world_free(w);
}

static void test_host_text(void **state)
{
    (void)state;
    static const struct {
        enum canon_encoding encoding;
        const char *bytes;
        uint32_t size, units;
    } rows[] = {
        {CANON_UTF8, "caf\xc3\xa9", 5, 5},
        {CANON_UTF16, "c\0a\0f\0\xe9\0", 8, 4},
        {CANON_LATIN1_UTF16, "caf\xe9", 4, 4},
        {CANON_LATIN1_UTF16, "c\0a\0f\0\xe9\0", 8, 4 | 0x80000000},
    };
    for (size_t k = 0; k < COUNT(rows); k++) {
        struct world *w = start_host(rows[k].encoding);
        memcpy(w->memories[0].bytes + 16, rows[k].bytes, rows[k].size);
        host_traps(w, 0, 16, rows[k].units, "");
        assert_int_equal(texts[0].size_bytes, 5);
        assert_memory_equal(texts[0].bytes, "caf\xc3\xa9", 5);
        uint32_t pair[2];
        host_traps(w, 2, 64, 0, "");
        memcpy(pair, w->memories[0].bytes + 64, sizeof pair);
        if (rows[k].units & 0x80000000) {
            world_free(w);
            continue; /* it writes Latin-1 where that does */
        }
        assert_int_equal(pair[1], rows[k].units);
        assert_memory_equal(w->memories[0].bytes + pair[0], rows[k].bytes, rows[k].size);
        world_free(w);
    }
}

/* Latin-1 becomes at most twice as long. */
static void test_text_limit(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_memory(w, CANONICAL_STRING_BYTES_MAX);
    struct artifact_canon_options o = world_options(w, 0, 0, CANON_LATIN1_UTF16);
    uint32_t take = world_lower_host(w, "func()", "t:t/t", "take-text", o);
    world_start(w, interfaces, 1, NULL);
    host_traps(w, take, 0, CANONICAL_STRING_BYTES_MAX / 2, "");
    host_traps(w, take, 0, CANONICAL_STRING_BYTES_MAX / 2 + 1, "string is too long");
    world_free(w);
}

static void test_two_texts(void **state)
{
    (void)state;
    struct world *w = start_host(CANON_UTF16);
    memcpy(w->memories[0].bytes + 16, "a\0b\0", 4);
    struct value v[4] = {{.i32 = 16}, {.i32 = 1}, {.i32 = 18}, {.i32 = 1}};
    for (unsigned k = 0; k < 5; k++) assert_string_equal(world_call(w, 1, v), "");
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pointers),    cmocka_unit_test(test_elements),
        cmocka_unit_test(test_bad_text),    cmocka_unit_test(test_wrong_realloc),
        cmocka_unit_test(test_nested_trap), cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_post_return), cmocka_unit_test(test_reentrance),
        cmocka_unit_test(test_parents),     cmocka_unit_test(test_realloc_may_not_leave),
        cmocka_unit_test(test_host_memory), cmocka_unit_test(test_host_text),
        cmocka_unit_test(test_two_texts),   cmocka_unit_test(test_text_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
