/* mayfly serve: apps behind HTTP. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "commands.h"
#include "common/cli.h"
#include "compiler_process.h"
#include "edge/edge.h"
#include "guest_options.h"
#include "http/http.h"
#include "node/program_file.h"
#include "os/loop.h"
#include "runtime/runtime.h"

#define LISTEN_DEFAULT   "127.0.0.1:8080"
#define HOST_BYTES_MAX   256u
#define DRAIN_GRACE_MS   10000u
#define INSTANCES_MAX    100000u
#define CPU_MS_MAX       86400000u
#define WALL_SECONDS_MAX 86400u

static const char help[] =
    "usage: mayfly serve [options] FILE|FOLDER\n"
    "\n"
    "Answers HTTP with WebAssembly programs: each request gets a fresh instance of a WASI preview "
    "1\n"
    "command, which runs as a CGI program. Of a FOLDER, every NAME.wasm and NAME.mfa is an app "
    "that\n"
    "answers at the path /NAME/ and at the host NAME.localhost; a single FILE answers every path.\n"
    "\n"
    "  --listen HOST:PORT\n"
    "                  default: " LISTEN_DEFAULT "; port 0 lets the system choose\n"
    "  --env K=V       an environment variable for every program; --env K passes on this "
    "process's\n"
    "%s"
    "  --instances N   of one app at a time (default: 1024); then 503\n"
    "  --cpu-limit MS  CPU time of a request in milliseconds (default: 50; 0: no limit); then 503\n"
    "  --timeout S     seconds from a request's head to the end of its answer (default: 30)\n"
    "  --access-log    log every request, not only what goes wrong\n"
    "%s"
    "  -h, --help      this text\n"
    "\n"
    "Standard output says where it listens, and a line per app; the log goes to standard error.\n"
    "SIGINT and SIGTERM let requests finish, then end it.\n"
    "\n"
    "Exit codes: 0 ended by a signal, 1 nothing could be served (one line says why), 2 wrong\n"
    "arguments.\n";

enum option_id { OPT_LISTEN = 256, OPT_INSTANCES, OPT_CPU_LIMIT, OPT_TIMEOUT, OPT_ACCESS_LOG };

static const struct option options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"instances", required_argument, NULL, OPT_INSTANCES},
    {"cpu-limit", required_argument, NULL, OPT_CPU_LIMIT},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"access-log", no_argument, NULL, OPT_ACCESS_LOG},
    GUEST_LONG_OPTIONS,
    CLI_COMPILE_LONG_OPTIONS,
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct arguments {
    struct cli_compile_options compile;
    struct guest_options guest;
    struct edge_limits limits;
    const char *listen_text;
    struct http_listen listen;
    char host[HOST_BYTES_MAX];
    bool access_log, help;
};

struct serving {
    const struct arguments *args;
    struct loop *loop;
    struct edge *edge;
    struct http_server *server;
    bool draining;
    char **names; /* of the apps, sorted */
    size_t names_count;
};

static int parse_number(const char *name, uint64_t max, uint64_t *ret)
{
    if (cli_parse_u64(optarg, max, ret) && *ret) return CLI_OK;
    return cli_usage_error("serve", "--%s %s: not a number from 1 to %lu", name, optarg,
                           (unsigned long)max);
}

static int parse_option(int id, char **argv, struct arguments *args)
{
    int exit_code;
    uint64_t number = 0;
    if (cli_compile_option("serve", id, optarg, &args->compile, &exit_code)) return exit_code;
    if (guest_option("serve", id, optarg, &args->guest, &exit_code)) return exit_code;
    switch (id) {
    case OPT_LISTEN: args->listen_text = optarg; return CLI_OK;
    case OPT_ACCESS_LOG: args->access_log = true; return CLI_OK;
    case 'h': args->help = true; return CLI_OK;
    case OPT_INSTANCES:
        exit_code = parse_number("instances", INSTANCES_MAX, &number);
        args->limits.instances_max = (uint32_t)number;
        return exit_code;
    case OPT_CPU_LIMIT:
        if (!cli_parse_u64(optarg, CPU_MS_MAX, &number))
            return cli_usage_error("serve", "--cpu-limit %s: not a number of ms up to %u", optarg,
                                   CPU_MS_MAX);
        args->limits.cpu_ms = (uint32_t)number;
        return CLI_OK;
    case OPT_TIMEOUT:
        exit_code = parse_number("timeout", WALL_SECONDS_MAX, &number);
        args->limits.wall_ms = (uint32_t)number * 1000u;
        return exit_code;
    default: return cli_bad_option("serve", id, argv);
    }
}

