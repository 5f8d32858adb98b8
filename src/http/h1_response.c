#include "h1_response.h"

#include <assert.h>
#include <string.h>

#include "text.h"

#define DECIMAL_DIGITS_MAX 20

static const struct {
    int status;
    const char *text;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};

const char *http_status_text(int status)
{
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++)
        if (reasons[i].status == status) return reasons[i].text;
    return "Unknown";
}

/* Bounded output: once it does not fit, nothing more is written. */
struct writer {
    uint8_t *out;
    size_t size;
    size_t capacity;
    bool overflow;
};

static void write_bytes(struct writer *w, const void *bytes, size_t size)
{
    if (size > w->capacity - w->size) {
        w->overflow = true;
        return;
    }
    memcpy(w->out + w->size, bytes, size);
    w->size += size;
}

#define write_literal(w, text) write_bytes((w), (text), sizeof(text) - 1)

static void write_status_line(struct writer *w, int status)
{
    if (status == 200) {
        write_literal(w, "HTTP/1.1 200 OK\r\n");
        return;
    }
    char digits[3] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                      (char)('0' + status % 10)};
    const char *text = http_status_text(status);
    write_literal(w, "HTTP/1.1 ");
    write_bytes(w, digits, sizeof digits);
    write_literal(w, " ");
    write_bytes(w, text, strlen(text));
    write_literal(w, "\r\n");
}

enum field_kind { FIELD_PLAIN, FIELD_DROPPED, FIELD_LENGTH, FIELD_DATE, FIELD_SERVER };

static bool name_is(const struct http_field *f, const char *lower)
{
    return text_equals_lower((const uint8_t *)f->name.data, lower, f->name.size);
}

/* RFC 9110 §7.6.1: what belongs to the connection is not the handler's to say. */
static enum field_kind field_classify(const struct http_field *f)
{
    if (f->name.size > 6 && text_equals_lower((const uint8_t *)f->name.data, "proxy-", 6))
        return FIELD_DROPPED;
    switch (f->name.size) {
    case 2: return name_is(f, "te") ? FIELD_DROPPED : FIELD_PLAIN;
    case 4: return name_is(f, "date") ? FIELD_DATE : FIELD_PLAIN;
    case 6: return name_is(f, "server") ? FIELD_SERVER : FIELD_PLAIN;
    case 7: return name_is(f, "upgrade") || name_is(f, "trailer") ? FIELD_DROPPED : FIELD_PLAIN;
    case 10:
        return name_is(f, "connection") || name_is(f, "keep-alive") ? FIELD_DROPPED : FIELD_PLAIN;
    case 14: return name_is(f, "content-length") ? FIELD_LENGTH : FIELD_PLAIN;
    case 17: return name_is(f, "transfer-encoding") ? FIELD_DROPPED : FIELD_PLAIN;
    default: return FIELD_PLAIN;
    }
}

static enum status length_note(const struct http_field *f, struct h1_response_facts *facts,
                               struct error *err)
{
    uint64_t length = 0;
    bool good = f->value.size > 0 && !facts->has_length;
    for (size_t i = 0; good && i < f->value.size; i++) {
        uint8_t c = (uint8_t)f->value.data[i];
        good = text_is(c, TEXT_DIGIT) && !__builtin_mul_overflow(length, 10U, &length) &&
               !__builtin_add_overflow(length, c - (unsigned)'0', &length);
    }
    if (!good) return error_set(err, ST_INVALID, "response: Content-Length is not one number");
    facts->has_length = true;
    facts->length = length;
    return ST_OK;
}

static enum status field_check(const struct http_field *f, size_t index, struct error *err)
{
    const uint8_t *name = (const uint8_t *)f->name.data;
    const uint8_t *value = (const uint8_t *)f->value.data;
    if (f->name.size == 0 || !text_all(name, f->name.size, TEXT_TOKEN))
        return error_set(err, ST_INVALID, "response: name of field %zu is not a token", index + 1);
    if (text_find_control(value, f->value.size) != f->value.size)
        return error_set(err, ST_INVALID, "response: value of field %.*s has a control character",
                         f->name.size < 64 ? (int)f->name.size : 64, f->name.data);
    return ST_OK;
}

enum status h1_response_render(uint8_t *out, size_t *size, int status,
                               const struct http_field *fields, size_t count,
                               const struct h1_response_extras *extras,
                               struct h1_response_facts *facts, struct error *err)
{
    *facts = (struct h1_response_facts){0};
    if (status < 200 || status > 599)
        return error_set(err, ST_INVALID, "response: status %d is not within 200..599", status);
    if (count > HTTP_RESPONSE_FIELDS_MAX)
        return error_set(err, ST_LIMIT, "response: more than %d fields", HTTP_RESPONSE_FIELDS_MAX);
    struct writer w = {.out = out, .capacity = HTTP_RESPONSE_HEAD_BYTES_MAX};
    bool has_date = false, has_server = false;
    write_status_line(&w, status);
    for (size_t i = 0; i < count; i++) {
        const struct http_field *f = &fields[i];
        enum status st = field_check(f, i, err);
        if (st) return st;
        enum field_kind kind = field_classify(f);
        if (kind == FIELD_DROPPED) continue;
        if (kind == FIELD_LENGTH) {
            st = length_note(f, facts, err);
            if (st) return st;
            continue;
        }
        has_date = has_date || kind == FIELD_DATE;
        has_server = has_server || kind == FIELD_SERVER;
        write_bytes(&w, f->name.data, f->name.size);
        write_literal(&w, ": ");
        write_bytes(&w, f->value.data, f->value.size);
        write_literal(&w, "\r\n");
    }
    if (!has_date) write_bytes(&w, extras->date_line.data, extras->date_line.size);
    if (!has_server && extras->server_name) {
        write_literal(&w, "Server: ");
        write_bytes(&w, extras->server_name, strlen(extras->server_name));
        write_literal(&w, "\r\n");
    }
    if (w.overflow)
        return error_set(err, ST_LIMIT, "response: head of more than %d bytes",
                         HTTP_RESPONSE_HEAD_BYTES_MAX);
    *size = w.size;
    return ST_OK;
}

size_t h1_decimal_render(uint8_t *out, uint64_t value)
{
    uint8_t digits[DECIMAL_DIGITS_MAX];
    size_t count = 0;
    do {
        digits[count++] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < count; i++) out[i] = digits[count - 1 - i];
    return count;
}

size_t h1_framing_render(uint8_t *out, enum h1_framing_kind kind, uint64_t length,
                         enum h1_persist persist)
{
    struct writer w = {.out = out, .capacity = H1_FRAMING_BYTES_MAX};
    if (kind == H1_FRAMING_LENGTH) {
        write_literal(&w, "Content-Length: ");
        w.size += h1_decimal_render(w.out + w.size, length);
        write_literal(&w, "\r\n");
    } else if (kind == H1_FRAMING_CHUNKED) {
        write_literal(&w, "Transfer-Encoding: chunked\r\n");
    }
    if (persist == H1_PERSIST_CLOSE) {
        write_literal(&w, "Connection: close\r\n");
    } else if (persist == H1_PERSIST_KEEP_ALIVE) {
        write_literal(&w, "Connection: keep-alive\r\n");
    }
    write_literal(&w, "\r\n");
    assert(!w.overflow);
    return w.size;
}

void h1_chunk_head_render(uint8_t *out, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    assert(size > 0 && size <= H1_CHUNK_DATA_MAX);
    for (int i = 3; i >= 0; i--, size >>= 4) out[i] = (uint8_t)hex[size & 15];
    out[4] = '\r';
    out[5] = '\n';
}
