/* Every class of access to memory, around every boundary: in bounds it gives an answer, one byte
 * past it is a trap and nothing was written. The guest is guests/access.mjs.
 *
 * Among others: CVE-2026-24116 (a 64-bit operand that an instruction reads as 128 bits, which traps
 * at the end of memory), CVE-2022-39392 (a memory of zero pages), CVE-2023-26489 (addresses of 35
 * bits), memories of 4 GiB, where any 32-bit address is good. */
#include <stdio.h>
#include <string.h>

#include "artifact/artifact.h"
#include "compiled.h"
#include "guest.h"

#define PAGE         65536u
#define MEMORIES     3u
#define FULL_PAGES   65536u
#define AROUND_BYTES 17 /* on both sides of a boundary */
#define BYTES_MAX    (16ull << 30)

static const struct codegen_options levels[] = {
    {.level = CODEGEN_FAST, .cpu_level = 2, .conforming = true},
    {.level = CODEGEN_OPTIMISED, .cpu_level = 2, .conforming = true},
    {.level = CODEGEN_OPTIMISED, .cpu_level = 3, .conforming = true},
    {.level = CODEGEN_AGGRESSIVE, .cpu_level = 3, .conforming = true},
};

struct access {
    const char *name;
    char kind[8];
    uint32_t func, memory, width;
    uint64_t offset;
};

static struct instance *instance;
static uint64_t calls;

static void parse(const struct artifact_export *e, struct access *ret)
{
    unsigned memory, width;
    unsigned long long offset;
    ret->name = artifact_string(module_artifact(instance_module(instance)), e->name);
    if (sscanf(ret->name, "%7s %u %u %llu", ret->kind, &memory, &width, &offset) != 4)
        fail_msg("%s", ret->name);
    ret->func = e->index;
    ret->memory = memory;
    ret->width = width;
    ret->offset = offset;
}

static bool is64(uint32_t memory)
{
    return memory == 1;
}

/* Does [at + offset, + width) lie inside the memory? Nothing wraps. */
static bool is_inside(const struct access *a, uint64_t at, uint64_t width)
{
    unsigned __int128 end = (unsigned __int128)at + a->offset + width;
    return end <= guest_memory_bytes(instance, a->memory);
}

static void check(const struct access *a, uint64_t at, uint64_t width, struct value more)
{
    /* The host's side of the parameter is dirty, as far as its type lets it be. */
    struct value values[2] = {{.i64 = is64(a->memory) ? at : at | 0xdeadbeef00000000u}, more};
    if (!is64(a->memory)) at = (uint32_t)at;
    enum call_result result = instance_call(instance, a->func, values);
    bool want = is_inside(a, at, width), got = result == CALL_RETURNED;
    calls++;
    if (want != got || (!got && instance_trap(instance)->kind != TRAP_MEMORY_BOUNDS))
        fail_msg("\"%s\" at 0x%llx of 0x%llx bytes: %s", a->name, (unsigned long long)at,
                 (unsigned long long)guest_memory_bytes(instance, a->memory),
                 got ? "returned" : trap_kind_text(instance_trap(instance)->kind));
}

/* The last bytes of the memory, which a store that traps has left alone. */
static void check_store(const struct access *a, uint64_t at)
{
    uint64_t bytes = guest_memory_bytes(instance, a->memory);
    uint8_t *tail = NULL, zeros[2 * AROUND_BYTES] = {0};
    const struct value none = {0};
    if (bytes)
        assert_true(guest_slice(instance, a->memory, bytes - sizeof zeros, sizeof zeros, &tail));
    if (tail) memset(tail, 0, sizeof zeros);
    check(a, at, a->width, none);
    if (tail && !is_inside(a, is64(a->memory) ? at : (uint32_t)at, a->width))
        assert_memory_equal(tail, zeros, sizeof zeros);
}

