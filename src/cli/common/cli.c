#include "common/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_fail(const struct error *err)
{
    return cli_failf("%s", err->text);
}

int cli_failf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("mayfly: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return CLI_FAILED;
}

int cli_usage_error(const char *verb, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("mayfly: ", stderr);
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, " (see mayfly %s%s--help)\n", verb, *verb ? " " : "");
    va_end(ap);
    return CLI_USAGE;
}

struct cli_compile_options cli_compile_options_default(void)
{
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
              __builtin_cpu_supports("fma");
    return (struct cli_compile_options){.level = CLI_LEVEL_OPTIMISED, .cpu_level = v3 ? 3 : 2};
}

static const char *const level_names[] = {"fast", "optimised", "aggressive"};

const char *cli_level_name(enum cli_level level)
{
    return level_names[level];
}

static bool parse_level(const char *word, enum cli_level *ret)
{
    for (size_t i = 0; i < ARRAY_COUNT(level_names); i++) {
        if (strcmp(word, level_names[i])) continue;
        *ret = (enum cli_level)i;
        return true;
    }
    return false;
}

static int compile_option(const char *verb, int id, const char *argument,
                          struct cli_compile_options *options)
{
    if (id == CLI_OPT_LEVEL) {
        if (parse_level(argument, &options->level)) return CLI_OK;
        return cli_usage_error(verb, "--level %s: not fast, optimised or aggressive", argument);
    }
    if (id == CLI_OPT_CPU) {
        options->cpu_level = !strcmp(argument, "x86-64-v2") ? 2 : 3;
        if (options->cpu_level == 2 || !strcmp(argument, "x86-64-v3")) return CLI_OK;
        return cli_usage_error(verb, "--cpu %s: not x86-64-v2 or x86-64-v3", argument);
    }
    options->conforming = !strcmp(argument, "conforming");
    if (options->conforming || !strcmp(argument, "default")) return CLI_OK;
    return cli_usage_error(verb, "--mode %s: not default or conforming", argument);
}

bool cli_compile_option(const char *verb, int id, const char *argument,
                        struct cli_compile_options *options, int *ret_exit)
{
    if (id == CLI_OPT_CACHE || id == CLI_OPT_NO_CACHE) {
        options->cache = argument;
        options->no_cache = id == CLI_OPT_NO_CACHE;
        *ret_exit = CLI_OK;
        return true;
    }
    if (id != CLI_OPT_LEVEL && id != CLI_OPT_CPU && id != 'm') return false;
    *ret_exit = compile_option(verb, id, argument, options);
    return true;
}

int cli_bad_option(const char *verb, int id, char **argv)
{
    if (id == ':') return cli_usage_error(verb, "%s needs a value", argv[optind - 1]);
    if (optopt && optopt < 256) return cli_usage_error(verb, "unknown option -%c", optopt);
    return cli_usage_error(verb, "unknown option %s", argv[optind - 1]);
}

bool cli_parse_u64(const char *word, uint64_t max, uint64_t *ret)
{
    if (*word < '0' || *word > '9') return false; /* strtoull takes signs and blanks */
    char *end;
    errno = 0;
    unsigned long long number = strtoull(word, &end, 10);
    if (errno || *end || number > max) return false;
    *ret = number;
    return true;
}

const char cli_compile_options_help[] =
    "  --level LEVEL   fast: live at once, slower code; optimised (default);\n"
    "                  aggressive: slow to compile, for compute-bound guests\n"
    "  --mode MODE     default, or conforming: keep every load and NaN bit pattern that\n"
    "                  the specification makes visible\n"
    "  --cpu CPU       x86-64-v2 or x86-64-v3 (default: what this machine has)\n"
    "  --cache DIR     where compiled functions are kept, so that only what has changed is\n"
    "                  compiled again (default: functions/ in mayfly's cache)\n"
    "  --no-cache      compile every function anew, and keep none\n";
