/* What grants say, and whom they fit. */
#include <string.h>

#include "../base/cmocka_all.h"
#include "outbound.h"

static void test_bad(void **state)
{
    static const char *const texts[] = {
        "",           "=",      "=host",    "app=",   ":80",       "host:", "host:0",
        "host:65536", "host:x", "host:80x", "h st",   "a*",        "*a",    "a.*.b",
        "http://a",   "a/b",    "[::1",     "[::1]x", "user@host", "[]",    "*:",
    };
    struct outbound_grant g;
    struct error err;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (outbound_grant_parse(texts[i], &g, &err) != ST_USAGE)
            fail_msg("\"%s\" passes", texts[i]);
}

static void test_fits(void **state)
{
    static const struct {
        const char *grant, *app, *host;
        uint16_t port;
        bool is_scheme_port, fits;
    } rows[] = {
        {"example.com", "a", "example.com", 443, true, true},
        {"example.com", "a", "EXAMPLE.com", 80, true, true},
        {"example.com", "a", "example.com", 8080, false, false},
        {"example.com", "a", "www.example.com", 443, true, false},
        {"example.com", "a", "example.com.evil", 443, true, false},
        {"example.com", "a", "badexample.com", 443, true, false},
        {"example.com:8080", "a", "example.com", 8080, false, true},
        {"example.com:8080", "a", "example.com", 80, true, false},
        {"example.com:80", "a", "example.com", 80, true, true},
        {"*.example.com", "a", "www.example.com", 443, true, true},
        {"*.example.com", "a", "a.b.example.com", 443, true, true},
        {"*.example.com", "a", "example.com", 443, true, false},
        {"*.example.com", "a", "badexample.com", 443, true, false},
        {"*", "a", "anything", 443, true, true},
        {"*", "a", "anything", 8443, false, false},
        {"*:8443", "a", "anything", 8443, false, true},
        {"a=example.com", "a", "example.com", 443, true, true},
        {"a=example.com", "b", "example.com", 443, true, false},
        {"a=example.com", "ab", "example.com", 443, true, false},
        {"127.0.0.1:9000", "a", "127.0.0.1", 9000, false, true},
        {"127.0.0.1:9000", "a", "127.0.0.2", 9000, false, false},
        {"[::1]:9000", "a", "::1", 9000, false, true},
        {"::1", "a", "::1", 80, true, true},
        {"a=[::1]", "a", "::1", 443, true, true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct outbound_grant g;
        struct error err;
        assert_int_equal(outbound_grant_parse(rows[i].grant, &g, &err), ST_OK);
        if (outbound_grant_fits(&g, rows[i].app, rows[i].host, strlen(rows[i].host), rows[i].port,
                                rows[i].is_scheme_port) != rows[i].fits)
            fail_msg("row %zu: %s and %s", i, rows[i].grant, rows[i].host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
