/* Which app answers: by host, by the path's first segment, otherwise the fallback. */
#include <string.h>

#include "../base/cmocka_all.h"
#include "app.h"

static struct app alpha = {.name = "alpha"}, beta = {.name = "beta-2"}, gamma = {.name = "gamma.x"};
static struct app *sorted[] = {&alpha, &beta, &gamma};

struct route_case {
    const char *host, *path;
    struct app *app;
    const char *script_name, *path_info;
};

static const struct route_case cases[] = {
    {"localhost", "/alpha/", &alpha, "/alpha", "/"},
    {"localhost", "/alpha/x/y", &alpha, "/alpha", "/x/y"},
    {"localhost", "/alpha", &alpha, "/alpha", ""},
    {"localhost", "/ALPHA/x", &alpha, "/ALPHA", "/x"},
    {"localhost", "/beta-2//", &beta, "/beta-2", "//"},
    {"localhost", "/gamma.x/q", &gamma, "/gamma.x", "/q"},
    {"alpha.localhost", "/", &alpha, "", "/"},
    {"ALPHA.LocalHost", "/x", &alpha, "", "/x"},
    {"alpha.localhost", "/beta-2/x", &alpha, "", "/beta-2/x"}, /* the host goes first */
    {"gamma.x.localhost", "/y", &gamma, "", "/y"},
    {"delta.localhost", "/beta-2/x", &beta, "/beta-2", "/x"},
    {"", "/beta-2/x", &beta, "/beta-2", "/x"},
    {"localhost", "/", NULL, NULL, NULL},
    {"localhost", "/alph/", NULL, NULL, NULL},
    {"localhost", "/alphaa/", NULL, NULL, NULL},
    {"localhost", "//alpha/", NULL, NULL, NULL},
    {"localhost", "/%61lpha/", NULL, NULL, NULL},
    {".localhost", "/", NULL, NULL, NULL},
    {"alpha.localhost.example", "/", NULL, NULL, NULL},
    {"xlocalhost", "/", NULL, NULL, NULL},
    {"alpha.localhost", "*", NULL, NULL, NULL},
};

static struct http_slice slice(const char *text)
{
    return (struct http_slice){text, strlen(text)};
}

static void assert_slice(struct http_slice got, const char *expected)
{
    assert_int_equal(got.size, strlen(expected));
    assert_memory_equal(got.data, expected, got.size);
}

static void test_routes(void **state)
{
    (void)state;
    struct app_table t = {.apps = sorted, .count = ARRAY_COUNT(sorted)};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct route_case *c = &cases[i];
        struct route route;
        bool found = app_table_route(&t, slice(c->host), slice(c->path), &route);
        if (found != (c->app != NULL)) print_error("case %s%s\n", c->host, c->path);
        assert_int_equal(found, c->app != NULL);
        if (!found) continue;
        assert_ptr_equal(route.app, c->app);
        assert_slice(route.script_name, c->script_name);
        assert_slice(route.path_info, c->path_info);
    }
}

static void test_fallback(void **state)
{
    (void)state;
    struct app_table t = {.apps = sorted, .count = ARRAY_COUNT(sorted), .fallback = &gamma};
    struct route route;
    assert_true(app_table_route(&t, slice("example.com"), slice("/any/thing"), &route));
    assert_ptr_equal(route.app, &gamma);
    assert_slice(route.script_name, "");
    assert_slice(route.path_info, "/any/thing");
    assert_true(app_table_route(&t, slice("example.com"), slice("/alpha/thing"), &route));
    assert_ptr_equal(route.app, &alpha);
    assert_false(app_table_route(&t, slice("example.com"), slice("*"), &route));
}

static void test_find(void **state)
{
    (void)state;
    struct app_table t = {.apps = sorted, .count = ARRAY_COUNT(sorted)};
    assert_ptr_equal(app_table_find(&t, "alphabet", 5), &alpha);
    assert_null(app_table_find(&t, "alphabet", 6));
    assert_null(app_table_find(&t, "", 0));
    char name[EDGE_NAME_BYTES_MAX + 2];
    memset(name, 'a', sizeof name);
    assert_null(app_table_find(&t, name, sizeof name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
