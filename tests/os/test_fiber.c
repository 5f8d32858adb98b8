/* Fibers: their own stacks, their own registers, left and entered in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>

#include "os/fiber.h"

#define STACK_BYTES ((size_t)256 << 10)
#define FIBERS      4u

struct counter {
    struct fiber fiber;
    uint32_t number, rounds;
    uint64_t sum;
    double product;
};

static struct counter *counter_new(uint32_t number, uint32_t rounds)
{
    struct counter *c = test_calloc(1, sizeof *c);
    void *stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(stack, MAP_FAILED);
    fiber_init(&c->fiber, stack, STACK_BYTES);
    c->number = number;
    c->rounds = rounds;
    return c;
}

static void counter_free(struct counter *c)
{
    void *stack = c->fiber.stack_low;
    fiber_done(&c->fiber);
    munmap(stack, STACK_BYTES);
    test_free(c);
}

/* Locals in registers and in memory, across a switch. */
static void count(void *argument)
{
    struct counter *c = argument;
    volatile char room[1024];
    memset((void *)room, (int)c->number, sizeof room);
    uint64_t sum = 0, step = c->number;
    double product = 1;
    for (uint32_t k = 0; k < c->rounds; k++) {
        sum += step * k;
        product *= 1.5;
        fiber_leave(&c->fiber);
    }
    for (size_t k = 0; k < sizeof room; k++)
        if (room[k] != (char)c->number) sum = 0;
    c->sum = sum;
    c->product = product;
}

static void test_turns(void **state)
{
    (void)state;
    struct counter *all[FIBERS];
    for (uint32_t k = 0; k < FIBERS; k++) {
        all[k] = counter_new(k + 1, 3 + k);
        assert_false(fiber_start(&all[k]->fiber, count, all[k]));
    }
    for (uint32_t round = 1; round < 3 + FIBERS; round++)
        for (uint32_t k = 0; k < FIBERS; k++)
            if (!all[k]->fiber.finished)
                assert_int_equal(fiber_resume(&all[k]->fiber), round == 3 + k);
    for (uint32_t k = 0; k < FIBERS; k++) {
        uint32_t rounds = 3 + k;
        assert_int_equal(all[k]->sum, (k + 1) * rounds * (rounds - 1) / 2);
        double product = 1;
        for (uint32_t r = 0; r < rounds; r++) product *= 1.5;
        assert_true(all[k]->product == product);
        counter_free(all[k]);
    }
}

static void test_again(void **state)
{
    (void)state;
    struct counter *c = counter_new(7, 0);
    for (int k = 0; k < 1000; k++) {
        c->sum = 1;
        assert_true(fiber_start(&c->fiber, count, c));
        assert_int_equal(c->sum, 0);
    }
    counter_free(c);
}

/* A fiber that runs a fiber. */
static void run_inner(void *argument)
{
    struct counter *outer = argument;
    struct counter *inner = counter_new(3, 2);
    bool finished = fiber_start(&inner->fiber, count, inner);
    while (!finished) {
        fiber_leave(&outer->fiber);
        finished = fiber_resume(&inner->fiber);
    }
    outer->sum = inner->sum;
    counter_free(inner);
}

static void test_nested(void **state)
{
    (void)state;
    struct counter *outer = counter_new(0, 0);
    assert_false(fiber_start(&outer->fiber, run_inner, outer));
    assert_false(fiber_resume(&outer->fiber));
    assert_true(fiber_resume(&outer->fiber));
    assert_int_equal(outer->sum, 3);
    counter_free(outer);
    struct fiber none = {0};
    fiber_done(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
