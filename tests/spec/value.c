#include "value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool starts(const char *word, const char *prefix, const char **rest)
{
    size_t length = strlen(prefix);
    if (strncmp(word, prefix, length) != 0) return false;
    *rest = word + length;
    return true;
}

static bool parse_hex(const char *text, size_t bits, uint64_t *ret)
{
    char *end;
    if (strlen(text) != bits / 4) return false;
    *ret = strtoull(text, &end, 16);
    return *end == '\0';
}

static bool parse_v128(const char *text, struct value *ret)
{
    if (strlen(text) != 32) return false;
    for (size_t i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) return false;
        ret->v128[i] = (uint8_t)byte;
    }
    return true;
}

bool value_parse(const char *word, struct value *ret)
{
    const char *rest;
    uint64_t bits = 0;
    memset(ret, 0, sizeof *ret);
    if (starts(word, "v128:", &rest)) return parse_v128(rest, ret);
    if (starts(word, "null", &rest)) return *rest == '\0' || *rest == ':';
    bool ok;
    if (starts(word, "i32:", &rest) || starts(word, "f32:", &rest)) {
        ok = parse_hex(rest, 32, &bits);
    } else if (starts(word, "i64:", &rest) || starts(word, "f64:", &rest)) {
        ok = parse_hex(rest, 64, &bits);
    } else if (starts(word, "extern:", &rest)) {
        bits = strtoull(rest, NULL, 10) + 1;
        ok = bits <= UINT32_MAX;
    } else {
        return false;
    }
    ret->i64 = bits;
    return ok;
}

/* One float lane: its bits in hexadecimal, "canonical" or "arithmetic" (Core §4.4, NaN). */
static bool lane_matches(const char *pattern, size_t length, unsigned width, uint64_t bits)
{
    unsigned fraction = width == 32 ? 23 : 52;
    uint64_t infinity = width == 32 ? 0x7f800000u : 0x7ff0000000000000u;
    uint64_t quiet = 1ull << (fraction - 1);
    uint64_t magnitude = bits & ~(1ull << (width - 1));
    if (length == 9 && strncmp(pattern, "canonical", length) == 0)
        return magnitude == (infinity | quiet);
    if (length == 10 && strncmp(pattern, "arithmetic", length) == 0)
        return (magnitude & (infinity | quiet)) == (infinity | quiet);
    char text[17] = "";
    uint64_t want;
    if (length > 16) return false;
    memcpy(text, pattern, length);
    return parse_hex(text, width, &want) && want == bits;
}

static bool lanes_match(const char *pattern, unsigned width, const struct value *value)
{
    size_t bytes = width / 8;
    for (size_t at = 0; at < 16; at += bytes) {
        uint64_t bits = 0;
        memcpy(&bits, value->v128 + at, bytes);
        size_t length = strcspn(pattern, ",");
        if (!lane_matches(pattern, length, width, bits)) return false;
        pattern += length + (pattern[length] == ',');
    }
    return *pattern == '\0';
}

static bool reference_matches(const char *pattern, uint32_t reference, uint32_t funcs_count)
{
    const char *rest;
    if (starts(pattern, "null", &rest)) return reference == 0;
    if (strcmp(pattern, "func") == 0) return reference > 0 && reference < funcs_count;
    if (strcmp(pattern, "extern") == 0) return reference > 0;
    struct value want;
    return starts(pattern, "extern:", &rest) && value_parse(pattern, &want) &&
           want.i32 == reference;
}

static bool one_matches(const char *pattern, char type, const struct value *value,
                        uint32_t funcs_count)
{
    const char *rest;
    struct value want;
    switch (type) {
    case 'r': return reference_matches(pattern, value->i32, funcs_count);
    case 'f':
        return starts(pattern, "f32:", &rest) && lane_matches(rest, strlen(rest), 32, value->i32);
    case 'd':
        return starts(pattern, "f64:", &rest) && lane_matches(rest, strlen(rest), 64, value->i64);
    case 'i':
        return starts(pattern, "i32:", &rest) && value_parse(pattern, &want) &&
               want.i32 == value->i32;
    case 'l':
        return starts(pattern, "i64:", &rest) && value_parse(pattern, &want) &&
               want.i64 == value->i64;
    case 'v':
        if (starts(pattern, "f32x4:", &rest)) return lanes_match(rest, 32, value);
        if (starts(pattern, "f64x2:", &rest)) return lanes_match(rest, 64, value);
        return starts(pattern, "v128:", &rest) && value_parse(pattern, &want) &&
               memcmp(want.v128, value->v128, 16) == 0;
    default: return false;
    }
}

bool value_matches(const char *pattern, char type, const struct value *value, uint32_t funcs_count)
{
    char one[256];
    for (;;) {
        size_t length = strcspn(pattern, "|");
        if (length >= sizeof one) return false;
        memcpy(one, pattern, length);
        one[length] = '\0';
        if (one_matches(one, type, value, funcs_count)) return true;
        if (!pattern[length]) return false;
        pattern += length + 1;
    }
}

void value_print(char type, const struct value *value, char text[VALUE_TEXT_MAX])
{
    switch (type) {
    case 'i': snprintf(text, VALUE_TEXT_MAX, "i32:%08" PRIx32, value->i32); break;
    case 'l': snprintf(text, VALUE_TEXT_MAX, "i64:%016" PRIx64, value->i64); break;
    case 'f': snprintf(text, VALUE_TEXT_MAX, "f32:%08" PRIx32, value->i32); break;
    case 'd': snprintf(text, VALUE_TEXT_MAX, "f64:%016" PRIx64, value->i64); break;
    case 'r': snprintf(text, VALUE_TEXT_MAX, "ref:%" PRIu32, value->i32); break;
    default:
        snprintf(text, VALUE_TEXT_MAX, "v128:");
        for (size_t i = 0; i < 16; i++)
            snprintf(text + 5 + 2 * i, VALUE_TEXT_MAX - 5 - 2 * i, "%02x", value->v128[i]);
    }
}
