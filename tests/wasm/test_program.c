/* Linking: what imports resolve to, what does not match, and the numbers of a program. */
#include "../base/cmocka_all.h"

#include <string.h>

#include "module_builder.h"
#include "wasm/program.h"

#define MODULES_MAX 4

/* Up to four modules and a builder for them. */
struct fixture {
    struct module_builder builders[MODULES_MAX];
    struct wasm_module *modules[MODULES_MAX];
    uint32_t modules_count;
    struct program_builder *b;
    struct error err;
};

struct section {
    uint8_t id;
    const char *hex;
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    *state = &f;
    return program_builder_new(&f.b, &f.err) != ST_OK;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    program_builder_free(f->b);
    for (uint32_t i = 0; i < f->modules_count; i++) {
        wasm_module_free(f->modules[i]);
        builder_done(&f->builders[i]);
    }
    return 0;
}

static const struct wasm_module *module_of(struct fixture *f, const struct section *sections,
                                           size_t count)
{
    uint32_t at = f->modules_count++;
    assert_true(at < MODULES_MAX);
    builder_init(&f->builders[at]);
    for (size_t i = 0; i < count; i++)
        builder_section_hex(&f->builders[at], sections[i].id, sections[i].hex);
    f->modules[at] = builder_decode_keep(&f->builders[at]);
    return f->modules[at];
}

#define MODULE(f, ...)                                                                             \
    module_of((f), (const struct section[]){__VA_ARGS__},                                          \
              ARRAY_COUNT(((const struct section[]){__VA_ARGS__})))

/* Adds an instance whose namespace "m" is instance 0. */
static enum status add(struct fixture *f, const struct wasm_module *m, bool allow_host)
{
    const struct program_namespace space = {"m", 1, 0};
    uint32_t instance = UINT32_MAX;
    return program_builder_add(f->b, m, &space, 1, allow_host, &instance, &f->err);
}

static void add_first(struct fixture *f, const struct wasm_module *m)
{
    uint32_t instance = UINT32_MAX;
    if (program_builder_add(f->b, m, NULL, 0, true, &instance, &f->err))
        fail_msg("%s", f->err.text);
    assert_int_equal(instance, 0);
}

/* Exports f: [] -> [], t: 2..5 funcref, n: memory 2..4, g: i32, h: mutable i32, e: tag [i32]. */
static const struct wasm_module *exporter(struct fixture *f)
{
    return MODULE(f, {1, "02 60 00 00 60 01 7f 00"}, {3, "01 00"}, {4, "01 70 01 02 05"},
                  {5, "01 01 02 04"}, {13, "01 00 01"}, {6, "02 7f 00 41 00 0b 7f 01 41 00 0b"},
                  {7, "06 01 66 00 00 01 74 01 00 01 6e 02 00 01 67 03 00 01 68 03 01 01 65 04 00"},
                  {10, "01 02 00 0b"});
}

static void a_lone_module_is_a_program(void **state)
{
    struct fixture *f = *state;
    const struct program *p = NULL;
    const struct wasm_module *m = exporter(f);
    assert_int_equal(program_builder_finish(f->b, &p, &f->err), ST_USAGE);
    add_first(f, m);
    assert_int_equal(program_builder_finish(f->b, &p, &f->err), ST_OK);
    assert_int_equal(p->instances_count, 1);
    assert_int_equal(p->funcs_count, 2);
    assert_int_equal(p->instances[0].funcs[0], 1);
    assert_int_equal(p->funcs[1].instance, 0);
    assert_int_equal(p->funcs[1].index, 0);
    assert_false(p->funcs[1].is_host);
    assert_int_equal(p->types_count, 3);
    assert_int_equal(p->funcs[1].type_id, program_type_id(p, 0, 0));
    assert_int_not_equal(program_type_id(p, 0, 0), program_type_id(p, 0, 1));
    assert_ptr_equal(p->types[p->funcs[1].type_id].module, m);
    assert_int_equal(p->globals_count, 2);
    assert_int_equal(p->instances[0].globals[1], 1);
    assert_int_equal(p->tags_count, 1);
}

