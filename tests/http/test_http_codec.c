/* The codec's own functions: classes of characters, offsets that the parser finds, heads that are
 * rendered, rates. */
#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "h1_chunked.h"
#include "h1_head.h"
#include "h1_response.h"
#include "rate.h"
#include "text.h"

static const struct h1_limits limits = {
    .head_bytes_max = 16384,
    .target_bytes_max = 8192,
    .fields_max = 100,
    .body_bytes_max = 1 << 20,
};

/* ---- characters ---- */

static void test_classes(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool token = alnum || (c && strchr("!#$%&'*+-.^_`|~", c));
        bool value = c == '\t' || (c >= ' ' && c != 0x7f);
        assert_int_equal(text_is((uint8_t)c, TEXT_TOKEN), token);
        assert_int_equal(text_is((uint8_t)c, TEXT_VALUE), value);
        assert_int_equal(text_is((uint8_t)c, TEXT_HOST), alnum || (c && strchr("-._", c)));
        if (c <= ' ' || c >= 0x7f || strchr("#<>\"", c))
            assert_false(text_is((uint8_t)c, TEXT_PATH | TEXT_QUERY));
    }
}

/* At every offset and length around the width of a vector. */
static void test_find_control(void **state)
{
    static const uint8_t bad[] = {0, 1, 8, '\n', '\r', 0x1f, 0x7f};
    uint8_t bytes[64];
    (void)state;
    for (size_t size = 0; size <= 50; size++) {
        memset(bytes, 'x', sizeof bytes);
        assert_int_equal(text_find_control(bytes, size), size);
        for (size_t at = 0; at < size; at++) {
            for (size_t b = 0; b < sizeof bad; b++) {
                bytes[at] = bad[b];
                assert_int_equal(text_find_control(bytes, size), at);
            }
            bytes[at] = at % 2 ? '\t' : 0xff; /* both allowed */
        }
    }
}

/* ---- heads ---- */

static bool span_is(const char *bytes, struct h1_span s, const char *text)
{
    return s.size == strlen(text) && memcmp(bytes + s.offset, text, s.size) == 0;
}

static void test_spans(void **state)
{
    static const char bytes[] = "\r\nPUT http://h.x:8080/p/q?r=s HTTP/1.1\r\n"
                                "host:H.X:8080\r\nEmpty:\r\nX-Y: \t v w\t \r\n"
                                "Connection: x, Keep-Alive\r\nExpect: 100-CONTINUE\r\n"
                                "Content-Length: 12\r\n\r\nbody";
    struct h1_head h;
    (void)state;
    for (size_t step = 1; step < sizeof bytes; step++) {
        h1_head_begin(&h);
        size_t size = 0;
        while (h1_head_parse(&h, &limits, (const uint8_t *)bytes, size) == H1_MORE) {
            assert_true(size < sizeof bytes - 1);
            size = size + step < sizeof bytes - 1 ? size + step : sizeof bytes - 1;
        }
        assert_int_equal(h.state, H1_DONE);
        assert_string_equal(bytes + h.line_start, "body");
        assert_true(span_is(bytes, h.method, "PUT"));
        assert_true(span_is(bytes, h.path, "/p/q"));
        assert_true(h.has_query && span_is(bytes, h.query, "r=s"));
        assert_true(span_is(bytes, h.host, "H.X:8080"));
        assert_int_equal(h.host_name_size, 3);
        assert_int_equal(h.field_count, 6);
        assert_true(span_is(bytes, h.fields[1].name, "Empty"));
        assert_true(span_is(bytes, h.fields[1].value, ""));
        assert_true(span_is(bytes, h.fields[2].value, "v w"));
        assert_int_equal(h.content_length, 12);
        assert_true(h.expect_continue && h.keep_alive && !h.chunked && !h.is_head);
    }
}

static enum h1_rule parse_rule(const char *bytes)
{
    static struct h1_head h;
    h1_head_begin(&h);
    h1_head_parse(&h, &limits, (const uint8_t *)bytes, strlen(bytes));
    return h.rule;
}

