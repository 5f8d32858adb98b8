/* Texts in the three encodings of the canonical ABI: checking them and turning one into another.
 * Knows nothing of guests.
 *
 * Every function works on a piece: it begins at *from, goes on until it is at `soft_end` or just
 * behind it, so that no character is cut, and never reads at or behind `end`. Both pointers are
 * moved. Where there is a destination it has room for the worst that the piece can become. */
#ifndef CANONICAL_TEXT_H
#define CANONICAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum text_encoding { TEXT_LATIN1, TEXT_UTF8, TEXT_UTF16 };

struct text_piece {
    const uint8_t *from, *soft_end, *end;
    uint8_t *to;
    bool wide;         /* stopped before a character that the destination cannot hold */
    const char *fault; /* NULL, or what is wrong with the text; `from` is there */
};

/* Checks only. */
void text_check(struct text_piece *p, enum text_encoding encoding);

/* From one encoding to another or the same; a destination of TEXT_LATIN1 may stop at `wide`. */
void text_convert(struct text_piece *p, enum text_encoding from, enum text_encoding to);

/* True when every code unit of UTF-16 is below 256. */
bool text_is_narrow(const uint8_t *utf16, size_t units);

#endif