static void imports_resolve_to_the_definitions(void **state)
{
    struct fixture *f = *state;
    const struct program *p = NULL;
    add_first(f, exporter(f));
    /* Types in another order; memory, function and global of its own behind the imports. */
    const struct wasm_module *m =
        MODULE(f, {1, "03 5f 00 60 01 7f 00 60 00 00"},
               {2, "06 01 6d 01 66 00 02 01 6d 01 74 01 70 01 01 05 01 6d 01 6e 02 01 01 04"
                   " 01 6d 01 67 03 7f 00 01 6d 01 68 03 7f 01 01 6d 01 65 04 00 01"},
               {3, "01 02"}, {5, "01 00 00"}, {6, "01 7f 00 41 00 0b"}, {9, "01 01 00 00"},
               {10, "01 02 00 0b"}, {11, "02 01 00 01 00"});
    if (add(f, m, false)) fail_msg("%s", f->err.text);
    assert_int_equal(program_builder_finish(f->b, &p, &f->err), ST_OK);
    const struct program_instance *i = &p->instances[1];
    assert_int_equal(i->funcs[0], 1);
    assert_int_equal(i->funcs[1], 2);
    assert_int_equal(i->tables[0], 0);
    assert_int_equal(i->memories[0], 0);
    assert_int_equal(i->memories[1], 1);
    assert_int_equal(p->memories[1].instance, 1);
    assert_int_equal(p->memories[1].index, 1);
    assert_int_equal(i->globals[0], 0);
    assert_int_equal(i->globals[1], 1);
    assert_int_equal(i->globals[2], 2);
    assert_int_equal(i->tags[0], 0);
    assert_int_equal(p->funcs_count, 3);
    assert_int_equal(p->hosts_count, 0);
    assert_int_equal(program_type_id(p, 0, 0), program_type_id(p, 1, 2));
    assert_int_equal(program_type_id(p, 0, 1), program_type_id(p, 1, 1));
    assert_int_equal(program_type_id(p, 1, 0), 0);
    assert_int_equal(p->elements_count, 1);
    assert_int_equal(i->datas_first, 0);
    assert_int_equal(p->datas_count, 2);
}

