/* mayfly-compile: one compile job, from a .wasm file to an artifact.
 *
 * A process of its own, because it reads hostile bytes with LLVM behind it: `mayfly` starts it and
 * takes nothing from it but the artifact, which is verified again. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "codegen/codegen.h"
#include "common/cli.h"
#include "compile/compile.h"
#include "compile/inspect.h"

#define NICE_MAX 19u

static const char help[] =
    "usage: mayfly-compile [options] IN.wasm -o OUT.mfa\n"
    "       mayfly-compile --inspect IN.wasm\n"
    "       mayfly-compile --engine\n"
    "\n"
    "Compiles a WebAssembly module to an artifact for mayfly. The usual way to call it is\n"
    "`mayfly compile`.\n"
    "\n"
    "  -o FILE         where the artifact goes\n"
    "%s"
    "  --threads N     compile on N threads (default: one a core)\n"
    "  --nice N        run with lower priority, 0 to 19 (default: 0)\n"
    "  --stats         print sizes and times to standard error\n"
    "  --inspect       say what the module imports, exports and needs\n"
    "  --engine        print the version of the code generator\n"
    "  -h, --help      this text\n"
    "\n"
    "Exit codes: 0 done, 1 the module is bad or could not be compiled, 2 wrong arguments.\n";

enum option_id { OPT_THREADS = 256, OPT_NICE, OPT_STATS, OPT_INSPECT, OPT_ENGINE };

static const struct option options[] = {
    CLI_COMPILE_LONG_OPTIONS,
    {"threads", required_argument, NULL, OPT_THREADS},
    {"nice", required_argument, NULL, OPT_NICE},
    {"stats", no_argument, NULL, OPT_STATS},
    {"inspect", no_argument, NULL, OPT_INSPECT},
    {"engine", no_argument, NULL, OPT_ENGINE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct arguments {
    struct cli_compile_options compile;
    const char *in, *out;
    bool stats, inspect, engine, help;
};

/* Returns CLI_OK or CLI_USAGE. */
static int parse_option(int id, char **argv, struct arguments *args)
{
    uint64_t number;
    int exit_code;
    if (cli_compile_option("compile", id, optarg, &args->compile, &exit_code)) return exit_code;
    switch (id) {
    case 'h': args->help = true; return CLI_OK;
    case 'o': args->out = optarg; return CLI_OK;
    case OPT_STATS: args->stats = true; return CLI_OK;
    case OPT_INSPECT: args->inspect = true; return CLI_OK;
    case OPT_ENGINE: args->engine = true; return CLI_OK;
    case OPT_THREADS:
        if (cli_parse_u64(optarg, CODEGEN_THREADS_MAX, &number)) {
            args->compile.threads = (uint32_t)number;
            return CLI_OK;
        }
        return cli_usage_error("compile", "--threads %s: not a number up to %u", optarg,
                               CODEGEN_THREADS_MAX);
    case OPT_NICE:
        if (cli_parse_u64(optarg, NICE_MAX, &number) && !setpriority(PRIO_PROCESS, 0, (int)number))
            return CLI_OK;
        return cli_usage_error("compile", "--nice %s: not a number up to %u", optarg, NICE_MAX);
    default: return cli_bad_option("compile", id, argv);
    }
}

int main(int argc, char **argv)
{
    struct arguments args = {.compile = cli_compile_options_default()};
    int id;
    opterr = 0;
    while ((id = getopt_long(argc, argv, ":o:m:h", options, NULL)) != -1) {
        int exit_code = parse_option(id, argv, &args);
        if (exit_code) return exit_code;
    }
    if (args.help) {
        printf(help, cli_compile_options_help);
        return CLI_OK;
    }
    if (args.engine) {
        puts(codegen_engine());
        return CLI_OK;
    }
    if (optind + 1 != argc) return cli_usage_error("compile", "one input file is needed");
    args.in = argv[optind];
    if (!args.inspect && !args.out) return cli_usage_error("compile", "-o OUT.mfa is needed");

    struct error err;
    struct buffer wasm;
    buffer_init(&wasm, CLI_WASM_BYTES_MAX);
    enum status st = file_read(args.in, &wasm, &err);
    if (!st && args.inspect)
        st = inspect_module(args.in, &wasm, &err);
    else if (!st)
        st = compile_module(args.in, &wasm, &args.compile, args.out, args.stats, &err);
    buffer_done(&wasm);
    return st ? cli_fail(&err) : CLI_OK;
}
