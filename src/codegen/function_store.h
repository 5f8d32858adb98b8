/* The folder of the function cache, from the outside: what a compile job's parent does before and
 * behind it. It knows nothing of what the records hold.
 *
 * The folder belongs to this user and nobody else may write to it: what lies in it is run. Several
 * processes may use it at once, and each may be killed at any moment. */
#ifndef CODEGEN_FUNCTION_STORE_H
#define CODEGEN_FUNCTION_STORE_H

#include "codegen/function_cache.h"

/* Of both generations together. */
#define FUNCTION_STORE_BYTES_DEFAULT (1ull << 30)
#define FUNCTION_STORE_BYTES_MIN     (1ull << 20)
#define FUNCTION_STORE_BYTES_MAX     (1ull << 40)

/* Another process that adds to the folder is waited for so long; then nothing is added. */
#define FUNCTION_STORE_LOCK_MS_MAX 1000u

struct function_store;

/* Opens the folder at `path`, which is made (mode 0700) when it is not there.
 * Errors: ST_DENIED (it, or a file in it, is not this user's own), ST_IO and what fits errno. */
NODISCARD enum status function_store_open(const char *path, uint64_t bytes_max,
                                          struct function_store **ret, struct error *err);
void function_store_close(struct function_store *s); /* legal on NULL */

/* The descriptors for a job, valid until function_store_close(). */
const struct function_cache_files *function_store_files(const struct function_store *s);

/* Adds what the job left in the outbox. Blocks for FUNCTION_STORE_LOCK_MS_MAX at most.
 * Errors: ST_IO and what fits errno; what was added before stays. */
NODISCARD enum status function_store_commit(struct function_store *s, struct error *err);

#endif
