/* mayfly serve: apps behind HTTP. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "common/cli.h"
#include "compiler_process.h"
#include "edge/edge.h"
#include "guest_options.h"
#include "http/http.h"
#include "node/node.h"

#define LISTEN_DEFAULT   "127.0.0.1:8080"
#define HOST_BYTES_MAX   256u
#define WORKER_OPTION    "internal-worker" /* how the supervisor starts one */
#define INSTANCES_MAX    100000u
#define CPU_MS_MAX       86400000u
#define WALL_SECONDS_MAX 86400u
#define LOG_KIB_MAX      (1u << 20)
#define SUBREQUESTS_MAX  100000u

static const char help[] =
    "usage: mayfly serve [options] FILE|FOLDER\n"
    "\n"
    "Answers HTTP with WebAssembly programs: each request gets a fresh instance of a component\n"
    "that exports wasi:http/incoming-handler@0.2, or of a WASI preview 1 command, which runs as a\n"
    "CGI program. Of a FOLDER, every NAME.wasm and NAME.mfa is\n"
    "an app that answers at the path /NAME/ and at the host NAME.localhost; a single FILE answers\n"
    "every path.\n"
    "\n"
    "  --listen HOST:PORT\n"
    "                  default: " LISTEN_DEFAULT "; port 0 lets the system choose\n"
    "  --workers N     processes that answer (default: one a core)\n"
    "  --env K=V       an environment variable for every program; --env K passes on this\n"
    "                  process's own\n"
    "%s"
    "  --instances N   of one app at a time (default: 1024); then 503\n"
    "  --cpu-limit MS  CPU time of a request in milliseconds (default: 50; 0: no limit); then 503\n"
    "  --timeout S     seconds from a request's head to the end of its answer (default: 30)\n"
    "  --request-body KIB\n"
    "                  the largest body of a request (default: 102400); then 413\n"
    "  --response-body KIB\n"
    "                  the largest body of an answer (default: 1048576); then 502, or the answer "
    "is\n"
    "                  cut where it has begun to leave\n"
    "  --guest-log KIB what a request may write to the log (default: 64); the rest is dropped\n"
    "  --allow [APP=]HOST[:PORT]\n"
    "                  a host that components may send requests to (of all apps, or of one): a "
    "name,\n"
    "                  an address, *.NAME, or * for every host; may be given many times\n"
    "  --allow-private [APP=]HOST[:PORT]\n"
    "                  the same, and it may lead to private networks and this machine\n"
    "  --ca-file FILE  the certificates to trust in them (default: the system's)\n"
    "  --resolver ADDRESS[:PORT]\n"
    "                  the name server to ask (default: the system's)\n"
    "  --subrequests N that a request may send (default: 50)\n"
    "  --access-log    log every request, not only what goes wrong\n"
    "%s"
    "  -h, --help      this text\n"
    "\n"
    "Standard output says where it listens, and a line per app; the log goes to standard error.\n"
    "Without --level, a program is served as soon as it is compiled at the fast level, and is\n"
    "compiled again, optimised, in the background.\n"
    "\n"
    "SIGHUP looks for new, changed and removed programs. SIGUSR1 prints what each has used, by "
    "the\n"
    "outcomes of its requests, to standard error. SIGINT and SIGTERM let requests finish,\n"
    "then end it; a second one ends it at once.\n"
    "\n"
    "Exit codes: 0 ended by a signal, 1 nothing could be served (one line says why), 2 wrong\n"
    "arguments.\n";

enum option_id {
    OPT_LISTEN = 256,
    OPT_WORKERS,
    OPT_WORKER,
    OPT_INSTANCES,
    OPT_CPU_LIMIT,
    OPT_TIMEOUT,
    OPT_REQUEST_BODY,
    OPT_RESPONSE_BODY,
    OPT_GUEST_LOG,
    OPT_ACCESS_LOG,
    OPT_ALLOW,
    OPT_ALLOW_PRIVATE,
    OPT_CA_FILE,
    OPT_RESOLVER,
    OPT_SUBREQUESTS
};