/* Imports from "m" (the exporter) that must not be served, but for the accepted ones. */
static const struct {
    const char *types, *import;
    enum status status;
    const char *text;
} imports[] = {
    {"01 60 00 00", "01 01 6d 01 66 00 00", ST_OK, NULL},
    {"01 60 00 01 7f", "01 01 6d 01 66 00 00", ST_INVALID,
     "incompatible import type: \"m\" \"f\" is not the func it is imported as"},
    {"01 60 00 00", "01 01 6d 01 67 00 00", ST_INVALID, "\"m\" \"g\" is not the func"},
    {"01 60 00 00", "01 01 6d 01 78 00 00", ST_NOT_FOUND, "unknown import \"m\" \"x\""},
    {"01 60 00 00", "01 01 6d 00 00 00", ST_NOT_FOUND, "unknown import \"m\" \"\""},
    {"01 60 00 00", "01 01 7a 01 66 00 00", ST_NOT_FOUND, "unknown import \"z\" \"f\""},
    {"01 60 00 00", "02 01 7a 01 61 00 00 01 7a 01 62 03 7f 00", ST_NOT_FOUND,
     "unknown import \"z\" \"a\", unknown import \"z\" \"b\""},
    {"00", "01 01 6d 01 74 01 70 00 02", ST_OK, NULL},
    {"00", "01 01 6d 01 74 01 70 00 03", ST_INVALID, "\"m\" \"t\" is not the table"},
    {"00", "01 01 6d 01 74 01 70 01 02 05", ST_OK, NULL},
    {"00", "01 01 6d 01 74 01 70 01 02 04", ST_INVALID, "\"t\" is not the table"},
    {"00", "01 01 6d 01 74 01 70 04 02", ST_INVALID, "\"t\" is not the table"},
    {"00", "01 01 6d 01 74 01 6f 00 02", ST_INVALID, "\"t\" is not the table"},
    {"00", "01 01 6d 01 74 01 64 70 00 02", ST_INVALID, "\"t\" is not the table"},
    {"00", "01 01 6d 01 6e 02 00 02", ST_OK, NULL},
    {"00", "01 01 6d 01 6e 02 00 03", ST_INVALID, "\"n\" is not the memory"},
    {"00", "01 01 6d 01 6e 02 01 00 05", ST_OK, NULL},
    {"00", "01 01 6d 01 6e 02 01 00 03", ST_INVALID, "\"n\" is not the memory"},
    {"00", "01 01 6d 01 6e 02 04 02", ST_INVALID, "\"n\" is not the memory"},
    {"00", "01 01 6d 01 67 03 7f 00", ST_OK, NULL},
    {"00", "01 01 6d 01 67 03 7f 01", ST_INVALID, "\"g\" is not the global"},
    {"00", "01 01 6d 01 67 03 7e 00", ST_INVALID, "\"g\" is not the global"},
    {"00", "01 01 6d 01 68 03 7f 01", ST_OK, NULL},
    {"00", "01 01 6d 01 68 03 7f 00", ST_INVALID, "\"h\" is not the global"},
    {"01 60 01 7f 00", "01 01 6d 01 65 04 00 00", ST_OK, NULL},
    {"01 60 01 7e 00", "01 01 6d 01 65 04 00 00", ST_INVALID, "\"e\" is not the tag"},
    {"01 50 00 60 01 7f 00", "01 01 6d 01 65 04 00 00", ST_INVALID, "\"e\" is not the tag"},
};

static void imports_match_by_type(void **state)
{
    struct fixture *f = *state;
    add_first(f, exporter(f));
    for (size_t i = 0; i < ARRAY_COUNT(imports); i++) {
        const struct wasm_module *m = MODULE(f, {1, imports[i].types}, {2, imports[i].import});
        enum status st = add(f, m, false);
        if (st != imports[i].status || (st && !strstr(f->err.text, imports[i].text)))
            fail_msg("%s: got %s \"%s\"", imports[i].import, status_name(st), f->err.text);
        /* The last module may go only when nothing refers to it: start afresh. */
        program_builder_free(f->b);
        wasm_module_free(f->modules[--f->modules_count]);
        builder_done(&f->builders[f->modules_count]);
        assert_int_equal(program_builder_new(&f->b, &f->err), ST_OK);
        add_first(f, f->modules[0]);
    }
}

static void immutable_globals_and_functions_match_by_subtyping(void **state)
{
    struct fixture *f = *state;
    add_first(f, MODULE(f, {1, "02 50 00 60 00 00 4f 01 00 60 00 00"}, {3, "01 01"},
                        {6, "02 64 01 00 d2 00 0b 63 01 01 d0 01 0b"},
                        {7, "03 01 66 00 00 01 67 03 00 01 68 03 01"}, {10, "01 02 00 0b"}));
    static const struct {
        const char *types, *import;
        enum status status;
    } cases[] = {
        {"01 50 00 60 00 00", "01 01 6d 01 66 00 00", ST_OK},
        {"01 60 00 00", "01 01 6d 01 66 00 00", ST_INVALID},
        {"01 50 00 60 00 00", "01 01 6d 01 67 03 63 00 00", ST_OK},
        {"00", "01 01 6d 01 67 03 70 00", ST_OK},
        {"00", "01 01 6d 01 67 03 6f 00", ST_INVALID},
        {"00", "01 01 6d 01 68 03 70 01", ST_INVALID},
        {"02 50 00 60 00 00 4f 01 00 60 00 00", "01 01 6d 01 68 03 63 01 01", ST_OK},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct wasm_module *m = MODULE(f, {1, cases[i].types}, {2, cases[i].import});
        enum status st = add(f, m, false);
        if (st != cases[i].status) fail_msg("%s: %s", cases[i].import, f->err.text);
        program_builder_free(f->b);
        wasm_module_free(f->modules[--f->modules_count]);
        builder_done(&f->builders[f->modules_count]);
        assert_int_equal(program_builder_new(&f->b, &f->err), ST_OK);
        add_first(f, f->modules[0]);
    }
}

