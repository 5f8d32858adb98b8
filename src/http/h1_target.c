/* Request targets and hosts: RFC 9112 §3.2, RFC 3986 §3.2.2. */
#include <string.h>

#include "h1_head.h"
#include "text.h"

#define PORT_DIGITS_MAX 5
#define PORT_MAX        65535
#define IPV6_BYTES_MAX  45

/* Path characters, and every '%' begins a valid triplet. */
static bool path_check(const uint8_t *path, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!text_is(path[i], TEXT_PATH)) return false;
        if (path[i] != '%') continue;
        if (size - i < 3 || !text_is(path[i + 1], TEXT_HEX) || !text_is(path[i + 2], TEXT_HEX))
            return false;
    }
    return true;
}

/* Splits "path[?query]"; the query is the handler's to decode, so only its characters matter. */
static enum h1_rule path_and_query(struct h1_head *h, const uint8_t *bytes, size_t start,
                                   size_t size)
{
    const uint8_t *mark = memchr(bytes + start, '?', size);
    size_t path_size = mark ? (size_t)(mark - bytes) - start : size;
    if (!path_check(bytes + start, path_size)) return H1_RULE_TARGET;
    h->path = (struct h1_span){(uint16_t)start, (uint16_t)path_size};
    if (!mark) return H1_RULE_NONE;
    size_t query_start = start + path_size + 1;
    size_t query_size = size - path_size - 1;
    if (!text_all(bytes + query_start, query_size, TEXT_QUERY)) return H1_RULE_TARGET;
    h->query = (struct h1_span){(uint16_t)query_start, (uint16_t)query_size};
    h->has_query = true;
    return H1_RULE_NONE;
}

static size_t scheme_size(const uint8_t *target, size_t size)
{
    if (size >= 7 && text_equals_lower(target, "http://", 7)) return 7;
    if (size >= 8 && text_equals_lower(target, "https://", 8)) return 8;
    return 0;
}

static enum h1_rule absolute_form(struct h1_head *h, const uint8_t *bytes, size_t start,
                                  size_t size, bool is_options)
{
    size_t authority_size = 0;
    while (authority_size < size && bytes[start + authority_size] != '/' &&
           bytes[start + authority_size] != '?')
        authority_size++;
    /* The authority is held to the rules of Host, which leave no room for user information. */
    uint16_t name_size;
    if (h1_host_check(bytes + start, authority_size, &name_size)) return H1_RULE_TARGET;
    h->authority = (struct h1_span){(uint16_t)start, (uint16_t)authority_size};
    h->is_asterisk = is_options && authority_size == size;
    return path_and_query(h, bytes, start + authority_size, size - authority_size);
}

enum h1_rule h1_target_parse(struct h1_head *h, const uint8_t *bytes, size_t start, size_t size)
{
    if (size == 0) return H1_RULE_REQUEST_LINE;
    const uint8_t *target = bytes + start;
    bool is_options = h->method.size == 7 && memcmp(bytes + h->method.offset, "OPTIONS", 7) == 0;
    if (target[0] == '/') return path_and_query(h, bytes, start, size);
    if (size == 1 && target[0] == '*' && is_options) {
        h->is_asterisk = true;
        return H1_RULE_NONE;
    }
    size_t scheme = scheme_size(target, size);
    if (scheme == 0) return H1_RULE_TARGET;
    return absolute_form(h, bytes, start + scheme, size - scheme, is_options);
}

/* "[" hex digits, colons and dots "]"; *end is behind the bracket. */
static bool ipv6_check(const uint8_t *host, size_t size, size_t *end)
{
    size_t colons = 0;
    for (size_t i = 1; i < size && i <= IPV6_BYTES_MAX + 1; i++) {
        if (host[i] == ']') {
            *end = i + 1;
            return colons >= 2;
        }
        if (host[i] == ':') colons++;
        if (!text_is(host[i], TEXT_HEX) && host[i] != ':' && host[i] != '.') return false;
    }
    return false;
}

static bool port_check(const uint8_t *port, size_t size)
{
    unsigned value = 0;
    if (size > PORT_DIGITS_MAX) return false;
    for (size_t i = 0; i < size; i++) {
        if (!text_is(port[i], TEXT_DIGIT)) return false;
        value = value * 10 + (port[i] - (unsigned)'0');
    }
    return value <= PORT_MAX;
}

enum h1_rule h1_host_check(const uint8_t *host, size_t size, uint16_t *name_size)
{
    size_t end = 0;
    if (size > 0 && host[0] == '[') {
        if (!ipv6_check(host, size, &end)) return H1_RULE_HOST;
    } else {
        while (end < size && text_is(host[end], TEXT_HOST)) end++;
        if (end == 0) return H1_RULE_HOST;
    }
    *name_size = (uint16_t)end;
    if (end == size) return H1_RULE_NONE;
    if (host[end] != ':' || !port_check(host + end + 1, size - end - 1)) return H1_RULE_HOST;
    return H1_RULE_NONE;
}