static void check_at(const struct access *a, uint64_t boundary)
{
    static const uint32_t lengths[] = {0, 1, 8, 16};
    const struct value none = {0};
    for (int k = -AROUND_BYTES - (int)a->width; k <= AROUND_BYTES; k++) {
        uint64_t at = boundary - a->offset + (uint64_t)(int64_t)k;
        if (strcmp(a->kind, "load") == 0) {
            check(a, at, a->width, none);
        } else if (strcmp(a->kind, "store") == 0) {
            check_store(a, at);
        } else {
            for (size_t n = 0; n < ARRAY_COUNT(lengths); n++)
                check(a, at, lengths[n], (struct value){.i64 = lengths[n]});
        }
    }
}

static void check_access(const struct access *a)
{
    if (strcmp(a->kind, "size") == 0) return;
    uint64_t bytes = guest_memory_bytes(instance, a->memory);
    check_at(a, bytes);
    check_at(a, 0);
    check_at(a, 1ull << 31);
    check_at(a, 1ull << 32);
    if (bytes > PAGE) check_at(a, bytes / 2); /* a page's end inside of memory */
    if (is64(a->memory)) {
        check_at(a, 1ull << 33);
        check_at(a, 1ull << 63);
        check_at(a, SLOT_LANE_BYTES);
        check_at(a, (uint64_t)-(int64_t)SLOT_CONTEXT_BYTES_MAX);
    }
}

static void check_all(void)
{
    size_t count;
    const struct artifact_export *exports =
        artifact_section(module_artifact(instance_module(instance)), ARTIFACT_EXPORTS, &count);
    for (size_t k = 0; k < count; k++) {
        struct access a;
        parse(&exports[k], &a);
        check_access(&a);
    }
}

static void grow(uint32_t memory, uint64_t pages)
{
    char name[40];
    snprintf(name, sizeof name, "size %u 0 0 memory.grow", memory);
    const struct artifact_export *e =
        artifact_find_export(module_artifact(instance_module(instance)), name, 0);
    assert_non_null(e);
    struct value values[1] = {{.i64 = pages - guest_memory_bytes(instance, memory) / PAGE}};
    assert_int_equal(instance_call(instance, e->index, values), CALL_RETURNED);
    assert_true(guest_memory_bytes(instance, memory) == pages * PAGE);
}

static void check_level(const char *path, const struct codegen_options *options)
{
    static const uint64_t sizes[] = {0, 2, FULL_PAGES};
    const struct instance_config config = {.memory_bytes_max = BYTES_MAX};
    struct module *m = compile_file(path, options);
    instance = rig_instance_of(m, &config);
    assert_int_equal(instance_init_all(instance), CALL_RETURNED);
    for (size_t k = 0; k < ARRAY_COUNT(sizes); k++) {
        for (uint32_t memory = 0; sizes[k] && memory < MEMORIES; memory++) grow(memory, sizes[k]);
        check_all();
    }
    instance_free(instance);
    module_free(m);
}

static void test_fast(void **state)
{
    (void)state;
    check_level(GUESTS "/access.wasm", &levels[0]);
}

static void test_optimised(void **state)
{
    (void)state;
    check_level(GUESTS "/access.wasm", &levels[1]);
}

#ifndef GUEST_SANITIZED

static void test_optimised_v3(void **state)
{
    (void)state;
    if (!guest_wide_vectors()) skip();
    check_level(GUESTS "/access.wasm", &levels[2]);
}

static void test_aggressive(void **state)
{
    (void)state;
    if (!guest_wide_vectors()) skip();
    check_level(GUESTS "/access.wasm", &levels[3]);
    print_message("%llu calls\n", (unsigned long long)calls);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fast),
        cmocka_unit_test(test_optimised),
#ifndef GUEST_SANITIZED /* a hundred times slower, and none the wiser for another level */
        cmocka_unit_test(test_optimised_v3),
        cmocka_unit_test(test_aggressive),
#endif
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
