#include "compiler_process.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64

int compiler_exec(const char *const *arguments)
{
    struct error err;
    char path[PATH_MAX];
    char functions[PATH_MAX];
    const char *argv[ARGUMENTS_MAX] = {"mayfly-compile"};
    size_t count = 1;
    if (compiler_path(path, sizeof path, &err)) return cli_fail(&err);
    if (!compiler_cache_folder(functions, sizeof functions)) {
        argv[count++] = "--cache";
        argv[count++] = functions;
    }
    for (size_t i = 0; arguments[i]; i++) {
        if (count + 1 >= ARRAY_COUNT(argv)) return cli_usage_error("compile", "too many arguments");
        argv[count++] = arguments[i];
    }
    char **environment = compiler_environment();
    if (!environment) return cli_failf("out of memory");
    execve(path, (char *const *)argv, environment);
    return cli_failf("%s: %s", path, strerror(errno));
}

struct compiler_options compiler_options_of(const struct cli_compile_options *options)
{
    return (struct compiler_options){
        .level = cli_level_name(options->level),
        .mode = options->conforming ? "conforming" : "default",
        .cpu = options->cpu_level == 3 ? "x86-64-v3" : "x86-64-v2",
        .threads = options->threads,
        .cache = options->cache,
        .no_cache = options->no_cache,
    };
}
