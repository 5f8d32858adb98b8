/* Memory that is freed all at once: a chain of blocks with a cap on their sum.
 *
 * Not for several threads at a time. Pointers stay valid until arena_done(). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used_bytes; /* handed out or lost to alignment, all blocks */
    size_t cap_bytes;
};

/* An arena that hands out at most `cap_bytes`. Allocates nothing yet. */
void arena_init(struct arena *a, size_t cap_bytes);

/* Frees everything; the arena is then as after arena_init(). Legal on a zeroed arena. */
void arena_done(struct arena *a);

/* Zeroed memory, aligned to 16; NULL when the cap is reached or the system has none left.
 * A size of 0 gives a valid pointer. */
NODISCARD void *arena_alloc(struct arena *a, size_t size_bytes);

/* Zeroed memory for `count` elements, checked for overflow. */
NODISCARD void *arena_alloc_array(struct arena *a, size_t count, size_t element_bytes);

/* A NUL-terminated copy of `length` bytes. */
NODISCARD char *arena_copy_string(struct arena *a, const char *text, size_t length);

#define arena_new(a, type)          ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_alloc_array((a), (count), sizeof(type)))

#endif
