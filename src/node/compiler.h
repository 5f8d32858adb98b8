/* Runs the other executable, mayfly-compile: a process for each job, which limits and confines
 * itself, and ends at its own deadline. */
#ifndef NODE_COMPILER_H
#define NODE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/sha256.h"

/* Static strings, as mayfly-compile's options take them. */
struct compiler_options {
    const char *level, *mode, *cpu;
    uint32_t threads;   /* 0: one a core */
    uint32_t nice;      /* lower priority, 0 to 19 */
    const char *digest; /* of the module in hexadecimal; NULL: any */
    const char *cache;  /* folder of compiled functions; NULL: compiler_cache_folder() */
    bool no_cache;
};

#define COMPILER_CACHE_NAME_BYTES (SHA256_HEX + 4)

/* Beside this executable, or in ../libexec/mayfly from it. Errors: ST_NOT_FOUND (says where it
 * looked). */
NODISCARD enum status compiler_path(char *path, size_t size_bytes, struct error *err);

/* The folder of compiled functions of this user, below the one of artifacts. Errors: those of
 * cache_folder_path(): then there is none. */
NODISCARD enum status compiler_cache_folder(char *path, size_t size_bytes);

/* This process's environment, and how the C library is to get a job's memory, unless it says so
 * itself. The caller frees the array alone; NULL: no memory. */
char **compiler_environment(void);

/* Starts to compile `in` to `out`, which is replaced as a whole at the end, or left alone. Messages
 * go to `message_fd`, -1: to standard error. The child is the caller's to wait for.
 * Errors: ST_NOT_FOUND, ST_IO. */
NODISCARD enum status compiler_start(const char *in, const char *out,
                                     const struct compiler_options *options, int message_fd,
                                     pid_t *ret, struct error *err);

/* What the state of an ended child (waitpid(2)) means. ST_INVALID: it said why, *err is empty text.
 * ST_INTERNAL: it crashed. */
NODISCARD enum status compiler_outcome(int state, struct error *err);

/* Starts, and waits. */
NODISCARD enum status compiler_run(const char *in, const char *out,
                                   const struct compiler_options *options, struct error *err);

/* The file name under which the outcome is kept, made of everything that the code depends on.
 * `wasm_hex` is the digest of the module's bytes. */
void compiler_cache_name(const char *wasm_hex, const struct compiler_options *options,
                         char name[COMPILER_CACHE_NAME_BYTES]);

#endif
