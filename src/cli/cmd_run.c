/* mayfly run: a WASI command, here and now. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "commands.h"
#include "common/cli.h"
#include "compiler_process.h"
#include "node/program_file.h"
#include "run.h"
#include "wasi/wasi_http.h"

static const char help[] =
    "usage: mayfly run [options] FILE [ARGUMENT…]\n"
    "\n"
    "Runs a WASI command: a module (preview 1), a component that exports wasi:cli/run (0.2), or\n"
    "an artifact (.mfa) of either. It sees its arguments, the standard streams, clocks and\n"
    "randomness, and nothing else that is not granted here.\n"
    "\n"
    "  --dir HOST[::GUEST][:ro]\n"
    "                  the folder HOST as GUEST (default: the same name), with :ro for reading\n"
    "                  only; the guest cannot leave it. A component only reads\n"
    "  --env K=V       an environment variable; --env K passes on this process's own\n"
    "%s%s"
    "  -h, --help      this text\n"
    "\n"
    "Options stand before FILE; what follows it is the guest's.\n"
    "\n"
    "Exit codes: the guest's own; 1 the file is bad or asks for what is not granted, 2 wrong\n"
    "arguments, 134 the guest trapped (the trap and a backtrace are printed).\n";

enum option_id { OPT_DIR = 256 };

static const struct option options[] = {
    {"dir", required_argument, NULL, OPT_DIR}, GUEST_LONG_OPTIONS, CLI_COMPILE_LONG_OPTIONS,
    {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
};

struct arguments {
    struct cli_compile_options compile;
    struct run_grants grants;
    bool help;
};

/* "HOST", "HOST::GUEST", either with ":ro" behind. The guest's name stays in `text`. */
static int add_folder(struct arguments *args, char *text)
{
    if (args->grants.preopens_count == WASI_PREOPENS_MAX)
        return cli_usage_error("run", "more than %u --dir", WASI_PREOPENS_MAX);
    struct wasi_preopen *folder = &args->grants.preopens[args->grants.preopens_count];
    size_t length = strlen(text);
    if (length > 3 && !strcmp(text + length - 3, ":ro")) {
        folder->read_only = true;
        text[length - 3] = '\0';
    }
    char *separator = strstr(text, "::");
    folder->guest_name = separator ? separator + 2 : text;
    if (separator) *separator = '\0';
    if (!*text || !*folder->guest_name)
        return cli_usage_error("run", "--dir takes HOST::GUEST, two names of folders");
    folder->fd = open(text, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0) return cli_failf("--dir %s: %s", text, strerror(errno));
    args->grants.preopens_count++;
    return CLI_OK;
}

static int parse(int argc, char **argv, struct arguments *args)
{
    int id, exit_code;
    opterr = 0;
    while ((id = getopt_long(argc, argv, "+:m:h", options, NULL)) != -1) {
        if (cli_compile_option("run", id, optarg, &args->compile, &exit_code) ||
            guest_option("run", id, optarg, &args->grants.guest, &exit_code)) {
            if (exit_code) return exit_code;
        } else if (id == OPT_DIR) {
            exit_code = add_folder(args, optarg);
            if (exit_code) return exit_code;
        } else if (id == 'h') {
            args->help = true;
            return CLI_OK;
        } else {
            return cli_bad_option("run", id, argv);
        }
    }
    if (optind >= argc) return cli_usage_error("run", "a file is needed");
    return CLI_OK;
}

int run_report(struct instance *instance, const char *path, enum call_result result)
{
    if (result == CALL_RETURNED) return CLI_OK;
    if (result == CALL_EXITED) return (int)(instance_exit_code(instance) & 0xff);
    struct buffer text;
    buffer_init(&text, 1u << 20);
    trap_print(instance, &text);
    fprintf(stderr, "mayfly: %s: %.*s", path, (int)text.size_bytes, (const char *)text.data);
    buffer_done(&text);
    return CLI_TRAPPED;
}

