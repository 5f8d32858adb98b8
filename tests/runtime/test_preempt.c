/* Preemption: guests are interrupted anywhere, and nothing of it shows but the time it takes. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "compiled.h"
#include "os/ticker.h"
#include "rig.h"

#define SHORT_SLICE_NS 30000u
#define SPIN_LIMIT_NS  20000000u

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SIGNALS_COME_LATE 1 /* ThreadSanitizer delivers them at system calls only */
#endif
#endif

static const struct codegen_options levels[] = {
    {.level = CODEGEN_FAST, .cpu_level = 2, .threads = 1},
    {.level = CODEGEN_OPTIMISED, .cpu_level = 2, .threads = 1},
};
static struct module *modules[ARRAY_COUNT(levels)];

static int setup(void **state)
{
    if (rig_setup(state)) return 1;
    for (size_t k = 0; k < ARRAY_COUNT(levels); k++)
        modules[k] = compile_file(GUESTS "/preempt.wasm", &levels[k]);
    return 0;
}

static int teardown(void **state)
{
    for (size_t k = 0; k < ARRAY_COUNT(levels); k++) module_free(modules[k]);
    return rig_teardown(state);
}

static struct instance *fresh(const struct module *m, uint64_t slice_ns, uint64_t cpu_ns_max)
{
    struct instance_config config = {.slice_ns = slice_ns, .cpu_ns_max = cpu_ns_max};
    struct instance *i = rig_instance_of(m, &config);
    enum call_result result = instance_init_all(i);
    while (result == CALL_PREEMPTED) result = instance_resume(i); /* on a busy machine */
    assert_int_equal(result, CALL_RETURNED);
    return i;
}

static uint32_t export_of(const struct instance *i, const char *name)
{
    const struct artifact_export *x =
        artifact_find_export(module_artifact(instance_module(i)), name, 0);
    assert_non_null(x);
    return x->index;
}

static uint64_t memory_hash(const struct instance *i)
{
    uint8_t *bytes;
    uint64_t hash = 14695981039346656037ull, size = guest_memory_bytes(i, 0);
    assert_true(guest_slice(i, 0, 0, size, &bytes));
    for (uint64_t k = 0; k < size; k++) hash = (hash ^ bytes[k]) * 1099511628211ull;
    return hash;
}

/* Runs to the end, however often it is preempted; says how often. */
static enum call_result finish(struct instance *i, const char *name, struct value *values,
                               uint32_t *ret_preempted)
{
    rig_host = NULL;
    enum call_result result = instance_call(i, export_of(i, name), values);
    *ret_preempted = 0;
    while (result == CALL_PREEMPTED) {
        ++*ret_preempted;
        result = instance_resume(i);
    }
    return result;
}

static void check_same(const struct module *m, const char *name, uint32_t a, uint32_t b)
{
    struct value whole[2] = {{.i32 = a}, {.i32 = b}}, sliced[2] = {{.i32 = a}, {.i32 = b}};
    uint32_t none, preempted;
    struct instance *i = fresh(m, 0, 0), *j = fresh(m, SHORT_SLICE_NS, 0);
    assert_int_equal(finish(i, name, whole, &none), CALL_RETURNED);
    assert_int_equal(none, 0);
    assert_int_equal(finish(j, name, sliced, &preempted), CALL_RETURNED);
    assert_int_equal(whole[0].i32, sliced[0].i32);
    assert_true(memory_hash(i) == memory_hash(j));
#ifndef SIGNALS_COME_LATE
    if (preempted < 10) fail_msg("%s was preempted %u times only", name, preempted);
#endif
    instance_free(i);
    instance_free(j);
}

static void test_results_are_the_same(void **state)
{
    (void)state;
    rig_host = NULL;
    for (size_t k = 0; k < ARRAY_COUNT(levels); k++) {
        check_same(modules[k], "mix", 2000000, 7);
        check_same(modules[k], "mix", 2000001, 4711);
        check_same(modules[k], "fib", 29, 0);
        check_same(modules[k], "host", 300000, 1);
        check_same(modules[k], "bulk", 20, 0);
    }
}

