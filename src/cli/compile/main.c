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
#include "base/sha256.h"
#include "base/threads.h"
#include "codegen/codegen.h"
#include "codegen/function_store.h"
#include "common/cli.h"
#include "compile/compile.h"
#include "compile/confine.h"
#include "compile/inspect.h"
#include "component/component.h"

#define NICE_MAX 19u
#define MIB_LOG2 20u

static const char help[] =
    "usage: mayfly-compile [options] IN.wasm -o OUT.mfa\n"
    "       mayfly-compile --inspect IN.wasm\n"
    "       mayfly-compile --engine\n"
    "\n"
    "Compiles a WebAssembly module or component to an artifact for mayfly. The usual way to call "
    "it is\n"
    "`mayfly compile`.\n"
    "\n"
    "  -o FILE         where the artifact goes\n"
    "%s"
    "  --threads N     compile on N threads (default: one a core)\n"
    "  --nice N        run with lower priority, 0 to 19 (default: 0)\n"
    "  --deadline S    give up after so many seconds (default: 600)\n"
    "  --digest HEX    refuse a module whose SHA-256 is another\n"
    "  --no-start      do not run the module's initialisers now, but in every instance\n"
    "  --cache-size M  MiB that the folder of --cache may grow to (default: 1024)\n"
    "  --verify-cache  compile what is cached too, and fail if that differs\n"
    "  --stats         print sizes and times to standard error\n"
    "  --inspect       say what the module imports, exports and needs\n"
    "  --engine        print the version of the code generator\n"
    "  -h, --help      this text\n"
    "\n"
    "Exit codes: 0 done, 1 the module is bad or could not be compiled, 2 wrong arguments.\n";

enum option_id {
    OPT_THREADS = 256,
    OPT_NICE,
    OPT_DEADLINE,
    OPT_DIGEST,
    OPT_NO_START,
    OPT_STATS,
    OPT_CACHE_SIZE,
    OPT_VERIFY_CACHE,
    OPT_INSPECT,
    OPT_ENGINE
};

static const struct option options[] = {
    CLI_COMPILE_LONG_OPTIONS,
    {"threads", required_argument, NULL, OPT_THREADS},
    {"nice", required_argument, NULL, OPT_NICE},
    {"deadline", required_argument, NULL, OPT_DEADLINE},
    {"digest", required_argument, NULL, OPT_DIGEST},
    {"no-start", no_argument, NULL, OPT_NO_START},
    {"cache-size", required_argument, NULL, OPT_CACHE_SIZE},
    {"verify-cache", no_argument, NULL, OPT_VERIFY_CACHE},
    {"stats", no_argument, NULL, OPT_STATS},
    {"inspect", no_argument, NULL, OPT_INSPECT},
    {"engine", no_argument, NULL, OPT_ENGINE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct arguments {
    struct cli_compile_options compile;
    const char *in, *out, *digest;
    uint64_t cache_bytes_max;
    struct compile_cache job_cache;
    struct buffer wasm;
    uint32_t deadline_s;
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
    case OPT_NO_START: args->compile.no_start = true; return CLI_OK;
    case OPT_STATS: args->stats = true; return CLI_OK;
    case OPT_INSPECT: args->inspect = true; return CLI_OK;
    case OPT_ENGINE: args->engine = true; return CLI_OK;
    case OPT_THREADS:
        if (cli_parse_u64(optarg, THREADS_MAX, &number)) {
            args->compile.threads = (uint32_t)number;
            return CLI_OK;
        }
        return cli_usage_error("compile", "--threads %s: not a number up to %u", optarg,
                               THREADS_MAX);
    case OPT_VERIFY_CACHE: args->job_cache.verify = true; return CLI_OK;
    case OPT_CACHE_SIZE:
        if (cli_parse_u64(optarg, FUNCTION_STORE_BYTES_MAX >> MIB_LOG2, &number) && number) {
            args->cache_bytes_max = number << MIB_LOG2;
            return CLI_OK;
        }
        return cli_usage_error("compile", "--cache-size %s: not a number of MiB from 1 to %llu",
                               optarg, FUNCTION_STORE_BYTES_MAX >> MIB_LOG2);
    case OPT_DIGEST: args->digest = optarg; return CLI_OK;
    case OPT_DEADLINE:
        if (cli_parse_u64(optarg, COMPILE_DEADLINE_S_MAX, &number) && number) {
            args->deadline_s = (uint32_t)number;
            return CLI_OK;
        }
        return cli_usage_error("compile", "--deadline %s: not a number of seconds from 1 to %u",
                               optarg, COMPILE_DEADLINE_S_MAX);
    case OPT_NICE:
        if (cli_parse_u64(optarg, NICE_MAX, &number) && !setpriority(PRIO_PROCESS, 0, (int)number))
            return CLI_OK;
        return cli_usage_error("compile", "--nice %s: not a number up to %u", optarg, NICE_MAX);
    default: return cli_bad_option("compile", id, argv);
    }
}

/* In the child. */
static int run_job(void *context, int out_fd)
{
    const struct arguments *args = context;
    struct error err;
    enum status st;
    if (!args->inspect)
        st = compile_program(args->in, &args->wasm, &args->compile, &args->job_cache, out_fd,
                             args->stats, &err);
    else if (component_is(args->wasm.data, args->wasm.size_bytes))
        st = inspect_component(args->in, &args->wasm, &err);
    else
        st = inspect_module(args->in, &args->wasm, &err);
    return st ? cli_fail(&err) : CLI_OK;
}

/* The outcome is kept under the name of bytes that somebody has read before. In the parent, whose
 * memory the child cannot change. */
static bool check_digest(void *context)
{
    const struct arguments *args = context;
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX];
    if (!args->digest) return true;
    sha256(args->wasm.data, args->wasm.size_bytes, digest);
    sha256_hex(digest, hex);
    if (!strcmp(hex, args->digest)) return true;
    cli_failf("%s: was changed meanwhile", args->in);
    return false;
}

/* Without its cache a module is compiled all the same. */
static void warn(const struct error *err)
{
    fprintf(stderr, "mayfly: functions are not cached: %s\n", err->text);
}

static int compile(struct arguments *args, const struct confine_job *job)
{
    struct function_store *store = NULL;
    struct error err;
    const char *folder = args->compile.cache;
    if (folder && !args->inspect) {
        if (function_store_open(folder, args->cache_bytes_max, &store, &err)) warn(&err);
        if (store) args->job_cache.files = function_store_files(store);
    }
    int exit_code = confine_run(job);
    if (!exit_code && store && function_store_commit(store, &err)) warn(&err);
    function_store_close(store);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct arguments args = {.compile = cli_compile_options_default(),
                             .deadline_s = COMPILE_DEADLINE_S_DEFAULT,
                             .cache_bytes_max = FUNCTION_STORE_BYTES_DEFAULT};
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

    struct confine_job job = {
        .name = args.in,
        .out = args.inspect ? NULL : args.out,
        .deadline_s = args.deadline_s,
        .run = run_job,
        .meanwhile = check_digest,
        .context = &args,
    };
    struct error err;
    buffer_init(&args.wasm, CLI_WASM_BYTES_MAX);
    enum status st = file_read(args.in, &args.wasm, &err);
    int exit_code = st ? cli_fail(&err) : compile(&args, &job);
    buffer_done(&args.wasm);
    return exit_code;
}
