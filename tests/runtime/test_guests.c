/* The runtime with compiled guests, at each level: traces, stacks, images. */
#include <string.h>

#include "artifact/artifact_writer.h"
#include "base/file.h"
#include "codegen/codegen.h"
#include "compiled.h"
#include "rig.h"

#define FILE_BYTES_MAX ((size_t)16 << 20)

/* One thread: ThreadSanitizer does not see the atomics inside of LLVM. */
static const struct codegen_options levels[] = {
    {.level = CODEGEN_FAST, .cpu_level = 2, .threads = 1},
    {.level = CODEGEN_FAST, .cpu_level = 2, .threads = 1, .conforming = true},
    {.level = CODEGEN_OPTIMISED, .cpu_level = 2, .threads = 1},
    {.level = CODEGEN_OPTIMISED, .cpu_level = 2, .threads = 1, .conforming = true},
};

static struct error err;

static struct instance *started(const struct module *m)
{
    rig_host = NULL;
    struct instance *i = rig_instance_of(m, NULL);
    assert_int_equal(instance_init_all(i), CALL_RETURNED);
    return i;
}

static uint32_t export_of(const struct instance *i, const char *name)
{
    const struct artifact_export *x =
        artifact_find_export(module_artifact(instance_module(i)), name, 0);
    assert_non_null(x);
    return x->index;
}

static uint32_t call(struct instance *i, const char *name, uint32_t a, uint32_t b)
{
    return rig_call(i, export_of(i, name), a, b);
}

/* The report of a call that traps. */
static char *report(struct instance *i, const char *name, uint32_t a, uint32_t b)
{
    static char text[8192];
    assert_int_equal(rig_try(i, export_of(i, name), a, b, NULL), CALL_TRAPPED);
    struct buffer buffer;
    buffer_init(&buffer, sizeof text - 1);
    assert_int_equal(trap_print(i, &buffer), ST_OK);
    memcpy(text, buffer.data, buffer.size_bytes);
    text[buffer.size_bytes] = 0;
    buffer_done(&buffer);
    return text;
}

static void assert_lines(const char *text, const char *const *lines, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (strncmp(text, lines[k], strlen(lines[k])) != 0)
            fail_msg("line %zu is not \"%s\": %s", k, lines[k], text);
        text = strchr(text, '\n');
        assert_non_null(text);
        text++;
    }
    if (*text) fail_msg("more than %zu lines: %s", count, text);
}

static enum host_result host_refuses(struct instance *i, struct value *values)
{
    (void)values;
    instance_set_trap_text(i, "no");
    return HOST_TRAP;
}

static void test_traces(void **state)
{
    (void)state;
#define CHAIN "    at inner  0x", "    at middle  0x", "    at outer  0x"
    static const struct {
        uint32_t a, b;
        const char *lines[5];
        size_t count;
    } rows[] = {
        {0, 2, {"wasm trap: uninitialized element", CHAIN}, 4},
        {1, 0, {"wasm trap: integer divide by zero", CHAIN}, 4},
        {2, 65533, {"wasm trap: out of bounds memory access", CHAIN}, 4},
        {2, 0xffffffff, {"wasm trap: out of bounds memory access", CHAIN}, 4},
        {3, 0, {"wasm trap: unreachable", CHAIN}, 4},
    };
    for (size_t l = 0; l < ARRAY_COUNT(levels); l++) {
        struct module *m = compile_file(GUESTS "/frames.wasm", &levels[l]);
        struct instance *i = started(m);
        for (size_t k = 0; k < ARRAY_COUNT(rows); k++)
            assert_lines(report(i, "outer", rows[k].a, rows[k].b), rows[k].lines, rows[k].count);
        static const char *const unnamed[] = {"wasm trap: out of bounds memory access",
                                              "    at load  0x"};
        assert_lines(report(i, "load", 65536, 0), unnamed, ARRAY_COUNT(unnamed));
        assert_int_equal(call(i, "outer", 1, 2), 10);
        assert_int_equal(call(i, "outer", 2, 8), 0x61746164u * 3 + 1);
        assert_int_equal(call(i, "outer", 4, 6), 31);
        rig_host = host_refuses;
        const char *text = report(i, "outer", 4, 6);
        assert_non_null(strstr(text, "    at inner  0x"));
        assert_non_null(strstr(text, "    at outer  0x"));
        assert_string_equal(instance_trap(i)->text, "no");
        instance_free(i);
        module_free(m);
    }
}