/* Several at once, in turns: what one has in its registers is not seen by another. */
static void test_turns(void **state)
{
    (void)state;
    enum { COUNT = 6 };
    struct instance *instances[COUNT];
    struct value values[COUNT][2], expected[COUNT][2];
    enum call_result results[COUNT];
    uint32_t none, left = COUNT;
    for (uint32_t k = 0; k < COUNT; k++) {
        const struct module *m = modules[k % ARRAY_COUNT(levels)];
        values[k][0].i32 = expected[k][0].i32 = 400000 + k;
        values[k][1].i32 = expected[k][1].i32 = k;
        struct instance *alone = fresh(m, 0, 0);
        assert_int_equal(finish(alone, "mix", expected[k], &none), CALL_RETURNED);
        instance_free(alone);
        instances[k] = fresh(m, SHORT_SLICE_NS, 0);
        results[k] = instance_call(instances[k], export_of(instances[k], "mix"), values[k]);
    }
    while (left) {
        left = 0;
        for (uint32_t k = 0; k < COUNT; k++) {
            if (results[k] != CALL_PREEMPTED) continue;
            results[k] = instance_resume(instances[k]);
            left++;
        }
    }
    for (uint32_t k = 0; k < COUNT; k++) {
        assert_int_equal(results[k], CALL_RETURNED);
        assert_int_equal(values[k][0].i32, expected[k][0].i32);
        instance_free(instances[k]);
    }
}

#ifndef SIGNALS_COME_LATE

static uint64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void check_limit(const struct module *m, const char *name, uint64_t slice_ns)
{
    struct value values[2] = {{.i32 = 1u << 30}, {.i32 = 0}};
    struct instance *i = fresh(m, slice_ns, SPIN_LIMIT_NS);
    uint32_t preempted;
    uint64_t start_ns = thread_cpu_ns();
    assert_int_equal(finish(i, name, values, &preempted), CALL_TRAPPED);
    uint64_t took_ns = thread_cpu_ns() - start_ns;
    assert_int_equal(instance_trap(i)->kind, TRAP_CPU_LIMIT);
    assert_true(instance_cpu_ns(i) >= SPIN_LIMIT_NS);
    if (took_ns < SPIN_LIMIT_NS / 2 || took_ns > 10 * SPIN_LIMIT_NS)
        fail_msg("%s with slices of %llu ns, preempted %u times, took %llu ns and is charged %llu",
                 name, (unsigned long long)slice_ns, preempted, (unsigned long long)took_ns,
                 (unsigned long long)instance_cpu_ns(i));

    /* The next one in this slot has all of its time again. */
    struct error err;
    assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    assert_true(instance_cpu_ns(i) == 0);
    assert_int_equal(instance_init_all(i), CALL_RETURNED);
    struct value few[2] = {{.i32 = 5}, {.i32 = 0}};
    assert_int_equal(finish(i, "fib", few, &preempted), CALL_RETURNED);
    assert_int_equal(few[0].i32, 5);
    instance_free(i);
}

static void test_cpu_limit(void **state)
{
    (void)state;
    rig_host = NULL;
    for (size_t k = 0; k < ARRAY_COUNT(levels); k++) {
        check_limit(modules[k], "spin", 0);
        check_limit(modules[k], "spin", SHORT_SLICE_NS);
        check_limit(modules[k], "host", 0);
        check_limit(modules[k], "host", SHORT_SLICE_NS);
        check_limit(modules[k], "bulk", SHORT_SLICE_NS);
    }
}

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The shortest of several slices that began `before_ns` before the guest ran. */
static uint64_t shortest_slice_ns(struct instance *i, uint64_t before_ns)
{
    uint64_t shortest_ns = UINT64_MAX;
    for (unsigned k = 0; k < 20; k++) {
        uint64_t begin_ns = clock_ns();
        runtime_set_slice_begin(begin_ns - before_ns);
        assert_int_equal(instance_resume(i), CALL_PREEMPTED);
        uint64_t took_ns = clock_ns() - begin_ns;
        if (took_ns < shortest_ns) shortest_ns = took_ns;
    }
    runtime_set_slice_begin(0);
    return shortest_ns;
}

/* What passed before a guest ran counts to its slice, up to half of it. */
static void test_slice_begins_earlier(void **state)
{
    (void)state;
    enum { SLICE_NS = 4000000 };
    struct instance *i = fresh(modules[0], SLICE_NS, 0);
    struct value none[1];
    assert_int_equal(instance_call(i, export_of(i, "spin"), none), CALL_PREEMPTED);
    assert_in_range(shortest_slice_ns(i, 0), SLICE_NS, 2 * SLICE_NS);
    assert_in_range(shortest_slice_ns(i, SLICE_NS / 4), SLICE_NS / 4 * 3, SLICE_NS - 1);
    assert_in_range(shortest_slice_ns(i, 25 * SLICE_NS), SLICE_NS / 2, SLICE_NS / 4 * 3 - 1);
    instance_cancel(i);
    instance_free(i);
}

static uint64_t patience_ns(void *context)
{
    (*(unsigned *)context)++;
    return UINT64_MAX;
}

