#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum host_result (*rig_host)(struct instance *i, struct value *values);
struct module *rig_module;
enum pages_method rig_pages;

static enum host_result host(struct instance *i, struct value *values)
{
    if (rig_host) return rig_host(i, values);
    values[0].i32 += values[1].i32;
    return HOST_OK;
}

struct module *rig_link(struct artifact *take_artifact)
{
    static const struct host_function functions[] = {{"env", "host", "ii:i", host}};
    static const struct host_set set = {functions, 1, NULL};
    struct module *m = NULL;
    struct error err = {0};
    if (module_new(take_artifact, &set, 1, &m, &err)) fail_msg("%s", err.text);
    return m;
}

int rig_setup(void **state)
{
    (void)state;
    struct error err = {0};
    const char *pages = getenv("RIG_PAGES");
    if (pages) rig_pages = strcmp(pages, "entries") ? PAGES_UNKNOWN : PAGES_READ_ENTRIES;
    pages_set_method(rig_pages);
    if (runtime_init(&err) || runtime_thread_init(&err)) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    rig_module = rig_link(blob_artifact(NULL));
    return 0;
}

int rig_teardown(void **state)
{
    (void)state;
    module_free(rig_module);
    return 0;
}

struct instance *rig_instance_of(const struct module *m, const struct instance_config *config)
{
    struct instance *i = NULL;
    struct error err = {0};
    /* cmocka has put its own handlers before ours. */
    if (runtime_init(&err) || instance_new(m, config, &i, &err)) fail_msg("%s", err.text);
    return i;
}

struct instance *rig_instance(void)
{
    rig_host = NULL;
    return rig_instance_of(rig_module, NULL);
}

void rig_assert_zero(const void *start, size_t size_bytes)
{
    const uint8_t *at = start;
    for (size_t k = 0; k < size_bytes; k++)
        if (at[k]) fail_msg("byte %zu is 0x%x", k, at[k]);
}

void rig_assert_fresh(struct instance *i)
{
    slot_wake(&i->slot);
    assert_int_equal(guest_memory_bytes(i, 0), MEMORY_PAGE_BYTES);
    assert_int_equal(guest_memory_bytes(i, 1), 0);
    uint8_t *base = i->slot.base;
    rig_assert_zero(base - BLOB_CONTEXT_BYTES, (size_t)(BLOB_CONTEXT_BYTES + BLOB_TABLE_SIZE_1));
    assert_int_equal(*(uint32_t *)(base + BLOB_TABLE_SIZE_0), 10);
    assert_int_equal(*(uint32_t *)(base + BLOB_TABLE_SIZE_1), 5);
    rig_assert_zero(base, MEMORY_PAGE_BYTES);
    rig_assert_zero(i->slot.stack_low, i->slot.stack_bytes);
    assert_int_equal(instance_exit_code(i), 0);
    assert_int_equal(instance_trap(i)->kind, TRAP_NONE);
    assert_int_equal(instance_trap(i)->frames_count, 0);
}

enum call_result rig_try(struct instance *i, uint32_t func, uint32_t a, uint32_t b, uint32_t *ret)
{
    struct value values[2] = {{.i32 = a}, {.i32 = b}};
    enum call_result result = instance_call(i, func, values);
    if (ret) *ret = values[0].i32;
    return result;
}

uint32_t rig_call(struct instance *i, uint32_t func, uint32_t a, uint32_t b)
{
    uint32_t ret;
    assert_int_equal(rig_try(i, func, a, b, &ret), CALL_RETURNED);
    return ret;
}

void rig_trap(struct instance *i, uint32_t func, uint32_t a, uint32_t b, enum trap_kind kind)
{
    assert_int_equal(rig_try(i, func, a, b, NULL), CALL_TRAPPED);
    assert_int_equal(instance_trap(i)->kind, kind);
}

enum call_result rig_try_helper(struct instance *i, enum helper number, const uint64_t p[5],
                                uint64_t *ret)
{
    struct value values[6] = {{.i32 = number}};
    for (int k = 0; k < 5; k++) values[k + 1].i64 = p[k];
    enum call_result result = instance_call(i, BLOB_helper, values);
    if (ret) *ret = values[0].i64;
    return result;
}

uint64_t rig_help(struct instance *i, enum helper number, const uint64_t p[5])
{
    uint64_t ret;
    assert_int_equal(rig_try_helper(i, number, p, &ret), CALL_RETURNED);
    return ret;
}

void rig_help_traps(struct instance *i, enum helper number, const uint64_t p[5],
                    enum trap_kind kind)
{
    assert_int_equal(rig_try_helper(i, number, p, NULL), CALL_TRAPPED);
    assert_int_equal(instance_trap(i)->kind, kind);
}

int rig_child_signal(void (*run)(struct instance *i), struct instance *i)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit no_core = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        /* How it dies is the parent's to judge; what sanitizers say on the way is noise, and wrong
         * in a fork with fibers. */
        close(STDERR_FILENO);
        run(i);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}
