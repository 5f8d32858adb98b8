#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"

#define BUFFER_FIRST_BYTES 256u
#define BUFFER_HUGE_BYTES  (8u << 20)
#define HUGE_PAGE_BYTES    (2u << 20)

void buffer_init(struct buffer *b, size_t cap_bytes)
{
    *b = (struct buffer){.cap_bytes = cap_bytes};
}

void buffer_done(struct buffer *b)
{
    free(b->data);
    buffer_init(b, b->cap_bytes);
}

/* A buffer of many megabytes takes a fault for each 2 MiB rather than each 4 KiB, where the system
 * has large pages: half of the time that filling it takes. */
static void use_huge_pages(uint8_t *data, size_t size_bytes)
{
    uintptr_t start = ((uintptr_t)data + HUGE_PAGE_BYTES - 1) & ~(uintptr_t)(HUGE_PAGE_BYTES - 1);
    uintptr_t end = ((uintptr_t)data + size_bytes) & ~(uintptr_t)(HUGE_PAGE_BYTES - 1);
    if (start < end) (void)madvise(data + (start - (uintptr_t)data), end - start, MADV_HUGEPAGE);
}

/* Makes room for `size_bytes` more within the cap, and for `slack_bytes` behind them that the cap
 * does not count. Doubling stops at the cap, so that appends near it do not reallocate each. */
static enum status buffer_grow(struct buffer *b, size_t size_bytes, size_t slack_bytes)
{
    size_t need;
    if (!checked_add_size(b->size_bytes, size_bytes, &need) || need > b->cap_bytes ||
        !checked_add_size(need, slack_bytes, &need)) {
        b->failed = true;
        return ST_LIMIT;
    }
    if (need <= b->capacity_bytes) return ST_OK;
    size_t capacity = b->capacity_bytes ? b->capacity_bytes : BUFFER_FIRST_BYTES;
    while (capacity < need && capacity <= b->cap_bytes / 2) capacity *= 2;
    if (capacity < need) capacity = need > b->cap_bytes ? need : b->cap_bytes;
    uint8_t *data = realloc(b->data, capacity);
    if (!data) {
        b->failed = true;
        return ST_NO_MEMORY;
    }
    b->data = data;
    b->capacity_bytes = capacity;
    if (capacity >= BUFFER_HUGE_BYTES) use_huge_pages(data, capacity);
    return ST_OK;
}

enum status buffer_reserve(struct buffer *b, size_t size_bytes)
{
    return buffer_grow(b, size_bytes, 0);
}

enum status buffer_append(struct buffer *b, const void *bytes, size_t size_bytes)
{
    enum status st = buffer_reserve(b, size_bytes);
    if (st) return st;
    if (size_bytes) memcpy(b->data + b->size_bytes, bytes, size_bytes);
    b->size_bytes += size_bytes;
    return ST_OK;
}

enum status buffer_append_string(struct buffer *b, const char *text)
{
    return buffer_append(b, text, strlen(text));
}

enum status buffer_append_zeros(struct buffer *b, size_t size_bytes)
{
    enum status st = buffer_reserve(b, size_bytes);
    if (st) return st;
    if (size_bytes) memset(b->data + b->size_bytes, 0, size_bytes);
    b->size_bytes += size_bytes;
    return ST_OK;
}

enum status buffer_align(struct buffer *b, size_t align)
{
    size_t aligned;
    if (!checked_align_size(b->size_bytes, align, &aligned)) {
        b->failed = true;
        return ST_LIMIT;
    }
    return buffer_append_zeros(b, aligned - b->size_bytes);
}

enum status buffer_printf(struct buffer *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int length = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(length >= 0);
    enum status st = buffer_grow(b, (size_t)length, 1); /* vsnprintf writes a NUL as well */
    if (st) return st;
    va_start(ap, fmt);
    vsnprintf((char *)b->data + b->size_bytes, (size_t)length + 1, fmt, ap);
    va_end(ap);
    b->size_bytes += (size_t)length;
    return ST_OK;
}

void buffer_consume(struct buffer *b, size_t size_bytes)
{
    assert(size_bytes <= b->size_bytes);
    if (!size_bytes) return;
    memmove(b->data, b->data + size_bytes, b->size_bytes - size_bytes);
    b->size_bytes -= size_bytes;
}

void buffer_clear(struct buffer *b)
{
    b->size_bytes = 0;
    b->failed = false;
}
