/* Private pages are found: those that were written, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/pages.h"
#include "os/vm.h"

#define COUNT 512u

static struct vm_reservation r;
static struct error err;
static volatile uint8_t sink;

static uint8_t *page(size_t k)
{
    return r.start + k * VM_PAGE;
}

static int setup(void **state)
{
    (void)state;
    pages_prepare();
    return vm_reserve((size_t)COUNT * VM_PAGE, &r, &err) ||
                   vm_map_zero(&r, r.start, (size_t)COUNT * VM_PAGE, &err)
               ? -1
               : 0;
}

static int teardown(void **state)
{
    (void)state;
    pages_set_method(PAGES_BEST);
    vm_release(&r);
    return 0;
}

static const size_t none[1][2];
static const enum pages_method methods[] = {PAGES_BEST, PAGES_READ_ENTRIES};

static void assert_runs(const size_t (*expected)[2], size_t expected_count)
{
    for (size_t m = 0; m < 2; m++) {
        pages_set_method(methods[m]);
        struct page_run runs[COUNT] = {0};
        size_t count = 0;
        assert_true(pages_find_private(r.start, r.size_bytes, SIZE_MAX, runs, COUNT, &count));
        assert_int_equal(count, expected_count);
        for (size_t k = 0; k < expected_count; k++) {
            assert_ptr_equal(runs[k].start, page(expected[k][0]));
            assert_int_equal(runs[k].size_bytes, expected[k][1] * VM_PAGE);
        }
    }
}

static void test_zero_pages(void **state)
{
    (void)state;
    assert_runs(none, 0);
    *page(0) = 1;
    *page(3) = 1;
    *page(4) = 1;
    *page(COUNT - 1) = 1;
    const size_t three[][2] = {{0, 1}, {3, 2}, {COUNT - 1, 1}};
    assert_runs(three, 3);
    assert_true(vm_discard(&r, page(3), VM_PAGE));
    const size_t after[][2] = {{0, 1}, {4, 1}, {COUNT - 1, 1}};
    assert_runs(after, 3);
}

static void test_file_pages(void **state)
{
    (void)state;
    int fd = memfd_create("test", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, 16 * VM_PAGE), 0);
    assert_int_equal(vm_map_private(&r, page(16), (size_t)16 * VM_PAGE, fd, 0, &err), ST_OK);
    for (size_t k = 16; k < 32; k++) sink = *page(k); /* reading makes nothing private */
    assert_runs(none, 0);
    memset(page(20), 0, 2 * VM_PAGE); /* writing what was there does */
    *page(31) = 1;
    const size_t runs[][2] = {{20, 2}, {31, 1}};
    assert_runs(runs, 2);
    assert_true(vm_discard(&r, page(16), (size_t)16 * VM_PAGE));
    assert_runs(none, 0);
    close(fd);
}

/* More runs than one answer of the system holds, and more than there is room for. */
static void test_many(void **state)
{
    (void)state;
    size_t runs[COUNT / 2][2] = {{0}};
    for (size_t k = 0; k < COUNT; k += 2) {
        *page(k) = 1;
        runs[k / 2][0] = k;
        runs[k / 2][1] = 1;
    }
    assert_runs(runs, COUNT / 2);
    for (size_t m = 0; m < 2; m++) {
        pages_set_method(methods[m]);
        struct page_run found[COUNT / 2];
        size_t count = 0;
        assert_false(
            pages_find_private(r.start, r.size_bytes, SIZE_MAX, found, COUNT / 2 - 1, &count));
        count = 0;
        assert_true(pages_find_private(r.start, r.size_bytes, SIZE_MAX, found, COUNT / 2, &count));
        /* Not more than were asked for. */
        count = 0;
        assert_true(pages_find_private(r.start, r.size_bytes, 100, found, COUNT / 2, &count));
        assert_int_equal(count, 100);
        assert_ptr_equal(found[99].start, page(198));
        count = 0;
        assert_true(pages_find_private(r.start, 0, 1, found, 0, &count));
    }
    pages_set_method(PAGES_UNKNOWN);
    size_t count = 0;
    struct page_run one[1];
    assert_false(pages_find_private(r.start, VM_PAGE, 1, one, 1, &count));
}

