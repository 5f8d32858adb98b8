#include "compiler_process.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPILER_NAME      "mayfly-compile"
#define COMPILER_ARGUMENTS 16

extern char **environ;

enum status compiler_path(char *path, size_t size_bytes, struct error *err)
{
    static const char *const places[] = {"/" COMPILER_NAME, "/../libexec/mayfly/" COMPILER_NAME};
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) return error_set_errno(err, errno, "/proc/self/exe");
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        int used = snprintf(path, size_bytes, "%s%s", self, places[i]);
        if (used > 0 && (size_t)used < size_bytes && !access(path, X_OK)) return ST_OK;
    }
    return error_set(err, ST_NOT_FOUND,
                     COMPILER_NAME " is neither in %s nor in %s/../libexec/mayfly: install both "
                                   "executables together",
                     self, self);
}

int compiler_exec(const char *const *arguments)
{
    struct error err;
    char path[PATH_MAX];
    const char *argv[COMPILER_ARGUMENTS * 4] = {COMPILER_NAME};
    if (compiler_path(path, sizeof path, &err)) return cli_fail(&err);
    for (size_t i = 0; arguments[i]; i++) {
        if (i + 2 >= ARRAY_COUNT(argv)) return cli_usage_error("compile", "too many arguments");
        argv[i + 1] = arguments[i];
    }
    execv(path, (char *const *)argv);
    return cli_failf("%s: %s", path, strerror(errno));
}

static enum status wait_for(pid_t child, struct error *err)
{
    int state;
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR) return error_set_errno(err, errno, "waiting for " COMPILER_NAME);
    if (WIFEXITED(state) && WEXITSTATUS(state) == CLI_OK) return ST_OK;
    if (WIFEXITED(state)) return error_set(err, ST_INVALID, "%s", "");
    return error_set(err, ST_INTERNAL, COMPILER_NAME " was ended by signal %d (%s)",
                     WTERMSIG(state), strsignal(WTERMSIG(state)));
}

enum status compiler_run(const char *in, const char *out, const struct cli_compile_options *options,
                         struct error *err)
{
    char path[PATH_MAX], threads[16];
    enum status st = compiler_path(path, sizeof path, err);
    if (st) return st;
    snprintf(threads, sizeof threads, "%u", options->threads);
    const char *argv[COMPILER_ARGUMENTS] = {
        COMPILER_NAME,
        "--level",
        cli_level_name(options->level),
        "--mode",
        options->conforming ? "conforming" : "default",
        "--cpu",
        options->cpu_level == 3 ? "x86-64-v3" : "x86-64-v2",
        "--threads",
        threads,
        "-o",
        out,
        "--",
        in,
    };
    pid_t child;
    int number = posix_spawn(&child, path, NULL, NULL, (char *const *)argv, environ);
    if (number) return error_set_errno(err, number, "%s", path);
    return wait_for(child, err);
}
