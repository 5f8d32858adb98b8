/* A component under the engine, in the way of a server: whatever blocks suspends the call, the test
 * plays the loop that resumes it, and one instance serves again and again. The artifact is
 * MAYFLY_WASI2_COMPONENTS/direct.mfa. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact.h"
#include "canonical/canonical.h"
#include "runtime/runtime.h"
#include "wasi/wasi.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

static struct {
    struct module *module;
    struct instance *instance;
    struct canonical *canonical;
    struct wasi_preview2 *wasi;
    uint32_t lift;
    const char *args[2];
    struct value values[1];
    /* the embedder's side */
    const char *input;
    size_t input_bytes;
    bool input_closed;
    char output[512];
    size_t output_bytes;
    size_t room; /* bytes that output takes before it would block */
    uint64_t now_ns;
    size_t waits_count; /* of the last wait */
    enum wasi_direction direction;
    uint64_t deadline_ns;
} g;

static enum status in_read(void *context, void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    (void)context;
    if (g.input_bytes == 0) return g.input_closed ? ST_CLOSED : ST_WOULD_BLOCK;
    *ret_bytes = size_bytes < g.input_bytes ? size_bytes : g.input_bytes;
    memcpy(bytes, g.input, *ret_bytes);
    g.input += *ret_bytes;
    g.input_bytes -= *ret_bytes;
    return ST_OK;
}

static enum status in_ready(void *context, enum wasi_direction direction, uint64_t *ret_bytes)
{
    (void)context;
    (void)direction;
    *ret_bytes = g.input_bytes;
    if (g.input_bytes) return ST_OK;
    return g.input_closed ? ST_CLOSED : ST_WOULD_BLOCK;
}

static enum status out_write(void *context, const void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    (void)context;
    if (g.room == 0) return ST_WOULD_BLOCK;
    size_t size = size_bytes < g.room ? size_bytes : g.room;
    assert_true(g.output_bytes + size < sizeof g.output);
    memcpy(g.output + g.output_bytes, bytes, size);
    g.output_bytes += size;
    g.output[g.output_bytes] = '\0';
    g.room -= size;
    *ret_bytes = size;
    return ST_OK;
}

static bool wait_suspended(void *context, struct instance *instance, const struct wasi_wait *waits,
                           size_t count, uint64_t deadline_ns)
{
    (void)context;
    g.waits_count = count;
    g.direction = count ? waits[0].direction : WASI_READ;
    g.deadline_ns = deadline_ns;
    return instance_suspend(instance);
}

static uint64_t now(void *context)
{
    (void)context;
    return g.now_ns;
}

static enum status find(const struct artifact *a, const struct artifact_canon *canon,
                        const struct host_function **ret, struct error *err)
{
    size_t count;
    const struct canonical_interface *const *interfaces = wasi_preview2_interfaces(&count);
    return canonical_find(interfaces, count, a, canon, ret, err);
}

static int setup(void **state)
{
    (void)state;
    static const struct host_set set = {.canon = find};
    static const struct wasi_preview2_config nothing;
    struct error err = {.text = ""};
    struct artifact *artifact = NULL;
    char path[512];
    size_t count;
    const struct canonical_interface *const *interfaces = wasi_preview2_interfaces(&count);
    snprintf(path, sizeof path, "%s/direct.mfa", getenv("MAYFLY_WASI2_COMPONENTS"));
    struct instance_config config = {0};
    if (runtime_init(&err) || runtime_thread_init(&err) || artifact_open(path, &artifact, &err) ||
        module_new(artifact, &set, 1, &g.module, &err) ||
        wasi_preview2_new(&nothing, &g.wasi, &err) ||
        canonical_new(g.module, interfaces, count, g.wasi, &config.canonical, &err) ||
        instance_new(g.module, &config, &g.instance, &err)) {
        printf("%s\n", err.text);
        return -1;
    }
    g.canonical = config.canonical;
    const struct artifact_component_export *run =
        canonical_find_export(artifact, "wasi:cli/run", "0.2.0", "run");
    if (!run) return -1;
    g.lift = run->lift;
    return 0;
}

/* cmocka takes the signal handlers at every test. */
static int rearm(void **state)
{
    (void)state;
    struct error err;
    return runtime_init(&err) != ST_OK;
}

static int teardown(void **state)
{
    (void)state;
    instance_free(g.instance);
    canonical_free(g.canonical);
    wasi_preview2_free(g.wasi);
    module_free(g.module);
    return 0;
}

