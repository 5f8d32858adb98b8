/* Opens what a user names on the command line, a module or component (.wasm) or an artifact (.mfa),
 * told apart by its first bytes. What is no artifact is compiled once and kept in the cache by
 * content: $XDG_CACHE_HOME/mayfly, or ~/.cache/mayfly. */
#ifndef NODE_PROGRAM_FILE_H
#define NODE_PROGRAM_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/sha256.h"

struct artifact;
struct compiler_options;

#define PROGRAM_WASM_BYTES_MAX  (256u << 20) /* of a module */
#define PROGRAM_CACHE_BYTES_MAX (2ull << 30) /* then the least recently used artifacts go */
#define PROGRAM_CACHE_FILES_MAX 100000u

/* Success: *ret is the caller's. Failure: *err says why; its text is empty when the compiler has
 * already said it. `*ret_compiled`: nothing was cached, the compiler ran. Blocks. */
NODISCARD enum status program_file_open(const char *path, const struct compiler_options *options,
                                        struct artifact **ret, bool *ret_compiled,
                                        struct error *err);

enum program_file_kind { PROGRAM_FILE_MODULE, PROGRAM_FILE_COMPONENT, PROGRAM_FILE_ARTIFACT };

/* The digest of the file's bytes in hexadecimal. Errors: those of reading, ST_LIMIT. */
NODISCARD enum status program_file_digest(const char *path, char hex[SHA256_HEX],
                                          struct error *err);

/* What the first bytes say. Errors: ST_INVALID (none of them), and those of reading. */
NODISCARD enum status program_file_kind(const char *path, enum program_file_kind *ret,
                                        struct error *err);

#endif
