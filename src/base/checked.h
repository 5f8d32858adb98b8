/* Arithmetic on sizes that says when it overflows: each returns true when *ret is exact. */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

NODISCARD static inline bool checked_add_size(size_t a, size_t b, size_t *ret)
{
    return !__builtin_add_overflow(a, b, ret);
}

NODISCARD static inline bool checked_mul_size(size_t a, size_t b, size_t *ret)
{
    return !__builtin_mul_overflow(a, b, ret);
}

NODISCARD static inline bool checked_add_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
    return !__builtin_add_overflow(a, b, ret);
}

NODISCARD static inline bool checked_mul_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
    return !__builtin_mul_overflow(a, b, ret);
}

/* Rounds up to a power of two. */
NODISCARD static inline bool checked_align_size(size_t size, size_t align, size_t *ret)
{
    size_t sum;
    if (!checked_add_size(size, align - 1, &sum)) return false;
    *ret = sum & ~(align - 1);
    return true;
}

/* True when [offset, offset + length) lies within [0, size). */
static inline bool range_within(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

#endif
