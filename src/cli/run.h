/* mayfly run: what is granted to the guest, and the two kinds of guests. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "guest_options.h"
#include "runtime/runtime.h"
#include "wasi/wasi.h"

struct artifact;

struct run_grants {
    struct guest_options guest;
    struct wasi_preopen preopens[WASI_PREOPENS_MAX];
    size_t preopens_count;
};

bool run_is_component(const struct artifact *a);

/* Calls "run" of wasi:cli/run. `argv[0]` is the file. Returns an exit code. */
int run_component(struct module *module, const struct run_grants *grants, char **argv, size_t argc);

/* The exit code for how a call has ended; prints what a trap says. */
int run_report(struct instance *instance, const char *path, enum call_result result);

/* The same for an instance that could not be made. */
int run_refused(const char *path, const struct error *err);

#endif
