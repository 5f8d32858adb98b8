/* Ways out of the sandbox that others had, one test each: what the addresses of a 32-bit memory are
 * made of, what takes long, what a fault is, what an artifact is. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "base/file.h"
#include "compiled.h"
#include "guest.h"
#include "rig.h"

#define BYTES_MAX    (8ull << 30)
#define PAGES_ALL    65536
#define ROUNDS       40
#define CPU_LIMIT_NS 10000000u
#define LATE_NS_MAX  8000000u /* in CPU time, of which the test may lose some to the system */
#define SLICE_NS     100000u

static const struct codegen_options levels[] = {
    {.level = CODEGEN_FAST, .cpu_level = 2, .threads = 1},
    {.level = CODEGEN_OPTIMISED, .cpu_level = 2, .threads = 1},
    {.level = CODEGEN_AGGRESSIVE, .cpu_level = 2, .threads = 1},
};
static struct module *modules[ARRAY_COUNT(levels)];

static int setup(void **state)
{
    if (rig_setup(state)) return 1;
    for (size_t k = 0; k < ARRAY_COUNT(levels); k++)
        modules[k] = compile_file(GUESTS "/addresses.wasm", &levels[k]);
    return 0;
}

static int teardown(void **state)
{
    for (size_t k = 0; k < ARRAY_COUNT(levels); k++) module_free(modules[k]);
    return rig_teardown(state);
}

static uint32_t export_of(const struct instance *i, const char *name)
{
    const struct artifact_export *e =
        artifact_find_export(module_artifact(instance_module(i)), name, 0);
    if (!e) fail_msg("no export %s", name);
    return e->index;
}

static enum call_result call(struct instance *i, const char *name, uint64_t x, uint32_t *ret)
{
    struct value values[1] = {{.i64 = x}};
    enum call_result result = instance_call(i, export_of(i, name), values);
    *ret = values[0].i32;
    return result;
}

static struct instance *instance_of(const struct module *m, const struct instance_config *config)
{
    struct instance *i = rig_instance_of(m, config);
    guest_init(i);
    uint32_t pages;
    enum call_result result = call(i, "grow", PAGES_ALL, &pages);
    while (result == CALL_PREEMPTED) result = instance_resume(i);
    assert_int_equal(result, CALL_RETURNED);
    assert_true(guest_memory_bytes(i, 0) == (uint64_t)PAGES_ALL << 16);
    return i;
}

/* ---- addresses: CVE-2021-32629, CVE-2023-26489, CVE-2026-34971, CVE-2026-34987 ---- */

static uint32_t rotate(uint32_t x)
{
    return x << 9 | x >> 23;
}

static uint32_t truncated(uint32_t x)
{
    return x;
}

#define ADDRESSES(X)                                                                               \
    X(wrap, x)                                                                                     \
    X(wrap_offset, x - 100)                                                                        \
    X(add, x + 0x7ffffff0u)                                                                        \
    X(shift, x << 3)                                                                               \
    X(shift_sum, x + (x << 2))                                                                     \
    X(shift_right, (uint32_t)((int32_t)x >> 4))                                                    \
    X(multiply, x * 0x10001u)                                                                      \
    X(rotate, rotate(x))                                                                           \
    X(extend8, (uint32_t)(int8_t)x)                                                                \
    X(extend16, (uint32_t)(int16_t)x)                                                              \
    X(extend_wide, x)                                                                              \
    X(loaded_signed, (uint32_t)(int8_t)x)                                                          \
    X(loaded_wide, x)                                                                              \
    X(loaded_half, x)                                                                              \
    X(global, x)                                                                                   \
    X(call, x)                                                                                     \
    X(call_indirect, x)                                                                            \
    X(host, x)                                                                                     \
    X(failed_grow, 0xffffffffu)                                                                    \
    X(select, x)                                                                                   \
    X(block, x)                                                                                    \
    X(lane, x)                                                                                     \
    X(lane_signed, (uint32_t)(int8_t)x)                                                            \
    X(bits, x)                                                                                     \
    X(truncated, truncated(x))                                                                     \
    X(truncated_unsigned, x)

#define X(name, address)                                                                           \
    static uint32_t address_##name(uint32_t x)                                                     \
    {                                                                                              \
        (void)x;                                                                                   \
        return address;                                                                            \
    }
ADDRESSES(X)
#undef X

static const struct {
    const char *name;
    uint32_t (*address)(uint32_t x);
} addresses[] = {
#define X(name, address) {#name, address_##name},
    ADDRESSES(X)
#undef X
};

/* A host that leaves dirt in the upper half of what it returns. */
static enum host_result dirty_host(struct instance *i, struct value *values)
{
    (void)i;
    values[0].i64 = 0xffffffff00000000u | (values[0].i32 + values[1].i32);
    return HOST_OK;
}

