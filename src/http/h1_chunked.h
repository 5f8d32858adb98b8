/* Decoder of the chunked transfer coding, RFC 9112 §7.1, byte by byte where it must be.
 *
 * Extensions are checked and dropped; trailer fields are checked, and dropped unless they are to be
 * kept; those that would change how the message is read are refused. It holds no other input: what
 * it does not consume stays the caller's. The same bytes give the same result however they are
 * split. */
#ifndef HTTP_H1_CHUNKED_H
#define HTTP_H1_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h1_rules.h"
#include "http/http.h"

#define H1_TRAILER_NAME_KEPT 24 /* enough to know every forbidden name */

struct h1_chunked {
    uint8_t state;
    uint8_t size_digits;
    uint8_t name_size; /* of the trailer field's name, at most H1_TRAILER_NAME_KEPT + 1 */
    enum h1_rule rule;
    uint64_t chunk_left;
    uint64_t body_left;        /* until the limit */
    uint32_t extension_bytes;  /* of this chunk */
    uint32_t extensions_bytes; /* of the message */
    uint32_t trailer_bytes;
    uint32_t trailer_fields;
    char name[H1_TRAILER_NAME_KEPT];
    bool keeps_trailers;
    char *trailers; /* the section as it came, trailer_bytes of it, or NULL */
};

/* RFC 9110 §6.5.1: fields that frame, route or authenticate a message mean nothing behind it. The
 * name is in any case. */
bool h1_trailer_forbidden(const char *name, size_t size);

/* Ready for a body of at most `body_bytes_max` bytes. Who then sets keeps_trailers calls
 * h1_chunked_done() before the next one is begun. */
void h1_chunked_begin(struct h1_chunked *c, uint64_t body_bytes_max);

/* Frees the trailers. Legal on a zeroed one. */
void h1_chunked_done(struct h1_chunked *c);

/* Trailer field `index` of those that were kept, when the body has ended; false: there are not so
 * many. White space around the value is left out. */
bool h1_chunked_trailer(const struct h1_chunked *c, size_t index, struct http_field *ret);

enum h1_chunked_state {
    H1_CHUNKED_MORE,    /* all input is consumed, or the output is full */
    H1_CHUNKED_DONE,    /* behind the last CRLF; *consumed says where */
    H1_CHUNKED_REFUSED, /* c->rule says why; *consumed counts the bytes before the offending one */
};

/* Decodes from `in`; data go to `out`, at most `out_capacity` bytes, or nowhere when `out` is NULL
 * (the capacity counts then too). With a capacity of 0 framing is read up to the next data byte. */
enum h1_chunked_state h1_chunked_decode(struct h1_chunked *c, const uint8_t *in, size_t in_size,
                                        size_t *consumed, uint8_t *out, size_t out_capacity,
                                        size_t *produced);

#endif
