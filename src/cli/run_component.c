/* mayfly run of a component: wasi:cli/run. */
#include <stdio.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "canonical/canonical.h"
#include "common/cli.h"
#include "run.h"
#include "wasi/wasi_http.h"

bool run_is_component(const struct artifact *a)
{
    size_t count;
    (void)artifact_section(a, ARTIFACT_COMPONENTS, &count);
    return count != 0;
}

/* wasi:logging goes where standard error goes. */
static void print_log(UNUSED void *context, enum wasi_log_level level, const char *topic,
                      size_t topic_bytes, const char *message, size_t message_bytes)
{
    static const char *const names[] = {"trace", "debug", "info", "warn", "error", "critical"};
    const char *name = (size_t)level < ARRAY_COUNT(names) ? names[level] : "log";
    fprintf(stderr, "%s: %.*s%s%.*s\n", name, (int)topic_bytes, topic, topic_bytes ? ": " : "",
            (int)message_bytes, message);
}

/* "run" gives a result without payloads: 0 is ok, 1 is error. */
static int call_run(struct instance *instance, uint32_t lift, const char *path)
{
    struct value values[1] = {0};
    enum call_result result = instance_init_all(instance);
    if (result == CALL_RETURNED) result = canonical_call_lift(instance, lift, values);
    uint32_t outcome = values[0].i32;
    if (result == CALL_RETURNED) result = canonical_returned(instance, lift, values);
    if (result != CALL_RETURNED) return run_report(instance, path, result);
    if (outcome > 1) {
        cli_failf("%s: \"run\" gave %u, which is neither success nor failure", path, outcome);
        return CLI_TRAPPED;
    }
    return outcome ? CLI_FAILED : CLI_OK;
}

static int run_instance(struct module *module, const struct run_grants *grants,
                        struct wasi_preview2 *preview2, uint32_t lift, const char *path)
{
    struct error err;
    size_t count;
    const struct canonical_interface *const *interfaces = wasi_component_interfaces(&count);
    struct wasi_context context = {0};
    struct instance_config config = {
        .memory_bytes_max = grants->guest.memory_bytes_max,
        .stack_bytes = grants->guest.stack_bytes,
        .context = &context,
    };
    struct instance *instance = NULL;
    if (canonical_new(module, interfaces, count, preview2, &config.canonical, &err))
        return cli_fail(&err);
    int exit_code = instance_new(module, &config, &instance, &err) ? run_refused(path, &err)
                                                                   : call_run(instance, lift, path);
    instance_free(instance);
    canonical_free(config.canonical);
    return exit_code;
}

int run_component(struct module *module, const struct run_grants *grants, char **argv, size_t argc)
{
    struct error err;
    struct wasi_preview2 *preview2 = NULL;
    struct wasi_preview2_config config = {
        .args = (const char *const *)argv,
        .args_count = argc,
        .env = grants->guest.env,
        .env_count = grants->guest.env_count,
        .values = grants->guest.config,
        .values_count = grants->guest.config_count,
        .stdio = {wasi_stream_fd(0), wasi_stream_fd(1), wasi_stream_fd(2)},
        .preopens = grants->preopens,
        .preopens_count = grants->preopens_count,
        .clock = clock_system(),
        .random = random_system(),
        .waiter = wasi_waiter_poll(clock_system()),
        .log = {.write = print_log},
    };
    const struct artifact_component_export *run =
        canonical_find_export(module_artifact(module), "wasi:cli/run", "0.2.0", "run");
    if (!run)
        return cli_failf("%s: a component that exports no wasi:cli/run of version 0.2: not a "
                         "command, so there is nothing to run",
                         argv[0]);
    if (wasi_preview2_new(&config, &preview2, &err)) return cli_fail(&err);
    int exit_code = run_instance(module, grants, preview2, run->lift, argv[0]);
    wasi_preview2_free(preview2);
    return exit_code;
}
