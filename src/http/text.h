/* Classes of characters and comparisons of RFC 9110 §5.6 and RFC 3986. */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum text_class {
    TEXT_TOKEN = 1, /* tchar */
    TEXT_PATH = 2,  /* may stand in the path of a request target; '%' is checked apart */
    TEXT_QUERY = 4, /* may stand in its query */
    TEXT_HOST = 8,  /* letters, digits, '-', '.', '_' */
    TEXT_DIGIT = 16,
    TEXT_HEX = 32,
    TEXT_VALUE = 64, /* field value: visible, obs-text, space, tab */
};

extern const uint8_t text_classes[256];

static inline bool text_is(uint8_t c, unsigned class_mask)
{
    return (text_classes[c] & class_mask) != 0;
}

/* Every byte is in the class. True for no bytes. */
bool text_all(const uint8_t *bytes, size_t size, unsigned class_mask);

/* Index of the first byte that no field value may hold, or `size`. */
size_t text_find_control(const uint8_t *bytes, size_t size);

/* Equal but for the case of ASCII letters; `lower` is in lower case. */
bool text_equals_lower(const uint8_t *bytes, const char *lower, size_t size);

static inline uint8_t text_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* 0..15; only for TEXT_HEX. */
static inline unsigned text_hex_value(uint8_t c)
{
    return c <= '9' ? c - (unsigned)'0' : (c | 0x20U) - (unsigned)'a' + 10;
}

#endif
