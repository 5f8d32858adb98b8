#include "node/compiler.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "node/cache_folder.h"

#define COMPILER_NAME      "mayfly-compile"
#define COMPILER_ARGUMENTS 20

/* A job touches 200 MB once and ends. In huge pages, and taken 32 MiB at a time, that is a third of
 * the page faults and of the system calls. */
#define TUNABLES_NAME "GLIBC_TUNABLES"
#define TUNABLES      TUNABLES_NAME "=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=33554432"

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

char **compiler_environment(void)
{
    static char tunables[] = TUNABLES;
    size_t count = 0;
    while (environ[count]) count++;
    char **ret = calloc(count + 2, sizeof *ret);
    if (!ret) return NULL;
    memcpy(ret, environ, count * sizeof *ret);
    if (!getenv(TUNABLES_NAME)) ret[count] = tunables;
    return ret;
}

/* The child blocks no signals, whatever this process waits for. */
static int spawn(const char *path, char *const *argv, int message_fd, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    char **environment = compiler_environment();
    int number = environment ? posix_spawnattr_setsigmask(&attributes, &none) : ENOMEM;
    if (!number) number = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (!number && message_fd >= 0)
        number = posix_spawn_file_actions_adddup2(&actions, message_fd, STDERR_FILENO);
    if (!number) number = posix_spawn(ret, path, &actions, &attributes, argv, environment);
    free(environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return number;
}

enum status compiler_cache_folder(char *path, size_t size_bytes)
{
    return cache_folder_path("functions", path, size_bytes, NULL);
}

enum status compiler_start(const char *in, const char *out, const struct compiler_options *options,
                           int message_fd, pid_t *ret, struct error *err)
{
    char path[PATH_MAX], functions[PATH_MAX], threads[16], nice_text[16];
    enum status st = compiler_path(path, sizeof path, err);
    if (st) return st;
    snprintf(threads, sizeof threads, "%u", options->threads);
    snprintf(nice_text, sizeof nice_text, "%u", options->nice);
    const char *argv[COMPILER_ARGUMENTS] = {
        COMPILER_NAME, "--level", options->level, "--mode",  options->mode, "--cpu", options->cpu,
        "--threads",   threads,   "--nice",       nice_text, "-o",          out,
    };
    size_t count = 13;
    const char *cache = options->cache;
    if (!cache && !options->no_cache && !compiler_cache_folder(functions, sizeof functions))
        cache = functions;
    if (cache) {
        argv[count++] = "--cache";
        argv[count++] = cache;
    }
    if (options->digest) {
        argv[count++] = "--digest";
        argv[count++] = options->digest;
    }
    argv[count++] = "--";
    argv[count++] = in;
    int number = spawn(path, (char *const *)argv, message_fd, ret);
    return number ? error_set_errno(err, number, "%s", path) : ST_OK;
}

enum status compiler_outcome(int state, struct error *err)
{
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return ST_OK;
    if (WIFEXITED(state)) return error_set(err, ST_INVALID, "%s", "");
    return error_set(err, ST_INTERNAL, COMPILER_NAME " was ended by signal %d (%s)",
                     WTERMSIG(state), strsignal(WTERMSIG(state)));
}

enum status compiler_run(const char *in, const char *out, const struct compiler_options *options,
                         struct error *err)
{
    pid_t child;
    int state;
    enum status st = compiler_start(in, out, options, -1, &child, err);
    if (st) return st;
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR) return error_set_errno(err, errno, "waiting for " COMPILER_NAME);
    return compiler_outcome(state, err);
}

void compiler_cache_name(const char *wasm_hex, const struct compiler_options *options,
                         char name[COMPILER_CACHE_NAME_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    char text[SHA256_HEX + 128], hex[SHA256_HEX];
    int length = snprintf(text, sizeof text, "%s %s %s %s %s", wasm_hex, ARTIFACT_ENGINE,
                          options->level, options->mode, options->cpu);
    sha256(text, (size_t)length, digest);
    sha256_hex(digest, hex);
    snprintf(name, COMPILER_CACHE_NAME_BYTES, "%s.mfa", hex);
}
