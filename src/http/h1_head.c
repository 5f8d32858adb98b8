/* Lines: where they end, how long they may be, and the request line. */
#include "h1_head.h"

#include <assert.h>
#include <string.h>

#include "text.h"

/* The longest request line: METHOD SP TARGET SP "HTTP/1.1". */
#define VERSION_BYTES 8
#define LINE_REST_MAX (HTTP_METHOD_BYTES_MAX + 1 + 1 + VERSION_BYTES)

void h1_head_begin(struct h1_head *h)
{
    memset(h, 0, offsetof(struct h1_head, fields));
}

static enum h1_state refuse(struct h1_head *h, enum h1_rule rule)
{
    h->rule = rule;
    h->state = H1_REFUSED;
    return H1_REFUSED;
}

/* RFC 9112 §2.3. Versions that another server might speak are told apart from nonsense. */
static enum h1_rule version_parse(struct h1_head *h, const uint8_t *version, size_t size)
{
    if (size != VERSION_BYTES || memcmp(version, "HTTP/", 5) != 0 ||
        !text_is(version[5], TEXT_DIGIT) || version[6] != '.' || !text_is(version[7], TEXT_DIGIT))
        return H1_RULE_VERSION;
    if (version[5] != '1' || version[7] > '1') return H1_RULE_VERSION_UNSUPPORTED;
    h->version_minor = (uint8_t)(version[7] - '0');
    return H1_RULE_NONE;
}

static enum h1_rule method_check(const uint8_t *method, size_t size)
{
    if (size == 0 || !text_all(method, size, TEXT_TOKEN)) return H1_RULE_METHOD;
    return size > HTTP_METHOD_BYTES_MAX ? H1_RULE_METHOD_LENGTH : H1_RULE_NONE;
}

/* RFC 9112 §3: exactly two spaces, so that no two readers see different targets. */
static enum h1_rule request_line_parse(struct h1_head *h, const struct h1_limits *limits,
                                       const uint8_t *bytes, size_t start, size_t size)
{
    const uint8_t *line = bytes + start;
    size_t control = text_find_control(line, size);
    if (control < size) return line[control] == '\r' ? H1_RULE_BARE_CR : H1_RULE_REQUEST_LINE;
    const uint8_t *method_end = memchr(line, ' ', size);
    if (!method_end) return H1_RULE_REQUEST_LINE;
    size_t method_size = (size_t)(method_end - line);
    size_t target_start = method_size + 1;
    const uint8_t *target_end = memchr(line + target_start, ' ', size - target_start);
    if (!target_end) return H1_RULE_REQUEST_LINE;
    size_t target_size = (size_t)(target_end - line) - target_start;
    size_t version_start = target_start + target_size + 1;

    enum h1_rule rule = method_check(line, method_size);
    if (!rule) rule = version_parse(h, line + version_start, size - version_start);
    if (rule) return rule;
    h->method = (struct h1_span){(uint16_t)start, (uint16_t)method_size};
    h->is_head = method_size == 4 && memcmp(line, "HEAD", 4) == 0;
    if (method_size == 7 && memcmp(line, "CONNECT", 7) == 0) return H1_RULE_METHOD_CONNECT;
    if (target_size > limits->target_bytes_max) return H1_RULE_TARGET_LENGTH;
    return h1_target_parse(h, bytes, start + target_start, target_size);
}

/* A line of `size` bytes, LF included when it is whole: too large, whatever may follow? */
static enum h1_rule line_limit(const struct h1_head *h, const struct h1_limits *limits, size_t size)
{
    if (!h->have_request_line && size > (size_t)limits->target_bytes_max + LINE_REST_MAX + 2)
        return H1_RULE_TARGET_LENGTH;
    if (h->line_start + size > limits->head_bytes_max) return H1_RULE_HEAD_SIZE;
    return H1_RULE_NONE;
}

/* Handles the whole line [line_start, line_start + size), CRLF excluded. */
static enum h1_rule line_parse(struct h1_head *h, const struct h1_limits *limits,
                               const uint8_t *bytes, size_t size)
{
    size_t start = h->line_start;
    if (!h->have_request_line) {
        if (size == 0)
            return h->leading_crlf++ < HTTP_LEADING_CRLF_MAX ? H1_RULE_NONE : H1_RULE_REQUEST_LINE;
        h->have_request_line = true;
        return request_line_parse(h, limits, bytes, start, size);
    }
    if (size == 0) {
        h->state = H1_DONE;
        return h1_head_check(h, limits, bytes);
    }
    if (h->field_count >= limits->fields_max) return H1_RULE_FIELD_COUNT;
    return h1_field_parse(h, bytes, start, size);
}

/* A request begins with a method or an empty line: anything else, such as a TLS handshake, is told
 * so at its first byte instead of waiting for a line's end. */
static enum h1_rule first_byte_check(const struct h1_head *h, const uint8_t *bytes, size_t size)
{
    if (h->have_request_line || h->line_start >= size) return H1_RULE_NONE;
    uint8_t first = bytes[h->line_start];
    bool fits = first == '\r' || first == '\n' || text_is(first, TEXT_TOKEN);
    return fits ? H1_RULE_NONE : H1_RULE_METHOD;
}

enum h1_state h1_head_parse(struct h1_head *h, const struct h1_limits *limits, const uint8_t *bytes,
                            size_t size)
{
    assert(limits->head_bytes_max <= HTTP_HEAD_BYTES_HARD_MAX);
    assert(limits->fields_max <= HTTP_FIELDS_HARD_MAX);
    while (h->state == H1_MORE) {
        enum h1_rule rule = first_byte_check(h, bytes, size);
        if (rule) return refuse(h, rule);
        const uint8_t *lf = memchr(bytes + h->scanned, '\n', size - h->scanned);
        size_t line_bytes = (lf ? (size_t)(lf - bytes) + 1 : size) - h->line_start;
        rule = line_limit(h, limits, line_bytes);
        if (rule) return refuse(h, rule);
        if (!lf) {
            h->scanned = (uint32_t)size;
            return H1_MORE;
        }
        if (line_bytes < 2 || lf[-1] != '\r') return refuse(h, H1_RULE_BARE_LF);
        rule = line_parse(h, limits, bytes, line_bytes - 2);
        if (rule) return refuse(h, rule);
        h->line_start += (uint32_t)line_bytes;
        h->scanned = h->line_start;
    }
    return h->state;
}
