/* The head of a CGI response: what is one, what is not, and that pieces do not matter. */
#include <string.h>

#include "../base/cmocka_all.h"
#include "cgi_head.h"

struct head_case {
    const char *bytes;
    enum status expected; /* ST_WOULD_BLOCK: no end in sight */
    int status;
    size_t fields;
    size_t body; /* bytes behind the head that must not be taken */
};

static const struct head_case cases[] = {
    {"Content-Type: text/plain\n\n", ST_OK, 200, 1, 0},
    {"Content-Type: text/plain\r\n\r\n", ST_OK, 200, 1, 0},
    {"Content-Type: text/plain\r\n\nbody", ST_OK, 200, 1, 4},
    {"Content-Type:text/plain\n\nbody\n\n", ST_OK, 200, 1, 6},
    {"Status: 404 Not Found\n\n", ST_OK, 404, 0, 0},
    {"status: 204\n\n", ST_OK, 204, 0, 0},
    {"STATUS:  503 \nX: y\n\n", ST_OK, 503, 1, 0},
    {"Location: /there\n\n", ST_OK, 302, 1, 0},
    {"Location: /there\nStatus: 301 Moved\n\n", ST_OK, 301, 1, 0},
    {"A:\n\n", ST_OK, 200, 1, 0},
    {"A: b: c\n\n", ST_OK, 200, 1, 0},
    {"Content-Type: text/plain\n", ST_WOULD_BLOCK, 0, 0, 0},
    {"Content-Type", ST_WOULD_BLOCK, 0, 0, 0},
    {"", ST_WOULD_BLOCK, 0, 0, 0},
    {"\n", ST_INVALID, 0, 0, 0},
    {"\r\n", ST_INVALID, 0, 0, 0},
    {"Hello, world\n\n", ST_INVALID, 0, 0, 0},
    {": no name\n\n", ST_INVALID, 0, 0, 0},
    {"A: b\nplain\n\n", ST_INVALID, 0, 0, 0},
    {"Status: \n\n", ST_INVALID, 0, 0, 0},
    {"Status: OK\n\n", ST_INVALID, 0, 0, 0},
    {"Status: 20\n\n", ST_INVALID, 0, 0, 0},
    {"Status: 2000\n\n", ST_INVALID, 0, 0, 0},
    {"Status: 200x\n\n", ST_INVALID, 0, 0, 0},
    {"Status: 100\n\n", ST_INVALID, 0, 0, 0},
    {"Status: 199\n\n", ST_INVALID, 0, 0, 0},
    {"Status: 600\n\n", ST_INVALID, 0, 0, 0},
    {"Status: -20\n\n", ST_INVALID, 0, 0, 0},
    {"Status: 200\nStatus: 200\n\n", ST_INVALID, 0, 0, 0},
};

static enum status feed(struct cgi_head *h, const char *bytes, size_t size, size_t step,
                        size_t *ret_taken)
{
    enum status st = ST_WOULD_BLOCK;
    *ret_taken = 0;
    while (st == ST_WOULD_BLOCK && *ret_taken < size) {
        struct error err;
        size_t piece = size - *ret_taken < step ? size - *ret_taken : step, taken;
        st = cgi_head_feed(h, bytes + *ret_taken, piece, &taken, &err);
        *ret_taken += taken;
    }
    return st;
}

static void check(const struct head_case *c, size_t step)
{
    struct cgi_head h;
    size_t taken;
    cgi_head_init(&h);
    enum status st = feed(&h, c->bytes, strlen(c->bytes), step, &taken);
    if (st != c->expected) print_error("case \"%s\", step %zu\n", c->bytes, step);
    assert_int_equal(st, c->expected);
    if (st == ST_OK) {
        assert_int_equal(h.status, c->status);
        assert_int_equal(h.fields_count, c->fields);
        assert_int_equal(taken, strlen(c->bytes) - c->body);
    }
    cgi_head_done(&h);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        for (size_t step = 1; step < 40; step++) check(&cases[i], step);
}

static void test_values(void **state)
{
    (void)state;
    struct cgi_head h;
    size_t taken;
    cgi_head_init(&h);
    const char text[] = "X-One: \t 1 2 \t\r\nETag:\"a\"\n\n";
    assert_int_equal(feed(&h, text, strlen(text), 3, &taken), ST_OK);
    assert_int_equal(h.fields_count, 2);
    assert_int_equal(h.fields[0].value.size, 3);
    assert_memory_equal(h.fields[0].value.data, "1 2", 3);
    assert_memory_equal(h.fields[1].name.data, "ETag", 4);
    assert_memory_equal(h.fields[1].value.data, "\"a\"", 3);

    cgi_head_clear(&h); /* nothing of the last response is left */
    assert_int_equal(feed(&h, "A: b\n\n", 6, 1, &taken), ST_OK);
    assert_int_equal(h.status, 200);
    assert_int_equal(h.fields_count, 1);
    cgi_head_done(&h);
}

/* `size` bytes of head with its blank line. */
static enum status feed_sized(size_t size)
{
    static char text[EDGE_CGI_HEAD_BYTES_MAX + 16];
    struct cgi_head h;
    size_t taken;
    memset(text, 'x', size);
    memcpy(text, "A: ", 3);
    memcpy(text + size - 2, "\n\n", 2);
    cgi_head_init(&h);
    enum status st = feed(&h, text, size, 1000, &taken);
    cgi_head_done(&h);
    return st;
}

static void test_size_limit(void **state)
{
    (void)state;
    assert_int_equal(feed_sized(EDGE_CGI_HEAD_BYTES_MAX), ST_OK);
    assert_int_equal(feed_sized(EDGE_CGI_HEAD_BYTES_MAX + 1), ST_LIMIT);
}

static enum status feed_fields(size_t count)
{
    struct buffer text;
    struct cgi_head h;
    size_t taken;
    buffer_init(&text, EDGE_CGI_HEAD_BYTES_MAX);
    for (size_t i = 0; i < count; i++) buffer_append_string(&text, "A: b\n");
    buffer_append_string(&text, "\n");
    cgi_head_init(&h);
    enum status st = feed(&h, (const char *)text.data, text.size_bytes, 1000, &taken);
    cgi_head_done(&h);
    buffer_done(&text);
    return st;
}

static void test_field_limit(void **state)
{
    (void)state;
    assert_int_equal(feed_fields(EDGE_CGI_FIELDS_MAX), ST_OK);
    assert_int_equal(feed_fields(EDGE_CGI_FIELDS_MAX + 1), ST_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_size_limit),
        cmocka_unit_test(test_field_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
