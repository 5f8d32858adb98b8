/* Reservations and what is mapped inside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/vm.h"

#define PAGES(n) ((size_t)(n) * VM_PAGE)

/* A process that only a bug can bring to this must end. */
static bool dies(void (*run)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit no_core = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGSEGV, SIG_DFL); /* instead of cmocka's */
        signal(SIGILL, SIG_DFL);
        run();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status);
}

static struct vm_reservation r;
static struct error err;

static void touch_reserved(void)
{
    *(volatile uint8_t *)r.start = 1;
}

static void map_outside(void)
{
    (void)!vm_map_zero(&r, r.start + PAGES(15), PAGES(2), &err);
}

static void map_before(void)
{
    (void)!vm_map_zero(&r, r.start - PAGES(1), PAGES(1), &err);
}

static void map_wrapping(void)
{
    (void)!vm_map_zero(&r, r.start + PAGES(1), (size_t)0 - PAGES(1), &err);
}

static void map_unaligned(void)
{
    (void)!vm_map_zero(&r, r.start + 1, PAGES(1), &err);
}

static void discard_outside(void)
{
    (void)!vm_discard(&r, r.start + PAGES(16), PAGES(1));
}

static void test_bounds(void **state)
{
    (void)state;
    assert_int_equal(vm_reserve(PAGES(16), &r, &err), ST_OK);
    assert_true(dies(touch_reserved));
    assert_true(dies(map_outside));
    assert_true(dies(map_before));
    assert_true(dies(map_wrapping));
    assert_true(dies(map_unaligned));
    assert_true(dies(discard_outside));
    assert_int_equal(vm_map_zero(&r, r.start, PAGES(16), &err), ST_OK); /* all of it is inside */
    assert_int_equal(vm_map_zero(&r, r.start + PAGES(16), 0, &err), ST_OK);
    vm_release(&r);
    vm_release(&r);
}

static void test_zero(void **state)
{
    (void)state;
    assert_int_equal(vm_reserve(PAGES(16), &r, &err), ST_OK);
    assert_true(vm_allow(&r, r.start + PAGES(2), PAGES(2)));
    memset(r.start + PAGES(2), 7, PAGES(2));
    assert_true(vm_forbid(&r, r.start + PAGES(3), PAGES(1)));
    assert_int_equal(r.start[PAGES(3) - 1], 7);
    assert_true(vm_discard(&r, r.start + PAGES(2), PAGES(2))); /* without access, too */
    assert_true(vm_allow(&r, r.start + PAGES(3), PAGES(1)));
    for (size_t k = PAGES(2); k < PAGES(4); k++) assert_int_equal(r.start[k], 0);
    assert_int_equal(vm_map_none(&r, r.start + PAGES(2), PAGES(1), &err), ST_OK);
    vm_release(&r);
}

static void test_too_much(void **state)
{
    (void)state;
    assert_int_equal(vm_reserve((size_t)1 << 62, &r, &err), ST_NO_MEMORY);
}

static void test_file(void **state)
{
    (void)state;
    int fd = -1;
    assert_int_equal(vm_sealed_page("test", "abc", 3, &fd, &err), ST_OK);
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_ptr_equal(mmap(NULL, VM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    assert_int_equal(vm_reserve(PAGES(16), &r, &err), ST_OK);
    assert_int_equal(vm_map_shared(&r, r.start, VM_PAGE, fd, 0, &err), ST_OK);
    assert_int_equal(vm_map_private(&r, r.start + PAGES(1), VM_PAGE, fd, 0, &err), ST_OK);
    assert_memory_equal(r.start, "abc\0", 4);
    assert_int_equal(mprotect(r.start, VM_PAGE, PROT_READ | PROT_WRITE), -1); /* for ever */
    r.start[PAGES(1)] = 'z';
    assert_memory_equal(r.start + PAGES(1), "zbc\0", 4);
    assert_int_equal(r.start[0], 'a');
    assert_true(vm_discard(&r, r.start + PAGES(1), VM_PAGE));
    assert_memory_equal(r.start + PAGES(1), "abc\0", 4);
    close(fd);
    assert_int_equal(vm_map_shared(&r, r.start, VM_PAGE, fd, 0, &err), ST_IO);
    vm_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
