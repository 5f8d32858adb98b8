/* The function cache: units of relocatable code under keys that say all they depend on, in a folder
 * that all compile jobs of a user share.
 *
 * Two halves. A compile job, confined, reads descriptors that it was given and hands what it has
 * compiled to another (function_cache_find(), function_cache_put()). Its parent, which looks at no
 * hostile bytes, opens the folder before and adds what came back afterwards (function_store.h).
 *
 * The files, of two generations, "new" and "old":
 *
 *   index  struct function_cache_entry, each for one record of `data`
 *   data   records, one behind the other: units
 *
 * A record is used only when its digest, which covers key and bytes, is right; so whatever becomes
 * of the files, by a crash or a full disk, the worst is that something is compiled again. Files
 * only grow, under a lock; when the new generation is full it becomes the old one and the old one
 * is gone. What a job finds in the old generation it hands out anew, so what is used stays. */
#ifndef CODEGEN_FUNCTION_CACHE_H
#define CODEGEN_FUNCTION_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/sha256.h"

#define FUNCTION_CACHE_GENERATIONS      2u
#define FUNCTION_CACHE_ENTRIES_MAX      200000u     /* of a generation */
#define FUNCTION_CACHE_RECORD_BYTES_MAX (64u << 20) /* a larger unit is not kept */

struct function_cache_entry {
    uint8_t key[SHA256_BYTES];
    uint8_t digest[SHA256_BYTES]; /* function_cache_digest() */
    uint64_t offset, size_bytes;  /* of the record within data */
};

/* Descriptors, borrowed; -1 where there is none. Generation 0 is the new one. `outbox` takes what
 * is to be added: for each an entry, whose offset is 0, and its bytes. */
struct function_cache_files {
    int index[FUNCTION_CACHE_GENERATIONS], data[FUNCTION_CACHE_GENERATIONS];
    int outbox;
};

struct function_cache;

/* Reads the indices. Errors: ST_NO_MEMORY. */
NODISCARD enum status function_cache_new(const struct function_cache_files *files,
                                         struct function_cache **ret, struct error *err);
void function_cache_free(struct function_cache *c); /* legal on NULL */

/* Appends the unit under `key` to *unit, which is empty. False: there is none, or none that is
 * whole. On any thread. */
NODISCARD bool function_cache_find(const struct function_cache *c, const uint8_t key[SHA256_BYTES],
                                   struct buffer *unit);

/* Which generation the unit comes from that function_cache_find() gives. There must be one. */
unsigned function_cache_generation(const struct function_cache *c, const uint8_t key[SHA256_BYTES]);

/* Hands a unit to the parent, unless it was found in the new generation. What cannot be written is
 * not kept. Not for several threads at a time. */
void function_cache_put(struct function_cache *c, const uint8_t key[SHA256_BYTES], bool was_found,
                        const void *bytes, size_t size_bytes);

void function_cache_digest(const uint8_t key[SHA256_BYTES], const void *bytes, size_t size_bytes,
                           uint8_t digest[SHA256_BYTES]);

#endif
