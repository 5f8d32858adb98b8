/* What the commands of both executables share: exit codes, messages, compile options.
 *
 * Messages go to standard error as "mayfly: <one line>"; standard output is for results only. */
#ifndef CLI_COMMON_CLI_H
#define CLI_COMMON_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,    /* bad input, or the work could not be done; a message says why */
    CLI_USAGE = 2,     /* wrong arguments */
    CLI_TRAPPED = 134, /* `mayfly run`: the guest trapped (128 + SIGABRT, as other runtimes say) */
};

#define CLI_WASM_BYTES_MAX (256u << 20) /* of a module on the command line */

/* One line to standard error; returns CLI_FAILED. */
int cli_fail(const struct error *err);
int cli_failf(const char *fmt, ...) PRINTF(1, 2);

/* As cli_failf(), then " (see mayfly VERB --help)"; returns CLI_USAGE. */
int cli_usage_error(const char *verb, const char *fmt, ...) PRINTF(2, 3);

/* ---- options of compilation ---- */

enum cli_level { CLI_LEVEL_FAST, CLI_LEVEL_OPTIMISED, CLI_LEVEL_AGGRESSIVE };

struct cli_compile_options {
    enum cli_level level;
    bool conforming;
    uint32_t cpu_level; /* 2 or 3 */
    uint32_t threads;   /* 0: one a core */
    bool no_start;      /* initialisers run in every instance rather than at deploy */
    const char *cache;  /* the folder of compiled functions; NULL: what is usual for the command */
    bool no_cache;      /* use none */
};

/* optimised, not conforming, x86-64-v3 where this machine has it and -v2 elsewhere. */
struct cli_compile_options cli_compile_options_default(void);

/* The options themselves, for getopt_long(): entries of a `struct option` table, "m:" among the
 * short ones, and the function for the ids that getopt_long() returns for them. */
enum cli_option { CLI_OPT_LEVEL = 1000, CLI_OPT_CPU, CLI_OPT_CACHE, CLI_OPT_NO_CACHE };
#define CLI_COMPILE_LONG_OPTIONS                                                                   \
    {"level", required_argument, NULL, CLI_OPT_LEVEL}, {"mode", required_argument, NULL, 'm'},     \
        {"cache", required_argument, NULL, CLI_OPT_CACHE},                                         \
        {"no-cache", no_argument, NULL, CLI_OPT_NO_CACHE},                                         \
    {                                                                                              \
        "cpu", required_argument, NULL, CLI_OPT_CPU                                                \
    }

/* True when `id` was one of them; then *ret_exit is CLI_OK or CLI_USAGE, after a message. */
bool cli_compile_option(const char *verb, int id, const char *argument,
                        struct cli_compile_options *options, int *ret_exit);

/* For what getopt_long() returns as '?' or ':' (with opterr 0): the message, and CLI_USAGE. */
int cli_bad_option(const char *verb, int id, char **argv);

const char *cli_level_name(enum cli_level level);

/* A decimal number up to `max`; false for anything else. */
bool cli_parse_u64(const char *word, uint64_t max, uint64_t *ret);

/* The paragraph of --help that explains them. */
extern const char cli_compile_options_help[];

#endif