static int parse(int argc, char **argv, struct arguments *args)
{
    int id;
    struct error err;
    opterr = 0;
    while ((id = getopt_long(argc, argv, ":m:h", options, NULL)) != -1) {
        int exit_code = parse_option(id, argv, args);
        if (exit_code || args->help) return exit_code;
    }
    if (optind + 1 != argc) return cli_usage_error("serve", "one file or folder is needed");
    if (http_listen_parse(args->listen_text, args->host, sizeof args->host, &args->listen, &err))
        return cli_usage_error("serve", "--listen %s: %s", args->listen_text, err.text);
    args->limits.memory_bytes_max = args->guest.memory_bytes_max;
    args->limits.stack_bytes = args->guest.stack_bytes;
    return CLI_OK;
}

/* ---- apps ---- */

/* The name in `path` without its folders and its ".wasm" or ".mfa"; false when it has neither. */
static bool app_name(const char *path, char *name, size_t size_bytes)
{
    static const char *const suffixes[] = {".wasm", ".mfa"};
    const char *slash = strrchr(path, '/');
    snprintf(name, size_bytes, "%s", slash ? slash + 1 : path);
    size_t length = strlen(name);
    for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
        size_t suffix = strlen(suffixes[i]);
        if (length <= suffix || strcmp(name + length - suffix, suffixes[i])) continue;
        name[length - suffix] = '\0';
        return true;
    }
    return false;
}

/* Compiles if need be, says so, and adds the app. Returns an exit code. */
static int add_app(struct serving *s, const char *path, const char *name)
{
    struct artifact *artifact = NULL;
    struct error err;
    bool compiled;
    struct compiler_options compile = compiler_options_of(&s->args->compile);
    uint64_t start_ns = clock_monotonic_ns(clock_system());
    if (program_file_open(path, &compile, &artifact, &compiled, &err))
        return *err.text ? cli_fail(&err) : CLI_FAILED;
    uint32_t id = (uint32_t)s->names_count;
    enum status st = edge_put_app(s->edge, id, name, 1, &err);
    if (st)
        artifact_close(artifact);
    else if ((st = edge_supply(s->edge, id, 1, artifact, &err)))
        edge_remove_app(s->edge, id);
    if (st) {
        error_prefix(&err, "%s", path);
        return cli_fail(&err);
    }
    if (compiled)
        fprintf(stderr, "mayfly: compiled %s in %.1f s\n", path,
                (double)(clock_monotonic_ns(clock_system()) - start_ns) / 1e9);
    char **names = realloc(s->names, (s->names_count + 1) * sizeof(char *));
    if (!names) return cli_failf("out of memory");
    s->names = names;
    s->names[s->names_count] = strdup(name);
    if (!s->names[s->names_count]) return cli_failf("out of memory");
    s->names_count++;
    return CLI_OK;
}

static int add_file(struct serving *s, const char *path)
{
    char name[NAME_MAX + 1];
    struct error err;
    app_name(path, name, sizeof name);
    int exit_code = add_app(s, path, name);
    if (!exit_code && edge_set_default(s->edge, 0, &err)) return cli_fail(&err);
    return exit_code;
}

static int is_app(const struct dirent *entry)
{
    char name[NAME_MAX + 1];
    return entry->d_name[0] != '.' && app_name(entry->d_name, name, sizeof name);
}