static const struct option options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {WORKER_OPTION, required_argument, NULL, OPT_WORKER},
    {"instances", required_argument, NULL, OPT_INSTANCES},
    {"cpu-limit", required_argument, NULL, OPT_CPU_LIMIT},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"request-body", required_argument, NULL, OPT_REQUEST_BODY},
    {"response-body", required_argument, NULL, OPT_RESPONSE_BODY},
    {"guest-log", required_argument, NULL, OPT_GUEST_LOG},
    {"access-log", no_argument, NULL, OPT_ACCESS_LOG},
    {"allow", required_argument, NULL, OPT_ALLOW},
    {"allow-private", required_argument, NULL, OPT_ALLOW_PRIVATE},
    {"ca-file", required_argument, NULL, OPT_CA_FILE},
    {"resolver", required_argument, NULL, OPT_RESOLVER},
    {"subrequests", required_argument, NULL, OPT_SUBREQUESTS},
    GUEST_LONG_OPTIONS,
    CLI_COMPILE_LONG_OPTIONS,
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct arguments {
    struct cli_compile_options compile;
    struct guest_options guest;
    struct edge_limits limits;
    struct edge_grant grants[EDGE_GRANTS_MAX];
    struct edge_outbound outbound;
    const char *listen_text;
    struct http_listen listen;
    char host[HOST_BYTES_MAX];
    uint32_t workers_count, worker;
    bool access_log, level_given, is_worker, help;
};

static int parse_number(const char *name, uint64_t max, uint64_t *ret)
{
    if (cli_parse_u64(optarg, max, ret) && *ret) return CLI_OK;
    return cli_usage_error("serve", "--%s %s: not a number from 1 to %lu", name, optarg,
                           (unsigned long)max);
}

/* Options that are limits of every request; false: `id` is another. */
static bool limit_option(int id, struct edge_limits *limits, int *ret_exit)
{
    uint64_t number = 0;
    *ret_exit = CLI_OK;
    switch (id) {
    case OPT_INSTANCES:
        *ret_exit = parse_number("instances", INSTANCES_MAX, &number);
        limits->instances_max = (uint32_t)number;
        return true;
    case OPT_CPU_LIMIT:
        if (!cli_parse_u64(optarg, CPU_MS_MAX, &number))
            *ret_exit = cli_usage_error("serve", "--cpu-limit %s: not a number of ms up to %u",
                                        optarg, CPU_MS_MAX);
        limits->cpu_ms = (uint32_t)number;
        return true;
    case OPT_TIMEOUT:
        *ret_exit = parse_number("timeout", WALL_SECONDS_MAX, &number);
        limits->wall_ms = (uint32_t)number * 1000u;
        return true;
    case OPT_REQUEST_BODY:
        *ret_exit = parse_number("request-body", EDGE_BODY_KIB_MAX, &number);
        limits->request_body_bytes_max = number << 10;
        return true;
    case OPT_RESPONSE_BODY:
        *ret_exit = parse_number("response-body", EDGE_BODY_KIB_MAX, &number);
        limits->response_body_bytes_max = number << 10;
        return true;
    case OPT_GUEST_LOG:
        *ret_exit = parse_number("guest-log", LOG_KIB_MAX, &number);
        limits->log_bytes_max = number << 10;
        return true;
    case OPT_SUBREQUESTS:
        *ret_exit = parse_number("subrequests", SUBREQUESTS_MAX, &number);
        limits->subrequests_max = (uint32_t)number;
        return true;
    default: return false;
    }
}

