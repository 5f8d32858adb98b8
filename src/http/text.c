#include "text.h"

#include <emmintrin.h>

#define T TEXT_TOKEN
#define P (TEXT_PATH | TEXT_QUERY)
#define Q TEXT_QUERY
#define H TEXT_HOST
#define D (TEXT_DIGIT | TEXT_HEX)
#define X TEXT_HEX
#define V TEXT_VALUE

/* Besides RFC 3986's own, browsers send  [ ] ^ ` { | }  raw in targets, and ' " \ in queries: the
 * first are taken everywhere, backslash in queries only (some read it as a slash). Refused are the
 * fragment's '#' and  < > "  */
const uint8_t text_classes[256] = {
    ['\t'] = V,
    [' '] = V,
    ['!'] = T | P | V,
    ['"'] = V,
    ['#'] = T | V,
    ['$'] = T | P | V,
    ['%'] = T | P | V,
    ['&'] = T | P | V,
    ['\''] = T | P | V,
    ['('] = P | V,
    [')'] = P | V,
    ['*'] = T | P | V,
    ['+'] = T | P | V,
    [','] = P | V,
    ['-'] = T | P | H | V,
    ['.'] = T | P | H | V,
    ['/'] = P | V,
    ['0' ... '9'] = T | P | H | D | V,
    [':'] = P | V,
    [';'] = P | V,
    ['<'] = V,
    ['='] = P | V,
    ['>'] = V,
    ['?'] = Q | V,
    ['@'] = P | V,
    ['A' ... 'F'] = T | P | H | X | V,
    ['G' ... 'Z'] = T | P | H | V,
    ['['] = P | V,
    ['\\'] = Q | V,
    [']'] = P | V,
    ['^'] = T | P | V,
    ['_'] = T | P | H | V,
    ['`'] = T | P | V,
    ['a' ... 'f'] = T | P | H | X | V,
    ['g' ... 'z'] = T | P | H | V,
    ['{'] = P | V,
    ['|'] = T | P | V,
    ['}'] = P | V,
    ['~'] = T | P | V,
    [0x80 ... 0xff] = V,
};

bool text_all(const uint8_t *bytes, size_t size, unsigned class_mask)
{
    for (size_t i = 0; i < size; i++)
        if (!text_is(bytes[i], class_mask)) return false;
    return true;
}

size_t text_find_control(const uint8_t *bytes, size_t size)
{
    size_t i = 0;
    const __m128i low = _mm_set1_epi8(0x1f);
    const __m128i tab = _mm_set1_epi8('\t');
    const __m128i del = _mm_set1_epi8(0x7f);
    for (; size - i >= 16; i += 16) {
        const void *at = bytes + i;
        __m128i v = _mm_loadu_si128(at);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, low), v);
        control = _mm_andnot_si128(_mm_cmpeq_epi8(v, tab), control);
        control = _mm_or_si128(control, _mm_cmpeq_epi8(v, del));
        int mask = _mm_movemask_epi8(control);
        if (mask) return i + (size_t)__builtin_ctz((unsigned)mask);
    }
    while (i < size && text_is(bytes[i], TEXT_VALUE)) i++;
    return i;
}

bool text_equals_lower(const uint8_t *bytes, const char *lower, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text_lower(bytes[i]) != (uint8_t)lower[i]) return false;
    return true;
}
