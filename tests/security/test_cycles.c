/* A great many instances come and go, in every way in which they may end: descriptors, mappings and
 * memory stay as they are. SECURITY_LONG=1 in the environment: a million of them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "compiled.h"
#include "guest.h"

#define CYCLES_SHORT   40000u
#define CYCLES_LONG    1000000u
#define WARM_CYCLES    4000u
#define BIRTH_EVERY    64u /* so many share a slot */
#define SLICE_NS       20000u
#define CPU_LIMIT_NS   30000u
#define RSS_SPREAD_KIB 1024

struct use {
    long descriptors, mappings, resident_kib;
};

static long count_lines(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    long lines = 0;
    for (int c; (c = getc(f)) != EOF;) lines += c == '\n';
    fclose(f);
    return lines;
}

static struct use measure(void)
{
    struct use u = {.mappings = count_lines("/proc/self/maps")};
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder)) u.descriptors++;
    closedir(folder);
    FILE *f = fopen("/proc/self/statm", "r");
    long size;
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &size, &u.resident_kib), 2);
    fclose(f);
    u.resident_kib *= sysconf(_SC_PAGESIZE) / 1024;
    return u;
}

enum way { RETURNS, TRAPS, EXHAUSTS, HITS_LIMIT, WAITS, IS_PREEMPTED, WAYS_COUNT };

static struct instance *birth(const struct module *m, enum way way)
{
    const struct instance_config config = {
        .slice_ns = way == IS_PREEMPTED ? SLICE_NS : 0,
        .cpu_ns_max = way == HITS_LIMIT ? CPU_LIMIT_NS : 0,
    };
    struct instance *i = NULL;
    struct error err = {0};
    if (instance_new(m, &config, &i, &err)) fail_msg("%s", err.text);
    return i;
}

static void live(struct instance *i, enum way way, bool cancel)
{
    enum call_result result = CALL_RETURNED;
    switch (way) {
    case RETURNS: assert_int_equal(guest_call(i, "touch", 5, NULL), CALL_RETURNED); return;
    case TRAPS: assert_int_equal(guest_call(i, "trap", 5, NULL), CALL_TRAPPED); return;
    case EXHAUSTS: assert_int_equal(guest_call(i, "recurse", 5, NULL), CALL_TRAPPED); return;
    case HITS_LIMIT:
        assert_int_equal(guest_call(i, "spin", 5, NULL), CALL_TRAPPED);
        assert_int_equal(instance_trap(i)->kind, TRAP_CPU_LIMIT);
        return;
    case WAITS:
        result = guest_call(i, "wait", 5, NULL);
        assert_int_equal(result, CALL_SUSPENDED);
        break;
    default: result = guest_call(i, "spin", 5, NULL); assert_int_equal(result, CALL_PREEMPTED);
    }
    if (cancel) assert_int_equal(instance_cancel(i), CALL_TRAPPED);
}

/* Most instances return; the costly ways are rarer. */
static enum way way_of(uint32_t cycle)
{
    if (cycle % 40 == 7) return HITS_LIMIT;
    if (cycle % 40 == 17) return IS_PREEMPTED;
    if (cycle % 200 == 27) return EXHAUSTS;
    if (cycle % 8 == 3) return TRAPS;
    return cycle % 8 == 5 ? WAITS : RETURNS;
}

static void test_cycles(void **state)
{
    (void)state;
    const struct codegen_options options = {.level = CODEGEN_OPTIMISED, .cpu_level = 2};
    struct module *m = compile_file(GUESTS "/state.wasm", &options);
    uint32_t cycles = getenv("SECURITY_LONG") ? CYCLES_LONG : CYCLES_SHORT;
    struct instance *slots[WAYS_COUNT] = {NULL};
    struct use before = {0};
    uint32_t ended[WAYS_COUNT] = {0};
    struct error err;
    assert_int_equal(runtime_init(&err), ST_OK);
    rig_host = guest_waits;
    for (uint32_t cycle = 0; cycle < cycles; cycle++) {
        if (cycle == WARM_CYCLES) before = measure();
        enum way way = way_of(cycle);
        struct instance **i = &slots[way];
        if (ended[way] % BIRTH_EVERY == 0) {
            instance_free(*i);
            *i = birth(m, way);
        } else {
            assert_int_equal(instance_reset(*i, NULL, &err), ST_OK);
        }
        guest_init(*i);
        live(*i, way, ended[way] % 2 == 0);
        ended[way]++;
    }
    struct use after = measure();
    print_message("%u cycles: %u traps, %u CPU limits, %u waits, %u preemptions; "
                  "%ld descriptors, %ld → %ld mappings, %ld → %ld KiB\n",
                  cycles, ended[TRAPS] + ended[EXHAUSTS], ended[HITS_LIMIT], ended[WAITS],
                  ended[IS_PREEMPTED], after.descriptors, before.mappings, after.mappings,
                  before.resident_kib, after.resident_kib);
    assert_int_equal(before.descriptors, after.descriptors);
#ifndef GUEST_SANITIZED
    assert_in_range(after.mappings, before.mappings - 8, before.mappings + 8);
    assert_true(after.resident_kib < before.resident_kib + RSS_SPREAD_KIB);
#endif
    for (size_t k = 0; k < WAYS_COUNT; k++) instance_free(slots[k]);
    module_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cycles)};
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