/* A fresh instance with `scenario` as its first argument. */
static void begin(const char *scenario)
{
    static const struct wasi_stream_ops in = {in_read, NULL, in_ready};
    static const struct wasi_stream_ops out = {NULL, out_write, NULL};
    static const struct clock clock = {now, now, NULL};
    struct error err = {.text = ""};
    g.args[0] = "direct";
    g.args[1] = scenario;
    g.input = "";
    g.input_bytes = g.output_bytes = 0;
    g.input_closed = false;
    g.room = sizeof g.output;
    g.now_ns = 1000;
    const struct wasi_preview2_config config = {
        .args = g.args,
        .args_count = 2,
        .stdio = {{&in, &g, -1, WASI_FILETYPE_UNKNOWN}, {&out, &g, -1, WASI_FILETYPE_UNKNOWN}},
        .clock = &clock,
        .random = random_system(),
        .waiter = {wait_suspended, NULL},
    };
    if (instance_reset(g.instance, NULL, &err)) fail_msg("%s", err.text);
    canonical_clear(g.canonical, g.wasi);
    if (wasi_preview2_reuse(g.wasi, &config, &err)) fail_msg("%s", err.text);
    assert_int_equal(instance_init_all(g.instance), CALL_RETURNED);
}

static enum call_result call(const char *scenario)
{
    begin(scenario);
    return canonical_call_lift(g.instance, g.lift, g.values);
}

static void expect_ok(enum call_result result)
{
    assert_int_equal(result, CALL_RETURNED);
    assert_int_equal(g.values[0].i32, 0);
    assert_int_equal(canonical_returned(g.instance, g.lift, g.values), CALL_RETURNED);
}

static void test_timer(void **state)
{
    (void)state;
    enum call_result result = call("poll");
    assert_int_equal(result, CALL_SUSPENDED);
    assert_int_equal(g.waits_count, 0);
    assert_true(g.deadline_ns == 20001000);
    g.now_ns = 20000999;
    assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED); /* too early */
    g.now_ns = 20001000;
    expect_ok(instance_resume(g.instance));
    assert_string_equal(g.output, "ready: 1\nfirst: 1\nwaited: 1\n");
}

static void test_input(void **state)
{
    (void)state;
    assert_int_equal(call("echo"), CALL_SUSPENDED);
    assert_int_equal(g.waits_count, 1);
    assert_int_equal(g.direction, WASI_READ);
    g.input = "hello";
    g.input_bytes = 5;
    assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED);
    assert_string_equal(g.output, "hello");
    g.input_closed = true;
    expect_ok(instance_resume(g.instance));
}

static void test_output(void **state)
{
    (void)state;
    begin("echo");
    g.room = 2;
    g.input = "hello";
    g.input_bytes = 5;
    assert_int_equal(canonical_call_lift(g.instance, g.lift, g.values), CALL_SUSPENDED);
    assert_int_equal(g.direction, WASI_WRITE);
    assert_string_equal(g.output, "he");
    g.room = 100;
    g.input_closed = true;
    expect_ok(instance_resume(g.instance));
    assert_string_equal(g.output, "hello");
}

/* The client goes while the guest waits: nothing of it is left for the next one. */
static void test_cancelled(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 3; k++) {
        assert_int_equal(call("echo"), CALL_SUSPENDED);
        assert_int_equal(instance_cancel(g.instance), CALL_TRAPPED);
        assert_int_equal(call("poll"), CALL_SUSPENDED);
        g.now_ns = UINT64_C(1) << 40;
        expect_ok(instance_resume(g.instance));
    }
    assert_int_equal(call("echo"), CALL_SUSPENDED); /* and one that nobody even cancels */
    test_input(state);
}

static void test_trapped(void **state)
{
    (void)state;
    static const char *const wrong[] = {"parent-first", "dropped-twice", "result", "realloc"};
    for (size_t k = 0; k < ARRAY_COUNT(wrong); k++) {
        assert_int_equal(call(wrong[k]), CALL_TRAPPED);
        assert_int_equal(instance_trap(g.instance)->kind, TRAP_HOST);
        test_timer(state);
    }
    assert_int_equal(call("exit-7"), CALL_EXITED);
    assert_int_equal(instance_exit_code(g.instance), 7);
    test_timer(state);
}

/* Once warm, an instance's way from reset to answer asks the heap for nothing. */
static void test_no_heap(void **state)
{
    for (unsigned k = 0; k < 3; k++) test_input(state);
    struct mallinfo2 before = mallinfo2();
    for (unsigned k = 0; k < 100; k++) {
        test_input(state);
        test_timer(state);
    }
    /* A sanitizer has a heap of its own, of which this says nothing. */
    if (!HAS_SANITIZER) assert_int_equal(mallinfo2().uordblks, before.uordblks);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, rearm)
    const struct CMUnitTest tests[] = {
        TEST(test_timer),     TEST(test_input),   TEST(test_output),
        TEST(test_cancelled), TEST(test_trapped), TEST(test_no_heap),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
