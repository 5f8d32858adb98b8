/* Field lines, and what the fields together say about the message. */
#include <string.h>

#include "h1_head.h"
#include "text.h"

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* RFC 9112 §5: no white space before the colon (§5.1), no folding (§5.2). */
enum h1_rule h1_field_split(const uint8_t *line, size_t size, size_t *name_size,
                            size_t *value_start, size_t *value_size)
{
    if (size > 0 && is_space(line[0])) return H1_RULE_FIELD_FOLD;
    size_t name = 0;
    while (name < size && text_is(line[name], TEXT_TOKEN)) name++;
    if (name == size) return H1_RULE_FIELD_COLON;
    if (name == 0 || line[name] != ':')
        return line[name] == '\r' ? H1_RULE_BARE_CR : H1_RULE_FIELD_NAME;
    size_t start = name + 1;
    size_t end = size;
    while (start < end && is_space(line[start])) start++;
    while (end > start && is_space(line[end - 1])) end--;
    size_t control = start + text_find_control(line + start, end - start);
    if (control < end) return line[control] == '\r' ? H1_RULE_BARE_CR : H1_RULE_FIELD_VALUE;
    *name_size = name;
    *value_start = start;
    *value_size = end - start;
    return H1_RULE_NONE;
}

static enum h1_rule host_field(struct h1_head *h, const uint8_t *value, struct h1_span span)
{
    if (h->has_host) return H1_RULE_HOST_DUPLICATE;
    h->has_host = true;
    h->host = span;
    return h1_host_check(value, span.size, &h->host_name_size);
}

/* RFC 9110 §8.6: digits only; a number beyond 64 bits is as good as the largest one. */
static enum h1_rule length_field(struct h1_head *h, const uint8_t *value, size_t size)
{
    if (h->has_length) return H1_RULE_CL_DUPLICATE;
    h->has_length = true;
    if (size == 0) return H1_RULE_CL;
    uint64_t length = 0;
    bool huge = false;
    for (size_t i = 0; i < size; i++) {
        if (!text_is(value[i], TEXT_DIGIT)) return H1_RULE_CL;
        huge = huge || __builtin_mul_overflow(length, 10U, &length) ||
               __builtin_add_overflow(length, value[i] - (unsigned)'0', &length);
    }
    h->content_length = huge ? UINT64_MAX : length;
    return H1_RULE_NONE;
}

/* Takes the next element of a comma-separated list of tokens; false at a syntax error. Empty
 * elements are allowed (RFC 9110 §5.6.1.2) and come out with size 0. */
static bool list_next(const uint8_t *value, size_t size, size_t *at, size_t *start, size_t *length)
{
    size_t i = *at;
    while (i < size && is_space(value[i])) i++;
    *start = i;
    while (i < size && text_is(value[i], TEXT_TOKEN)) i++;
    *length = i - *start;
    while (i < size && is_space(value[i])) i++;
    if (i < size && value[i] != ',') return false;
    *at = i + 1;
    return true;
}

static enum h1_rule connection_field(struct h1_head *h, const uint8_t *value, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t start, length;
        if (!list_next(value, size, &at, &start, &length)) return H1_RULE_CONNECTION;
        if (length == 5 && text_equals_lower(value + start, "close", 5)) h->connection_close = true;
        if (length == 10 && text_equals_lower(value + start, "keep-alive", 10))
            h->connection_keep_alive = true;
    }
    return H1_RULE_NONE;
}

/* RFC 9112 §6.1: chunked must be last and once (400); codings before it are merely not ours (501).
 * Only the lone word is taken: a list is where parsers disagree. */
static enum h1_rule transfer_field(struct h1_head *h, const uint8_t *value, size_t size)
{
    if (h->has_transfer_encoding) return H1_RULE_TE_DUPLICATE;
    h->has_transfer_encoding = true;
    h->chunked = size == 7 && text_equals_lower(value, "chunked", 7);
    if (h->chunked) return H1_RULE_NONE;
    unsigned chunked_count = 0, count = 0;
    bool chunked_last = false;
    for (size_t at = 0; at < size; count++) {
        size_t start, length;
        if (!list_next(value, size, &at, &start, &length) || length == 0) return H1_RULE_TE;
        chunked_last = length == 7 && text_equals_lower(value + start, "chunked", 7);
        chunked_count += chunked_last;
    }
    return count > 1 && chunked_last && chunked_count == 1 ? H1_RULE_TE_UNSUPPORTED : H1_RULE_TE;
}

