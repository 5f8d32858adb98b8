/* What a filter of system calls lets through, and what becomes of the rest. Each case runs in a
 * process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/cmocka_all.h"
#include "os/seccomp.h"

static int report_fd;

static void report(int number)
{
    ssize_t ignored = write(report_fd, &number, sizeof number);
    (void)ignored;
}

/* Runs `act` under a filter; returns the exit code and what was reported. */
static int run(enum seccomp_profile profile, int (*act)(void), int *ret_number)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct error err;
        report_fd = ends[1];
        if (process_harden(&err) || seccomp_apply(profile, report, &err)) {
            ssize_t ignored = write(STDERR_FILENO, err.text, strlen(err.text));
            (void)ignored;
            _exit(99);
        }
        _exit(act());
    }
    close(ends[1]);
    *ret_number = -1;
    if (read(ends[0], ret_number, sizeof *ret_number) < 0) *ret_number = -2;
    close(ends[0]);
    int state;
    assert_int_equal(waitpid(child, &state, 0), child);
    return WIFEXITED(state) ? WEXITSTATUS(state) : 1000 + WTERMSIG(state);
}

static int do_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 : 2;
}

static int do_sockets(void)
{
    int types[] = {SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, SOCK_DGRAM};
    for (size_t i = 0; i < 2; i++)
        if (socket(AF_INET, types[i], 0) < 0 ||
            (socket(AF_INET6, types[i], 0) < 0 && errno != EAFNOSUPPORT))
            return 1;
    return 0;
}

static int do_socket_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES ? 0 : 1;
}

static int do_socket_raw(void)
{
    return socket(AF_INET, SOCK_RAW, 1) < 0 ? 1 : 2;
}

static int do_socket_netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? 1 : 2;
}

static int do_exec(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};
    execv("/bin/true", argv);
    return 1;
}

static int do_fork(void)
{
    return (int)syscall(SYS_fork) ? 1 : 2;
}

static int do_connect(void)
{
    struct sockaddr address = {.sa_family = AF_UNIX};
    return connect(0, &address, sizeof address) ? 1 : 2;
}

static int do_unlink(void)
{
    return unlink("/nonexistent") ? 1 : 2;
}

static int do_open(void)
{
    int fd = open("/etc/passwd", O_RDONLY);
    return fd < 0 && errno == EACCES ? 0 : 1;
}

static int do_writable_code(void)
{
    void *map =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return map == MAP_FAILED ? 1 : 2;
}

static int do_memory(void)
{
    char *map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return 1;
    map[5] = 1;
    free(malloc(10 << 20));
    return munmap(map, 1 << 20);
}

static void *thread_body(void *context)
{
    *(int *)context = 0;
    return NULL;
}

static int do_thread(void)
{
    pthread_t thread;
    int result = 1;
    if (pthread_create(&thread, NULL, thread_body, &result)) return 2;
    pthread_join(thread, NULL);
    return result;
}

struct filter_case {
    enum seccomp_profile profile;
    int (*act)(void);
    int exit_code;
    int number;  /* -1: nothing forbidden */
    bool always; /* with sanitizers too */
};

static const struct filter_case cases[] = {
    {SECCOMP_WORKER, do_socket, SECCOMP_EXIT_CODE, SYS_socket, true},
    {SECCOMP_WORKER, do_exec, SECCOMP_EXIT_CODE, SYS_execve, true},
    {SECCOMP_WORKER, do_connect, SECCOMP_EXIT_CODE, SYS_connect, true},
    {SECCOMP_WORKER, do_unlink, SECCOMP_EXIT_CODE, SYS_unlink, true},
    {SECCOMP_WORKER, do_fork, SECCOMP_EXIT_CODE, SYS_fork, true},
    {SECCOMP_WORKER, do_open, 0, -1, false},
    {SECCOMP_WORKER, do_writable_code, SECCOMP_EXIT_CODE, SYS_mmap, false},
    {SECCOMP_WORKER, do_memory, 0, -1, true},
    {SECCOMP_CLIENT, do_sockets, 0, -1, true},
    {SECCOMP_CLIENT, do_socket_unix, 0, -1, false},
    {SECCOMP_CLIENT, do_socket_raw, SECCOMP_EXIT_CODE, SYS_socket, false},
    {SECCOMP_CLIENT, do_socket_netlink, SECCOMP_EXIT_CODE, SYS_socket, false},
    {SECCOMP_CLIENT, do_exec, SECCOMP_EXIT_CODE, SYS_execve, true},
    {SECCOMP_CLIENT, do_open, 0, -1, false},
    {SECCOMP_COMPILER, do_socket, SECCOMP_EXIT_CODE, SYS_socket, true},
    {SECCOMP_COMPILER, do_exec, SECCOMP_EXIT_CODE, SYS_execve, true},
    {SECCOMP_COMPILER, do_fork, SECCOMP_EXIT_CODE, SYS_fork, true},
    {SECCOMP_COMPILER, do_open, 0, -1, false},
    {SECCOMP_COMPILER, do_memory, 0, -1, true},
    {SECCOMP_COMPILER, do_thread, 0, -1, true},
};

static void test_filters(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct filter_case *c = &cases[i];
        int number;
        if (seccomp_is_partial() && !c->always) continue;
        int exit_code = run(c->profile, c->act, &number);
        if (exit_code != c->exit_code || number != c->number)
            print_error("case %zu: exit code %d, call %d\n", i, exit_code, number);
        assert_int_equal(exit_code, c->exit_code);
        assert_int_equal(number, c->number);
    }
}

static void test_names(void **state)
{
    (void)state;
    char name[SECCOMP_NAME_MAX];
    seccomp_call_name(SYS_socket, name);
    assert_string_equal(name, "socket");
    seccomp_call_name(123456, name);
    assert_string_equal(name, "unknown");
}

static int look_at_rights(void)
{
    struct rlimit core;
    if (getrlimit(RLIMIT_CORE, &core) || core.rlim_max) return 1;
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)) return 2;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

static void test_harden(void **state)
{
    (void)state;
    int ends = fork();
    if (ends == 0) {
        struct error err;
        _exit(process_harden(&err) ? 99 : look_at_rights());
    }
    int result;
    assert_int_equal(waitpid(ends, &result, 0), ends);
    assert_int_equal(result, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_harden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
