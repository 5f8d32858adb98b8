/* The head of an HTTP/1 request: request line and fields, parsed as they come.
 *
 * The parser works on one growing run of bytes that the caller owns, looks at each byte for a
 * line's end once and at each whole line once, and allocates nothing. What it finds are offsets
 * into that run, so the run may move between calls. The same bytes give the same result however
 * they are split: a rule is applied when its line is whole, except the limits on sizes, which no
 * later byte can mend. */
#ifndef HTTP_H1_HEAD_H
#define HTTP_H1_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h1_rules.h"
#include "http/http.h"

struct h1_limits {
    uint32_t head_bytes_max; /* at most HTTP_HEAD_BYTES_HARD_MAX */
    uint32_t target_bytes_max;
    uint32_t fields_max; /* at most HTTP_FIELDS_HARD_MAX */
    uint64_t body_bytes_max;
};

struct h1_span {
    uint16_t offset;
    uint16_t size;
};

struct h1_field {
    struct h1_span name;
    struct h1_span value;
};

enum h1_state {
    H1_MORE, /* the head is not whole yet */
    H1_DONE,
    H1_REFUSED, /* `rule` says why */
};

struct h1_head {
    /* progress */
    enum h1_state state;
    enum h1_rule rule;
    uint32_t line_start; /* of the line that is not whole yet; when done: the size of the head */
    uint32_t scanned;    /* no LF in [line_start, scanned) */
    uint8_t leading_crlf;
    bool have_request_line;

    /* the request line */
    struct h1_span method;
    struct h1_span path; /* empty in "http://host" and "http://host?query" */
    struct h1_span query;
    struct h1_span authority; /* of an absolute-form target, else empty */
    bool has_query;
    bool is_asterisk; /* "*", or OPTIONS with an absolute target without path */
    bool is_head;
    uint8_t version_minor;

    /* what fields say about the message */
    struct h1_span host;
    uint16_t host_name_size; /* of `host`, the part before the port */
    bool has_host;
    bool has_length;
    bool has_transfer_encoding;
    bool chunked;
    bool expect_continue;
    bool connection_close;
    bool connection_keep_alive;
    bool keep_alive; /* by version and Connection; only when done */
    uint64_t content_length;

    uint32_t field_count;
    struct h1_field fields[HTTP_FIELDS_HARD_MAX];
};

/* Ready for the first byte of a request. Leaves `fields` as it is. */
void h1_head_begin(struct h1_head *h);

/* Goes on with the run, of which `size` bytes are there now; fewer than before is a bug of the
 * caller. When done the body begins at bytes + h->line_start. */
enum h1_state h1_head_parse(struct h1_head *h, const struct h1_limits *limits, const uint8_t *bytes,
                            size_t size);

/* ---- for the parser's own files; each returns H1_RULE_NONE or the rule that is broken ---- */

/* Splits and checks the request target in [start, start + size). */
enum h1_rule h1_target_parse(struct h1_head *h, const uint8_t *bytes, size_t start, size_t size);

/* Checks "name[:port]"; *name_size is the part before the port. */
enum h1_rule h1_host_check(const uint8_t *host, size_t size, uint16_t *name_size);

/* Parses one field line (without its CRLF) and notes what it says about the message. */
enum h1_rule h1_field_parse(struct h1_head *h, const uint8_t *bytes, size_t start, size_t size);

/* The rules that need the whole head: RFC 9112 §3.2, §6.1, §6.3, §9.3. */
enum h1_rule h1_head_check(struct h1_head *h, const struct h1_limits *limits, const uint8_t *bytes);

/* Splits a field line into its name and its value without white space at the ends. */
enum h1_rule h1_field_split(const uint8_t *line, size_t size, size_t *name_size,
                            size_t *value_start, size_t *value_size);

#endif