static enum h1_rule expect_field(struct h1_head *h, const uint8_t *value, size_t size)
{
    if (size != 12 || !text_equals_lower(value, "100-continue", 12)) return H1_RULE_EXPECT;
    h->expect_continue = true;
    return H1_RULE_NONE;
}

/* The fields that say where a message ends and for whom it is; a name's length tells most apart. */
static enum h1_rule field_note(struct h1_head *h, const uint8_t *bytes, const struct h1_field *f)
{
    const uint8_t *name = bytes + f->name.offset;
    const uint8_t *value = bytes + f->value.offset;
    switch (f->name.size) {
    case 4:
        if (text_equals_lower(name, "host", 4)) return host_field(h, value, f->value);
        break;
    case 6:
        if (text_equals_lower(name, "expect", 6)) return expect_field(h, value, f->value.size);
        break;
    case 10:
        if (text_equals_lower(name, "connection", 10))
            return connection_field(h, value, f->value.size);
        break;
    case 14:
        if (text_equals_lower(name, "content-length", 14))
            return length_field(h, value, f->value.size);
        break;
    case 17:
        if (text_equals_lower(name, "transfer-encoding", 17))
            return transfer_field(h, value, f->value.size);
        break;
    default: break;
    }
    return H1_RULE_NONE;
}

enum h1_rule h1_field_parse(struct h1_head *h, const uint8_t *bytes, size_t start, size_t size)
{
    size_t name_size, value_start, value_size;
    enum h1_rule rule = h1_field_split(bytes + start, size, &name_size, &value_start, &value_size);
    if (rule) return rule;
    struct h1_field *f = &h->fields[h->field_count++];
    f->name = (struct h1_span){(uint16_t)start, (uint16_t)name_size};
    f->value = (struct h1_span){(uint16_t)(start + value_start), (uint16_t)value_size};
    return field_note(h, bytes, f);
}

static enum h1_rule host_rules(const struct h1_head *h, const uint8_t *bytes)
{
    if (!h->has_host) return h->version_minor > 0 ? H1_RULE_HOST_MISSING : H1_RULE_NONE;
    if (h->authority.size == 0) return H1_RULE_NONE;
    /* RFC 9112 §3.2.2 has the target win; two names for one request are refused instead. */
    if (h->authority.size != h->host.size) return H1_RULE_HOST_MISMATCH;
    for (size_t i = 0; i < h->host.size; i++)
        if (text_lower(bytes[h->authority.offset + i]) != text_lower(bytes[h->host.offset + i]))
            return H1_RULE_HOST_MISMATCH;
    return H1_RULE_NONE;
}

enum h1_rule h1_head_check(struct h1_head *h, const struct h1_limits *limits, const uint8_t *bytes)
{
    enum h1_rule rule = host_rules(h, bytes);
    if (rule) return rule;
    if (!h->has_host && h->authority.size > 0) { /* HTTP/1.0 with an absolute target */
        h->host = h->authority;
        rule = h1_host_check(bytes + h->host.offset, h->host.size, &h->host_name_size);
        if (rule) return rule;
    }
    if (h->has_transfer_encoding && h->has_length) return H1_RULE_TE_WITH_CL;
    if (h->has_transfer_encoding && h->version_minor == 0) return H1_RULE_TE_VERSION;
    if (h->content_length > limits->body_bytes_max) return H1_RULE_BODY_SIZE;
    if (h->version_minor == 0) h->expect_continue = false; /* RFC 9110 §10.1.1 */
    h->keep_alive = !h->connection_close && (h->version_minor > 0 || h->connection_keep_alive);
    return H1_RULE_NONE;
}
