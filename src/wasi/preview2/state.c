/* Makes and ends the state of an instance, and lists all interfaces. */
#include "state.h"

#include <stdlib.h>
#include <sys/stat.h>

/* ---- checks on a config ---- */

static enum status check_text(const char *what, const char *text, struct error *err)
{
    if (text_is_utf8(text, strlen(text))) return ST_OK;
    return error_set(err, ST_USAGE, "%s that is not UTF-8", what);
}

static enum status check_list(const char *what, const char *const *list, size_t count,
                              size_t count_max, size_t bytes_max, struct error *err)
{
    if (count > count_max)
        return error_set(err, ST_LIMIT, "%zu of %s, at most %zu", count, what, count_max);
    size_t sum = 0;
    for (size_t k = 0; k < count; k++) {
        size_t bytes = strlen(list[k]);
        sum += bytes + 1;
        if (sum > bytes_max)
            return error_set(err, ST_LIMIT, "%s of over %zu bytes", what, bytes_max);
        enum status st = check_text(what, list[k], err);
        if (st) return st;
    }
    return ST_OK;
}

static enum status check_preopen(const struct wasi_preopen *preopen, struct error *err)
{
    struct stat st;
    if (fstat(preopen->fd, &st) || !S_ISDIR(st.st_mode))
        return error_set(err, ST_USAGE, "\"%s\" is not a folder", preopen->guest_name);
    if (strlen(preopen->guest_name) >= WASI_PATH_BYTES_MAX)
        return error_set(err, ST_LIMIT, "name of a folder of more than %u bytes",
                         WASI_PATH_BYTES_MAX - 1);
    return check_text("name of a folder", preopen->guest_name, err);
}

static enum status check_value(const char *text, struct error *err)
{
    if (!strchr(text, '='))
        return error_set(err, ST_USAGE, "configuration value \"%s\" is not KEY=VALUE", text);
    return check_text("configuration value", text, err);
}

static enum status check(const struct wasi_preview2_config *config, struct error *err)
{
    enum status st = check_list("arguments", config->args, config->args_count, WASI_ARGS_MAX,
                                WASI_ARGS_BYTES_MAX, err);
    if (!st)
        st = check_list("environment variables", config->env, config->env_count, WASI_ENV_MAX,
                        WASI_ENV_BYTES_MAX, err);
    if (!st && config->preopens_count > WASI_PREOPENS_MAX)
        st = error_set(err, ST_LIMIT, "%zu folders, at most %u", config->preopens_count,
                       WASI_PREOPENS_MAX);
    if (!st && config->values_count > WASI_CONFIG_VALUES_MAX)
        st = error_set(err, ST_LIMIT, "%zu configuration values, at most %u", config->values_count,
                       WASI_CONFIG_VALUES_MAX);
    if (!st && config->initial_cwd) st = check_text("working folder", config->initial_cwd, err);
    for (size_t k = 0; !st && k < config->preopens_count; k++)
        st = check_preopen(&config->preopens[k], err);
    for (size_t k = 0; !st && k < config->values_count; k++)
        st = check_value(config->values[k], err);
    return st;
}

/* ---- life ---- */

void wasi_preview2_clear(struct wasi_preview2 *p)
{
    io_objects_clear(p);
    p->config = (struct wasi_preview2_config){0};
    p->http = NULL;
    p->now_calls = 0;
    p->descriptors_count = 0;
}

enum status wasi_preview2_reuse(struct wasi_preview2 *p, const struct wasi_preview2_config *config,
                                struct error *err)
{
    wasi_preview2_clear(p);
    enum status st = check(config, err);
    if (!st) p->config = *config;
    return st;
}

enum status wasi_preview2_new(const struct wasi_preview2_config *config, struct wasi_preview2 **ret,
                              struct error *err)
{
    struct wasi_preview2 *p = calloc(1, sizeof *p);
    if (!p) return error_set(err, ST_NO_MEMORY, "state of a guest");
    enum status st = wasi_preview2_reuse(p, config, err);
    if (st) {
        wasi_preview2_free(p);
        return st;
    }
    *ret = p;
    return ST_OK;
}

void wasi_preview2_free(struct wasi_preview2 *p)
{
    if (!p) return;
    wasi_preview2_clear(p);
    io_pool_done(&p->pool);
    free(p);
}

/* ---- all there is ---- */

const struct canonical_interface *const *wasi_preview2_interfaces(size_t *ret_count)
{
    static const struct canonical_interface *const list[] = {
        &io_error_interface,
        &io_poll_interface,
        &io_streams_interface,
        &clocks_wall_interface,
        &clocks_monotonic_interface,
        &clocks_timezone_interface,
        &random_interface,
        &random_insecure_interface,
        &random_seed_interface,
        &cli_environment_interface,
        &cli_exit_interface,
        &cli_stdin_interface,
        &cli_stdout_interface,
        &cli_stderr_interface,
        &cli_terminal_input_interface,
        &cli_terminal_output_interface,
        &cli_terminal_stdin_interface,
        &cli_terminal_stdout_interface,
        &cli_terminal_stderr_interface,
        &filesystem_types_interface,
        &filesystem_preopens_interface,
        &sockets_network_interface,
        &sockets_instance_network_interface,
        &sockets_tcp_interface,
        &sockets_tcp_create_interface,
        &sockets_udp_interface,
        &sockets_udp_create_interface,
        &sockets_lookup_interface,
        &logging_interface,
        &config_store_interface,
        &config_runtime_interface,
    };
    *ret_count = ARRAY_COUNT(list);
    return list;
}
