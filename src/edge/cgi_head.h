/* Reads the head of a CGI response (RFC 3875 §6.2, §6.3) as the guest writes it, piece by piece.
 * Private to edge. */
#ifndef EDGE_CGI_HEAD_H
#define EDGE_CGI_HEAD_H

#include "base/buffer.h"
#include "edge/edge.h"
#include "http/http.h"

struct cgi_head {
    struct buffer bytes;
    size_t line_start;
    int status;
    struct http_field fields[EDGE_CGI_FIELDS_MAX]; /* into bytes; Status left out */
    size_t fields_count;
    bool has_location;
};

void cgi_head_init(struct cgi_head *h);
void cgi_head_clear(struct cgi_head *h); /* for the next response; keeps its memory */
void cgi_head_done(struct cgi_head *h);

/* Takes bytes up to the blank line that ends the head, and says how many in *ret_taken.
 * ST_OK: the head is whole, status and fields are set. ST_WOULD_BLOCK: all taken, more is needed.
 * ST_INVALID, ST_LIMIT: no valid head, *err says why; ST_NO_MEMORY. */
NODISCARD enum status cgi_head_feed(struct cgi_head *h, const char *bytes, size_t size,
                                    size_t *ret_taken, struct error *err);

#endif
