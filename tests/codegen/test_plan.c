/* What is compiled at which level: each limit of plan.h at N and one past it; and functions that
 * only their IR gives away. */
#include "../base/cmocka_all.h"

#include <stdlib.h>

#include "link_fixture.h"
#include "plan.h"

#define OP_BLOCK     0x02
#define OP_LOOP      0x03
#define OP_IF        0x04
#define OP_END       0x0b
#define OP_BR_IF     0x0d
#define OP_BR_TABLE  0x0e
#define OP_NOP       0x01
#define OP_DROP      0x1a
#define OP_LOCAL_GET 0x20
#define OP_LOCAL_SET 0x21
#define OP_I32_ADD   0x6a
#define TYPE_EMPTY   0x40
#define TYPE_I32     0x7f

struct body {
    struct buffer bytes;
    uint32_t locals;
};

static void byte(struct buffer *b, uint8_t value)
{
    assert_int_equal(buffer_append(b, &value, 1), ST_OK);
}

static void leb(struct buffer *b, uint32_t value)
{
    do {
        uint8_t low = value & 0x7f;
        value >>= 7;
        byte(b, value ? low | 0x80 : low);
    } while (value);
}

static void section(struct buffer *out, uint8_t id, const struct buffer *contents)
{
    byte(out, id);
    leb(out, (uint32_t)contents->size_bytes);
    assert_int_equal(buffer_append(out, contents->data, contents->size_bytes), ST_OK);
}

static void body_init(struct body *f, uint32_t locals)
{
    buffer_init(&f->bytes, 64u << 20);
    f->locals = locals;
}

static void repeat(struct body *f, uint32_t count, uint8_t op)
{
    for (uint32_t i = 0; i < count; i++) byte(&f->bytes, op);
}

static void get(struct body *f, uint32_t local)
{
    byte(&f->bytes, OP_LOCAL_GET);
    leb(&f->bytes, local);
}

/* A program of one function (i32) → nothing with `f` for its body, to which the end is added. */
static void program_of(struct link_program *p, struct body *f)
{
    static const uint8_t start[] = "\0asm\1\0\0\0\1\5\1\x60\1\x7f\0\3\2\1"; /* and type 0 */
    struct buffer wasm, code, whole;
    buffer_init(&wasm, 64u << 20);
    buffer_init(&code, 64u << 20);
    buffer_init(&whole, 64u << 20);
    assert_int_equal(buffer_append(&wasm, start, sizeof start), ST_OK);
    leb(&code, f->locals ? 1 : 0);
    if (f->locals) {
        leb(&code, f->locals);
        byte(&code, TYPE_I32);
    }
    byte(&f->bytes, OP_END);
    assert_int_equal(buffer_append(&code, f->bytes.data, f->bytes.size_bytes), ST_OK);
    leb(&whole, 1);
    leb(&whole, (uint32_t)code.size_bytes);
    assert_int_equal(buffer_append(&whole, code.data, code.size_bytes), ST_OK);
    section(&wasm, 10, &whole);
    buffer_done(&code);
    buffer_done(&whole);
    buffer_done(&f->bytes);
    link_program_from_bytes(p, &wasm);
}

/* The level that the plan gives the function. */
static enum codegen_level planned(struct body *f, enum codegen_level wanted)
{
    const struct codegen_options options = {.level = wanted, .cpu_level = 2, .threads = 1};
    struct link_program p;
    struct layout *layout;
    struct contents contents;
    struct plan plan;
    struct error err = {0};
    program_of(&p, f);
    assert_int_equal(layout_new(p.program, &layout, &err), ST_OK);
    assert_int_equal(contents_init(&contents, p.program, layout, 1, &err), ST_OK);
    assert_int_equal(plan_init(&plan, p.program, &options, &contents, &err), ST_OK);
    enum codegen_level level = CODEGEN_AGGRESSIVE;
    uint32_t found = 0;
    for (uint32_t i = 0; i < plan.batches_count; i++)
        if (plan.items[plan.batches[i].first].kind == PLAN_FUNCTION) {
            level = plan.batches[i].level;
            found++;
        }
    assert_int_equal(found, 1);
    assert_int_equal(plan.functions_lowered, level == CODEGEN_FAST && wanted != CODEGEN_FAST);
    plan_done(&plan);
    contents_done(&contents);
    layout_free(layout);
    link_program_done(&p);
    return level;
}

/* Breaks a run of instructions without adding depth. */
static void branch(struct body *f)
{
    byte(&f->bytes, OP_BLOCK);
    byte(&f->bytes, TYPE_EMPTY);
    byte(&f->bytes, OP_END);
}

static void blocks(struct body *f, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) branch(f);
}

/* `size_bytes` with the end that is added, in runs without a branch that stay short. */
static void padding(struct body *f, size_t size_bytes)
{
    while (f->bytes.size_bytes + 1003 + 1 <= size_bytes) {
        branch(f);
        repeat(f, 1000, OP_NOP);
    }
    repeat(f, (uint32_t)(size_bytes - 1 - f->bytes.size_bytes), OP_NOP);
}

static void nested(struct body *f, uint8_t op, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++) {
        if (op == OP_IF) get(f, 0);
        byte(&f->bytes, op);
        byte(&f->bytes, TYPE_EMPTY);
    }
    repeat(f, depth, OP_END);
}

