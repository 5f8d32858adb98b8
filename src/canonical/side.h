/* One side of a crossing of values: guest memory and the options that it is reached with. Private
 * to the module. Functions that return false have set the trap's text, or c->stopped. */
#ifndef CANONICAL_SIDE_H
#define CANONICAL_SIDE_H

#include "state.h"
#include "text.h"

#define SIDE_PIECE_BYTES (1u << 20) /* copied between two looks at the clock */

struct side {
    struct canonical *c;
    struct instance *i;
    const struct artifact_canon_options *options;
    bool with_host; /* the other side is the host: its traps have texts of their own */
    bool outside;   /* no guest runs */
};

static inline struct side side_of(const struct canonical_call *call)
{
    return (struct side){call->canonical, call->instance, call->options, true, call->canon == NULL};
}

/* What lies out of bounds, for the trap's text. */
enum side_part { SIDE_STRING, SIDE_LIST, SIDE_VALUE };

NODISCARD bool side_range(const struct side *s, uint64_t at, uint64_t size_bytes,
                          uint32_t align_bytes, enum side_part part, uint8_t **ret);

/* "realloc": *ret is the `size_bytes` at *ret_at. */
NODISCARD bool side_realloc(const struct side *s, uint32_t old_at, uint32_t old_bytes,
                            uint32_t align_bytes, uint64_t size_bytes, enum side_part part,
                            uint32_t *ret_at, uint8_t **ret);

/* Between two pieces of long work; nothing when no guest runs (calls from outside). */
NODISCARD bool side_pause(const struct side *s);

/* memcpy() in pieces. */
NODISCARD bool side_copy(const struct side *s, uint8_t *to, const uint8_t *from,
                         uint64_t size_bytes);

/* ---- strings.c ---- */

/* A string where it lies, bounds known, contents not yet looked at. */
struct side_text {
    const uint8_t *bytes;
    uint64_t size_bytes, units;
    enum text_encoding encoding;
    bool is_tagged; /* UTF-16 out of a memory of CANON_LATIN1_UTF16 */
};

NODISCARD bool side_text_find(const struct side *s, uint32_t at, uint32_t tagged_units,
                              struct side_text *ret);

/* "store_string_into_range". */
NODISCARD bool side_text_put(const struct side *to, const struct side_text *text, uint32_t *ret_at,
                             uint32_t *ret_units);

#endif
