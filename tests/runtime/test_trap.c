/* Which faults become traps, which do not, and what is said about them. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"

static void test_memory_bounds(void **state)
{
    (void)state;
    static const struct {
        uint32_t address, offset;
        bool traps;
    } rows[] = {
        {0, 0, false},         {65532, 0, false},
        {65533, 0, true},      {65535, 0, true},
        {65536, 0, true},      {65520, 12, false},
        {65520, 13, true},     {0, 65532, false},
        {0, 65536, true},      {0x7fffffff, 0, true},
        {0x80000000, 0, true}, {0xffffffff, 0, true},
        {0xfffffffc, 4, true}, {0xffffffff, 0xffffffff, true},
        {0, 0xffffffff, true}, {0x80000000, 0x80000000, true},
    };
    struct instance *i = rig_instance();
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        if (rows[k].traps)
            rig_trap(i, BLOB_load, rows[k].address, rows[k].offset, TRAP_MEMORY_BOUNDS);
        else
            assert_int_equal(rig_call(i, BLOB_load, rows[k].address, rows[k].offset), 0);
    }
    rig_trap(i, BLOB_store, 65533, 0xffffffff, TRAP_MEMORY_BOUNDS);
    assert_int_equal(rig_call(i, BLOB_load, 65532, 0), 0); /* none of it was written */
    instance_free(i);
}

static void test_frames(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_trap(i, BLOB_store, 65536, 1, TRAP_MEMORY_BOUNDS);
    const struct trap *trap = instance_trap(i);
    assert_int_equal(trap->frames_count, 1);
    assert_false(trap->frames_cut);
    assert_int_equal(trap->frames[0].func, BLOB_store);
    assert_int_equal(trap->frames[0].wasm_offset, 0x100 * BLOB_store);
    struct buffer text;
    buffer_init(&text, 4096);
    assert_int_equal(trap_print(i, &text), ST_OK);
    buffer_append(&text, "", 1);
    assert_string_equal((char *)text.data, "wasm trap: out of bounds memory access\n"
                                           "    at store (src/blob.c:4)  0x400\n");
    buffer_done(&text);
    instance_free(i);
}

static enum host_result host_refuses(struct instance *i, struct value *values)
{
    if (values[1].i32) instance_set_trap_text(i, "line\nfeed %u", values[1].i32);
    return HOST_TRAP;
}

static void test_host_trap(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_refuses;
    rig_trap(i, BLOB_recurse_host, 2, 5, TRAP_HOST);
    const struct trap *trap = instance_trap(i);
    assert_int_equal(trap->frames_count, 4);
    assert_int_equal(trap->frames[0].func, BLOB_host);
    for (uint32_t k = 1; k < 4; k++) assert_int_equal(trap->frames[k].func, BLOB_recurse_host);
    struct buffer text;
    buffer_init(&text, 4096);
    assert_int_equal(trap_print(i, &text), ST_OK);
    buffer_append(&text, "", 1);
    assert_non_null(strstr((char *)text.data, ": line?feed 5\n"));
    buffer_done(&text);
    rig_trap(i, BLOB_host, 0, 0, TRAP_HOST);
    assert_string_equal(instance_trap(i)->text, "env host");
    /* A buffer that is too small is said, not overrun. */
    buffer_init(&text, 10);
    assert_int_equal(trap_print(i, &text), ST_LIMIT);
    buffer_done(&text);
    instance_free(i);
}

static enum host_result host_exits(struct instance *i, struct value *values)
{
    instance_set_exit(i, values[1].i32);
    return HOST_EXIT;
}

static void test_exit(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_host = host_exits;
    assert_int_equal(rig_try(i, BLOB_recurse_host, 3, 42, NULL), CALL_EXITED);
    assert_int_equal(instance_exit_code(i), 42);
    assert_int_equal(instance_trap(i)->kind, TRAP_EXIT);
    rig_host = NULL;
    assert_int_equal(rig_call(i, BLOB_host, 1, 2), 3); /* as the core suite wants it */
    instance_free(i);
}