/* Every rule of a head has an input that breaks it, and its name is in the table. */
static void test_rules(void **state)
{
    (void)state;
    assert_int_equal(parse_rule("GET / HTTP/1.1\r\n\r\n"), H1_RULE_HOST_MISSING);
    assert_int_equal(h1_rule_status(H1_RULE_HOST_MISSING), 400);
    assert_string_equal(h1_rule_name(H1_RULE_HOST_MISSING), "host-missing");
    for (int i = 1; i <= H1_RULE_TRAILER_SIZE; i++) {
        assert_in_range(h1_rule_status((enum h1_rule)i), 400, 599);
        assert_string_not_equal(http_status_text(h1_rule_status((enum h1_rule)i)), "Unknown");
        assert_true(strlen(h1_rule_text((enum h1_rule)i)) > 0);
    }
}

/* ---- chunks ---- */

static void test_chunk_out_capacity(void **state)
{
    static const char in[] = "3\r\nabc\r\n4;x\r\ndefg\r\n0\r\n\r\nREST";
    (void)state;
    for (size_t capacity = 1; capacity < 9; capacity++) {
        struct h1_chunked c;
        uint8_t out[16];
        size_t at = 0, made = 0, consumed, produced;
        enum h1_chunked_state st;
        h1_chunked_begin(&c, 7);
        do {
            st = h1_chunked_decode(&c, (const uint8_t *)in + at, sizeof in - 1 - at, &consumed,
                                   out + made, capacity, &produced);
            assert_true(produced <= capacity);
            at += consumed;
            made += produced;
        } while (st == H1_CHUNKED_MORE && made <= 7);
        assert_int_equal(st, H1_CHUNKED_DONE);
        assert_int_equal(made, 7);
        assert_memory_equal(out, "abcdefg", 7);
        assert_string_equal(in + at, "REST");
    }
}

/* ---- responses ---- */

static const struct h1_response_extras extras = {{"Date: D\r\n", 9}, "mayfly"};

#define FIELD(n, v) {{n, sizeof(n) - 1}, {v, sizeof(v) - 1}}

static enum status render(int status, const struct http_field *fields, size_t count, char *text,
                          struct h1_response_facts *facts)
{
    static uint8_t out[HTTP_RESPONSE_HEAD_BYTES_MAX];
    struct error err;
    size_t size = 0;
    enum status st = h1_response_render(out, &size, status, fields, count, &extras, facts, &err);
    memcpy(text, out, size < 999 ? size : 999);
    text[size < 999 ? size : 999] = '\0';
    return st;
}

static void test_render(void **state)
{
    static const struct http_field fields[] = {
        FIELD("Content-Type", "a/b"),
        FIELD("connection", "x"),
        FIELD("Keep-Alive", "x"),
        FIELD("Proxy-Connection", "x"),
        FIELD("PROXY-authenticate", "x"),
        FIELD("TRANSFER-ENCODING", "x"),
        FIELD("te", "x"),
        FIELD("Trailer", "x"),
        FIELD("Upgrade", "x"),
        FIELD("Content-Length", "18446744073709551615"),
        FIELD("X-Tab", "a\tb\xff"),
        FIELD("Empty", ""),
    };
    struct h1_response_facts facts;
    char text[1000];
    (void)state;
    assert_int_equal(render(404, fields, ARRAY_COUNT(fields), text, &facts), ST_OK);
    assert_string_equal(text, "HTTP/1.1 404 Not Found\r\nContent-Type: a/b\r\nX-Tab: a\tb\xff\r\n"
                              "Empty: \r\nDate: D\r\nServer: mayfly\r\n");
    assert_true(facts.has_length);
    assert_true(facts.length == UINT64_MAX);
    static const struct http_field own[] = {FIELD("DATE", "mine"), FIELD("server", "mine")};
    assert_int_equal(render(599, own, 2, text, &facts), ST_OK);
    assert_string_equal(text, "HTTP/1.1 599 Unknown\r\nDATE: mine\r\nserver: mine\r\n");
    assert_false(facts.has_length);
}

