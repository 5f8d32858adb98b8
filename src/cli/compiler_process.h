/* What the verbs that compile have in common. */
#ifndef CLI_COMPILER_PROCESS_H
#define CLI_COMPILER_PROCESS_H

#include "common/cli.h"
#include "node/compiler.h"

/* Replaces this process by mayfly-compile with `arguments` (NULL-terminated, its argv[1] on).
 * Returns only after a failure, with a message printed: the exit code. */
int compiler_exec(const char *const *arguments);

struct compiler_options compiler_options_of(const struct cli_compile_options *options);

#endif
