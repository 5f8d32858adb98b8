#include "cgi_head.h"

#include <string.h>
#include <strings.h>

#define STATUS_OK    200
#define STATUS_FOUND 302

void cgi_head_init(struct cgi_head *h)
{
    memset(h, 0, sizeof *h);
    buffer_init(&h->bytes, EDGE_CGI_HEAD_BYTES_MAX);
}

void cgi_head_clear(struct cgi_head *h)
{
    buffer_clear(&h->bytes);
    h->line_start = 0;
    h->status = 0;
    h->fields_count = 0;
    h->has_location = false;
}

void cgi_head_done(struct cgi_head *h)
{
    buffer_done(&h->bytes);
}

static bool named(struct http_slice name, const char *text)
{
    return name.size == strlen(text) && !strncasecmp(name.data, text, name.size);
}

/* "404 Not Found", "404" (RFC 3875 §6.3.3). */
static enum status parse_status(struct cgi_head *h, struct http_slice value, struct error *err)
{
    int number = 0;
    size_t digits = 0;
    while (digits < value.size && digits < 4 && value.data[digits] >= '0' &&
           value.data[digits] <= '9')
        number = number * 10 + (value.data[digits++] - '0');
    bool ends = digits == value.size || value.data[digits] == ' ';
    if (digits != 3 || !ends || number < STATUS_OK || number > 599)
        return error_set(err, ST_INVALID, "its Status is not a number from 200 to 599");
    if (h->status) return error_set(err, ST_INVALID, "it has two Status fields");
    h->status = number;
    return ST_OK;
}

static struct http_slice trim(struct http_slice s)
{
    while (s.size && (*s.data == ' ' || *s.data == '\t')) s.data++, s.size--;
    while (s.size && (s.data[s.size - 1] == ' ' || s.data[s.size - 1] == '\t')) s.size--;
    return s;
}

/* Which characters a name and a value may have is http_respond_head()'s to check. */
static enum status parse_line(struct cgi_head *h, const char *line, size_t size, struct error *err)
{
    const char *colon = memchr(line, ':', size);
    if (!colon || colon == line)
        return error_set(err, ST_INVALID, "a line of it is not \"Name: value\"");
    struct http_slice name = {line, (size_t)(colon - line)};
    struct http_slice value = trim((struct http_slice){colon + 1, size - name.size - 1});
    if (named(name, "status")) return parse_status(h, value, err);
    if (h->fields_count == EDGE_CGI_FIELDS_MAX)
        return error_set(err, ST_LIMIT, "it has more than %u fields", EDGE_CGI_FIELDS_MAX);
    if (named(name, "location")) h->has_location = true;
    h->fields[h->fields_count++] = (struct http_field){name, value};
    return ST_OK;
}

/* The head is whole: only now its bytes do not move any more. */
static enum status parse(struct cgi_head *h, struct error *err)
{
    const char *line = (const char *)h->bytes.data, *end = line + h->bytes.size_bytes;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)(newline - line);
        if (size && line[size - 1] == '\r') size--;
        if (size) {
            enum status st = parse_line(h, line, size, err);
            if (st) return st;
        }
        line = newline + 1;
    }
    if (!h->status && !h->fields_count)
        return error_set(err, ST_INVALID,
                         "it is empty: a Content-Type, Location or Status is "
                         "needed");
    if (!h->status) h->status = h->has_location ? STATUS_FOUND : STATUS_OK;
    return ST_OK;
}

enum status cgi_head_feed(struct cgi_head *h, const char *bytes, size_t size, size_t *ret_taken,
                          struct error *err)
{
    *ret_taken = 0;
    while (*ret_taken < size) {
        const char *from = bytes + *ret_taken;
        const char *newline = memchr(from, '\n', size - *ret_taken);
        size_t piece = newline ? (size_t)(newline - from) + 1 : size - *ret_taken;
        if (buffer_append(&h->bytes, from, piece))
            return error_set(err, ST_LIMIT, "it is larger than %u bytes", EDGE_CGI_HEAD_BYTES_MAX);
        *ret_taken += piece;
        if (!newline) break;
        size_t line = h->bytes.size_bytes - h->line_start - 1;
        const char *start = (const char *)h->bytes.data + h->line_start;
        h->line_start = h->bytes.size_bytes;
        if (line == 0 || (line == 1 && *start == '\r')) return parse(h, err);
    }
    return ST_WOULD_BLOCK;
}