static void test_explicit(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_trap(i, BLOB_trap_below, 0, TRAP_TABLE_BOUNDS, TRAP_TABLE_BOUNDS);
    assert_int_equal(instance_trap(i)->frames[0].func, BLOB_trap_below);
    assert_int_equal(instance_trap(i)->frames[0].wasm_offset, 0x77);
    instance_free(i);
}

static void test_stack_exhausted(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_trap(i, BLOB_recurse, 0, 0, TRAP_STACK_EXHAUSTED);
    const struct trap *trap = instance_trap(i);
    assert_true(trap->frames_cut);
    assert_int_equal(trap->frames_count, TRAP_FRAMES_MAX);
    for (uint32_t k = 0; k < TRAP_FRAMES_MAX; k++)
        assert_int_equal(trap->frames[k].func, BLOB_recurse);
    rig_trap(i, BLOB_huge, 100000, 0, TRAP_STACK_EXHAUSTED);
    assert_int_equal(instance_trap(i)->frames_count, 1);
    assert_int_equal(instance_trap(i)->frames[0].func, BLOB_huge);
    assert_int_equal(rig_call(i, BLOB_huge, 200, 0), 0);
    /* A stub finds that C code would not have enough room, long before the guard. */
    uint32_t frame = 16;
    uint32_t deep = (INSTANCE_STACK_BYTES_DEFAULT + INSTANCE_HOST_STACK_BYTES / 2) / frame;
    rig_trap(i, BLOB_recurse_host, deep, 0, TRAP_STACK_EXHAUSTED);
    assert_int_equal(instance_trap(i)->frames[0].func, BLOB_host);
    uint32_t fits = (INSTANCE_STACK_BYTES_DEFAULT - 4096) / frame;
    assert_int_equal(rig_call(i, BLOB_recurse_host, fits, 7), 7);
    instance_free(i);
}

/* The trap helper works on the last bytes of the stack; a little further down the call faults. */
static void test_trap_at_the_end(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    uint32_t all = INSTANCE_STACK_BYTES_DEFAULT + INSTANCE_HOST_STACK_BYTES;
    uint32_t explicit = 0, exhausted = 0;
    for (uint32_t down = all - 4096; down < all + 4096; down += 16) {
        assert_int_equal(rig_try(i, BLOB_trap_below, down, TRAP_NULL_ELEMENT, NULL), CALL_TRAPPED);
        if (instance_trap(i)->kind == TRAP_NULL_ELEMENT) {
            assert_int_equal(exhausted, 0);
            explicit ++;
        } else {
            assert_int_equal(instance_trap(i)->kind, TRAP_STACK_EXHAUSTED);
            exhausted++;
        }
        assert_int_equal(instance_trap(i)->frames[0].func, BLOB_trap_below);
    }
    assert_true(explicit > 0 && exhausted > 0);
    instance_free(i);
}

/* Stack exhaustion at each possible place of the prologue gives a trace with the right callers. */
static void test_prologue(void **state)
{
    (void)state;
    for (uint32_t stack = 4096; stack <= 8 * 4096; stack += 4096) {
        const struct instance_config config = {.stack_bytes = stack};
        struct instance *i = rig_instance_of(rig_module, &config);
        rig_host = NULL;
        rig_trap(i, BLOB_recurse_host, 1u << 30, 0, TRAP_STACK_EXHAUSTED);
        const struct trap *trap = instance_trap(i);
        assert_int_equal(trap->frames_count, TRAP_FRAMES_MAX);
        for (uint32_t k = 0; k < trap->frames_count; k++)
            assert_int_equal(trap->frames[k].func, BLOB_recurse_host);
        instance_free(i);
    }
}

