#include "h1_chunked.h"

#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "text.h"

enum {
    SIZE, /* hex digits */
    SIZE_LF,
    EXTENSION_NAME_FIRST, /* behind ';' */
    EXTENSION_NAME,
    EXTENSION_VALUE_FIRST, /* behind '=' */
    EXTENSION_TOKEN,
    EXTENSION_QUOTED,
    EXTENSION_ESCAPE,
    EXTENSION_QUOTED_END,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_FIRST, /* of a line: a name, or the CR that ends it all */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    END,
};

void h1_chunked_begin(struct h1_chunked *c, uint64_t body_bytes_max)
{
    memset(c, 0, sizeof *c);
    c->body_left = body_bytes_max;
}

void h1_chunked_done(struct h1_chunked *c)
{
    free(c->trailers);
    c->trailers = NULL;
}

/* Without memory they are dropped: nobody may count on trailers. */
static void trailer_keep(struct h1_chunked *c, uint8_t byte)
{
    if (!c->trailers) c->trailers = malloc(HTTP_TRAILER_BYTES_MAX);
    if (c->trailers)
        c->trailers[c->trailer_bytes - 1] = (char)byte;
    else
        c->keeps_trailers = false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool h1_chunked_trailer(const struct h1_chunked *c, size_t index, struct http_field *ret)
{
    const char *at = c->trailers;
    if (!at || index >= c->trailer_fields) return false;
    while (index--) at = strchr(at, '\n') + 1;
    const char *colon = strchr(at, ':'), *value = colon + 1, *end = strchr(at, '\r');
    while (value < end && is_blank(*value)) value++;
    while (end > value && is_blank(end[-1])) end--;
    *ret = (struct http_field){{at, (size_t)(colon - at)}, {value, (size_t)(end - value)}};
    return true;
}

/* The CR behind a chunk size or its extensions, or the ';' of another extension. */
static enum h1_rule size_line_go_on(struct h1_chunked *c, uint8_t byte, enum h1_rule otherwise)
{
    if (byte == '\r') {
        c->state = SIZE_LF;
    } else if (byte == ';') {
        c->state = EXTENSION_NAME_FIRST;
    } else {
        return byte == '\n' ? H1_RULE_BARE_LF : otherwise;
    }
    return H1_RULE_NONE;
}

static enum h1_rule size_step(struct h1_chunked *c, uint8_t byte)
{
    if (text_is(byte, TEXT_HEX)) {
        if (c->size_digits++ >= HTTP_CHUNK_DIGITS_MAX) return H1_RULE_CHUNK_SIZE;
        c->chunk_left = c->chunk_left << 4 | text_hex_value(byte);
        return H1_RULE_NONE;
    }
    if (c->size_digits == 0) return H1_RULE_CHUNK_SIZE;
    return size_line_go_on(c, byte, H1_RULE_CHUNK_SIZE);
}

static enum h1_rule size_end(struct h1_chunked *c, uint8_t byte)
{
    if (byte != '\n') return H1_RULE_BARE_CR;
    c->size_digits = 0;
    c->extension_bytes = 0;
    if (c->chunk_left > c->body_left) return H1_RULE_BODY_SIZE;
    c->body_left -= c->chunk_left;
    c->state = c->chunk_left > 0 ? DATA : TRAILER_FIRST;
    return H1_RULE_NONE;
}

/* RFC 9112 §7.1.1 without its "bad white space", which only attacks send. */
static enum h1_rule extension_step(struct h1_chunked *c, uint8_t byte)
{
    switch (c->state) {
    case EXTENSION_NAME_FIRST:
    case EXTENSION_NAME:
        if (text_is(byte, TEXT_TOKEN)) {
            c->state = EXTENSION_NAME;
            return H1_RULE_NONE;
        }
        if (c->state == EXTENSION_NAME_FIRST) break;
        if (byte != '=') return size_line_go_on(c, byte, H1_RULE_CHUNK_EXTENSION);
        c->state = EXTENSION_VALUE_FIRST;
        return H1_RULE_NONE;
    case EXTENSION_VALUE_FIRST:
        if (byte == '"') {
            c->state = EXTENSION_QUOTED;
            return H1_RULE_NONE;
        }
        if (!text_is(byte, TEXT_TOKEN)) break;
        c->state = EXTENSION_TOKEN;
        return H1_RULE_NONE;
    case EXTENSION_TOKEN:
        if (text_is(byte, TEXT_TOKEN)) return H1_RULE_NONE;
        return size_line_go_on(c, byte, H1_RULE_CHUNK_EXTENSION);
    case EXTENSION_QUOTED:
        if (!text_is(byte, TEXT_VALUE)) break;
        if (byte == '"') c->state = EXTENSION_QUOTED_END;
        if (byte == '\\') c->state = EXTENSION_ESCAPE;
        return H1_RULE_NONE;
    case EXTENSION_ESCAPE:
        if (!text_is(byte, TEXT_VALUE)) break;
        c->state = EXTENSION_QUOTED;
        return H1_RULE_NONE;
    default: /* EXTENSION_QUOTED_END */ return size_line_go_on(c, byte, H1_RULE_CHUNK_EXTENSION);
    }
    return byte == '\n' ? H1_RULE_BARE_LF : H1_RULE_CHUNK_EXTENSION;
}

static bool trailer_forbidden(const char *name, size_t size)
{
    static const char *const forbidden[] = {
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "max-forwards",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    };
    for (size_t i = 0; i < ARRAY_COUNT(forbidden); i++)
        if (strlen(forbidden[i]) == size && memcmp(forbidden[i], name, size) == 0) return true;
    return false;
}

bool h1_trailer_forbidden(const char *name, size_t size)
{
    char lower[H1_TRAILER_NAME_KEPT];
    if (size > sizeof lower) return false;
    for (size_t i = 0; i < size; i++) lower[i] = (char)text_lower((uint8_t)name[i]);
    return trailer_forbidden(lower, size);
}

static enum h1_rule trailer_name_step(struct h1_chunked *c, uint8_t byte)
{
    if (byte == '\r' && c->state == TRAILER_FIRST) {
        c->state = END_LF;
        return H1_RULE_NONE;
    }
    if (text_is(byte, TEXT_TOKEN)) {
        if (c->state == TRAILER_FIRST) {
            c->name_size = 0;
            if (++c->trailer_fields > HTTP_TRAILER_FIELDS_MAX) return H1_RULE_TRAILER_SIZE;
        }
        c->state = TRAILER_NAME;
        if (c->name_size < H1_TRAILER_NAME_KEPT) c->name[c->name_size] = (char)text_lower(byte);
        if (c->name_size <= H1_TRAILER_NAME_KEPT) c->name_size++;
        return H1_RULE_NONE;
    }
    if (byte == '\n') return H1_RULE_BARE_LF;
    if (byte != ':' || c->state == TRAILER_FIRST) return H1_RULE_TRAILER;
    if (trailer_forbidden(c->name, c->name_size)) return H1_RULE_TRAILER_FORBIDDEN;
    c->state = TRAILER_VALUE;
    return H1_RULE_NONE;
}

static enum h1_rule trailer_step(struct h1_chunked *c, uint8_t byte)
{
    if (++c->trailer_bytes > HTTP_TRAILER_BYTES_MAX) return H1_RULE_TRAILER_SIZE;
    if (c->keeps_trailers && (c->trailers || byte != '\r')) trailer_keep(c, byte);
    switch (c->state) {
    case TRAILER_FIRST:
    case TRAILER_NAME: return trailer_name_step(c, byte);
    case TRAILER_VALUE:
        if (byte == '\r') {
            c->state = TRAILER_LF;
        } else if (!text_is(byte, TEXT_VALUE)) {
            return byte == '\n' ? H1_RULE_BARE_LF : H1_RULE_TRAILER;
        }
        return H1_RULE_NONE;
    default: /* TRAILER_LF, END_LF */
        if (byte != '\n') return H1_RULE_BARE_CR;
        c->state = c->state == END_LF ? END : TRAILER_FIRST;
        return H1_RULE_NONE;
    }
}

/* One byte of framing. */
static enum h1_rule framing_step(struct h1_chunked *c, uint8_t byte)
{
    switch (c->state) {
    case SIZE: return size_step(c, byte);
    case SIZE_LF: return size_end(c, byte);
    case DATA_CR:
        if (byte != '\r') return byte == '\n' ? H1_RULE_BARE_LF : H1_RULE_CHUNK_END;
        c->state = DATA_LF;
        return H1_RULE_NONE;
    case DATA_LF:
        if (byte != '\n') return H1_RULE_CHUNK_END;
        c->state = SIZE;
        return H1_RULE_NONE;
    case TRAILER_FIRST:
    case TRAILER_NAME:
    case TRAILER_VALUE:
    case TRAILER_LF:
    case END_LF: return trailer_step(c, byte);
    default:
        if (++c->extension_bytes > HTTP_CHUNK_EXTENSION_MAX ||
            ++c->extensions_bytes > HTTP_CHUNK_EXTENSIONS_MAX)
            return H1_RULE_CHUNK_EXTENSION_SIZE;
        return extension_step(c, byte);
    }
}

enum h1_chunked_state h1_chunked_decode(struct h1_chunked *c, const uint8_t *in, size_t in_size,
                                        size_t *consumed, uint8_t *out, size_t out_capacity,
                                        size_t *produced)
{
    size_t at = 0, made = 0;
    while (at < in_size && c->state != END && c->rule == H1_RULE_NONE) {
        if (c->state == DATA) {
            size_t take = in_size - at;
            if (take > out_capacity - made) take = out_capacity - made;
            if (take > c->chunk_left) take = (size_t)c->chunk_left;
            if (take == 0) break;
            if (out) memcpy(out + made, in + at, take);
            made += take;
            at += take;
            c->chunk_left -= take;
            if (c->chunk_left == 0) c->state = DATA_CR;
            continue;
        }
        c->rule = framing_step(c, in[at]);
        if (c->rule == H1_RULE_NONE) at++;
    }
    *consumed = at;
    *produced = made;
    if (c->rule) return H1_CHUNKED_REFUSED;
    return c->state == END ? H1_CHUNKED_DONE : H1_CHUNKED_MORE;
}