static void test_render_refuses(void **state)
{
    static const struct http_field bad[] = {
        FIELD("", "x"),
        FIELD("X Y", "x"),
        FIELD("X:", "x"),
        FIELD("X\r\nY", "x"),
        FIELD("X\0", "x"),
        FIELD("\xc3\xa9", "x"),
        FIELD("X", "a\r\nSet-Cookie: b"),
        FIELD("X", "a\nb"),
        FIELD("X", "a\rb"),
        FIELD("X", "a\0b"),
        FIELD("X", "a\x7f"),
        FIELD("Connection", "a\r\nb"), /* dropped fields are checked too */
        FIELD("Content-Length", ""),
        FIELD("Content-Length", "-1"),
        FIELD("Content-Length", "1, 1"),
        FIELD("Content-Length", " 1"),
        FIELD("Content-Length", "18446744073709551616"),
    };
    struct h1_response_facts facts;
    char text[1000];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_int_equal(render(200, &bad[i], 1, text, &facts), ST_INVALID);
    static const struct http_field twice[] = {FIELD("Content-Length", "1"),
                                              FIELD("content-length", "1")};
    assert_int_equal(render(200, twice, 2, text, &facts), ST_INVALID);
    static const int statuses[] = {-1, 0, 99, 100, 101, 199, 600, 1000};
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++)
        assert_int_equal(render(statuses[i], NULL, 0, text, &facts), ST_INVALID);
}

static void test_render_limits(void **state)
{
    static struct http_field many[HTTP_RESPONSE_FIELDS_MAX + 1];
    static char value[HTTP_RESPONSE_HEAD_BYTES_MAX];
    struct h1_response_facts facts;
    char text[1000];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(many); i++) many[i] = (struct http_field)FIELD("X", "y");
    assert_int_equal(render(200, many, HTTP_RESPONSE_FIELDS_MAX, text, &facts), ST_OK);
    assert_int_equal(render(200, many, HTTP_RESPONSE_FIELDS_MAX + 1, text, &facts), ST_LIMIT);
    memset(value, 'v', sizeof value);
    const size_t others = strlen("HTTP/1.1 200 OK\r\nX: \r\nDate: D\r\nServer: mayfly\r\n");
    struct http_field large = {{"X", 1}, {value, HTTP_RESPONSE_HEAD_BYTES_MAX - others}};
    assert_int_equal(render(200, &large, 1, text, &facts), ST_OK);
    large.value.size++;
    assert_int_equal(render(200, &large, 1, text, &facts), ST_LIMIT);
}

static void test_decimal_and_chunk_head(void **state)
{
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {{0, "0"}, {9, "9"}, {10, "10"}, {UINT64_MAX, "18446744073709551615"}};
    uint8_t out[32];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(h1_decimal_render(out, cases[i].value), strlen(cases[i].text));
        assert_memory_equal(out, cases[i].text, strlen(cases[i].text));
    }
    h1_chunk_head_render(out, 0x12ab);
    assert_memory_equal(out, "12ab\r\n", 6);
    assert_true(h1_framing_render(out, H1_FRAMING_NONE, 0, H1_PERSIST_DEFAULT) == 2);
    uint8_t framing[H1_FRAMING_BYTES_MAX];
    assert_true(h1_framing_render(framing, H1_FRAMING_LENGTH, UINT64_MAX, H1_PERSIST_KEEP_ALIVE) +
                    H1_CHUNK_HEAD_BYTES <=
                sizeof framing);
}

/* ---- rates ---- */

static void test_rate(void **state)
{
    struct rate r;
    (void)state;
    rate_fill(&r, 100);
    assert_true(rate_deadline_ns(&r) == UINT64_MAX); /* nobody waits */
    rate_wait(&r, 1000);
    rate_wait(&r, 1050);
    assert_true(rate_deadline_ns(&r) == 1100);
    rate_progress(&r, 1060, 0, 10, 100);
    assert_true(rate_deadline_ns(&r) == UINT64_MAX);
    rate_wait(&r, 5000);
    assert_true(rate_deadline_ns(&r) == 5040);
    rate_progress(&r, 5010, 2, 10, 100);
    rate_wait(&r, 6000);
    assert_true(rate_deadline_ns(&r) == 6050);
    rate_progress(&r, 6000, UINT64_MAX, 10, 100);
    rate_wait(&r, 7000);
    assert_true(rate_deadline_ns(&r) == 7100);
    rate_progress(&r, 9000, 1, 10, 100);
    rate_wait(&r, 9000);
    assert_true(rate_deadline_ns(&r) == 9010);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_find_control),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_chunk_out_capacity),
        cmocka_unit_test(test_render),
        cmocka_unit_test(test_render_refuses),
        cmocka_unit_test(test_render_limits),
        cmocka_unit_test(test_decimal_and_chunk_head),
        cmocka_unit_test(test_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
