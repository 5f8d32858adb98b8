/* Which app answers: by host, by the path's first segment, otherwise the fallback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cmocka_all.h"
#include "app.h"

static struct app_table table;
static struct app *alpha, *beta, *gamma_x, *none;

static int set_up(void **state)
{
    (void)state;
    struct error err;
    enum status st = app_table_add(&table, 7, "alpha", &alpha, &err);
    if (!st) st = app_table_add(&table, 0, "beta-2", &beta, &err);
    if (!st) st = app_table_add(&table, 300, "gamma.x", &gamma_x, &err);
    return st != ST_OK;
}

static int tear_down(void **state)
{
    (void)state;
    app_table_done(&table);
    return 0;
}

struct route_case {
    const char *host, *path;
    struct app **app;
    const char *script_name, *path_info;
};

static const struct route_case cases[] = {
    {"localhost", "/alpha/", &alpha, "/alpha", "/"},
    {"localhost", "/alpha/x/y", &alpha, "/alpha", "/x/y"},
    {"localhost", "/alpha", &alpha, "/alpha", ""},
    {"localhost", "/ALPHA/x", &alpha, "/ALPHA", "/x"},
    {"localhost", "/beta-2//", &beta, "/beta-2", "//"},
    {"localhost", "/gamma.x/q", &gamma_x, "/gamma.x", "/q"},
    {"alpha.localhost", "/", &alpha, "", "/"},
    {"ALPHA.LocalHost", "/x", &alpha, "", "/x"},
    {"alpha.localhost", "/beta-2/x", &alpha, "", "/beta-2/x"}, /* the host goes first */
    {"gamma.x.localhost", "/y", &gamma_x, "", "/y"},
    {"delta.localhost", "/beta-2/x", &beta, "/beta-2", "/x"},
    {"", "/beta-2/x", &beta, "/beta-2", "/x"},
    {"localhost", "/", &none, NULL, NULL},
    {"localhost", "/alph/", &none, NULL, NULL},
    {"localhost", "/alphaa/", &none, NULL, NULL},
    {"localhost", "//alpha/", &none, NULL, NULL},
    {"localhost", "/%61lpha/", &none, NULL, NULL},
    {".localhost", "/", &none, NULL, NULL},
    {"alpha.localhost.example", "/", &none, NULL, NULL},
    {"xlocalhost", "/", &none, NULL, NULL},
    {"alpha.localhost", "*", &none, NULL, NULL},
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
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct route_case *c = &cases[i];
        struct route route;
        bool found = app_table_route(&table, slice(c->host), slice(c->path), &route);
        if (found != (*c->app != NULL)) print_error("case %s%s\n", c->host, c->path);
        assert_int_equal(found, *c->app != NULL);
        if (!found) continue;
        assert_ptr_equal(route.app, *c->app);
        assert_slice(route.script_name, c->script_name);
        assert_slice(route.path_info, c->path_info);
    }
}

static void test_fallback(void **state)
{
    (void)state;
    table.fallback = gamma_x;
    struct route route;
    assert_true(app_table_route(&table, slice("example.com"), slice("/any/thing"), &route));
    assert_ptr_equal(route.app, gamma_x);
    assert_slice(route.script_name, "");
    assert_slice(route.path_info, "/any/thing");
    assert_true(app_table_route(&table, slice("example.com"), slice("/alpha/thing"), &route));
    assert_ptr_equal(route.app, alpha);
    assert_false(app_table_route(&table, slice("example.com"), slice("*"), &route));
    table.fallback = NULL;
}

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(app_table_find(&table, "alphabet", 5), alpha);
    assert_null(app_table_find(&table, "alphabet", 6));
    assert_null(app_table_find(&table, "", 0));
    char name[EDGE_NAME_BYTES_MAX + 2];
    memset(name, 'a', sizeof name);
    assert_null(app_table_find(&table, name, sizeof name));
}

static void test_add_and_remove(void **state)
{
    (void)state;
    enum { APPS = 5000 };
    struct app_table t = {0};
    struct app *app;
    struct error err;
    char name[32];
    for (uint32_t i = 0; i < APPS; i++) {
        snprintf(name, sizeof name, "App-%u", i);
        assert_int_equal(app_table_add(&t, i, name, &app, &err), ST_OK);
    }
    assert_int_equal(app_table_add(&t, APPS, "app-17", &app, &err), ST_EXISTS);
    assert_int_equal(app_table_add(&t, 17, "another", &app, &err), ST_EXISTS);
    assert_int_equal(app_table_add(&t, EDGE_APPS_MAX, "another", &app, &err), ST_LIMIT);
    for (uint32_t i = 0; i < APPS; i += 2) {
        app = app_table_get(&t, i);
        app_table_remove(&t, app);
        free(app);
    }
    for (uint32_t i = 0; i < APPS; i++) {
        int size = snprintf(name, sizeof name, "aPP-%u", i);
        app = app_table_find(&t, name, (size_t)size);
        assert_ptr_equal(app, app_table_get(&t, i));
        assert_int_equal(app != NULL, i % 2);
    }
    assert_int_equal(t.count, APPS / 2);
    app_table_done(&t);
}

static void test_names(void **state)
{
    (void)state;
    struct error err;
    char longest[EDGE_NAME_BYTES_MAX + 2];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(edge_check_name(longest, &err), ST_USAGE);
    longest[sizeof longest - 2] = '\0';
    assert_int_equal(edge_check_name(longest, &err), ST_OK);
    for (const char *const *bad = (const char *[]){"", ".x", "a b", "a/b", "\xc3\xa9", "a%", NULL};
         *bad; bad++)
        assert_int_equal(edge_check_name(*bad, &err), ST_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes), cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_find),   cmocka_unit_test(test_add_and_remove),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
