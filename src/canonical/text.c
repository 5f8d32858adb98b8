#include "text.h"

#include <string.h>

#define INLINE      static inline __attribute__((always_inline))
#define BLOCK_BYTES 32u

/* ---- one character ---- */

INLINE bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* How many bytes a character takes that begins so; 0: none does (Unicode, table 3-7). */
INLINE unsigned utf8_length(uint8_t first)
{
    if (first < 0x80) return 1;
    if (first < 0xc2) return 0;
    if (first < 0xe0) return 2;
    if (first < 0xf0) return 3;
    return first < 0xf5 ? 4 : 0;
}

/* The second byte tells overlong forms, surrogates and what lies beyond U+10FFFF. */
INLINE bool utf8_second_fits(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0: return second >= 0xa0 && second < 0xc0;
    case 0xed: return second >= 0x80 && second < 0xa0;
    case 0xf0: return second >= 0x90 && second < 0xc0;
    case 0xf4: return second >= 0x80 && second < 0x90;
    default: return is_tail(second);
    }
}

INLINE bool take_utf8(struct text_piece *p, uint32_t *ret)
{
    const uint8_t *s = p->from;
    size_t left = (size_t)(p->end - s);
    unsigned length = utf8_length(s[0]);
    p->fault = "invalid utf-8";
    if (length == 0) return false;
    uint32_t c = length == 1 ? s[0] : s[0] & (0x7fu >> length);
    for (unsigned k = 1; k < length; k++) {
        if (k >= left) {
            p->fault = "incomplete utf-8 byte sequence";
            return false;
        }
        if (k == 1 ? !utf8_second_fits(s[0], s[1]) : !is_tail(s[k])) return false;
        c = c << 6 | (s[k] & 0x3f);
    }
    p->fault = NULL;
    p->from += length;
    *ret = c;
    return true;
}

INLINE uint32_t unit_at(const uint8_t *at)
{
    return (uint32_t)(at[0] | at[1] << 8);
}

INLINE bool take_utf16(struct text_piece *p, uint32_t *ret)
{
    uint32_t c = unit_at(p->from);
    size_t bytes = 2;
    if (c >= 0xd800 && c < 0xe000) {
        uint32_t low = c < 0xdc00 && p->end - p->from >= 4 ? unit_at(p->from + 2) : 0;
        if (low < 0xdc00 || low >= 0xe000) {
            p->fault = "invalid utf-16";
            return false;
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        bytes = 4;
    }
    p->from += bytes;
    *ret = c;
    return true;
}

INLINE bool take(struct text_piece *p, enum text_encoding encoding, uint32_t *ret)
{
    if (encoding == TEXT_UTF8) return take_utf8(p, ret);
    if (encoding == TEXT_UTF16) return take_utf16(p, ret);
    *ret = *p->from++;
    return true;
}

INLINE void put_unit(struct text_piece *p, uint32_t unit)
{
    *p->to++ = (uint8_t)unit;
    *p->to++ = (uint8_t)(unit >> 8);
}

INLINE void put_utf8(struct text_piece *p, uint32_t c)
{
    if (c < 0x80) {
        *p->to++ = (uint8_t)c;
        return;
    }
    if (c < 0x800) {
        *p->to++ = (uint8_t)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *p->to++ = (uint8_t)(0xe0 | c >> 12);
        } else {
            *p->to++ = (uint8_t)(0xf0 | c >> 18);
            *p->to++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        }
        *p->to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    }
    *p->to++ = (uint8_t)(0x80 | (c & 0x3f));
}

