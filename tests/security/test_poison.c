/* Who touches a slot that nobody uses is found in the asan preset: each of these is what a host
 * function would do that kept a pointer from one instance to the next. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"

#define REPORTED (-1) /* AddressSanitizer's exit code, as rig_child_signal() gives it */

static uint8_t *memory, *context, *stack;
static volatile uint8_t sink;

static void read_memory(struct instance *i)
{
    (void)i;
    sink = memory[100];
}

static void write_memory(struct instance *i)
{
    (void)i;
    memory[65535] = 1;
}

static void copy_memory(struct instance *i)
{
    uint8_t bytes[64];
    (void)i;
    memcpy(bytes, memory + 4096, sizeof bytes);
    sink = bytes[0];
}

static void send_memory(struct instance *i)
{
    (void)i;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (write(fd, memory, 10) != 10) _exit(2);
}

static void read_context(struct instance *i)
{
    (void)i;
    sink = context[0];
}

static void write_stack(struct instance *i)
{
    (void)i;
    stack[-8] = 1;
}

/* In use again, everything is there. */
static void use_again(struct instance *i)
{
    uint8_t *bytes;
    if (!guest_slice(i, 0, 0, 65536, &bytes) || bytes != memory) _exit(2);
    sink = memory[100];
    memory[65535] = 1;
    sink = context[0];
    stack[-8] = 1;
    struct value values[2] = {{.i32 = 3}, {.i32 = 4}};
    if (instance_call(i, BLOB_add, values) != CALL_RETURNED || values[0].i32 != 7) _exit(3);
}

static void locate(struct instance *i)
{
    assert_true(guest_slice(i, 0, 0, 65536, &memory));
    context = i->slot.base + BLOB_TABLE_0;
    stack = i->slot.stack_low + i->slot.stack_bytes;
}

static void test_found(void **state)
{
    (void)state;
#ifdef SLOT_POISON
    static void (*const uses[])(struct instance *) = {
        read_memory, write_memory, copy_memory, send_memory, read_context, write_stack,
    };
    struct instance *i = rig_instance();
    struct error err;
    locate(i);
    for (int round = 0; round < 2; round++) {
        for (size_t k = 0; k < ARRAY_COUNT(uses); k++) {
            rig_call(i, BLOB_store, 0, 7);
            assert_int_equal(rig_child_signal(uses[k], i), 0); /* in use */
            assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
            if (rig_child_signal(uses[k], i) != REPORTED) fail_msg("use %zu was not found", k);
        }
        assert_int_equal(rig_child_signal(use_again, i), 0);
    }
    instance_free(i);
#else
    print_message("skipped: slots are poisoned in the asan preset only\n");
    skip();
#endif
}

/* Nor is a slot in use before its first call. */
static void test_unused(void **state)
{
    (void)state;
#ifdef SLOT_POISON
    struct instance *i = rig_instance();
    memory = i->slot.base;
    context = i->slot.base + BLOB_TABLE_0;
    stack = i->slot.stack_low + i->slot.stack_bytes;
    assert_int_equal(rig_child_signal(read_memory, i), REPORTED);
    assert_int_equal(rig_child_signal(write_stack, i), REPORTED);
    assert_int_equal(rig_child_signal(use_again, i), 0);
    instance_free(i);
#else
    skip();
#endif
}

/* Memory that was grown into faults after the reset in every build. */
static void write_grown(struct instance *i)
{
    (void)i;
    signal(SIGSEGV, SIG_DFL);
    memory[65536] = 1;
}

static void test_grown(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    struct error err;
    locate(i);
    HELP(i, memory_grow, 0, 1);
    assert_int_equal(rig_child_signal(write_grown, i), 0);
    assert_int_equal(instance_reset(i, NULL, &err), ST_OK);
    assert_int_equal(rig_child_signal(write_grown, i), SIGSEGV);
    instance_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_unused),
        cmocka_unit_test(test_grown),
    };
    /* Referenced in every build. */
    (void)read_memory, (void)write_memory, (void)copy_memory, (void)send_memory;
    (void)read_context, (void)write_stack, (void)use_again;
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
