/* The table of hostile inputs, each whole, byte by byte, and cut in two at every place. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "hostile_cases.h"
#include "rig.h"

#define HOSTILE_CASES_MIN 150
#define WHOLE             (1 << 20)

static unsigned failures;

static void check(struct rig *r, size_t index, const char *how)
{
    char outcome[512];
    rig_outcome(r, outcome, sizeof outcome);
    if (strcmp(outcome, hostile_cases[index].outcome) == 0 && !r->reset) return;
    failures++;
    print_error("case %zu, %s: \"%.200s\"\n  expected: %s\n  got:      %s%s\n", index, how,
                hostile_cases[index].input, hostile_cases[index].outcome, outcome,
                r->reset ? " (reset)" : "");
}

static void run_case(struct rig *r, size_t index, size_t first, size_t step)
{
    const struct hostile_case *h = &hostile_cases[index];
    rig_connect(r);
    if (first > 0) rig_send(r, h->input, first);
    for (size_t at = first; at < h->size; at += step)
        rig_send(r, h->input + at, step < h->size - at ? step : h->size - at);
    if (h->finish) rig_finish_sending(r);
}

static void test_whole(void **state)
{
    struct rig r;
    (void)state;
    failures = 0;
    rig_init(&r);
    rig_open(&r);
    assert_true(hostile_case_count >= HOSTILE_CASES_MIN);
    for (size_t i = 0; i < hostile_case_count; i++) {
        /* With the interim answer depends on whether the body is there at once. */
        if (strncmp(hostile_cases[i].outcome, "100", 3) == 0) continue;
        run_case(&r, i, 0, WHOLE);
        check(&r, i, "whole");
    }
    rig_close(&r);
    assert_int_equal(failures, 0);
}

static void test_byte_by_byte(void **state)
{
    struct rig r;
    (void)state;
    failures = 0;
    rig_init(&r);
    rig_open(&r);
    for (size_t i = 0; i < hostile_case_count; i++) {
        run_case(&r, i, 0, 1);
        check(&r, i, "byte by byte");
    }
    printf("%zu hostile inputs\n", hostile_case_count);
    rig_close(&r);
    assert_int_equal(failures, 0);
}

static void test_cut_in_two(void **state)
{
    struct rig r;
    (void)state;
    failures = 0;
    rig_init(&r);
    rig_open(&r);
    for (size_t i = 0; i < hostile_case_count; i++) {
        if (strncmp(hostile_cases[i].outcome, "100", 3) == 0) continue;
        for (size_t cut = 1; cut < hostile_cases[i].size; cut++) {
            run_case(&r, i, cut, WHOLE);
            check(&r, i, "cut in two");
        }
    }
    printf("%llu connections\n",
           (unsigned long long)http_server_counters(r.server)->connections_accepted);
    rig_close(&r);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_cut_in_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
