/* Guest memory and handles for host functions. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "side.h"

#define TRAP_TEXT_BYTES 256u

bool canonical_trap(struct canonical_call *c, const char *fmt, ...)
{
    char text[TRAP_TEXT_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return trap_say(c->instance, text);
}

bool canonical_bytes(struct canonical_call *c, uint32_t at, uint32_t size_bytes, uint8_t **ret)
{
    const struct side s = side_of(c);
    return side_range(&s, at, size_bytes, 1, SIDE_LIST, ret);
}

bool canonical_out(struct canonical_call *c, uint32_t at, uint32_t size_bytes, uint32_t align_bytes,
                   uint8_t **ret)
{
    const struct side s = side_of(c);
    return side_range(&s, at, size_bytes, align_bytes, SIDE_VALUE, ret);
}

bool canonical_list(struct canonical_call *c, uint32_t at, uint32_t count, uint32_t element_bytes,
                    uint32_t align_bytes, const uint8_t **ret)
{
    const struct side s = side_of(c);
    uint8_t *bytes;
    if (!side_range(&s, at, (uint64_t)count * element_bytes, align_bytes, SIDE_LIST, &bytes))
        return false;
    *ret = bytes;
    return true;
}

bool canonical_char(struct canonical_call *c, uint32_t bits)
{
    if (bits < 0xd800 || (bits >= 0xe000 && bits < 0x110000)) return true;
    return trap_say(c->instance, "invalid `char` bit pattern");
}

static bool check_in_place(const struct side *s, const struct side_text *t)
{
    struct text_piece p = {.from = t->bytes, .end = t->bytes + t->size_bytes};
    while (p.from < p.end) {
        size_t left = (size_t)(p.end - p.from);
        p.soft_end = p.from + (left < SIDE_PIECE_BYTES ? left : SIDE_PIECE_BYTES);
        text_check(&p, t->encoding);
        if (p.fault) return trap_say(s->i, p.fault);
        if (p.from < p.end && !side_pause(s)) return false;
    }
    return true;
}

static bool buffer_room(struct text_buffer *b, size_t size)
{
    if (size <= b->capacity) return true;
    char *bytes = realloc(b->bytes, size);
    if (!bytes) return false;
    b->bytes = bytes;
    b->capacity = size;
    return true;
}

static bool convert_text(const struct side *s, const struct side_text *t,
                         struct canonical_text *ret)
{
    struct text_buffer *b = &s->c->texts[s->c->texts_turn ^= 1];
    uint64_t worst = t->encoding == TEXT_UTF16 ? 3 * t->units : 2 * t->units;
    if (worst > CANONICAL_STRING_BYTES_MAX) return trap_say(s->i, "string is too long");
    if (!buffer_room(b, worst)) return trap_say(s->i, "no memory for a string");
    struct text_piece p = {
        .from = t->bytes, .end = t->bytes + t->size_bytes, .to = (uint8_t *)b->bytes};
    p.soft_end = p.end;
    if (p.from < p.end) text_convert(&p, t->encoding, TEXT_UTF8);
    if (p.fault) return trap_say(s->i, p.fault);
    *ret = (struct canonical_text){b->bytes, (size_t)((char *)p.to - b->bytes)};
    return true;
}

bool canonical_text(struct canonical_call *c, uint32_t at, uint32_t units,
                    struct canonical_text *ret)
{
    const struct side s = side_of(c);
    struct side_text t;
    if (!side_text_find(&s, at, units, &t)) return false;
    if (t.encoding != TEXT_UTF8) return convert_text(&s, &t, ret);
    if (!check_in_place(&s, &t)) return false;
    *ret = (struct canonical_text){(const char *)t.bytes, t.size_bytes};
    return true;
}

bool canonical_allocate(struct canonical_call *c, uint32_t size_bytes, uint32_t align_bytes,
                        uint32_t *ret_at, uint8_t **ret)
{
    const struct side s = side_of(c);
    return side_realloc(&s, 0, 0, align_bytes, size_bytes, SIDE_LIST, ret_at, ret);
}

bool canonical_put_text(struct canonical_call *c, const char *text, size_t size_bytes,
                        uint32_t *ret_at, uint32_t *ret_units)
{
    const struct side s = side_of(c);
    const struct side_text t = {(const uint8_t *)text, size_bytes, size_bytes, TEXT_UTF8, false};
    return side_text_put(&s, &t, ret_at, ret_units);
}

bool canonical_own(struct canonical_call *c, const struct canonical_resource *type, void *rep,
                   uint32_t *ret)
{
    const struct handle h = {.type = type, .rep.host = rep, .own = true, .is_host = true};
    return handle_add(c->canonical, c->instance, c->options->component, &h, ret);
}

void *canonical_borrowed(struct canonical_call *c, const struct canonical_resource *type,
                         uint32_t handle)
{
    struct handle_ref ref = {c->options->component, handle};
    struct handle *h = handle_find(c->canonical, c->instance, ref.component, handle, type);
    if (!h || !handle_lend(c->canonical, c->instance, ref, h)) return NULL;
    return h->rep.host;
}

void *canonical_taken(struct canonical_call *c, const struct canonical_resource *type,
                      uint32_t handle)
{
    uint32_t component = c->options->component;
    struct handle taken;
    struct handle *h = handle_find(c->canonical, c->instance, component, handle, type);
    if (!h) return NULL;
    if (!h->own) {
        trap_say(c->instance, "cannot lift own resource from a borrow");
        return NULL;
    }
    if (!handle_take(c->canonical, c->instance, component, handle, type, &taken)) return NULL;
    return taken.rep.host;
}