static void edges(struct body *f, uint32_t count)
{
    get(f, 0);
    byte(&f->bytes, OP_BR_TABLE);
    leb(&f->bytes, count);
    for (uint32_t i = 0; i <= count; i++) leb(&f->bytes, 0);
}

enum limit { BYTES, BLOCKS, EDGES, RUN, LOOP_DEPTH, IF_DEPTH, BLOCKS_LOCALS };

static void shape(struct body *f, enum limit limit, uint32_t n)
{
    body_init(f, limit == BLOCKS_LOCALS ? 999 : 0); /* and the parameter */
    switch (limit) {
    case BYTES: padding(f, n); break;
    case BLOCKS: blocks(f, n); break;
    case EDGES: edges(f, n); break;
    case RUN: repeat(f, n - 1, OP_NOP); break; /* the last end counts */
    case LOOP_DEPTH: nested(f, OP_LOOP, n); break;
    case IF_DEPTH: nested(f, OP_IF, n); break;
    case BLOCKS_LOCALS: blocks(f, n / 1000); break;
    }
}

static void test_limits(void **state)
{
    (void)state;
    static const struct {
        enum limit limit;
        uint32_t max, step;
    } rows[] = {
        {BYTES, PLAN_BYTES_MAX, 1},
        {BLOCKS, PLAN_BLOCKS_MAX, 1},
        {EDGES, PLAN_EDGES_MAX, 1},
        {RUN, PLAN_RUN_MAX, 1},
        {LOOP_DEPTH, PLAN_LOOP_DEPTH_MAX, 1},
        {IF_DEPTH, PLAN_IF_DEPTH_MAX, 1},
        {BLOCKS_LOCALS, PLAN_BLOCKS_LOCALS_MAX, 1000},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct body f;
        shape(&f, rows[i].limit, rows[i].max);
        if (planned(&f, CODEGEN_OPTIMISED) != CODEGEN_OPTIMISED) fail_msg("row %zu, at", i);
        shape(&f, rows[i].limit, rows[i].max + rows[i].step);
        if (planned(&f, CODEGEN_OPTIMISED) != CODEGEN_FAST) fail_msg("row %zu, past", i);
    }
}

static void test_aggressive(void **state)
{
    (void)state;
    struct body f;
    shape(&f, BYTES, PLAN_AGGRESSIVE_BYTES_MAX);
    assert_int_equal(planned(&f, CODEGEN_AGGRESSIVE), CODEGEN_AGGRESSIVE);
    shape(&f, BYTES, PLAN_AGGRESSIVE_BYTES_MAX + 1);
    assert_int_equal(planned(&f, CODEGEN_AGGRESSIVE), CODEGEN_OPTIMISED);
    shape(&f, BLOCKS, PLAN_AGGRESSIVE_BLOCKS_MAX);
    assert_int_equal(planned(&f, CODEGEN_AGGRESSIVE), CODEGEN_AGGRESSIVE);
    shape(&f, BLOCKS, PLAN_AGGRESSIVE_BLOCKS_MAX + 1);
    assert_int_equal(planned(&f, CODEGEN_AGGRESSIVE), CODEGEN_OPTIMISED);
    shape(&f, BYTES, PLAN_BYTES_MAX + 1);
    assert_int_equal(planned(&f, CODEGEN_AGGRESSIVE), CODEGEN_FAST);
}

static uint32_t lowered(struct body *f)
{
    const struct codegen_options options = {
        .level = CODEGEN_OPTIMISED, .cpu_level = 2, .threads = 1};
    struct codegen_stats stats;
    struct link_program p;
    struct buffer file;
    struct error err = {0};
    program_of(&p, f);
    buffer_init(&file, 256u << 20);
    if (codegen_compile(p.program, &options, &file, &stats, &err)) fail_msg("%s", err.text);
    buffer_done(&file);
    link_program_done(&p);
    return stats.functions_lowered;
}

/* A loop with many ways back and every local changed on each: phis of ways × locals operands. */
static void merges(struct body *f, uint32_t locals, uint32_t ways)
{
    body_init(f, locals);
    byte(&f->bytes, OP_LOOP);
    byte(&f->bytes, TYPE_EMPTY);
    for (uint32_t w = 0; w < ways; w++) {
        for (uint32_t i = 1; i <= locals; i++) {
            get(f, i);
            get(f, 0);
            byte(&f->bytes, OP_I32_ADD);
            byte(&f->bytes, OP_LOCAL_SET);
            leb(&f->bytes, i);
        }
        get(f, 1 + w % locals);
        byte(&f->bytes, OP_BR_IF);
        leb(&f->bytes, 0);
    }
    byte(&f->bytes, OP_END);
}

static void test_merges(void **state)
{
    (void)state;
    struct body f;
    merges(&f, 20, 20);
    assert_int_equal(lowered(&f), 0);
    merges(&f, 200, PLAN_MERGES_MAX / 200);
    assert_int_equal(lowered(&f), 1);
}

static void test_stack_depth(void **state)
{
    (void)state;
    for (uint32_t past = 0; past < 2; past++) {
        struct body f;
        body_init(&f, 0);
        for (uint32_t i = 0; i < PLAN_STACK_DEPTH_MAX + past; i++) get(&f, 0);
        repeat(&f, PLAN_STACK_DEPTH_MAX + past, OP_DROP);
        assert_int_equal(lowered(&f), past);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_aggressive),
        cmocka_unit_test(test_merges),
        cmocka_unit_test(test_stack_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
