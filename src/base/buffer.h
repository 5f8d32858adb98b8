/* A growable run of bytes with a cap.
 *
 * A failed append leaves the buffer as it was and sets `failed`, which stays set: a caller may
 * append many times and look once. Not for several threads at a time. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

struct buffer {
    uint8_t *data; /* NULL while nothing was ever appended */
    size_t size_bytes;
    size_t capacity_bytes;
    size_t cap_bytes; /* size_bytes never passes it */
    bool failed;
};

void buffer_init(struct buffer *b, size_t cap_bytes);

/* Frees; the buffer is then as after buffer_init() with the same cap. Legal on a zeroed one. */
void buffer_done(struct buffer *b);

/* Each returns ST_OK, ST_LIMIT (cap reached) or ST_NO_MEMORY. */
enum status buffer_append(struct buffer *b, const void *bytes, size_t size_bytes);
enum status buffer_append_string(struct buffer *b, const char *text);
enum status buffer_printf(struct buffer *b, const char *fmt, ...) PRINTF(2, 3);
enum status buffer_append_zeros(struct buffer *b, size_t size_bytes);

/* Makes room for `size_bytes` more; the space is at data + size_bytes. */
enum status buffer_reserve(struct buffer *b, size_t size_bytes);

/* Appends zeros until size_bytes is a multiple of `align`, a power of two. */
enum status buffer_align(struct buffer *b, size_t align);

/* Drops `size_bytes` from the front; the rest moves down. */
void buffer_consume(struct buffer *b, size_t size_bytes);

/* Size 0, capacity kept, `failed` cleared. */
void buffer_clear(struct buffer *b);

#endif
