/* Small functions through decoder, code generator, linker and runtime: what they return, and how
 * they trap, at every level, in both modes and for both levels of the CPU. */
#include "../base/cmocka_all.h"

#include <stdio.h>

#include "execute_cases.h"
#include "link_fixture.h"
#include "runtime/runtime.h"

static struct module *load(const struct link_program *p, const struct codegen_options *options,
                           const char *name)
{
    struct buffer file;
    struct error err = {0};
    struct codegen_stats stats;
    struct artifact *artifact = NULL;
    struct module *module = NULL;
    buffer_init(&file, 64u << 20);
    if (codegen_compile(p->program, options, &file, &stats, &err))
        fail_msg("%s: %s", name, err.text);
    if (artifact_open_bytes(file.data, file.size_bytes, &artifact, &err))
        fail_msg("%s: %s", name, err.text);
    if (module_new(artifact, NULL, 0, &module, &err)) fail_msg("%s: %s", name, err.text);
    buffer_done(&file);
    return module;
}

static void check(const struct module *m, const struct execute_case *c, const char *how)
{
    struct error err = {0};
    struct instance *i = NULL;
    struct value values[2] = {{.i64 = c->a}, {.i64 = c->b}};
    if (instance_new(m, NULL, &i, &err)) fail_msg("%s: %s", c->name, err.text);
    assert_int_equal(instance_init_all(i), CALL_RETURNED);
    const struct artifact_export *run = artifact_find_export(module_artifact(m), "run", 0);
    assert_non_null(run);
    enum call_result result = instance_call(i, run->index, values);
    if (c->trap) {
        if (result != CALL_TRAPPED || instance_trap(i)->kind != c->trap)
            fail_msg("%s, %s: expected a trap: %s", c->name, how, trap_kind_text(c->trap));
        assert_true(instance_trap(i)->frames_count > 0);
    } else if (result != CALL_RETURNED || values[0].i64 != c->result) {
        fail_msg("%s, %s: expected 0x%llx, found 0x%llx", c->name, how,
                 (unsigned long long)c->result, (unsigned long long)values[0].i64);
    }
    instance_free(i);
}

static void run_all(enum codegen_level level, bool conforming)
{
    struct error err;
    assert_int_equal(runtime_init(&err), ST_OK); /* cmocka has put its own handlers before ours */
    for (size_t n = 0; n < execute_cases_count; n++) {
        const struct execute_case *c = &execute_cases[n];
        struct link_program p;
        char text[4096];
        snprintf(text, sizeof text, "(module %s)", c->text);
        link_program_from_text(&p, text);
        for (uint32_t cpu = 2; cpu <= 3; cpu++) {
            char how[64];
            const struct codegen_options options = {
                .level = level, .conforming = conforming, .cpu_level = cpu, .threads = 1};
            snprintf(how, sizeof how, "level %d, %s, x86-64-v%u", (int)level,
                     conforming ? "conforming" : "default", cpu);
            /* What only conforming mode keeps is not asked of the other. */
            bool may_differ = c->trap == TRAP_MEMORY_BOUNDS || c->result == 0x7ff8000000000001ull;
            if (may_differ && !conforming && level != CODEGEN_FAST) continue;
            struct module *m = load(&p, &options, c->name);
            check(m, c, how);
            module_free(m);
        }
        link_program_done(&p);
    }
}

static void test_fast(void **state)
{
    (void)state;
    run_all(CODEGEN_FAST, true);
}

static void test_optimised(void **state)
{
    (void)state;
    run_all(CODEGEN_OPTIMISED, true);
}

static void test_aggressive(void **state)
{
    (void)state;
    run_all(CODEGEN_AGGRESSIVE, true);
}

static void test_default_mode(void **state)
{
    (void)state;
    run_all(CODEGEN_OPTIMISED, false);
    run_all(CODEGEN_AGGRESSIVE, false);
}

static int setup(void **state)
{
    (void)state;
    struct error err;
    return runtime_init(&err) || runtime_thread_init(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fast),
        cmocka_unit_test(test_optimised),
        cmocka_unit_test(test_aggressive),
        cmocka_unit_test(test_default_mode),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