/* An app that cannot be served is reported and left out; the others are served. */
static int add_folder(struct serving *s, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_app, alphasort);
    if (count < 0) return cli_failf("%s: %s", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char file[PATH_MAX], name[NAME_MAX + 1];
        int used = snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (used > 0 && (size_t)used < sizeof file &&
            app_name(entries[i]->d_name, name, sizeof name))
            add_app(s, file, name);
        free(entries[i]);
    }
    free(entries);
    if (s->names_count) return CLI_OK;
    return cli_failf("%s: %s", path,
                     count ? "no program in it could be served"
                           : "holds no program: put NAME.wasm or NAME.mfa into it");
}

static int add_apps(struct serving *s, const char *path)
{
    struct stat info;
    if (stat(path, &info)) return cli_failf("%s: %s", path, strerror(errno));
    return S_ISDIR(info.st_mode) ? add_folder(s, path) : add_file(s, path);
}

/* ---- serving ---- */

static void on_drained(void *context)
{
    struct serving *s = context;
    loop_stop(s->loop);
}

static void on_signal(void *context, UNUSED int number)
{
    struct serving *s = context;
    if (s->draining) {
        loop_stop(s->loop); /* asked twice: at once */
        return;
    }
    s->draining = true;
    http_server_drain(s->server, DRAIN_GRACE_MS, on_drained, s);
}

static void announce(const struct serving *s, uint16_t port, bool single)
{
    const char *host = *s->args->host ? s->args->host : "0.0.0.0";
    bool v6 = strchr(host, ':');
    char url[HOST_BYTES_MAX + 32];
    snprintf(url, sizeof url, "http://%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "", port);
    printf("listening on %s\n", url);
    for (size_t i = 0; i < s->names_count; i++) {
        if (single)
            printf("  %s  %s/\n", s->names[i], url);
        else
            printf("  %s  %s/%s/  http://%s.localhost:%u/\n", s->names[i], url, s->names[i],
                   s->names[i], port);
    }
    fflush(stdout);
}

static int listen_and_run(struct serving *s, bool single)
{
    static const int ends[] = {SIGINT, SIGTERM};
    struct loop_signals signals = {0};
    struct error err;
    uint16_t port = 0;
    enum status st = http_server_listen(s->server, &s->args->listen, &port, &err);
    if (!st) st = loop_signals_open(s->loop, &signals, ends, ARRAY_COUNT(ends), on_signal, s, &err);
    if (st) return cli_fail(&err);
    announce(s, port, single);
    st = loop_run(s->loop, &err);
    loop_signals_close(&signals);
    return st ? cli_fail(&err) : CLI_OK;
}

static int serve(struct serving *s, const char *path)
{
    struct error err;
    struct stat info;
    struct http_config http;
    struct edge_config edge = {
        .limits = s->args->limits,
        .server_software = "mayfly/" MAYFLY_VERSION,
        .env = s->args->guest.env,
        .env_count = s->args->guest.env_count,
        .log_fd = STDERR_FILENO,
        .access_log = s->args->access_log,
    };
    http_config_init(&http);
    enum status st = runtime_init(&err);
    if (!st) st = runtime_thread_init(&err);
    if (!st) st = loop_new(clock_system(), &s->loop, &err);
    edge.loop = s->loop;
    if (!st) st = edge_new(&edge, &s->edge, &err);
    if (!st) st = http_server_new(s->loop, &http, edge_handler(), s->edge, &s->server, &err);
    if (st) return cli_fail(&err);
    int exit_code = add_apps(s, path);
    if (exit_code) return exit_code;
    return listen_and_run(s, !stat(path, &info) && !S_ISDIR(info.st_mode));
}

int cmd_serve(int argc, char **argv)
{
    struct arguments args = {.compile = cli_compile_options_default(),
                             .listen_text = LISTEN_DEFAULT};
    edge_limits_init(&args.limits);
    int exit_code = parse(argc, argv, &args);
    if (exit_code) return exit_code;
    if (args.help) {
        printf(help, guest_options_help, cli_compile_options_help);
        return CLI_OK;
    }
    signal(SIGPIPE, SIG_IGN);
    struct serving s = {.args = &args};
    exit_code = serve(&s, argv[optind]);
    http_server_free(s.server);
    edge_free(s.edge);
    if (s.loop) loop_free(s.loop);
    for (size_t i = 0; i < s.names_count; i++) free(s.names[i]);
    free(s.names);
    return exit_code;
}
