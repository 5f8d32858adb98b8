/* Strings from one encoding into another ("store_string_into_range"): the calls of "realloc" are
 * those that the reference makes, for guests can see them. */
#include "side.h"

#include <string.h>

#define STRING_BYTES_MAX INT32_MAX /* "MAX_STRING_BYTE_LENGTH" */
#define UTF16_TAG        (UINT32_C(1) << 31)

bool side_text_find(const struct side *s, uint32_t at, uint32_t tagged_units, struct side_text *ret)
{
    uint8_t *bytes;
    uint32_t align_bytes = 2;
    ret->units = tagged_units;
    ret->encoding = TEXT_UTF16;
    ret->is_tagged = false;
    if (s->options->encoding == CANON_UTF8) {
        ret->encoding = TEXT_UTF8;
        align_bytes = 1;
    } else if (s->options->encoding == CANON_LATIN1_UTF16) {
        ret->encoding = tagged_units & UTF16_TAG ? TEXT_UTF16 : TEXT_LATIN1;
        ret->units = tagged_units & ~UTF16_TAG;
        ret->is_tagged = ret->encoding == TEXT_UTF16;
    }
    ret->size_bytes = ret->encoding == TEXT_UTF16 ? 2 * ret->units : ret->units;
    if (!side_range(s, at, ret->size_bytes, align_bytes, SIDE_STRING, &bytes)) return false;
    ret->bytes = bytes;
    return true;
}

/* A string on its way into memory that the guest gave. */
struct writer {
    const struct side *to;
    struct text_piece piece;
    uint32_t at, room_bytes, align_bytes;
    uint8_t *bytes; /* of `room_bytes` */
};

static bool writer_room(struct writer *w, uint64_t size_bytes)
{
    if (size_bytes > STRING_BYTES_MAX) return trap_say(w->to->i, "string is too long");
    size_t written = w->bytes ? (size_t)(w->piece.to - w->bytes) : 0;
    uint32_t old_bytes = w->bytes ? w->room_bytes : 0;
    if (!side_realloc(w->to, w->at, old_bytes, w->align_bytes, size_bytes, SIDE_STRING, &w->at,
                      &w->bytes))
        return false;
    w->room_bytes = (uint32_t)size_bytes;
    assert(written <= size_bytes);
    w->piece.to = w->bytes + written;
    return true;
}

/* Gives back what is not needed. */
static bool writer_shrink(struct writer *w)
{
    size_t written = (size_t)(w->piece.to - w->bytes);
    return written == w->room_bytes || writer_room(w, written);
}

/* The rest of the text, in pieces, until its end or a character that is too wide. */
static bool writer_run(struct writer *w, enum text_encoding from, enum text_encoding to)
{
    struct text_piece *p = &w->piece;
    for (;;) {
        size_t left = (size_t)(p->end - p->from);
        p->soft_end = p->from + (left < SIDE_PIECE_BYTES ? left : SIDE_PIECE_BYTES);
        text_convert(p, from, to);
        if (p->fault) return trap_say(w->to->i, p->fault);
        if (p->from == p->end || p->wide) return true;
        if (!side_pause(w->to)) return false;
    }
}

/* The leading characters that are ASCII, into room for one byte a unit. */
static void put_ascii(struct writer *w, const struct side_text *t)
{
    struct text_piece *p = &w->piece;
    size_t step = t->encoding == TEXT_UTF16 ? 2 : 1;
    while (p->from < p->end && p->from[0] < 0x80 && !(step == 2 && p->from[1])) {
        *p->to++ = p->from[0];
        p->from += step;
    }
}

/* "store_string_to_utf8" */
static bool put_as_utf8(struct writer *w, const struct side_text *t)
{
    uint64_t worst = t->encoding == TEXT_UTF16 ? 3 * t->units : 2 * t->units;
    if (!writer_room(w, t->units)) return false;
    put_ascii(w, t);
    if (w->piece.from == w->piece.end) return true;
    return writer_room(w, worst) && writer_run(w, t->encoding, TEXT_UTF8) && writer_shrink(w);
}