INLINE void put(struct text_piece *p, enum text_encoding encoding, uint32_t c)
{
    if (encoding == TEXT_UTF8) {
        put_utf8(p, c);
    } else if (encoding == TEXT_LATIN1) {
        *p->to++ = (uint8_t)c;
    } else if (c < 0x10000) {
        put_unit(p, c);
    } else {
        put_unit(p, 0xd800 + ((c - 0x10000) >> 10));
        put_unit(p, 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
}

/* ---- runs of ASCII ---- */

INLINE bool is_ascii_block(const uint8_t *at)
{
    uint64_t w[BLOCK_BYTES / 8];
    memcpy(w, at, sizeof w);
    return ((w[0] | w[1] | w[2] | w[3]) & UINT64_C(0x8080808080808080)) == 0;
}

INLINE bool has_block(const struct text_piece *p)
{
    return p->soft_end - p->from >= (ptrdiff_t)BLOCK_BYTES;
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* ASCII to UTF-16. */
INLINE void widen_block(uint8_t *to, const uint8_t *from)
{
    const bytes16 zero = {0};
    for (unsigned k = 0; k < BLOCK_BYTES; k += 16) {
        bytes16 in, low, high;
        memcpy(&in, from + k, sizeof in);
        low = __builtin_shufflevector(in, zero, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7,
                                      23);
        high = __builtin_shufflevector(in, zero, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14,
                                       30, 15, 31);
        memcpy(to + 2 * k, &low, sizeof low);
        memcpy(to + 2 * k + 16, &high, sizeof high);
    }
}

/* A block of bytes that mean the same in Latin-1 and UTF-8. */
INLINE void copy_blocks(struct text_piece *p, enum text_encoding to)
{
    while (has_block(p) && is_ascii_block(p->from)) {
        if (to == TEXT_UTF16) {
            widen_block(p->to, p->from);
            p->to += (size_t)2 * BLOCK_BYTES;
        } else {
            memcpy(p->to, p->from, BLOCK_BYTES);
            p->to += BLOCK_BYTES;
        }
        p->from += BLOCK_BYTES;
    }
}

/* ---- pieces ---- */

INLINE void convert(struct text_piece *p, enum text_encoding from, enum text_encoding to)
{
    while (p->from < p->soft_end) {
        if (from != TEXT_UTF16) copy_blocks(p, to);
        /* Text that is not ASCII seldom turns back to it within a few characters. */
        for (unsigned k = 0; k < BLOCK_BYTES && p->from < p->soft_end; k++) {
            const uint8_t *at = p->from;
            uint32_t c;
            if (!take(p, from, &c)) return;
            if (to == TEXT_LATIN1 && c > 0xff) {
                p->from = at;
                p->wide = true;
                return;
            }
            put(p, to, c);
        }
    }
}

static void check_utf8(struct text_piece *p)
{
    while (p->from < p->soft_end) {
        while (has_block(p) && is_ascii_block(p->from)) p->from += BLOCK_BYTES;
        for (unsigned k = 0; k < BLOCK_BYTES && p->from < p->soft_end; k++) {
            uint32_t c;
            if (!take_utf8(p, &c)) return;
        }
    }
}

static void check_utf16(struct text_piece *p)
{
    uint32_t c;
    while (p->from < p->soft_end)
        if (!take_utf16(p, &c)) return;
}

void text_check(struct text_piece *p, enum text_encoding encoding)
{
    p->fault = NULL;
    switch (encoding) {
    case TEXT_UTF8: check_utf8(p); break;
    case TEXT_UTF16: check_utf16(p); break;
    case TEXT_LATIN1: p->from = p->soft_end; break;
    }
}

static void copy_checked(struct text_piece *p, enum text_encoding encoding)
{
    const uint8_t *from = p->from;
    text_check(p, encoding);
    size_t size = (size_t)(p->from - from);
    if (size) memcpy(p->to, from, size);
    p->to += size;
}

void text_convert(struct text_piece *p, enum text_encoding from, enum text_encoding to)
{
    p->fault = NULL;
    p->wide = false;
    if (from == to) {
        copy_checked(p, from);
        return;
    }
    switch (from) {
    case TEXT_LATIN1:
        if (to == TEXT_UTF8)
            convert(p, TEXT_LATIN1, TEXT_UTF8);
        else
            convert(p, TEXT_LATIN1, TEXT_UTF16);
        break;
    case TEXT_UTF8:
        if (to == TEXT_LATIN1)
            convert(p, TEXT_UTF8, TEXT_LATIN1);
        else
            convert(p, TEXT_UTF8, TEXT_UTF16);
        break;
    case TEXT_UTF16:
        if (to == TEXT_LATIN1)
            convert(p, TEXT_UTF16, TEXT_LATIN1);
        else
            convert(p, TEXT_UTF16, TEXT_UTF8);
        break;
    }
}

bool text_is_narrow(const uint8_t *utf16, size_t units)
{
    for (size_t k = 0; k < units; k++)
        if (utf16[2 * k + 1]) return false;
    return true;
}