static int parse_grant(struct arguments *args, bool is_private)
{
    struct error err;
    if (edge_check_grant(optarg, &err))
        return cli_usage_error("serve", "--allow%s %s", is_private ? "-private" : "", err.text);
    if (args->outbound.grants_count == EDGE_GRANTS_MAX)
        return cli_usage_error("serve", "--allow: more than %u", EDGE_GRANTS_MAX);
    args->grants[args->outbound.grants_count++] = (struct edge_grant){optarg, is_private};
    return CLI_OK;
}

/* Options about requests that go out; false: `id` is another. */
static bool outbound_option(int id, struct arguments *args, int *ret_exit)
{
    *ret_exit = CLI_OK;
    switch (id) {
    case OPT_ALLOW: *ret_exit = parse_grant(args, false); return true;
    case OPT_ALLOW_PRIVATE: *ret_exit = parse_grant(args, true); return true;
    case OPT_CA_FILE: args->outbound.ca_file = optarg; return true;
    case OPT_RESOLVER: args->outbound.resolver = optarg; return true;
    default: return false;
    }
}

static int parse_option(int id, char **argv, struct arguments *args)
{
    int exit_code;
    uint64_t number = 0;
    if (id == CLI_OPT_LEVEL) args->level_given = true;
    if (cli_compile_option("serve", id, optarg, &args->compile, &exit_code)) return exit_code;
    if (guest_option("serve", id, optarg, &args->guest, &exit_code)) return exit_code;
    if (limit_option(id, &args->limits, &exit_code)) return exit_code;
    if (outbound_option(id, args, &exit_code)) return exit_code;
    switch (id) {
    case OPT_LISTEN: args->listen_text = optarg; return CLI_OK;
    case OPT_ACCESS_LOG: args->access_log = true; return CLI_OK;
    case 'h': args->help = true; return CLI_OK;
    case OPT_WORKERS:
        exit_code = parse_number("workers", NODE_WORKERS_MAX, &number);
        args->workers_count = (uint32_t)number;
        return exit_code;
    case OPT_WORKER:
        if (!cli_parse_u64(optarg, NODE_WORKERS_MAX - 1, &number))
            return cli_usage_error("serve", "--" WORKER_OPTION " is not for users");
        args->worker = (uint32_t)number;
        args->is_worker = true;
        return CLI_OK;
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
    args->outbound.grants = args->grants;
    args->limits.memory_bytes_max = args->guest.memory_bytes_max;
    args->limits.stack_bytes = args->guest.stack_bytes;
    return CLI_OK;
}

static struct node_config node_config_of(const struct arguments *args, const char *verb,
                                         char *const *arguments, const char *path)
{
    return (struct node_config){
        .path = path,
        .listen = args->listen,
        .workers_count = args->workers_count,
        .arguments = arguments,
        .verb = verb,
        .worker_argument = "--" WORKER_OPTION,
        .compile = compiler_options_of(&args->compile),
        .two_levels = !args->level_given,
        .limits = args->limits,
        .outbound = args->outbound,
        .env = args->guest.env,
        .env_count = args->guest.env_count,
        .values = args->guest.config,
        .values_count = args->guest.config_count,
        .server_software = "mayfly/" MAYFLY_VERSION,
        .access_log = args->access_log,
    };
}

static uint32_t cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    if (count < 1) return 1;
    return count < (long)NODE_WORKERS_MAX ? (uint32_t)count : NODE_WORKERS_MAX;
}

int cmd_serve(int argc, char **argv)
{
    struct arguments args = {.compile = cli_compile_options_default(),
                             .listen_text = LISTEN_DEFAULT,
                             .workers_count = cores()};
    edge_limits_init(&args.limits);
    int exit_code = parse(argc, argv, &args);
    if (exit_code) return exit_code;
    if (args.help) {
        printf(help, guest_options_help, cli_compile_options_help);
        return CLI_OK;
    }
    struct node_config config = node_config_of(&args, argv[0], argv + 1, argv[optind]);
    if (args.is_worker) return node_work(&config, args.worker);
    return node_supervise(&config);
}
