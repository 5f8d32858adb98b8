/* Finds and runs the other executable, mayfly-compile. */
#ifndef CLI_COMPILER_PROCESS_H
#define CLI_COMPILER_PROCESS_H

#include <stddef.h>

#include "base/error.h"
#include "common/cli.h"

/* Beside this executable, or in ../libexec/mayfly from it. Errors: ST_NOT_FOUND (says where it
 * looked). */
NODISCARD enum status compiler_path(char *path, size_t size_bytes, struct error *err);

/* Replaces this process by mayfly-compile with `arguments` (NULL-terminated, its argv[1] on).
 * Returns only after a failure, with a message printed: the exit code. */
int compiler_exec(const char *const *arguments);

/* Compiles `in` to `out` in a child and waits for it. Its message goes to standard error.
 * Errors: ST_INVALID (it said why, *err is empty text), ST_NOT_FOUND, ST_INTERNAL (it crashed). */
NODISCARD enum status compiler_run(const char *in, const char *out,
                                   const struct cli_compile_options *options, struct error *err);

#endif
