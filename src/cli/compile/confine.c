#include "compile/confine.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "common/cli.h"
#include "os/seccomp.h"

/* ---- the child ---- */

static int violation_fd = -1;

static void tell_violation(int number)
{
    ssize_t ignored = write(violation_fd, &number, sizeof number);
    (void)ignored;
}

/* What the caller has limited further stays so. */
static bool set_limit(int resource, uint64_t value)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit)) return false;
    if (limit.rlim_max > value) limit.rlim_max = value;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    return !setrlimit((__rlimit_resource_t)resource, &limit);
}

static enum status set_limits(uint32_t deadline_s, struct error *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    bool ok = set_limit(RLIMIT_CPU, (uint64_t)deadline_s * (cores > 0 ? (uint64_t)cores : 1)) &&
              set_limit(RLIMIT_FSIZE, ARTIFACT_BYTES_MAX) && set_limit(RLIMIT_CORE, 0) &&
              set_limit(RLIMIT_NOFILE, COMPILE_FILES_MAX);
    /* The shadow memory of sanitizers is larger than any limit. */
    if (ok && !seccomp_is_partial())
        ok = set_limit(RLIMIT_DATA, COMPILE_MEMORY_BYTES_MAX) &&
             set_limit(RLIMIT_AS, COMPILE_ADDRESS_BYTES_MAX);
    return ok ? ST_OK : error_set_errno(err, errno, "limits of a compile job");
}

static NORETURN void child(const struct confine_job *job, int out_fd, pid_t parent)
{
    struct error err;
    /* Without its parent it has no purpose. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(CLI_FAILED);
    enum status st = set_limits(job->deadline_s, &err);
    if (!st) st = process_harden(&err);
    if (!st) st = seccomp_apply(SECCOMP_COMPILER, tell_violation, &err);
    exit(st ? cli_fail(&err) : job->run(job->context, out_fd));
}

/* ---- the outcome's file ---- */

struct outcome {
    int fd;
    char temporary[PATH_MAX]; /* empty: the file has no name yet */
};

static bool temporary_name(const char *out, char name[PATH_MAX])
{
    int length = snprintf(name, PATH_MAX, "%s.%ld", out, (long)getpid());
    return length > 0 && length < PATH_MAX;
}

/* A file without a name, where the file system has such, so that nothing is left of a job that is
 * killed. */
static int open_nameless(const char *out)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(out, '/');
    size_t length = slash ? (size_t)(slash - out) + 1 : 1;
    if (length >= sizeof folder) return -1;
    memcpy(folder, slash ? out : ".", length);
    folder[length] = '\0';
    return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
}

static enum status open_outcome(const char *out, struct outcome *o, struct error *err)
{
    o->temporary[0] = '\0';
    o->fd = open_nameless(out);
    if (o->fd >= 0) return ST_OK;
    if (!temporary_name(out, o->temporary))
        return error_set(err, ST_LIMIT, "%s: path too long", out);
    o->fd = open(o->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    return o->fd < 0 ? error_set_errno(err, errno, "%s", out) : ST_OK;
}

static enum status publish(struct outcome *o, const char *out, struct error *err)
{
    if (!o->temporary[0]) {
        char self[64];
        snprintf(self, sizeof self, "/proc/self/fd/%d", o->fd);
        if (!temporary_name(out, o->temporary))
            return error_set(err, ST_LIMIT, "%s: path too long", out);
        unlink(o->temporary); /* of a process that had our number before */
        if (linkat(AT_FDCWD, self, AT_FDCWD, o->temporary, AT_SYMLINK_FOLLOW)) {
            int number = errno;
            o->temporary[0] = '\0';
            return error_set_errno(err, number, "%s", out);
        }
    }
    if (rename(o->temporary, out)) return error_set_errno(err, errno, "%s", out);
    o->temporary[0] = '\0';
    return ST_OK;
}

static void close_outcome(struct outcome *o)
{
    if (o->temporary[0]) unlink(o->temporary);
    if (o->fd >= 0) close(o->fd);
}

/* ---- the parent ---- */

/* False: the deadline has passed. */
static bool wait_until(pid_t pid, uint32_t deadline_s)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) return true; /* an old system: RLIMIT_CPU will do */
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    int ready;
    do ready = poll(&ended, 1, (int)(deadline_s * 1000u));
    while (ready < 0 && errno == EINTR);
    close(fd);
    return ready != 0;
}

static int explain(const struct confine_job *job, int state, bool in_time, int report_fd)
{
    int number;
    char name[SECCOMP_NAME_MAX];
    if (!in_time || (WIFSIGNALED(state) && WTERMSIG(state) == SIGXCPU))
        return cli_failf("%s: compiling took longer than %u s (--deadline)", job->name,
                         job->deadline_s);
    if (WIFEXITED(state) && WEXITSTATUS(state) != SECCOMP_EXIT_CODE) return WEXITSTATUS(state);
    if (WIFEXITED(state) && read(report_fd, &number, sizeof number) == (ssize_t)sizeof number) {
        seccomp_call_name(number, name);
        return cli_failf("%s: compiling it made the system call %s, which is forbidden", job->name,
                         name);
    }
    if (WIFEXITED(state)) return cli_failf("%s: compiling it was stopped", job->name);
    if (WTERMSIG(state) == SIGXFSZ)
        return cli_failf("%s: the artifact is larger than %llu MiB", job->name,
                         (unsigned long long)(ARTIFACT_BYTES_MAX >> 20));
    return cli_failf("%s: the compiler was ended by signal %d (%s)%s", job->name, WTERMSIG(state),
                     strsignal(WTERMSIG(state)),
                     WTERMSIG(state) == SIGABRT || WTERMSIG(state) == SIGKILL
                         ? ", perhaps for lack of memory"
                         : "");
}

static int run_child(const struct confine_job *job, int out_fd)
{
    int report[2], state = 0;
    if (pipe2(report, O_CLOEXEC | O_NONBLOCK)) return cli_failf("pipe: %s", strerror(errno));
    violation_fd = report[1];
    pid_t self = getpid();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) child(job, out_fd, self);
    int exit_code = CLI_FAILED;
    if (pid < 0) {
        exit_code = cli_failf("fork: %s", strerror(errno));
    } else {
        bool wanted = !job->meanwhile || job->meanwhile(job->context);
        bool in_time = wanted && wait_until(pid, job->deadline_s);
        if (!in_time) kill(pid, SIGKILL);
        while (waitpid(pid, &state, 0) < 0 && errno == EINTR) {
        }
        if (wanted) exit_code = explain(job, state, in_time, report[0]);
    }
    close(report[0]);
    close(report[1]);
    return exit_code;
}

int confine_run(const struct confine_job *job)
{
    struct outcome outcome = {.fd = -1};
    struct error err;
    assert(job->run && job->deadline_s && job->deadline_s <= COMPILE_DEADLINE_S_MAX);
    if (job->out && open_outcome(job->out, &outcome, &err)) return cli_fail(&err);
    int exit_code = run_child(job, outcome.fd);
    if (!exit_code && job->out && publish(&outcome, job->out, &err)) exit_code = cli_fail(&err);
    close_outcome(&outcome);
    return exit_code;
}