static void host_imports_are_shared(void **state)
{
    struct fixture *f = *state;
    const struct program *p = NULL;
    /* "w" "a" twice with one type, once with another; then "w" "b". */
    const struct wasm_module *m =
        MODULE(f, {1, "02 60 00 00 60 01 7f 00"},
               {2, "04 01 77 01 61 00 00 01 77 01 61 00 00 01 77 01 61 00 01 01 77 01 62 00 00"},
               {7, "01 01 61 00 00"});
    const struct wasm_module *n =
        MODULE(f, {1, "01 60 00 00"}, {2, "02 01 77 01 62 00 00 01 6d 01 61 00 00"});
    add_first(f, m);
    if (add(f, n, true)) fail_msg("%s", f->err.text);
    assert_int_equal(program_builder_finish(f->b, &p, &f->err), ST_OK);
    const uint32_t *first = p->instances[0].funcs, *second = p->instances[1].funcs;
    assert_int_equal(p->hosts_count, 3);
    assert_int_equal(p->funcs_count, 4);
    assert_int_equal(first[0], first[1]);
    assert_int_not_equal(first[0], first[2]);
    assert_int_equal(second[0], first[3]);
    assert_int_equal(second[1], first[0]); /* exported again by the first */
    const struct program_func *a = &p->funcs[first[0]];
    assert_true(a->is_host);
    assert_string_equal(p->hosts[a->host].field.text, "a");
    assert_int_equal(p->hosts[a->host].func, first[0]);
    assert_int_equal(a->instance, 0);
    assert_int_equal(a->index, 0);
}

static void without_host_every_missing_import_is_named(void **state)
{
    struct fixture *f = *state;
    const struct program *p = NULL;
    const struct wasm_module *m =
        MODULE(f, {1, "01 60 00 00"}, {2, "02 01 77 01 61 00 00 01 77 01 62 00 00"});
    assert_int_equal(add(f, m, false), ST_NOT_FOUND);
    assert_string_equal(f->err.text, "unknown import \"w\" \"a\", unknown import \"w\" \"b\"");
    /* The builder is as before. */
    add_first(f, exporter(f));
    assert_int_equal(program_builder_finish(f->b, &p, &f->err), ST_OK);
    assert_int_equal(p->instances_count, 1);
    assert_int_equal(p->funcs_count, 2);
}

static void a_long_list_of_missing_imports_is_cut(void **state)
{
    struct fixture *f = *state;
    struct module_builder *b = &f->builders[f->modules_count];
    builder_init(b);
    builder_section_hex(b, 1, "01 60 00 00");
    builder_section(b, 2);
    builder_u32(b, 1000);
    builder_repeat(b, 1000, "04 6e 6f 6e 65 01 61 00 00");
    builder_section_end(b);
    f->modules[f->modules_count++] = builder_decode_keep(b);
    assert_int_equal(add(f, f->modules[0], false), ST_NOT_FOUND);
    assert_non_null(strstr(f->err.text, ", ..."));
}

