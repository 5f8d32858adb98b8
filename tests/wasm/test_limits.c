/* Every limit of wasm.h, and those of the validator: a module at it, and one past it. */
#include "../base/cmocka_all.h"

#include <string.h>
#include <sys/mman.h>

#include "module_builder.h"
#include "validate.h"

#define FUNC_TYPE "01 60 00 00" /* a type section: [] -> [] */

static void types_alone(struct module_builder *b, uint32_t n)
{
    builder_section(b, 1);
    builder_u32(b, n);
    builder_repeat(b, n, "5f 00");
    builder_section_end(b);
}

static void types_in_group(struct module_builder *b, uint32_t n)
{
    builder_section(b, 1);
    builder_hex(b, "01 4e");
    builder_u32(b, n);
    builder_repeat(b, n, "5f 00");
    builder_section_end(b);
}

static void supertypes(struct module_builder *b, uint32_t n)
{
    builder_section(b, 1);
    builder_u32(b, n + 1);
    builder_hex(b, "50 00 5f 00");
    for (uint32_t i = 0; i < n; i++) {
        builder_hex(b, "50 01");
        builder_u32(b, i);
        builder_hex(b, "5f 00");
    }
    builder_section_end(b);
}

static void supertypes_in_group(struct module_builder *b, uint32_t n)
{
    builder_section(b, 1);
    builder_hex(b, "01 4e");
    builder_u32(b, n + 1);
    builder_hex(b, "50 00 5f 00");
    for (uint32_t i = 0; i < n; i++) {
        builder_hex(b, "50 01");
        builder_u32(b, i);
        builder_hex(b, "5f 00");
    }
    builder_section_end(b);
}

static void func_type(struct module_builder *b, uint32_t params, uint32_t results)
{
    builder_section(b, 1);
    builder_hex(b, "01 60");
    builder_u32(b, params);
    builder_repeat(b, params, "7f");
    builder_u32(b, results);
    builder_repeat(b, results, "7f");
    builder_section_end(b);
}

static void params(struct module_builder *b, uint32_t n)
{
    func_type(b, n, 0);
}

static void results(struct module_builder *b, uint32_t n)
{
    func_type(b, 0, n);
}

static void fields(struct module_builder *b, uint32_t n)
{
    builder_section(b, 1);
    builder_hex(b, "01 5f");
    builder_u32(b, n);
    builder_repeat(b, n, "7f 00");
    builder_section_end(b);
}

static void vector_section(struct module_builder *b, uint8_t id, uint32_t n, const char *entry)
{
    builder_section(b, id);
    builder_u32(b, n);
    builder_repeat(b, n, entry);
    builder_section_end(b);
}

static void functions(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, FUNC_TYPE);
    vector_section(b, 3, n, "00");
    vector_section(b, 10, n, "02 00 0b");
}

static void functions_with_import(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, FUNC_TYPE);
    builder_section_hex(b, 2, "01 00 00 00 00");
    vector_section(b, 3, n - 1, "00");
    vector_section(b, 10, n - 1, "02 00 0b");
}

static void imports(struct module_builder *b, uint32_t n)
{
    vector_section(b, 2, n, "00 00 03 7f 00");
}

static void exports(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 5, "01 00 00");
    builder_section(b, 7);
    builder_u32(b, n);
    for (uint32_t i = 0; i < n; i++) {
        char name[5] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676 % 26),
                        (char)('A' + i / 17576), 0};
        builder_name(b, name);
        builder_hex(b, "02 00");
    }
    builder_section_end(b);
}

static void globals(struct module_builder *b, uint32_t n)
{
    vector_section(b, 6, n, "7f 00 41 00 0b");
}

static void globals_with_import(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 2, "01 00 00 03 7f 00");
    vector_section(b, 6, n - 1, "7f 00 41 00 0b");
}

static void tags(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, FUNC_TYPE);
    vector_section(b, 13, n, "00 00");
}

static void tags_with_import(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, FUNC_TYPE);
    builder_section_hex(b, 2, "01 00 00 04 00 00");
    vector_section(b, 13, n - 1, "00 00");
}

static void tables(struct module_builder *b, uint32_t n)
{
    vector_section(b, 4, n, "70 00 00");
}

static void tables_with_import(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 2, "01 00 00 01 70 00 00");
    vector_section(b, 4, n - 1, "70 00 00");
}

static void memories(struct module_builder *b, uint32_t n)
{
    vector_section(b, 5, n, "00 00");
}

static void memories_with_import(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 2, "01 00 00 02 00 00");
    vector_section(b, 5, n - 1, "00 00");
}