/* Each way of running out of stack: between guest functions, in a stub, with a nested call. */
static enum host_result host_descends(struct instance *i, struct value *values)
{
    uint32_t ret = 0;
    enum call_result result =
        rig_try(i, export_of(i, values[1].i32 & 1 ? "odd" : "down"), 100, 5, &ret);
    values[0].i32 = ret;
    return result == CALL_RETURNED ? HOST_OK : HOST_TRAP;
}

static void test_deep(void **state)
{
    (void)state;
    for (size_t l = 0; l < ARRAY_COUNT(levels); l++) {
        struct module *m = compile_file(GUESTS "/frames.wasm", &levels[l]);
        struct instance *i = started(m);
        for (int round = 0; round < 3; round++) {
            rig_trap(i, export_of(i, "odd"), 1, 2, TRAP_STACK_EXHAUSTED);
            const struct trap *trap = instance_trap(i);
            assert_int_equal(trap->frames_count, TRAP_FRAMES_MAX);
            assert_true(trap->frames_cut);
            for (uint32_t k = 1; k < TRAP_FRAMES_MAX; k++) /* by turns, none left out */
                assert_int_not_equal(trap->frames[k].func, trap->frames[k - 1].func);
            rig_trap(i, export_of(i, "down"), 1u << 30, 0, TRAP_STACK_EXHAUSTED);
            assert_int_equal(call(i, "down", 1000, 7), 1007);
            rig_host = host_descends;
            rig_trap(i, export_of(i, "down"), 100, 1, TRAP_HOST);
            rig_trap(i, export_of(i, "down"), 1u << 30, 1, TRAP_STACK_EXHAUSTED);
            rig_host = NULL;
        }
        instance_free(i);
        module_free(m);
    }
}

/* ---- a frame larger than any guard ---- */

static void append_leb(struct buffer *b, uint32_t value)
{
    do {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        if (value) byte |= 0x80;
        buffer_append(b, &byte, 1);
    } while (value);
}

static void append_section(struct buffer *to, uint8_t id, const struct buffer *content)
{
    buffer_append(to, &id, 1);
    append_leb(to, (uint32_t)content->size_bytes);
    buffer_append(to, content->data, content->size_bytes);
}

/* (func $f (export "f") (param i32 i32) (result i32) (local i64 × count)): sets every local from
 * the parameter, calls itself, and adds the locals up, so that all of them live across the call. */
static void huge_module(struct buffer *wasm, uint32_t count)
{
    static const uint8_t head[] = "\0asm\1\0\0\0"
                                  "\1\7\1\x60\2\x7f\x7f\1\x7f"
                                  "\3\2\1\0"
                                  "\7\5\1\1f\0";
    buffer_append(wasm, head, sizeof head - 1);
    buffer_append(wasm, "", 1); /* the export's function index */
    struct buffer body, code;
    buffer_init(&body, FILE_BYTES_MAX);
    buffer_init(&code, FILE_BYTES_MAX);
    append_leb(&body, 1);
    append_leb(&body, count);
    buffer_append(&body, "\x7e", 1);
    for (uint32_t k = 0; k < count; k++) {
        buffer_append(&body, "\x20\0\xac\x42", 4); /* local.get 0, i64.extend_i32_s, i64.const */
        append_leb(&body, k % 64);
        buffer_append(&body, "\x7e\x21", 2); /* i64.mul, local.set */
        append_leb(&body, 2 + k);
    }
    buffer_append(&body, "\x20\1\x20\0\x10\0\xac", 7); /* call 0 with parameters swapped */
    for (uint32_t k = 0; k < count; k++) {
        buffer_append(&body, "\x20", 1);
        append_leb(&body, 2 + k);
        buffer_append(&body, "\x7c", 1); /* i64.add */
    }
    buffer_append(&body, "\xa7\x0b", 2); /* i32.wrap_i64, end */
    append_leb(&code, 1);
    append_leb(&code, (uint32_t)body.size_bytes);
    buffer_append(&code, body.data, body.size_bytes);
    append_section(wasm, 10, &code);
    assert_false(wasm->failed || body.failed || code.failed);
    buffer_done(&body);
    buffer_done(&code);
}