static void test_moments(void **state)
{
    (void)state;
    struct pages_moment never = {0};
    assert_false(pages_same_moment(&never, &never));
    struct pages_moment before = pages_now();
    if (!before.process) skip();
    for (size_t k = 0; k < 100; k++) *page(k) = 1;
    struct pages_moment after = pages_now();
    assert_false(pages_same_moment(&before, &after));
    assert_true(after.faults >= before.faults + 100);
    before = pages_now();
    for (size_t k = 0; k < 100; k++) *page(k) = 2;
    after = pages_now();
    /* Sanitizers touch pages of their own at times; ours were all there. */
    assert_true(after.faults < before.faults + 100);
    /* The system's writes count like the thread's own. */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    before = pages_now();
    assert_int_equal(read(ends[0], page(200), 1), 1);
    after = pages_now();
    assert_false(pages_same_moment(&before, &after));
    close(ends[0]);
    close(ends[1]);
}

static void test_fork(void **state)
{
    (void)state;
    *page(7) = 1;
    const size_t one[][2] = {{7, 1}};
    assert_runs(one, 1);
    struct pages_moment before = pages_now();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct pages_moment now = pages_now();
        bool ok = !pages_same_moment(&now, &before);
        *page(9) = 1;
        struct page_run runs[4];
        size_t count = 0;
        pages_set_method(PAGES_BEST);
        ok = ok && pages_find_private(r.start, r.size_bytes, SIZE_MAX, runs, 4, &count) &&
             count == 2;
        _exit(ok ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_runs(one, 1);
}

/* Each way of copying back finds every difference, wherever it is, and touches nothing else. */
static void test_restore(void **state)
{
    (void)state;
    static _Alignas(VM_PAGE) uint8_t to[3 * VM_PAGE], from[3 * VM_PAGE], before[3 * VM_PAGE];
    for (size_t k = 0; k < sizeof from; k++) from[k] = (uint8_t)(k * 7 + (k >> 8));
    static const enum pages_width widths[] = {PAGES_WIDTH_BEST, PAGES_WIDTH_256, PAGES_WIDTH_ANY};
    for (size_t w = 0; w < ARRAY_COUNT(widths); w++) {
        pages_set_width(widths[w]);
        struct page_copy pages[1] = {{to + VM_PAGE, from + VM_PAGE, 7}};
        memcpy(to, from, sizeof to);
        pages_restore(pages, 1, 8);
        assert_int_equal(pages[0].changed, 7);
        memset(to, 0x55, sizeof to);
        memcpy(before, to, sizeof to);
        pages_restore(pages, 1, 9);
        assert_int_equal(pages[0].changed, 9);
        memcpy(before + VM_PAGE, from + VM_PAGE, VM_PAGE);
        assert_memory_equal(to, before, sizeof to);
        for (uint32_t at = 0; at < VM_PAGE; at++) {
            to[VM_PAGE + at] ^= 0x10;
            pages_restore(pages, 1, 10 + at);
            assert_int_equal(pages[0].changed, 10 + at);
            assert_int_equal(to[VM_PAGE + at], from[VM_PAGE + at]);
        }
        assert_memory_equal(to, before, sizeof to);
        memset(to + VM_PAGE, 0x55, VM_PAGE);
        pages_copy(pages, 1);
        assert_memory_equal(to, before, sizeof to);
        pages[0].from = pages_zeros;
        pages_copy(pages, 1);
        memset(before + VM_PAGE, 0, VM_PAGE);
        assert_memory_equal(to, before, sizeof to);
    }
    pages_set_width(PAGES_WIDTH_BEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_zero_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_file_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fork, setup, teardown),
        cmocka_unit_test(test_restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