static void check_address(struct instance *i, size_t which, uint64_t x)
{
    uint32_t at = addresses[which].address((uint32_t)x), got;
    uint8_t *byte;
    if (at < 64) return; /* the guests' own scratch */
    assert_true(guest_slice(i, 0, at, 1, &byte));
    *byte = 0xa5;
    enum call_result result = call(i, addresses[which].name, x, &got);
    if (result != CALL_RETURNED || got != 0xa5)
        fail_msg("%s of 0x%llx: %s, 0x%x", addresses[which].name, (unsigned long long)x,
                 result == CALL_RETURNED ? "returned" : trap_kind_text(instance_trap(i)->kind),
                 got);
    *byte = 0;
}

/* Sixteen addresses across a call, 3^k times the first. */
static void check_spilled(struct instance *i, uint64_t x)
{
    uint32_t at = (uint32_t)x, want = 0, got;
    uint8_t *bytes[16];
    for (uint32_t k = 0; k < ARRAY_COUNT(bytes); k++, at *= 3)
        assert_true(guest_slice(i, 0, at, 1, &bytes[k]));
    for (uint32_t k = 0; k < ARRAY_COUNT(bytes); k++) *bytes[k] = (uint8_t)(k + 1);
    for (uint32_t k = 0; k < ARRAY_COUNT(bytes); k++) want += *bytes[k];
    assert_int_equal(call(i, "spilled", x, &got), CALL_RETURNED);
    assert_int_equal(got, want);
    for (uint32_t k = 0; k < ARRAY_COUNT(bytes); k++) *bytes[k] = 0;
}

static void test_addresses(void **state)
{
    (void)state;
    static const uint32_t low[] = {64,         0x7fffffff, 0x80000000, 0x80000001, 0xffffff80,
                                   0xffffffff, 0x1fffffff, 0x20000000, 0xfffffff8, 0xff80};
    const struct instance_config config = {.memory_bytes_max = BYTES_MAX};
    uint64_t seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (size_t m = 0; m < ARRAY_COUNT(levels); m++) {
        struct instance *i = instance_of(modules[m], &config);
        rig_host = dirty_host;
        for (uint32_t round = 0; round < ROUNDS; round++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint64_t x = seed ^ seed >> 31;
            if (round < 2 * ARRAY_COUNT(low)) x = low[round / 2] | (round % 2 ? x << 32 : 0);
            for (size_t k = 0; k < ARRAY_COUNT(addresses); k++) check_address(i, k, x);
            check_spilled(i, x | 1);
        }
        instance_free(i);
    }
    rig_host = NULL;
}

/* ---- GHSA-2hw9-mc66-jc2q: bulk operations are preempted and limited like loops ---- */

static void test_bulk_limit(void **state)
{
    (void)state;
    static const char *const names[] = {"fill_memory", "copy_memory", "fill_table", "copy_table"};
    const struct instance_config config = {
        .memory_bytes_max = BYTES_MAX, .cpu_ns_max = CPU_LIMIT_NS, .slice_ns = SLICE_NS};
    for (size_t k = 0; k < ARRAY_COUNT(names); k++) {
        struct instance *i = instance_of(modules[1], &config);
        struct value values[1] = {{.i64 = 0}};
        uint32_t preempted = 0;
        enum call_result result = instance_call(i, export_of(i, names[k]), values);
        for (; result == CALL_PREEMPTED; preempted++) result = instance_resume(i);
        assert_int_equal(result, CALL_TRAPPED);
        assert_int_equal(instance_trap(i)->kind, TRAP_CPU_LIMIT);
        uint64_t late_ns = instance_cpu_ns(i) - CPU_LIMIT_NS;
        print_message("%s: preempted %u times, limit late by %llu us\n", names[k], preempted,
                      (unsigned long long)late_ns / 1000);
        instance_free(i);
#ifndef GUEST_SANITIZED /* which checks every byte: pieces take long */
        if (preempted < 4 || late_ns > LATE_NS_MAX)
            fail_msg("%s: preempted %u times, late by %llu ns", names[k], preempted,
                     (unsigned long long)late_ns);
#endif
    }
}

/* ---- CVE-2021-43790: who waits on a slot's behalf is done before the slot is ---- */

static bool was_ended;

static enum host_result waiting_host(struct instance *i, struct value *values)
{
    (void)values;
    if (instance_suspend(i)) return HOST_OK;
    uint8_t *byte; /* the memory is still there for whoever cleans up */
    assert_true(guest_slice(i, 0, 0, 1, &byte));
    *(volatile uint8_t *)byte = 1;
    was_ended = true;
    return HOST_CANCEL;
}

static void test_freed_while_waiting(void **state)
{
    (void)state;
    const struct instance_config config = {.memory_bytes_max = BYTES_MAX};
    for (int reset = 0; reset < 2; reset++) {
        struct instance *i = instance_of(modules[0], &config);
        struct value values[1] = {{.i64 = 64}};
        struct error err;
        rig_host = waiting_host;
        was_ended = false;
        assert_int_equal(instance_call(i, export_of(i, "host"), values), CALL_SUSPENDED);
        if (reset) assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
        if (!reset) instance_free(i);
        assert_true(was_ended);
        if (reset) {
            assert_int_equal(guest_memory_bytes(i, 0), 0);
            instance_free(i);
        }
    }
    rig_host = NULL;
}