static void test_processor_traps(void **state)
{
    (void)state;
    struct instance *i = rig_instance();
    rig_trap(i, BLOB_illegal, 0, 0, TRAP_UNREACHABLE);
    rig_trap(i, BLOB_divide, 0, 0, TRAP_DIVIDE_BY_ZERO);
    struct buffer text;
    buffer_init(&text, 4096);
    assert_int_equal(trap_print(i, &text), ST_OK);
    buffer_append(&text, "", 1);
    assert_non_null(strstr((char *)text.data, "    at function 12 (src/blob.c:13)  0xd00\n"));
    buffer_done(&text);
    instance_free(i);
}

/* ---- faults that are none of ours ---- */

static void run_foreign(struct instance *i)
{
    (void)instance_call(i, BLOB_foreign, NULL);
}

static void run_context_underflow(struct instance *i)
{
    (void)rig_try(i, BLOB_context, (uint32_t)-(BLOB_CONTEXT_BYTES + 4096), 0, NULL);
}

static void run_host_page_write(struct instance *i)
{
    (void)rig_try(i, BLOB_set_context, (uint32_t)SLOT_HOST_PAGE, 1, NULL);
}

static enum host_result host_faults(struct instance *i, struct value *values)
{
    (void)values;
    uint8_t *end;
    if (!guest_slice(i, 0, 65536, 0, &end)) return HOST_OK;
    *(volatile uint8_t *)end = 1;
    return HOST_OK;
}

static void run_host_fault(struct instance *i)
{
    rig_host = host_faults;
    (void)rig_try(i, BLOB_host, 0, 0, NULL);
}

static void run_sent(struct instance *i)
{
    (void)i;
    raise(SIGSEGV);
}

static void run_sent_ignored(struct instance *i)
{
    (void)i;
    raise(SIGFPE);
    _exit(0);
}

static void run_outside(struct instance *i)
{
    *(volatile uint32_t *)((uintptr_t)i->slot.base - 64 - BLOB_CONTEXT_BYTES) = 1;
}

static void test_foreign(void **state)
{
    (void)state;
    /* Neither cmocka's handlers nor a sanitizer's are to catch what is passed on. */
    signal(SIGSEGV, SIG_DFL);
    struct instance *i = rig_instance();
    static void (*const rows[])(struct instance *) = {
        run_foreign, run_context_underflow, run_host_page_write, run_host_fault,
        run_sent,    run_outside,
    };
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        int number = rig_child_signal(rows[k], i);
        if (number != SIGSEGV) fail_msg("row %zu: signal or exit %d", k, number);
    }
    instance_free(i);
}

/* ---- handlers that were there before ---- */

static volatile sig_atomic_t previous_calls;
static sigjmp_buf previous_return;

static void previous_handler(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    previous_calls++;
    siglongjmp(previous_return, 1);
}

static void test_previous(void **state)
{
    (void)state;
    const struct sigaction action = {.sa_sigaction = previous_handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    signal(SIGFPE, SIG_IGN);
    struct instance *i = rig_instance(); /* puts ours before them */
    int before = previous_calls;
    if (sigsetjmp(previous_return, 1) == 0) run_outside(i);
    assert_int_equal(previous_calls, before + 1);
    if (sigsetjmp(previous_return, 1) == 0) raise(SIGSEGV);
    assert_int_equal(previous_calls, before + 2);
    rig_trap(i, BLOB_load, 65536, 0, TRAP_MEMORY_BOUNDS);
    assert_int_equal(previous_calls, before + 2);
    assert_int_equal(rig_child_signal(run_sent_ignored, i), 0);
    instance_free(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_bounds),   cmocka_unit_test(test_frames),
        cmocka_unit_test(test_host_trap),       cmocka_unit_test(test_exit),
        cmocka_unit_test(test_explicit),        cmocka_unit_test(test_stack_exhausted),
        cmocka_unit_test(test_trap_at_the_end), cmocka_unit_test(test_prologue),
        cmocka_unit_test(test_processor_traps), cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_previous),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
