/* What `run` and `serve` let a user grant to a guest. */
#ifndef CLI_GUEST_OPTIONS_H
#define CLI_GUEST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_ENV_MAX    256u
#define GUEST_CONFIG_MAX 256u

struct guest_options {
    const char *env[GUEST_ENV_MAX]; /* "NAME=value" */
    size_t env_count;
    const char *config[GUEST_CONFIG_MAX]; /* "KEY=value" */
    size_t config_count;
    uint64_t memory_bytes_max; /* 0: the default */
    uint32_t stack_bytes;      /* 0: the default */
};

enum guest_option { GUEST_OPT_ENV = 2000, GUEST_OPT_CONFIG, GUEST_OPT_MEMORY, GUEST_OPT_STACK };
#define GUEST_LONG_OPTIONS                                                                         \
    {"env", required_argument, NULL, GUEST_OPT_ENV},                                               \
        {"config", required_argument, NULL, GUEST_OPT_CONFIG},                                     \
        {"memory", required_argument, NULL, GUEST_OPT_MEMORY},                                     \
    {                                                                                              \
        "stack", required_argument, NULL, GUEST_OPT_STACK                                          \
    }

/* True when `id` was one of them; then *ret_exit is CLI_OK or CLI_USAGE, after a message. */
bool guest_option(const char *verb, int id, char *argument, struct guest_options *options,
                  int *ret_exit);

/* Their paragraph of --help, without --env. */
extern const char guest_options_help[];

#endif