/* "store_utf8_to_utf16" */
static bool put_utf8_as_utf16(struct writer *w, const struct side_text *t)
{
    return writer_room(w, 2 * t->units) && writer_run(w, TEXT_UTF8, TEXT_UTF16) && writer_shrink(w);
}

/* "store_string_copy"; Latin-1 widens to UTF-16 in what is no more than a copy. */
static bool put_copy(struct writer *w, const struct side_text *t, enum text_encoding to)
{
    uint64_t size = to == TEXT_UTF16 ? 2 * t->units : t->units;
    return writer_room(w, size) && writer_run(w, t->encoding, to);
}

/* Latin-1 that was written becomes UTF-16 in the same room, from its end. */
static void widen(struct writer *w)
{
    size_t count = (size_t)(w->piece.to - w->bytes);
    for (size_t k = count; k-- > 0;) {
        w->bytes[2 * k] = w->bytes[k];
        w->bytes[2 * k + 1] = 0;
    }
    w->piece.to = w->bytes + 2 * count;
}

/* "store_string_to_latin1_or_utf16" */
static bool put_as_either(struct writer *w, const struct side_text *t, bool *ret_wide)
{
    if (!writer_room(w, t->units)) return false;
    if (!writer_run(w, t->encoding, TEXT_LATIN1)) return false;
    *ret_wide = w->piece.wide;
    if (!w->piece.wide) return writer_shrink(w);
    if (!writer_room(w, 2 * t->units)) return false;
    widen(w);
    return writer_run(w, t->encoding, TEXT_UTF16) && writer_shrink(w);
}

/* "store_probably_utf16_to_latin1_or_utf16" */
static bool put_probably_utf16(struct writer *w, const struct side_text *t, bool *ret_wide)
{
    if (!put_copy(w, t, TEXT_UTF16)) return false;
    *ret_wide = !text_is_narrow(w->bytes, t->units);
    if (*ret_wide) return true;
    for (size_t k = 0; k < t->units; k++) w->bytes[k] = w->bytes[2 * k];
    w->piece.to = w->bytes + t->units;
    w->align_bytes = 1;
    return writer_room(w, t->units);
}

static bool put_latin1_utf16(struct writer *w, const struct side_text *t, bool *ret_wide)
{
    *ret_wide = false;
    if (t->encoding == TEXT_LATIN1) return put_copy(w, t, TEXT_LATIN1);
    return t->is_tagged ? put_probably_utf16(w, t, ret_wide) : put_as_either(w, t, ret_wide);
}

bool side_text_put(const struct side *to, const struct side_text *t, uint32_t *ret_at,
                   uint32_t *ret_units)
{
    struct writer w = {.to = to, .align_bytes = to->options->encoding == CANON_UTF8 ? 1 : 2};
    w.piece.from = t->bytes;
    w.piece.end = t->bytes + t->size_bytes;
    bool wide = false, done = false;
    switch ((enum canon_encoding)to->options->encoding) {
    case CANON_UTF8:
        done = t->encoding == TEXT_UTF8 ? put_copy(&w, t, TEXT_UTF8) : put_as_utf8(&w, t);
        break;
    case CANON_UTF16:
        done = t->encoding == TEXT_UTF8 ? put_utf8_as_utf16(&w, t) : put_copy(&w, t, TEXT_UTF16);
        break;
    case CANON_LATIN1_UTF16: done = put_latin1_utf16(&w, t, &wide); break;
    }
    if (!done) return false;
    uint32_t written = (uint32_t)(w.piece.to - w.bytes);
    *ret_at = w.at;
    if (to->options->encoding == CANON_UTF16) written /= 2;
    *ret_units = wide ? written / 2 | UTF16_TAG : written;
    return true;
}