static void test_huge_frames(void **state)
{
    (void)state;
    /* 8 KiB, beyond one page; 40 KiB; 240 KiB: several do not fit above the guard. */
    static const uint32_t counts[] = {1000, 5000, 30000};
    for (size_t c = 0; c < ARRAY_COUNT(counts); c++) {
        struct buffer wasm;
        buffer_init(&wasm, FILE_BYTES_MAX);
        huge_module(&wasm, counts[c]);
        /* The optimiser's time is not what is tested. */
        for (size_t l = 0; l < (c == 0 ? ARRAY_COUNT(levels) : 1); l++) {
            struct module *m = compile(wasm.data, wasm.size_bytes, &levels[l]);
            const struct instance_config config = {.stack_bytes = 4096};
            struct instance *i = rig_instance_of(m, &config);
            rig_trap(i, export_of(i, "f"), 3, 4, TRAP_STACK_EXHAUSTED);
            assert_in_range(instance_trap(i)->frames_count, 1, TRAP_FRAMES_MAX);
            instance_free(i);
            i = rig_instance_of(m, NULL);
            rig_trap(i, export_of(i, "f"), 3, 4, TRAP_STACK_EXHAUSTED);
            instance_free(i);
            module_free(m);
        }
        buffer_done(&wasm);
    }
}

static void test_lines(void **state)
{
    (void)state;
    struct module *m = compile_file(GUESTS "/lines.wasm", &levels[0]);
    struct instance *i = started(m);
    static const char *const lines[] = {
        "wasm trap: out of bounds memory access",
        "    at read_nowhere (tests/runtime/guests/lines.c:6)  0x",
        "    at lines (tests/runtime/guests/lines.c:11)  0x",
    };
    assert_lines(report(i, "lines", 1, 2), lines, ARRAY_COUNT(lines));
    instance_free(i);
    module_free(m);
}

static void test_frozen(void **state)
{
    (void)state;
    struct module *fresh = compile_file(GUESTS "/frames.wasm", &levels[2]);
    struct instance *i = started(fresh);
    assert_int_equal(call(i, "count", 5, 0), 105);
    assert_int_equal(call(i, "grow", 3, 0), 1);
    assert_int_equal(call(i, "table_grow", 2, 0), 4);
    call(i, "store", 4 * 65536 - 4, 0xabcdef);
    struct buffer extents, image;
    buffer_init(&extents, 1 << 16);
    buffer_init(&image, FILE_BYTES_MAX);
    MUST(instance_freeze(i, &extents, &image, &err));
    struct module *frozen = rig_link(blob_with_image(module_artifact(fresh), &extents, &image));
    buffer_done(&extents);
    buffer_done(&image);
    instance_free(i);
    i = rig_instance_of(frozen, NULL);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(call(i, "count", 1, 0), 106);
        assert_int_equal(call(i, "count", 1, 0), 107);
        assert_int_equal(call(i, "load", 4 * 65536 - 4, 0), 0xabcdef);
        assert_int_equal(call(i, "load", 8, 0), 0x61746164);
        assert_int_equal(call(i, "table_size", 0, 0), 6);
        call(i, "store", 8, 1);
        assert_int_equal(call(i, "grow", 1, 0), 4);
        call(i, "store", 5 * 65536 - 4, 1);
        call(i, "table_grow", 1, 0);
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    }
    instance_free(i);
    module_free(frozen);
    module_free(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traces),      cmocka_unit_test(test_deep),
        cmocka_unit_test(test_huge_frames), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_frozen),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
