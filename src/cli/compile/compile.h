/* A compile job: decode, validate, link, generate code, initialise, freeze, write. */
#ifndef CLI_COMPILE_COMPILE_H
#define CLI_COMPILE_COMPILE_H

#include "base/buffer.h"
#include "common/cli.h"

struct function_cache_files;

struct compile_cache {
    const struct function_cache_files *files; /* NULL: no cache */
    bool verify;
};

/* A core module or a component. Writes the artifact to `out_fd`. `name` is the file's, for
 * messages. Prints statistics to standard error when asked to. */
NODISCARD enum status compile_program(const char *name, const struct buffer *wasm,
                                      const struct cli_compile_options *options,
                                      const struct compile_cache *cache, int out_fd, bool stats,
                                      struct error *err);

#endif
