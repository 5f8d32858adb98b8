#include "side.h"

#include <string.h>

#define ALIGNMENT_TEXT "unaligned pointer"

static const char *bounds_text(const struct side *s, enum side_part part)
{
    switch (part) {
    case SIDE_STRING:
        return s->with_host ? "string pointer/length out of bounds of memory"
                            : "string content out-of-bounds";
    case SIDE_LIST:
        return s->with_host ? "list pointer/length out of bounds of memory"
                            : "list content out-of-bounds";
    case SIDE_VALUE: break;
    }
    return "pointer out of bounds of memory";
}

bool side_range(const struct side *s, uint64_t at, uint64_t size_bytes, uint32_t align_bytes,
                enum side_part part, uint8_t **ret)
{
    if (at & (align_bytes - 1)) return trap_say(s->i, ALIGNMENT_TEXT);
    if (guest_slice(s->i, s->options->memory, at, size_bytes, ret)) return true;
    return trap_say(s->i, bounds_text(s, part));
}

bool side_realloc(const struct side *s, uint32_t old_at, uint32_t old_bytes, uint32_t align_bytes,
                  uint64_t size_bytes, enum side_part part, uint32_t *ret_at, uint8_t **ret)
{
    if (size_bytes > UINT32_MAX) return trap_say(s->i, bounds_text(s, part));
    if (!s->options->realloc) return trap_say(s->i, "no realloc to place a value with");
    struct value values[4] = {
        {.i32 = old_at}, {.i32 = old_bytes}, {.i32 = align_bytes}, {.i32 = (uint32_t)size_bytes}};
    if (!call_confined(s->c, s->i, s->options->component, s->options->realloc, values))
        return false;
    uint32_t at = values[0].i32;
    *ret_at = at;
    if (at & (align_bytes - 1))
        return trap_say(s->i, s->with_host ? "realloc return: result not aligned" : ALIGNMENT_TEXT);
    if (guest_slice(s->i, s->options->memory, at, size_bytes, ret)) return true;
    return trap_say(s->i,
                    s->with_host ? "realloc return: beyond end of memory" : bounds_text(s, part));
}

bool side_pause(const struct side *s)
{
    if (s->outside || instance_pause(s->i)) return true;
    s->c->stopped = true;
    return false;
}

bool side_copy(const struct side *s, uint8_t *to, const uint8_t *from, uint64_t size_bytes)
{
    while (size_bytes > SIDE_PIECE_BYTES) {
        memcpy(to, from, SIDE_PIECE_BYTES);
        to += SIDE_PIECE_BYTES;
        from += SIDE_PIECE_BYTES;
        size_bytes -= SIDE_PIECE_BYTES;
        if (!side_pause(s)) return false;
    }
    if (size_bytes) memcpy(to, from, size_bytes);
    return true;
}