static void table_elements(struct module_builder *b, uint32_t n)
{
    builder_section(b, 4);
    builder_hex(b, "01 70 00");
    builder_u32(b, n);
    builder_section_end(b);
}

static void element_segments(struct module_builder *b, uint32_t n)
{
    vector_section(b, 9, n, "01 00 00");
}

static void data_segments(struct module_builder *b, uint32_t n)
{
    vector_section(b, 11, n, "01 00");
}

static void data_count(struct module_builder *b, uint32_t n)
{
    builder_section(b, 12);
    builder_u32(b, n);
    builder_section_end(b);
    vector_section(b, 11, n, "01 00");
}

/* One function [] -> [] whose body is built between begin_function and end_function. */
static void begin_function(struct module_builder *b)
{
    builder_section_hex(b, 3, "01 00");
    builder_section(b, 10);
    builder_hex(b, "01");
    builder_body(b);
}

static void end_function(struct module_builder *b)
{
    builder_body_end(b);
    builder_section_end(b);
}

static void locals(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, FUNC_TYPE);
    begin_function(b);
    builder_hex(b, "02");
    builder_u32(b, n - 7);
    builder_hex(b, "7f 07 7e 0b");
    end_function(b);
}

static void body_bytes(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, FUNC_TYPE);
    begin_function(b);
    builder_hex(b, "00");
    builder_repeat(b, n - 2, "01");
    builder_hex(b, "0b");
    end_function(b);
}

static void br_table(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, FUNC_TYPE);
    begin_function(b);
    builder_hex(b, "00 41 00 0e");
    builder_u32(b, n);
    builder_repeat(b, n + 1, "00");
    builder_hex(b, "0b");
    end_function(b);
}

static void block_depth(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, FUNC_TYPE);
    begin_function(b);
    builder_hex(b, "00");
    builder_repeat(b, n, "02 40");
    builder_repeat(b, n + 1, "0b");
    end_function(b);
}

static void operands(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, FUNC_TYPE);
    begin_function(b);
    builder_hex(b, "00");
    builder_repeat(b, n, "41 00");
    builder_hex(b, "00 0b");
    end_function(b);
}

static void name_bytes(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 5, "01 00 00");
    builder_section(b, 7);
    builder_hex(b, "01");
    builder_u32(b, n);
    builder_repeat(b, n, "61");
    builder_hex(b, "02 00");
    builder_section_end(b);
}

static void catch_clauses(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, FUNC_TYPE);
    begin_function(b);
    builder_hex(b, "00 1f 40");
    builder_u32(b, n);
    builder_repeat(b, n, "02 00");
    builder_hex(b, "0b 0b");
    end_function(b);
}

static void array_fixed(struct module_builder *b, uint32_t n)
{
    builder_section_hex(b, 1, "02 60 00 00 5e 7f 00");
    begin_function(b);
    builder_hex(b, "00 00 fb 08 01");
    builder_u32(b, n);
    builder_hex(b, "1a 0b");
    end_function(b);
}

