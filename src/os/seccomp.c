#include "os/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/pages.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Memory, time, signals of its own, descriptors that it has. */
static const char *const common_calls[] = {
    "brk",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "close",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "exit",
    "exit_group",
    "fstat",
    "futex",
    "getpid",
    "getrandom",
    "getrusage",
    "gettid",
    "gettimeofday",
    "lseek",
    "madvise",
    "membarrier",
    "mremap",
    "munmap",
    "nanosleep",
    "poll",
    "ppoll",
    "pread64",
    "pwrite64",
    "read",
    "readv",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigtimedwait",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "sigaltstack",
    "times",
    "timer_create",
    "timer_delete",
    "timer_getoverrun",
    "timer_gettime",
    "timer_settime",
    "timerfd_settime",
    "write",
    "writev",
    "uname",
};

static const char *const worker_calls[] = {
    "accept4", "getpeername", "getsockname", "getsockopt", "recvfrom",
    "recvmsg", "sendmsg",     "sendto",      "setsockopt", "shutdown",
};

static const char *const client_calls[] = {"connect", "sendmmsg"};

static const char *const compiler_calls[] = {
    "fsync",          "ftruncate",          "getcpu",  "memfd_create",
    "sched_getparam", "sched_getscheduler", "sysinfo",
};

/* What no process of ours with a filter ever does; but see client_calls. */
static const char *const never_calls[] = {
    "accept",         "bind",     "bpf",     "chdir",
    "chmod",          "chown",    "chroot",  "connect",
    "execve",         "execveat", "fork",    "init_module",
    "io_uring_setup", "keyctl",   "link",    "linkat",
    "listen",         "mkdir",    "mount",   "perf_event_open",
    "pivot_root",     "reboot",   "rename",  "renameat",
    "renameat2",      "rmdir",    "setgid",  "setns",
    "setuid",         "socket",   "swapon",  "symlink",
    "unlink",         "unlinkat", "unshare", "userfaultfd",
    "vfork",
};

/* Asked by libraries for a hint; they get a refusal and go on. */
static const char *const refused_calls[] = {
    "access",    "faccessat", "faccessat2", "open", "openat", "openat2",
    "prlimit64", "readlink",  "readlinkat", "stat", "statx",
};

static bool allow(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        if (number == __NR_SCMP_ERROR) continue; /* this processor has no such call */
        int failed = seccomp_rule_add(filter, action, number, 0);
        if (failed && failed != -EEXIST && failed != -EDOM) return false;
    }
    return true;
}

/* Memory is writable or executable, never both. */
static bool allow_mapping(scmp_filter_ctx filter)
{
    static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    static const scmp_datum_t values[] = {0, PROT_WRITE, PROT_EXEC};
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++)
        for (size_t k = 0; k < ARRAY_COUNT(values); k++)
            if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1,
                                 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, values[k])))
                return false;
    return true;
}

/* Signals to itself, descriptors' flags, questions about its own pages; its threads' names. */
static bool allow_narrow(scmp_filter_ctx filter)
{
    pid_t self = getpid();
    int failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)self, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 0);
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                               SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, pages_scan_ioctl()));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 1,
                               SCMP_A1(SCMP_CMP_NE, pages_scan_ioctl(), 0));
    /* The C library's fstat(). A filter sees no paths; at worst a file's size is learned. */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
                               SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 1,
                               SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                               SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                               SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA, 0));
    return !failed;
}

/* clone3() keeps its flags in memory, where no filter sees them: the C library then uses clone().
 */
static bool allow_threads(scmp_filter_ctx filter)
{
    int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    return !failed;
}

/* TCP and UDP, over IPv4 and IPv6. Which addresses, no filter sees: http's client looks at them. */
static bool allow_sockets(scmp_filter_ctx filter)
{
    static const int families[] = {AF_INET, AF_INET6}, types[] = {SOCK_STREAM, SOCK_DGRAM};
    int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
    for (size_t i = 0; i < ARRAY_COUNT(families); i++)
        for (size_t k = 0; k < ARRAY_COUNT(types); k++)
            failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                                       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0),
                                       SCMP_A1(SCMP_CMP_MASKED_EQ,
                                               ~(scmp_datum_t)(SOCK_NONBLOCK | SOCK_CLOEXEC),
                                               (scmp_datum_t)types[k]));
    return !failed && allow(filter, SCMP_ACT_ALLOW, client_calls, ARRAY_COUNT(client_calls));
}

static bool is_of_client(const char *name)
{
    return !strcmp(name, "socket") || !strcmp(name, "connect");
}

static bool forbid_never(scmp_filter_ctx filter, enum seccomp_profile profile)
{
    for (size_t i = 0; i < ARRAY_COUNT(never_calls); i++) {
        if (profile == SECCOMP_CLIENT && is_of_client(never_calls[i])) continue;
        if (!allow(filter, SCMP_ACT_TRAP, &never_calls[i], 1)) return false;
    }
    return true;
}

static bool add_rules(scmp_filter_ctx filter, enum seccomp_profile profile)
{
    bool worker = profile != SECCOMP_COMPILER;
    if (SANITIZED) return forbid_never(filter, profile);
    bool ok = allow(filter, SCMP_ACT_ALLOW, common_calls, ARRAY_COUNT(common_calls)) &&
              allow(filter, SCMP_ACT_ERRNO(EACCES), refused_calls, ARRAY_COUNT(refused_calls)) &&
              allow_mapping(filter) && allow_narrow(filter);
    if (ok && worker) ok = allow(filter, SCMP_ACT_ALLOW, worker_calls, ARRAY_COUNT(worker_calls));
    if (ok && profile == SECCOMP_CLIENT) ok = allow_sockets(filter);
    if (ok && !worker)
        ok = allow(filter, SCMP_ACT_ALLOW, compiler_calls, ARRAY_COUNT(compiler_calls)) &&
             allow_threads(filter);
    return ok;
}

static seccomp_violation *on_violation;

static void handle_sigsys(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)context;
    if (on_violation) on_violation(info->si_syscall);
    _exit(SECCOMP_EXIT_CODE);
}

enum status seccomp_apply(enum seccomp_profile profile, seccomp_violation *violation,
                          struct error *err)
{
    struct sigaction action = {.sa_sigaction = handle_sigsys, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    on_violation = violation;
    if (sigaction(SIGSYS, &action, NULL)) return error_set_errno(err, errno, "SIGSYS");
    scmp_filter_ctx filter = seccomp_init(SANITIZED ? SCMP_ACT_ALLOW : SCMP_ACT_TRAP);
    if (!filter) return error_set(err, ST_NO_MEMORY, "seccomp filter");
    int failed = add_rules(filter, profile) ? 0 : -ENOMEM;
    if (!failed) failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!failed) failed = seccomp_load(filter);
    seccomp_release(filter);
    if (!failed) return ST_OK;
    return error_set(err, failed == -ENOMEM ? ST_NO_MEMORY : ST_UNSUPPORTED,
                     "this system allows no filter of system calls (seccomp): %s",
                     strerror(-failed));
}

bool seccomp_is_partial(void)
{
    return SANITIZED;
}

void seccomp_call_name(int number, char name[SECCOMP_NAME_MAX])
{
    char *found = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    snprintf(name, SECCOMP_NAME_MAX, "%s", found ? found : "unknown");
    free(found);
}

enum status process_harden(struct error *err)
{
    const struct rlimit none = {0, 0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
        setrlimit(RLIMIT_CORE, &none))
        return error_set_errno(err, errno, "giving up rights");
    return ST_OK;
}
