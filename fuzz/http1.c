/* The HTTP/1 parser and the chunked decoder on a stream of requests: the same bytes must give the
 * same requests and the same refusal however they are split, and what was accepted must hold what
 * the door promises. The first byte of an input seeds the splits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "h1_chunked.h"
#include "h1_head.h"

#define BODY_BYTES_MAX 100000

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static const struct h1_limits limits = {
    .head_bytes_max = 2000,
    .target_bytes_max = 500,
    .fields_max = 20,
    .body_bytes_max = BODY_BYTES_MAX,
};

/* What a reader of the stream saw, as a running hash. */
struct transcript {
    uint64_t hash;
    uint64_t requests;
    uint64_t body_bytes;
    int end; /* 0: the stream ended between or within requests; else the rule */
};

static void note(struct transcript *t, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < size; i++) t->hash = (t->hash ^ p[i]) * UINT64_C(0x100000001b3);
}

static void note_number(struct transcript *t, uint64_t number)
{
    note(t, &number, sizeof number);
}

static bool is_token(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void check_span(const struct h1_head *h, struct h1_span s)
{
    REQUIRE((size_t)s.offset + s.size <= h->line_start);
}

/* The promises of the door, told without the parser's own tables. */
static void check_head(const struct h1_head *h, const uint8_t *bytes)
{
    unsigned hosts = 0;
    for (size_t i = 0; i < h->line_start; i++) {
        REQUIRE(bytes[i] != '\n' || (i > 0 && bytes[i - 1] == '\r'));
        REQUIRE(bytes[i] != '\r' || bytes[i + 1] == '\n');
        REQUIRE(bytes[i] != 0 && bytes[i] != 0x7f);
    }
    REQUIRE(memcmp(bytes + h->line_start - 4, "\r\n\r\n", 4) == 0);
    REQUIRE(h->field_count <= limits.fields_max && h->line_start <= limits.head_bytes_max);
    for (uint32_t i = 0; i < h->field_count; i++) {
        const struct h1_field *f = &h->fields[i];
        check_span(h, f->name);
        check_span(h, f->value);
        REQUIRE(f->name.size > 0);
        for (size_t k = 0; k < f->name.size; k++) REQUIRE(is_token(bytes[f->name.offset + k]));
        REQUIRE(bytes[f->name.offset + f->name.size] == ':');
        hosts +=
            f->name.size == 4 && strncasecmp((const char *)bytes + f->name.offset, "host", 4) == 0;
    }
    REQUIRE(hosts == 1 || (hosts == 0 && h->version_minor == 0));
    REQUIRE(!(h->has_length && h->has_transfer_encoding));
    REQUIRE(h->content_length <= BODY_BYTES_MAX);
    check_span(h, h->method);
    check_span(h, h->path);
    check_span(h, h->query);
    check_span(h, h->host);
    REQUIRE(h->host_name_size <= h->host.size);
    for (size_t k = 0; k < h->path.size; k++) REQUIRE(bytes[h->path.offset + k] > ' ');
}

static void note_head(struct transcript *t, const struct h1_head *h, const uint8_t *bytes)
{
    note(t, bytes, h->line_start);
    note(t, h->fields, h->field_count * sizeof h->fields[0]);
    note_number(t, h->path.size);
    note_number(t, h->query.size);
    note_number(t, h->host.size);
    note_number(t, h->content_length);
    note_number(t, (uint64_t)h->chunked | (uint64_t)h->keep_alive << 1 |
                       (uint64_t)h->expect_continue << 2 | (uint64_t)h->is_asterisk << 3);
}

/* How many bytes have come after `have` of `size` have; splits are cheap random. */
struct arrival {
    uint32_t seed; /* 0: all at once */
};

static size_t arrive(struct arrival *a, size_t have, size_t size)
{
    if (a->seed == 0) return size;
    a->seed = a->seed * 1664525 + 1013904223;
    size_t step = (a->seed >> 24) % 4 == 0 ? 1 + (a->seed >> 16) % 64 : 1;
    return size - have < step ? size : have + step;
}

/* Reads a chunked body at data[*at…]; false when the stream is over. */
static bool read_chunked(struct transcript *t, struct arrival *a, const uint8_t *data, size_t size,
                         size_t *at, size_t *have)
{
    static uint8_t out[4096];
    struct h1_chunked c;
    h1_chunked_begin(&c, BODY_BYTES_MAX);
    for (;;) {
        size_t consumed, produced;
        size_t room = a->seed == 0 ? sizeof out : 1 + a->seed % 100;
        enum h1_chunked_state st =
            h1_chunked_decode(&c, data + *at, *have - *at, &consumed, out, room, &produced);
        REQUIRE(consumed <= *have - *at && produced <= room && produced <= consumed);
        *at += consumed;
        note(t, out, produced);
        t->body_bytes += produced;
        REQUIRE(t->body_bytes <= size);
        if (st == H1_CHUNKED_REFUSED) {
            t->end = (int)c.rule;
            return false;
        }
        if (st == H1_CHUNKED_DONE) return true;
        if (consumed > 0) continue;
        if (*have == size) return false;
        *have = arrive(a, *have, size);
    }
}

static struct transcript read_stream(const uint8_t *data, size_t size, uint32_t seed)
{
    static struct h1_head head;
    struct transcript t = {.hash = UINT64_C(0xcbf29ce484222325)};
    struct arrival a = {seed};
    size_t at = 0, have = 0;
    for (;;) {
        h1_head_begin(&head);
        while (h1_head_parse(&head, &limits, data + at, have - at) == H1_MORE) {
            if (have == size) return t;
            have = arrive(&a, have, size);
        }
        if (head.state == H1_REFUSED) {
            REQUIRE(h1_rule_status(head.rule) >= 400);
            t.end = (int)head.rule;
            return t;
        }
        check_head(&head, data + at);
        note_head(&t, &head, data + at);
        t.requests++;
        at += head.line_start;
        if (head.chunked) {
            if (!read_chunked(&t, &a, data, size, &at, &have)) return t;
        } else {
            if (head.content_length > size - at) return t;
            at += (size_t)head.content_length;
            if (have < at) have = at;
        }
        if (!head.keep_alive) return t;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    uint32_t seed = (uint32_t)data[0] + 1;
    struct transcript whole = read_stream(data + 1, size - 1, 0);
    struct transcript split = read_stream(data + 1, size - 1, seed);
    REQUIRE(whole.hash == split.hash && whole.requests == split.requests);
    REQUIRE(whole.body_bytes == split.body_bytes && whole.end == split.end);
    return 0;
}
