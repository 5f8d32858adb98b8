#include "guest_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "runtime/runtime.h"

#define MEMORY_MIB_MAX 4096u
#define STACK_KIB_MAX  (INSTANCE_STACK_BYTES_MAX >> 10)

const char guest_options_help[] =
    "  --config K=V    a value of wasi:config/store, for components\n"
    "  --memory MIB    how much memory an instance may have (default: 128)\n"
    "  --stack KIB     its stack (default: 1024)\n";

static int add_env(const char *verb, char *argument, struct guest_options *options)
{
    if (options->env_count == GUEST_ENV_MAX)
        return cli_usage_error(verb, "more than %u --env", GUEST_ENV_MAX);
    if (*argument == '\0' || *argument == '=')
        return cli_usage_error(verb, "--env takes NAME=VALUE or NAME");
    if (strchr(argument, '=')) {
        options->env[options->env_count++] = argument;
        return CLI_OK;
    }
    const char *value = getenv(argument);
    if (!value) return CLI_OK; /* it has none here, so it has none there */
    /* Behind getenv's value stands the name: "NAME=" lies right before it in environ. */
    options->env[options->env_count++] = value - strlen(argument) - 1;
    return CLI_OK;
}

static int add_config(const char *verb, const char *argument, struct guest_options *options)
{
    const char *equals = strchr(argument, '=');
    if (!equals || equals == argument) return cli_usage_error(verb, "--config takes KEY=VALUE");
    for (size_t k = 0; k < options->config_count; k++)
        if (!strncmp(options->config[k], argument, (size_t)(equals + 1 - argument)))
            return cli_usage_error(verb, "--config %.*s: given twice", (int)(equals - argument),
                                   argument);
    if (options->config_count == GUEST_CONFIG_MAX)
        return cli_usage_error(verb, "more than %u --config", GUEST_CONFIG_MAX);
    options->config[options->config_count++] = argument;
    return CLI_OK;
}

static int guest_size(const char *verb, int id, const char *argument, struct guest_options *options)
{
    uint64_t number;
    if (id == GUEST_OPT_MEMORY) {
        if (!cli_parse_u64(argument, MEMORY_MIB_MAX, &number) || !number)
            return cli_usage_error(verb, "--memory %s: not a number of MiB from 1 to %u", argument,
                                   MEMORY_MIB_MAX);
        options->memory_bytes_max = number << 20;
        return CLI_OK;
    }
    if (!cli_parse_u64(argument, STACK_KIB_MAX, &number) || number < 64)
        return cli_usage_error(verb, "--stack %s: not a number of KiB from 64 to %u", argument,
                               STACK_KIB_MAX);
    options->stack_bytes = (uint32_t)number << 10;
    return CLI_OK;
}

bool guest_option(const char *verb, int id, char *argument, struct guest_options *options,
                  int *ret_exit)
{
    if (id == GUEST_OPT_ENV)
        *ret_exit = add_env(verb, argument, options);
    else if (id == GUEST_OPT_CONFIG)
        *ret_exit = add_config(verb, argument, options);
    else if (id == GUEST_OPT_MEMORY || id == GUEST_OPT_STACK)
        *ret_exit = guest_size(verb, id, argument, options);
    else
        return false;
    return true;
}