/* Whom nobody waits behind goes on, up to its limit. */
static void test_alone(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(levels); k++) {
        unsigned asked = 0;
        struct instance *i = fresh(modules[k], 1000000, SPIN_LIMIT_NS);
        struct value none[1];
        runtime_set_patience(patience_ns, &asked);
        uint64_t begin_ns = thread_cpu_ns(), before_ns = instance_cpu_ns(i);
        enum call_result result = instance_call(i, export_of(i, "spin"), none);
        uint64_t took_ns = thread_cpu_ns() - begin_ns + before_ns;
        runtime_set_patience(NULL, NULL);
        assert_int_equal(result, CALL_TRAPPED);
        assert_int_equal(instance_trap(i)->kind, TRAP_CPU_LIMIT);
        assert_true(asked > 0);
        assert_in_range(took_ns, SPIN_LIMIT_NS, 2 * SPIN_LIMIT_NS);
        assert_in_range(instance_cpu_ns(i), SPIN_LIMIT_NS, 2 * SPIN_LIMIT_NS);
        instance_free(i);
    }
}

static uint64_t until_poked(void *context)
{
    return (*(unsigned *)context)++ ? 0 : UINT64_MAX;
}

struct poker {
    pid_t thread;
    atomic_bool ended;
};

static void *poke(void *context)
{
    struct poker *p = context;
    while (!atomic_load(&p->ended)) {
        poll(NULL, 0, 5);
        ticker_poke(p->thread);
    }
    return NULL;
}

/* …or until somebody comes. */
static void test_alone_until(void **state)
{
    (void)state;
    struct instance *i = fresh(modules[0], 1000000, 0);
    struct value none[1];
    unsigned asked = 0;
    struct poker poker = {.thread = gettid()};
    pthread_t thread;
    runtime_set_patience(until_poked, &asked);
    assert_int_equal(pthread_create(&thread, NULL, poke, &poker), 0);
    assert_int_equal(instance_call(i, export_of(i, "spin"), none), CALL_PREEMPTED);
    atomic_store(&poker.ended, true);
    pthread_join(thread, NULL);
    runtime_set_patience(NULL, NULL);
    assert_int_equal(asked, 2);
    instance_cancel(i);
    instance_free(i);
}

/* A backtrace from the middle of a computation. */
static void test_limit_says_where(void **state)
{
    (void)state;
    struct value values[2] = {{.i32 = 0}, {.i32 = 0}};
    struct instance *i = fresh(modules[1], 0, SPIN_LIMIT_NS);
    assert_int_equal(instance_call(i, export_of(i, "spin"), values), CALL_TRAPPED);
    assert_int_equal(instance_trap(i)->frames_count, 1);
    assert_int_equal(instance_trap(i)->frames[0].func, export_of(i, "spin"));
    instance_free(i);
}

static void test_cancel(void **state)
{
    (void)state;
    rig_host = NULL;
    static const char *const names[] = {"spin", "mix", "host", "bulk"};
    for (size_t k = 0; k < ARRAY_COUNT(names); k++) {
        struct value values[2] = {{.i32 = 1u << 30}, {.i32 = 1}};
        struct instance *i = fresh(modules[k % 2], SHORT_SLICE_NS, 0);
        enum call_result result = instance_call(i, export_of(i, names[k]), values);
        for (int turn = 0; turn < 20 && result == CALL_PREEMPTED; turn++)
            result = instance_resume(i);
        assert_int_equal(result, CALL_PREEMPTED);
        assert_int_equal(instance_cancel(i), CALL_TRAPPED);
        assert_int_equal(instance_trap(i)->kind, TRAP_CANCEL);
        struct error err;
        assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
        instance_free(i);
    }
}

/* Freed and reset while it is preempted. */
static void test_end_while_preempted(void **state)
{
    (void)state;
    struct value values[2] = {{.i32 = 0}, {.i32 = 0}};
    struct instance *i = fresh(modules[0], SHORT_SLICE_NS, 0);
    struct error err;
    assert_int_equal(instance_call(i, export_of(i, "spin"), values), CALL_PREEMPTED);
    assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    assert_int_equal(instance_init_all(i), CALL_RETURNED);
    assert_int_equal(instance_call(i, export_of(i, "spin"), values), CALL_PREEMPTED);
    instance_free(i);
}

#endif

static void test_slice_minimum(void **state)
{
    (void)state;
    struct error err;
    struct instance *i = NULL;
    struct instance_config config = {.slice_ns = INSTANCE_SLICE_NS_MIN - 1};
    assert_int_equal(instance_new(modules[0], &config, &i, &err), ST_USAGE);
    config.slice_ns = INSTANCE_SLICE_NS_MIN;
    assert_int_equal(instance_new(modules[0], &config, &i, &err), ST_OK);
    instance_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_are_the_same),
        cmocka_unit_test(test_turns),
#ifndef SIGNALS_COME_LATE
        cmocka_unit_test(test_cpu_limit),
        cmocka_unit_test(test_slice_begins_earlier),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_alone_until),
        cmocka_unit_test(test_limit_says_where),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_end_while_preempted),
#endif
        cmocka_unit_test(test_slice_minimum),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
