/* The head of a response: rendered and checked in one pass over the handler's fields. */
#ifndef HTTP_H1_RESPONSE_H
#define HTTP_H1_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"

/* The longest framing: "Content-Length: " 20 digits, "Connection: keep-alive", the empty line, with
 * room for a chunk's header. */
#define H1_FRAMING_BYTES_MAX 80

/* "XXXX\r\n": four digits always, so that the size can be written after the data. */
#define H1_CHUNK_HEAD_BYTES 6
#define H1_CHUNK_DATA_MAX   0xffff
#define H1_LAST_CHUNK       "0\r\n\r\n"
#define H1_LAST_CHUNK_BYTES 5

struct h1_response_facts {
    bool has_length;
    uint64_t length;
};

struct h1_response_extras {
    struct http_slice date_line; /* "Date: …\r\n" */
    const char *server_name;     /* or NULL */
};

/* Writes the status line and the fields, without framing and without the empty line that ends a
 * head. Errors: ST_INVALID, ST_LIMIT (HTTP_RESPONSE_HEAD_BYTES_MAX, HTTP_RESPONSE_FIELDS_MAX). */
NODISCARD enum status h1_response_render(uint8_t *out, size_t *size, int status,
                                         const struct http_field *fields, size_t count,
                                         const struct h1_response_extras *extras,
                                         struct h1_response_facts *facts, struct error *err);

enum h1_framing_kind {
    H1_FRAMING_NONE, /* no body, or until the connection closes */
    H1_FRAMING_LENGTH,
    H1_FRAMING_CHUNKED,
};

/* What Connection says. */
enum h1_persist { H1_PERSIST_DEFAULT, H1_PERSIST_CLOSE, H1_PERSIST_KEEP_ALIVE };

/* Writes the framing fields and the empty line, at most H1_FRAMING_BYTES_MAX; returns their size.
 */
size_t h1_framing_render(uint8_t *out, enum h1_framing_kind kind, uint64_t length,
                         enum h1_persist persist);

/* Writes the header of a chunk of `size` bytes, 1..H1_CHUNK_DATA_MAX. */
void h1_chunk_head_render(uint8_t *out, size_t size);

/* Decimal digits of `value`; returns how many, at most 20. */
size_t h1_decimal_render(uint8_t *out, uint64_t value);

#endif