static const struct limit_case {
    const char *name;
    void (*build)(struct module_builder *b, uint32_t n);
    uint32_t max;
    const char *text; /* of the error one past the limit */
} cases[] = {
    {"types", types_alone, WASM_TYPES_MAX, "1000001 types, the limit is 1000000"},
    {"types in one group", types_in_group, WASM_TYPES_MAX, "1000001 types, the limit is 1000000"},
    {"supertypes", supertypes, WASM_SUBTYPE_DEPTH_MAX, "type 64 has more than 63 supertypes"},
    {"supertypes in one group", supertypes_in_group, WASM_SUBTYPE_DEPTH_MAX,
     "type 64 has more than 63 supertypes"},
    {"parameters", params, WASM_PARAMS_MAX, "1001 parameters, the limit is 1000"},
    {"results", results, WASM_RESULTS_MAX, "1001 results, the limit is 1000"},
    {"fields", fields, WASM_STRUCT_FIELDS_MAX, "10001 fields, the limit is 10000"},
    {"functions", functions, WASM_FUNCTIONS_MAX, "1000001 functions, the limit is 1000000"},
    {"functions with an import", functions_with_import, WASM_FUNCTIONS_MAX,
     "more than 1000000 functions"},
    {"imports", imports, WASM_IMPORTS_MAX, "1000001 imports, the limit is 1000000"},
    {"exports", exports, WASM_EXPORTS_MAX, "1000001 exports, the limit is 1000000"},
    {"globals", globals, WASM_GLOBALS_MAX, "1000001 globals, the limit is 1000000"},
    {"globals with an import", globals_with_import, WASM_GLOBALS_MAX, "more than 1000000 globals"},
    {"tags", tags, WASM_TAGS_MAX, "1000001 tags, the limit is 1000000"},
    {"tags with an import", tags_with_import, WASM_TAGS_MAX, "more than 1000000 tags"},
    {"tables", tables, WASM_TABLES_MAX, "101 tables, the limit is 100"},
    {"tables with an import", tables_with_import, WASM_TABLES_MAX, "more than 100 tables"},
    {"memories", memories, WASM_MEMORIES_MAX, "101 memories, the limit is 100"},
    {"memories with an import", memories_with_import, WASM_MEMORIES_MAX, "more than 100 memories"},
    {"elements of a table", table_elements, WASM_TABLE_ELEMENTS_MAX,
     "table of 10000001 elements, the limit is 10000000"},
    {"element segments", element_segments, WASM_ELEMENT_SEGMENTS_MAX,
     "100001 element segments, the limit is 100000"},
    {"data segments", data_segments, WASM_DATA_SEGMENTS_MAX,
     "100001 data segments, the limit is 100000"},
    {"data count", data_count, WASM_DATA_SEGMENTS_MAX, "100001 data segments, the limit is 100000"},
    {"locals", locals, WASM_LOCALS_MAX, "more than 50000 locals"},
    {"bytes of a body", body_bytes, WASM_BODY_BYTES_MAX,
     "function body of 7654322 bytes, the limit is 7654321"},
    {"labels", br_table, WASM_BR_TABLE_MAX, "100001 br_table labels, the limit is 100000"},
    {"depth of blocks", block_depth, WASM_BLOCK_DEPTH_MAX, "blocks nested deeper than 100000"},
    {"operands", operands, VALIDATE_OPERANDS_MAX, "more than 1000000 operands on the stack"},
    {"bytes of a name", name_bytes, WASM_NAME_BYTES_MAX,
     "name of 100001 bytes, the limit is 100000"},
    {"catch clauses", catch_clauses, WASM_CATCH_CLAUSES_MAX,
     "10001 catch clauses, the limit is 10000"},
    {"array.new_fixed", array_fixed, VALIDATE_ARRAY_FIXED_MAX,
     "array.new_fixed: 10001 elements, the limit is 10000"},
};

static void limits_hold_at_n_and_one_past(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct module_builder b;
        builder_init(&b);
        cases[i].build(&b, cases[i].max);
        builder_expect(&b, ST_OK, NULL, cases[i].name);
        builder_done(&b);

        builder_init(&b);
        cases[i].build(&b, cases[i].max + 1);
        builder_expect(&b, ST_LIMIT, cases[i].text, cases[i].name);
        builder_done(&b);
    }
}

/* Pages of zeros cost nothing: one custom section fills the module. */
static void module_bytes_hold_at_n_and_one_past(void **state)
{
    (void)state;
    size_t size = WASM_MODULE_BYTES_MAX;
    uint8_t *bytes = mmap(NULL, size + 1, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(bytes != MAP_FAILED);
    memcpy(bytes, "\0asm\1\0\0\0\0", 9);
    size_t contents = size - 14;
    for (size_t i = 0; i < 5; i++)
        bytes[9 + i] = (uint8_t)((contents >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0));
    struct wasm_module *m = NULL;
    struct error err;
    assert_int_equal(wasm_module_decode(bytes, size, 1, &m, &err), ST_OK);
    assert_int_equal(m->customs_count, 1);
    wasm_module_free(m);
    m = NULL;
    assert_int_equal(wasm_module_decode(bytes, size + 1, 1, &m, &err), ST_LIMIT);
    assert_non_null(strstr(err.text, "module of 268435457 bytes, the limit is 268435456"));
    assert_null(m);
    munmap(bytes, size + 1);
}

/* A vector cannot claim more entries than bytes follow, so nothing is allocated for it. */
static void counts_beyond_the_section_are_refused(void **state)
{
    (void)state;
    static const uint8_t sections[] = {1, 2, 3, 4, 5, 13, 6, 7, 9, 10, 11};
    for (size_t i = 0; i < sizeof sections; i++) {
        struct module_builder b;
        builder_init(&b);
        builder_section_hex(&b, sections[i], "ff ff ff ff 0f 00 00");
        builder_expect(&b, ST_INVALID, "length out of bounds", "count");
        builder_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_hold_at_n_and_one_past),
        cmocka_unit_test(module_bytes_hold_at_n_and_one_past),
        cmocka_unit_test(counts_beyond_the_section_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
