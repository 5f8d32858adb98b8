/* One module, instances on several threads: each thread's guests are its own. */
#include <pthread.h>

#include "rig.h"

#define THREADS 4
#define ROUNDS  50u

static enum host_result host_waits(struct instance *i, struct value *values)
{
    if (values[1].i32 && !instance_suspend(i)) return HOST_CANCEL;
    values[0].i32 = *(uint32_t *)instance_context(i);
    return HOST_OK;
}

/* Counts what went wrong: cmocka's assertions are for its own thread. */
static void *run(void *argument)
{
    uint32_t *number = argument, wrong = 0;
    struct error err;
    if (runtime_thread_init(&err)) return (void *)1;
    if (runtime_thread_init(&err)) return (void *)2; /* again: nothing */
    struct instance *i = NULL;
    const struct instance_config config = {.context = number};
    if (instance_new(rig_module, &config, &i, &err)) return (void *)3;
    for (uint32_t k = 0; k < ROUNDS; k++) {
        uint32_t ret;
        struct value waiting[2] = {{.i32 = 5}, {.i32 = 1}};
        wrong += rig_try(i, BLOB_load, 65536 + k, 0, NULL) != CALL_TRAPPED;
        wrong += instance_trap(i)->kind != TRAP_MEMORY_BOUNDS;
        wrong += rig_try(i, BLOB_recurse, 0, 0, NULL) != CALL_TRAPPED;
        wrong += instance_call(i, BLOB_recurse_host, waiting) != CALL_SUSPENDED;
        wrong += k % 2 ? instance_cancel(i) != CALL_TRAPPED : instance_resume(i) != CALL_RETURNED;
        wrong += rig_try(i, BLOB_store, 128, *number, NULL) != CALL_RETURNED;
        wrong += rig_try(i, BLOB_host, 0, 0, &ret) != CALL_RETURNED || ret != *number;
        wrong += rig_try(i, BLOB_load, 128, 0, &ret) != CALL_RETURNED || ret != *number;
        wrong += instance_reset(i, number, &err) != ST_OK;
        wrong += rig_try(i, BLOB_load, 128, 0, &ret) != CALL_RETURNED || ret != 0;
    }
    instance_free(i);
    return (void *)(uintptr_t)(wrong ? 100 + wrong : 0);
}

static void test_threads(void **state)
{
    (void)state;
    rig_host = host_waits;
    struct error err;
    assert_int_equal(runtime_init(&err), ST_OK);
    pthread_t threads[THREADS];
    uint32_t numbers[THREADS];
    for (uint32_t k = 0; k < THREADS; k++) {
        numbers[k] = 1000 + k;
        assert_int_equal(pthread_create(&threads[k], NULL, run, &numbers[k]), 0);
    }
    for (uint32_t k = 0; k < THREADS; k++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[k], &wrong), 0);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