static void the_last_namespace_of_a_name_wins(void **state)
{
    struct fixture *f = *state;
    const struct program *p = NULL;
    const struct wasm_module *m = exporter(f);
    uint32_t instance;
    add_first(f, m);
    assert_int_equal(program_builder_add(f->b, m, NULL, 0, false, &instance, &f->err), ST_OK);
    assert_int_equal(instance, 1);
    const struct wasm_module *user = MODULE(f, {1, "01 60 00 00"}, {2, "01 01 6d 01 66 00 00"});
    const struct program_namespace spaces[] = {{"m", 1, 0}, {"m", 1, 1}, {"mm", 2, 0}};
    assert_int_equal(program_builder_add(f->b, user, spaces, 3, false, &instance, &f->err), ST_OK);
    assert_int_equal(program_builder_finish(f->b, &p, &f->err), ST_OK);
    assert_int_equal(p->instances[2].funcs[0], p->instances[1].funcs[0]);
    assert_int_equal(p->funcs[p->instances[1].funcs[0]].instance, 1);
}

static uint64_t size_of(void *context, enum wasm_external kind, uint32_t index)
{
    (void)index;
    return kind == WASM_EXT_MEMORY ? *(const uint64_t *)context : 5;
}

/* A memory that has grown is imported with what it has. */
static void sizes_are_those_at_link_time(void **state)
{
    struct fixture *f = *state;
    uint64_t pages = 2;
    add_first(f, exporter(f));
    const struct wasm_module *m = MODULE(f, {2, "02 01 6d 01 6e 02 00 03 01 6d 01 74 01 70 00 05"});
    assert_int_equal(add(f, m, false), ST_INVALID);
    program_builder_set_size(f->b, size_of, &pages);
    assert_int_equal(add(f, m, false), ST_INVALID);
    pages = 3;
    assert_int_equal(add(f, m, false), ST_OK);
}

static void instances_are_limited(void **state)
{
    struct fixture *f = *state;
    const struct wasm_module *empty = MODULE(f, {0, "00"});
    uint32_t instance;
    for (uint32_t i = 0; i < PROGRAM_INSTANCES_MAX; i++)
        if (program_builder_add(f->b, empty, NULL, 0, false, &instance, &f->err))
            fail_msg("%u: %s", i, f->err.text);
    assert_int_equal(program_builder_add(f->b, empty, NULL, 0, false, &instance, &f->err),
                     ST_LIMIT);
    assert_string_equal(f->err.text, "more than 1000 instances in a program");
}

static const struct wasm_module *module_of_functions(struct fixture *f, uint32_t count)
{
    struct module_builder *b = &f->builders[f->modules_count];
    builder_init(b);
    builder_functions(b, count);
    builder_section(b, 10);
    builder_u32(b, count);
    builder_repeat(b, count, "02 00 0b");
    builder_section_end(b);
    return f->modules[f->modules_count++] = builder_decode_keep(b);
}

/* The null function counts. */
static void functions_are_limited(void **state)
{
    struct fixture *f = *state;
    const uint32_t most = WASM_FUNCTIONS_MAX, whole = PROGRAM_FUNCTIONS_MAX / most;
    const struct wasm_module *large = module_of_functions(f, most);
    const struct wasm_module *rest = module_of_functions(f, most - 1);
    const struct wasm_module *one = module_of_functions(f, 1);
    for (uint32_t i = 1; i < whole; i++) assert_int_equal(add(f, large, false), ST_OK);
    assert_int_equal(add(f, large, false), ST_LIMIT);
    assert_string_equal(f->err.text, "more than 4000000 functions in a program");
    assert_int_equal(add(f, rest, false), ST_OK);
    assert_int_equal(add(f, one, false), ST_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_lone_module_is_a_program),
        TEST(imports_resolve_to_the_definitions),
        TEST(imports_match_by_type),
        TEST(immutable_globals_and_functions_match_by_subtyping),
        TEST(host_imports_are_shared),
        TEST(without_host_every_missing_import_is_named),
        TEST(a_long_list_of_missing_imports_is_cut),
        TEST(the_last_namespace_of_a_name_wins),
        TEST(sizes_are_those_at_link_time),
        TEST(instances_are_limited),
        TEST(functions_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
