/* Versions, names, types: what a host function is found by, and what is said when none is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "state.h"
#include "world.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_versions(void **state)
{
    (void)state;
    static const struct {
        const char *have, *wanted;
        bool serves;
    } rows[] = {
        {"0.2.12", "0.2.0", true},
        {"0.2.0", "0.2.12", true},
        {"0.2.12", "0.3.0", false},
        {"0.3.0", "0.2.12", false},
        {"1.2.3", "1.0.0", true},
        {"1.2.3", "2.2.3", false},
        {"0.0.1", "0.0.1", true},
        {"0.0.1", "0.0.2", false},
        {"0.2.12", "", true},
        {"", "0.2.12", true},
        {"", "", true},
        {"0.2.12", "0.2", false},
        {"0.2.0-rc-1", "0.2.0-rc-1", true},
        {"0.2.0", "0.2.0-rc-1", false},
        {"0.2.0-rc-1", "0.2.1", false},
        {"0.2.0+a", "0.2.1+b", true},
        {"0.2.1", "x", false},
        {"0.2.1", "0.2.1.4", false},
        {"10.2.1", "1.2.1", false},
    };
    for (size_t k = 0; k < COUNT(rows); k++)
        assert_int_equal(canonical_version_serves(rows[k].have, rows[k].wanted), rows[k].serves);
}

static enum host_result nothing(struct canonical_call *c, struct value *values)
{
    (void)c;
    (void)values;
    return HOST_OK;
}

static const struct canonical_resource stream = {.name = "output-stream"};
static const struct canonical_resource *const stream_resources[] = {&stream};
static const struct canonical_function stream_functions[] = {
    CANONICAL_FUNCTION("[method]output-stream.write",
                       "func(self: borrow<output-stream>, contents: list<u8>)", nothing),
    CANONICAL_FUNCTION("[method]output-stream.flush", "func(self: borrow<output-stream>)", nothing),
};
static const struct canonical_interface streams = {"wasi:io/streams", "0.2.12", stream_functions, 2,
                                                   stream_resources,  1};
static const struct canonical_function exit_functions[] = {
    CANONICAL_FUNCTION("exit", "func(status: result)", nothing)};
static const struct canonical_interface exits = {
    "wasi:cli/exit", "0.2.12", exit_functions, 1, NULL, 0};
static const struct canonical_interface *const interfaces[] = {&streams, &exits};

static enum status find(struct world *w, const char *interface, const char *name, const char *type,
                        struct error *err)
{
    const struct host_function *f = NULL;
    uint32_t canon = world_lower_host(w, type, interface, name,
                                      world_options(w, 0, CANON_MEMORY_NONE, CANON_UTF8));
    enum status st =
        canonical_find(interfaces, COUNT(interfaces), (const void *)w, &w->canons[canon], &f, err);
    assert_int_equal(st == ST_OK, f != NULL);
    return st;
}

static void test_functions(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct error err = {0};
    world_resource(w, COMPONENT_HOST, "wasi:io/streams@0.2.6", "output-stream", 0);
    assert_int_equal(find(w, "wasi:cli/exit@0.2.0", "exit", "func(status: result)", &err), ST_OK);
    assert_int_equal(find(w, "wasi:cli/exit@0.2.99", "exit", "func(status: result)", &err), ST_OK);
    assert_int_equal(find(w, "wasi:io/streams@0.2.6", "[method]output-stream.flush",
                          "func(self: borrow<output-stream>)", &err),
                     ST_OK);
    assert_int_equal(find(w, "wasi:cli/exit@0.2.0", "exit", "func(status: u8)", &err), ST_INVALID);
    assert_string_equal(
        err.text,
        "\"wasi:cli/exit@0.2.0\" \"exit\" func(status: u8), which is func(status: result)");
    assert_int_equal(find(w, "wasi:cli/exit@0.3.0", "exit", "func(status: result)", &err),
                     ST_NOT_FOUND);
    assert_string_equal(err.text, "\"wasi:cli/exit@0.3.0\" \"exit\", the nearest interface is "
                                  "\"wasi:cli/exit@0.2.12\"");
    assert_int_equal(find(w, "wasi:io/stream@0.2.6", "x", "func()", &err), ST_NOT_FOUND);
    assert_string_equal(err.text, "\"wasi:io/stream@0.2.6\" \"x\", the nearest interface is "
                                  "\"wasi:io/streams@0.2.12\"");
    assert_int_equal(
        find(w, "wasi:io/streams@0.2.6", "[method]output-stream.flash", "func()", &err),
        ST_NOT_FOUND);
    assert_string_equal(err.text, "\"wasi:io/streams@0.2.6\" \"[method]output-stream.flash\", the "
                                  "nearest name is \"[method]output-stream.flush\"");
    world_free(w);
}

static void test_resources(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct error err = {0};
    const struct host_function *f = NULL;
    uint32_t known = world_resource(w, COMPONENT_HOST, "wasi:io/streams@0.2.6", "output-stream", 0);
    uint32_t unknown = world_resource(w, COMPONENT_HOST, "wasi:io/streams@0.2.6", "pipe", 0);
    uint32_t drop = world_builtin(w, CANON_RESOURCE_DROP, known, 0);
    uint32_t no_drop = world_builtin(w, CANON_RESOURCE_DROP, unknown, 0);
    assert_int_equal(canonical_find(interfaces, 2, (const void *)w, &w->canons[drop], &f, &err),
                     ST_OK);
    assert_int_equal(canonical_find(interfaces, 2, (const void *)w, &w->canons[no_drop], &f, &err),
                     ST_NOT_FOUND);
    world_free(w);
}

static void test_exports(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_lower_host(w, "func()", "wasi:http/incoming-handler@0.2.6", "handle",
                     world_options(w, 0, CANON_MEMORY_NONE, CANON_UTF8));
    w->exports[w->exports_count++] =
        (struct artifact_component_export){w->canons[0].interface, w->canons[0].name, 3};
    const struct artifact *a = (const void *)w;
    assert_non_null(canonical_find_export(a, "wasi:http/incoming-handler", "0.2.0", "handle"));
    assert_null(canonical_find_export(a, "wasi:http/incoming-handler", "0.3.0", "handle"));
    assert_null(canonical_find_export(a, "wasi:http/incoming-handler", "0.2.0", "handel"));
    assert_null(canonical_find_export(a, "wasi:http/handler", "0.2.0", "handle"));
    world_free(w);
}

/* Types print as they were written. */
static void test_print(void **state)
{
    (void)state;
    static const char *const types[] = {
        "func()",
        "func(a: u8) -> string",
        "func(self: borrow<thing>, b: own<thing>) -> result<list<u8>, variant{closed, last(u32)}>",
        "func(a: list<u8, 4>, b: tuple<s8, f64>, c: option<char>) -> result",
        "func(a: record{x: bool, y: list<string>}) -> result<_, enum{a, b}>",
        "func(a: flags{r, w}) -> result<u64>",
    };
    struct world *w = world_new();
    world_resource(w, COMPONENT_HOST, "a:b/c", "thing", 0);
    for (size_t k = 0; k < COUNT(types); k++) {
        struct buffer text;
        buffer_init(&text, 4096);
        wit_print((const void *)w, world_type(w, types[k]), &text);
        buffer_append(&text, "", 1);
        assert_string_equal((const char *)text.data, types[k]);
        buffer_done(&text);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),  cmocka_unit_test(test_functions),
        cmocka_unit_test(test_resources), cmocka_unit_test(test_exports),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