/* ---- a fault of the host's is no trap, whatever guest is running ---- */

static enum host_result faulty_host(struct instance *i, struct value *values)
{
    (void)i;
    volatile uintptr_t nowhere = 8;
    values[0].i32 = *(volatile uint32_t *)nowhere;
    return HOST_OK;
}

static enum host_result guest_address_host(struct instance *i, struct value *values)
{
    /* Behind the end of the guest's memory, where only the guest's own code may fault. */
    values[0].i32 = *(volatile uint32_t *)(i->slot.base + SLOT_MEMORY_BYTES_MAX);
    return HOST_OK;
}

static void run_host(struct instance *i)
{
    struct value values[1] = {{.i64 = 64}};
    (void)instance_call(i, export_of(i, "host"), values);
}

static void run_raise(struct instance *i)
{
    (void)i;
    raise(SIGSEGV);
}

static void test_faults_of_the_host(void **state)
{
    (void)state;
    const struct instance_config config = {.memory_bytes_max = BYTES_MAX};
    signal(SIGSEGV, SIG_DFL); /* no test runner's handler */
    struct instance *i = instance_of(modules[1], &config);
#ifndef GUEST_SANITIZED
    rig_host = faulty_host;
    assert_int_equal(rig_child_signal(run_host, i), SIGSEGV);
    rig_host = guest_address_host;
    assert_int_equal(rig_child_signal(run_host, i), SIGSEGV);
    assert_int_equal(rig_child_signal(run_raise, i), SIGSEGV);
#else
    (void)run_host, (void)run_raise, (void)faulty_host, (void)guest_address_host;
#endif
    rig_host = NULL;
    instance_free(i);
}

/* ---- CVE-2020-35859: what a signal leaves behind is not on the guest's stack ---- */

static void test_signals_leave_no_trace(void **state)
{
    (void)state;
    const struct instance_config config = {.memory_bytes_max = BYTES_MAX, .slice_ns = 20000};
    struct instance *i = rig_instance_of(modules[1], &config);
    guest_init(i);
    uint8_t *low = i->slot.stack_low;
    size_t watched = i->slot.stack_bytes / 2; /* calls of this guest stay in the upper half */
    memset(low, 0x5a, watched);
    uint32_t got, preempted = 0;
    i->preempt.slice_ns = UINT64_MAX;
    assert_int_equal(call(i, "wrap", 0x12345678, &got), CALL_TRAPPED); /* no pages yet */
    uint32_t pages;
    assert_int_equal(call(i, "grow", 2048, &pages), CALL_RETURNED);
    i->preempt.slice_ns = SLICE_NS;
    struct value values[1] = {{.i64 = 0}};
    enum call_result result = instance_call(i, export_of(i, "fill_memory"), values);
    for (; result == CALL_PREEMPTED && preempted < 50; preempted++) result = instance_resume(i);
    assert_int_equal(result, CALL_PREEMPTED);
    for (size_t k = 0; k < watched; k++) assert_int_equal(low[k], 0x5a);
    instance_free(i);
}

/* ---- artifacts are not trusted: a link, another's file, any changed byte ---- */

static void test_artifact_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/mayfly-escapes-XXXXXX", path[64], link_path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.mfa", folder);
    snprintf(link_path, sizeof link_path, "%s/b.mfa", folder);
    const struct artifact *whole = module_artifact(modules[0]);
    struct stat status;
    assert_int_equal(fstat(artifact_fd(whole), &status), 0);
    size_t bytes = (size_t)status.st_size;
    uint8_t *copy = test_malloc(bytes);
    assert_int_equal(pread(artifact_fd(whole), copy, bytes, 0), (ssize_t)bytes);

    struct artifact *a = NULL;
    struct error err = {0};
    assert_int_equal(file_write_atomic(path, copy, bytes, &err), ST_OK);
    assert_int_equal(artifact_open(path, &a, &err), ST_OK);
    artifact_close(a);
    assert_int_equal(symlink(path, link_path), 0);
    assert_int_not_equal(artifact_open(link_path, &a, &err), ST_OK);
    for (uint32_t k = 0; k < 100; k++) {
        size_t at = k < 50 ? k * 8 : (bytes / 50) * (k - 50);
        copy[at] ^= 1u << k % 8;
        if (artifact_open_bytes(copy, bytes, &a, &err) == ST_OK) fail_msg("byte %zu", at);
        copy[at] ^= 1u << k % 8;
    }
    for (size_t cut = 1; cut < bytes; cut += bytes / 20 + 1)
        assert_int_not_equal(artifact_open_bytes(copy, cut, &a, &err), ST_OK);
    test_free(copy);
    unlink(path);
    unlink(link_path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_bulk_limit),
        cmocka_unit_test(test_freed_while_waiting),
        cmocka_unit_test(test_faults_of_the_host),
        cmocka_unit_test(test_signals_leave_no_trace),
        cmocka_unit_test(test_artifact_files),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