int run_refused(const char *path, const struct error *err)
{
    const char *hint = err->status == ST_LIMIT ? " (--memory MIB allows more)" : "";
    return cli_failf("%s: %s%s", path, err->text, hint);
}

static int call_start(struct module *module, const struct run_grants *grants, const char *path,
                      struct wasi_preview1 *preview1)
{
    struct error err;
    struct wasi_context context = {.preview1 = preview1};
    struct instance_config config = {
        .memory_bytes_max = grants->guest.memory_bytes_max,
        .stack_bytes = grants->guest.stack_bytes,
        .context = &context,
    };
    struct instance *instance = NULL;
    const struct artifact_export *start =
        artifact_find_export(module_artifact(module), "_start", 0);
    if (!start)
        return cli_failf(
            "%s: exports no \"_start\": not a WASI command, so there is nothing to run", path);
    if (instance_new(module, &config, &instance, &err)) return run_refused(path, &err);
    struct value none[1];
    enum call_result result = instance_init_all(instance);
    if (result == CALL_RETURNED) result = instance_call(instance, start->index, none);
    int exit_code = run_report(instance, path, result);
    instance_free(instance);
    return exit_code;
}

static int run_module(struct module *module, const struct run_grants *grants, char **argv,
                      size_t argc)
{
    struct error err;
    struct wasi_preview1 *preview1 = NULL;
    struct wasi_preview1_config config = {
        .args = (const char *const *)argv,
        .args_count = argc,
        .env = grants->guest.env,
        .env_count = grants->guest.env_count,
        .stdio = {wasi_stream_fd(0), wasi_stream_fd(1), wasi_stream_fd(2)},
        .preopens = grants->preopens,
        .preopens_count = grants->preopens_count,
        .clock = clock_system(),
        .random = random_system(),
        .waiter = wasi_waiter_poll(clock_system()),
        .cpu_time_ns = wasi_cpu_time_thread_ns,
    };
    if (wasi_preview1_new(&config, &preview1, &err)) return cli_fail(&err);
    int exit_code = call_start(module, grants, argv[0], preview1);
    wasi_preview1_free(preview1);
    return exit_code;
}

static enum status link_file(struct artifact *artifact, bool is_component, struct module **ret,
                             struct error *err)
{
    size_t count;
    const struct host_set *sets = wasi_preview1_sets(&count);
    return is_component ? module_new(artifact, wasi_component_set(), 1, ret, err)
                        : module_new(artifact, sets, count, ret, err);
}

static int run_file(const struct arguments *args, char **argv, size_t argc)
{
    const char *path = argv[0];
    struct error err;
    struct artifact *artifact = NULL;
    struct module *module = NULL;
    bool compiled;
    struct compiler_options compile = compiler_options_of(&args->compile);
    if (runtime_init(&err) || runtime_thread_init(&err)) return cli_fail(&err);
    if (program_file_open(path, &compile, &artifact, &compiled, &err))
        return *err.text ? cli_fail(&err) : CLI_FAILED;
    bool is_component = run_is_component(artifact);
    if (link_file(artifact, is_component, &module, &err)) {
        artifact_close(artifact);
        error_prefix(&err, "%s", path);
        return cli_fail(&err);
    }
    int exit_code = is_component ? run_component(module, &args->grants, argv, argc)
                                 : run_module(module, &args->grants, argv, argc);
    module_free(module);
    return exit_code;
}

int cmd_run(int argc, char **argv)
{
    struct arguments args = {.compile = cli_compile_options_default()};
    int exit_code = parse(argc, argv, &args);
    if (exit_code) return exit_code;
    if (args.help) {
        printf(help, guest_options_help, cli_compile_options_help);
        return CLI_OK;
    }
    signal(SIGPIPE, SIG_IGN);
    exit_code = run_file(&args, argv + optind, (size_t)(argc - optind));
    for (size_t i = 0; i < args.grants.preopens_count; i++) close(args.grants.preopens[i].fd);
    return exit_code;
}
