/* Modules as a whole: sections, their order and contents, what is kept of them. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module_builder.h"
#include "wasm/instr.h"

/* `hex` follows the preamble; lengths are written out, as offsets are part of what is tested. */
static const struct module_case {
    const char *hex;
    enum status status;
    const char *text; /* NULL: accepted */
} cases[] = {
    {"", ST_OK, NULL},
    /* framing and order */
    {"0e 00", ST_INVALID, "offset 0x8: malformed section id 14"},
    {"ff 00", ST_INVALID, "offset 0x8: malformed section id 255"},
    {"01", ST_INVALID, "offset 0x9: unexpected end"},
    {"01 02 00", ST_INVALID, "offset 0x8: type section: length out of bounds"},
    {"01 01 00", ST_OK, NULL},
    {"01 02 00 00", ST_INVALID, "offset 0xb: type section: size mismatch"},
    {"01 01 00 01 01 00", ST_INVALID, "offset 0xb: type section out of order or repeated"},
    {"03 01 00 01 01 00", ST_INVALID, "offset 0xb: type section out of order or repeated"},
    {"0d 01 00 05 01 00", ST_INVALID, "offset 0xb: memory section out of order or repeated"},
    {"05 01 00 0d 01 00 06 01 00", ST_OK, NULL},
    {"06 01 00 0d 01 00", ST_INVALID, "offset 0xb: tag section out of order or repeated"},
    {"09 01 00 0c 01 00 0a 01 00 0b 01 00", ST_OK, NULL},
    {"0a 01 00 0c 01 00", ST_INVALID, "offset 0xb: data count section out of order or repeated"},
    {"0b 01 00 0a 01 00", ST_INVALID, "offset 0xb: code section out of order or repeated"},
    {"01 81 00 00", ST_OK, NULL}, /* a length may be padded */
    /* custom sections */
    {"00 01 00", ST_OK, NULL},
    {"00 00", ST_INVALID, "offset 0xa: unexpected end"},
    {"00 02 02 61", ST_INVALID, "offset 0xa: name of 2 bytes: length out of bounds"},
    {"00 02 01 ff", ST_INVALID, "offset 0xa: malformed UTF-8 encoding in a name"},
    {"00 02 01 61 01 01 00 00 02 01 61 03 01 00 00 01 00", ST_OK, NULL},
    /* types */
    {"01 02 01 60", ST_INVALID, "offset 0xc: unexpected end"},
    {"01 04 01 60 00 00", ST_OK, NULL},
    {"01 04 01 61 00 00", ST_INVALID, "offset 0xb: malformed type form 0x61"},
    {"01 05 01 60 01 40 00", ST_INVALID, "offset 0xd: malformed value type 0x40"},
    {"01 05 01 60 01 78 00", ST_INVALID, "offset 0xd: malformed value type 0x78"},
    {"01 06 01 60 01 64 01 00", ST_INVALID, "offset 0xd: unknown type 1"},
    {"01 06 01 60 01 64 00 00", ST_OK, NULL}, /* its own group */
    {"01 09 02 60 01 64 01 00 60 00 00", ST_INVALID, "offset 0xd: unknown type 1"},
    {"01 0b 01 4e 02 60 01 64 01 00 60 00 00", ST_OK, NULL},
    {"01 03 01 4e 00", ST_OK, NULL},
    {"01 04 01 5e 78 00", ST_OK, NULL},
    {"01 04 01 5e 78 02", ST_INVALID, "offset 0xd: malformed mutability 0x02"},
    {"01 03 01 5f 00", ST_OK, NULL},
    {"01 05 01 50 00 5f 00", ST_OK, NULL},
    {"01 06 01 50 01 00 5f 00", ST_INVALID, "unknown type 0: a supertype must come before type 0"},
    {"01 0a 02 50 00 5f 00 50 01 00 5f 00", ST_OK, NULL},
    {"01 08 02 5f 00 50 01 00 5f 00", ST_INVALID, "type 1: sub type of the final type 0"},
    {"01 0a 02 4f 00 5f 00 50 01 00 5f 00", ST_INVALID, "type 1: sub type of the final type 0"},
    {"01 0b 02 50 00 5f 00 50 02 00 00 5f 00", ST_INVALID, "offset 0x10: more than one supertype"},
    {"01 0c 02 50 00 5f 01 7f 00 50 01 00 5f 00", ST_INVALID, "type 1: sub type does not match"},
    {"01 0b 02 50 00 5f 00 50 01 00 60 00 00", ST_INVALID, "type 1: sub type does not match"},
    {"01 0e 02 50 00 5f 01 7f 01 50 01 00 5f 01 7e 01", ST_INVALID, "sub type does not match"},
    /* one group, in which the supertypes go round */
    {"01 0d 01 4e 02 50 01 01 5f 00 50 01 00 5f 00", ST_INVALID, "must come before type 0"},
    /* imports */
    {"02 05 01 00 00 03 7f", ST_INVALID, "offset 0xf: unexpected end"},
    {"02 06 01 00 00 03 7f 00", ST_OK, NULL},
    {"02 06 01 00 00 03 7f 02", ST_INVALID, "offset 0xf: malformed mutability 0x02"},
    {"02 06 01 00 00 05 00 00", ST_INVALID, "offset 0xd: malformed import or export kind 0x05"},
    {"02 05 01 00 00 00 00", ST_INVALID, "offset 0xe: unknown type 0"},
    {"01 03 01 5f 00 02 05 01 00 00 00 00", ST_INVALID, "type 0 is not a function type"},
    {"01 04 01 60 00 00 02 06 01 00 00 04 00 00", ST_OK, NULL},
    {"01 04 01 60 00 00 02 06 01 00 00 04 01 00", ST_INVALID, "malformed tag attribute"},
    {"01 05 01 60 00 01 7f 02 06 01 00 00 04 00 00", ST_INVALID, "non-empty tag result type"},
    /* functions and code */
    {"01 04 01 60 00 00 03 02 01 01", ST_INVALID, "offset 0x11: unknown type 1"},
    {"01 04 01 60 00 00 03 02 01 00", ST_INVALID,
     "offset 0x12: function and code section have inconsistent lengths"},
    {"01 04 01 60 00 00 03 02 01 00 0a 01 00", ST_INVALID,
     "offset 0x14: function and code section have inconsistent lengths"},
    {"0a 04 01 02 00 0b", ST_INVALID, "function and code section have inconsistent lengths"},
    {"01 04 01 60 00 00 03 02 01 00 0a 04 01 02 00 0b", ST_OK, NULL},
    {"01 04 01 60 00 00 03 02 01 00 0a 04 01 03 00 0b", ST_INVALID,
     "offset 0x15: function body: length out of bounds"},
    {"01 04 01 60 00 00 03 02 01 00 0a 04 01 01 00 0b", ST_INVALID, "offset 0x17: unexpected end"},
    {"01 04 01 60 00 00 03 02 01 00 0a 06 01 04 01 01 40 0b", ST_INVALID,
     "offset 0x18: malformed value type 0x40"},
    {"01 04 01 60 00 00 03 02 01 00 0a 0e 01 0c 02 ff ff ff ff 0f 7f 80 80 04 7e 0b", ST_LIMIT,
     "offset 0x17: more than 50000 locals"},
    {"01 04 01 60 00 00 03 02 01 00 0a 06 01 04 00 06 40 0b", ST_UNSUPPORTED,
     "offset 0x17: legacy exceptions: try is not part of WebAssembly 3.0"},
    /* tables */
    {"04 04 01 70 00 00", ST_OK, NULL},
    {"04 04 01 7f 00 00", ST_INVALID, "offset 0xb: malformed reference type 0x7f"},
    {"04 04 01 70 08 00", ST_INVALID, "offset 0xc: malformed limits flags"},
    {"04 05 01 70 01 02 01", ST_INVALID, "offset 0xb: size minimum must not be greater than max"},
    {"04 08 01 70 00 80 80 80 80 10", ST_INVALID, "table size must be at most 4294967295"},
    {"04 05 01 70 05 02 03", ST_OK, NULL},
    {"04 05 01 64 70 00 00", ST_INVALID, "a table of non-null references needs an initial value"},
    {"04 09 01 40 00 70 00 00 d0 70 0b", ST_OK, NULL},
    {"04 09 01 40 01 70 00 00 d0 70 0b", ST_INVALID, "offset 0xc: zero byte expected"},
    {"04 09 01 40 00 70 00 00 d0 6f 0b", ST_INVALID, "type mismatch: expected (ref null func)"},
    /* a global of the module itself comes after its tables */
    {"04 09 01 40 00 70 00 00 23 00 0b 06 06 01 70 00 d0 70 0b", ST_INVALID, "unknown global 0"},
    /* memories */
    {"05 03 01 00 00", ST_OK, NULL},
    {"05 04 01 03 00 01", ST_UNSUPPORTED, "offset 0xb: threads: shared memory is not part of"},
    {"05 05 01 00 80 80 04", ST_OK, NULL},
    {"05 05 01 00 81 80 04", ST_INVALID, "offset 0xb: memory size must be at most 65536"},
    {"05 06 01 01 00 81 80 04", ST_INVALID, "memory size must be at most 65536"},
    {"05 09 01 04 80 80 80 80 80 80 40", ST_OK, NULL},
    {"05 09 01 04 81 80 80 80 80 80 40", ST_INVALID, "memory size must be at most 281474976710656"},
    {"05 04 01 01 01 00", ST_INVALID, "size minimum must not be greater than maximum"},
    /* globals and constant expressions */
    {"06 06 01 7f 00 41 00 0b", ST_OK, NULL},
    {"06 06 01 7f 00 42 00 0b", ST_INVALID, "offset 0xf: end: type mismatch: expected i32"},
    {"06 04 01 7f 00 0b", ST_INVALID, "found an empty stack"},
    {"06 08 01 7f 00 41 00 41 00 0b", ST_INVALID, "1 values too many"},
    {"06 05 01 7f 00 41 00", ST_INVALID, "offset 0xf: unexpected end"},
    {"06 05 01 7f 00 01 0b", ST_INVALID, "offset 0xd: nop: constant expression required"},
    {"06 09 01 7f 00 41 00 41 00 6a 0b", ST_OK, NULL},
    {"06 09 01 7f 00 41 00 41 00 6d 0b", ST_INVALID, "i32.div_s: constant expression required"},
    {"06 0b 02 7f 00 41 00 0b 7f 00 23 00 0b", ST_OK, NULL},
    {"06 0b 02 7f 01 41 00 0b 7f 00 23 00 0b", ST_INVALID,
     "global.get: constant expression required"},
    {"06 0b 02 7f 00 23 01 0b 7f 00 41 00 0b", ST_INVALID, "unknown global 1"},
    {"06 06 01 7f 00 23 00 0b", ST_INVALID, "offset 0xd: global.get: unknown global 0"},
    {"06 06 01 70 00 d2 00 0b", ST_INVALID, "ref.func: unknown function 0"},
    /* exports */
    {"07 05 01 01 61 00 00", ST_INVALID, "offset 0xe: unknown func 0"},
    {"05 03 01 00 00 07 05 01 01 61 02 00", ST_OK, NULL},
    {"05 03 01 00 00 07 05 01 01 61 02 01", ST_INVALID, "unknown memory 1"},
    {"05 03 01 00 00 07 09 02 01 61 02 00 01 61 02 00", ST_INVALID,
     "offset 0xf: duplicate export name \"a\""},
    {"05 03 01 00 00 07 0b 02 02 61 00 02 00 02 61 01 02 00", ST_OK, NULL},
    {"05 03 01 00 00 07 05 01 01 80 02 00", ST_INVALID, "malformed UTF-8 encoding in a name"},
    /* start */
    {"08 01 00", ST_INVALID, "offset 0xa: unknown function 0"},
    {"01 04 01 60 00 00 02 05 01 00 00 00 00 08 01 00", ST_OK, NULL},
    {"01 05 01 60 01 7f 00 02 05 01 00 00 00 00 08 01 00", ST_INVALID,
     "the start function must take and return nothing"},
    /* element segments */
    {"09 02 01 08", ST_INVALID, "offset 0xb: malformed element segment flags 8"},
    {"09 06 01 00 41 00 0b 00", ST_INVALID, "offset 0xb: unknown table 0"},
    {"04 04 01 70 00 00 09 06 01 00 41 00 0b 00", ST_OK, NULL},
    {"04 04 01 70 00 00 09 06 01 00 42 00 0b 00", ST_INVALID, "expected i32, found i64"},
    {"04 04 01 70 04 00 09 06 01 00 42 00 0b 00", ST_OK, NULL},
    {"04 04 01 6f 00 00 09 06 01 00 41 00 0b 00", ST_INVALID, "not of table 0's type"},
    {"09 04 01 01 01 00", ST_INVALID, "offset 0xc: malformed element kind 0x01"},
    {"09 05 01 01 00 01 00", ST_INVALID, "offset 0xe: unknown function 0"},
    {"09 07 01 05 70 01 d0 70 0b", ST_OK, NULL},
    {"09 07 01 05 70 01 d0 6f 0b", ST_INVALID, "expected (ref null func), found (ref null extern)"},
    {"09 04 01 05 7f 00", ST_INVALID, "offset 0xc: malformed reference type 0x7f"},
    {"09 04 01 07 70 00", ST_OK, NULL},
    /* data segments */
    {"0b 02 01 03", ST_INVALID, "offset 0xb: malformed data segment flags 3"},
    {"0b 06 01 00 41 00 0b 00", ST_INVALID, "offset 0xb: unknown memory 0"},
    {"05 03 01 00 00 0b 06 01 00 41 00 0b 00", ST_OK, NULL},
    {"05 03 01 00 00 0b 07 01 02 01 41 00 0b 00", ST_INVALID, "unknown memory 1"},
    {"05 03 01 04 00 0b 06 01 00 41 00 0b 00", ST_INVALID, "expected i64, found i32"},
    {"0b 03 01 01 01", ST_INVALID, "offset 0xd: unexpected end"},
    {"0c 01 01", ST_INVALID, "data count and data section have inconsistent lengths"},
    {"0c 01 00", ST_OK, NULL},
    {"0c 01 02 0b 03 01 01 00", ST_INVALID, "data count and data section have inconsistent"},
    {"0c 01 01 0b 03 01 01 00", ST_OK, NULL},
};

static void modules_are_judged_with_rule_and_offset(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct module_builder b;
        builder_init(&b);
        builder_hex(&b, cases[i].hex);
        builder_expect(&b, cases[i].status, cases[i].text, cases[i].hex);
        builder_done(&b);
    }
}

static void preambles_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } preambles[] = {
        {"", 0, "offset 0x0: not a WebAssembly module"},
        {"\0as", 3, "offset 0x0: not a WebAssembly module"},
        {"\0asm", 4, "offset 0x4: unexpected end"},
        {"\0asm\1\0\0", 7, "offset 0x7: unexpected end"},
        {"asm\0\1\0\0\0", 8, "offset 0x0: not a WebAssembly module"},
        {"\0asm\2\0\0\0", 8, "offset 0x4: unknown binary version"},
        {"\0asm\1\0\1\0", 8, "offset 0x4: unknown binary version"},
        {"\0asm\x0d\0\1\0", 8, "offset 0x4: a component, where a core module is expected"},
        {"\x7f"
         "ELF\2\1\1\0",
         8, "not a WebAssembly module"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(preambles); i++) {
        struct wasm_module *m = NULL;
        struct error err = {0};
        enum status st =
            wasm_module_decode((const uint8_t *)preambles[i].bytes, preambles[i].size, 1, &m, &err);
        assert_int_equal(st, ST_INVALID);
        assert_null(m);
        if (!strstr(err.text, preambles[i].text)) fail_msg("%zu: %s", i, err.text);
    }
}

static void what_was_decoded_can_be_looked_up(void **state)
{
    (void)state;
    struct module_builder b;
    builder_init_rich(&b);
    struct wasm_module *m = builder_decode_keep(&b);
    assert_int_equal(m->types_count, 3);
    assert_int_equal(m->types[1].params_count, 1);
    assert_int_equal(m->types[1].results[0].kind, WASM_I64);
    assert_int_equal(m->imports_count, 3);
    assert_string_equal(m->imports[1].module.text, "m");
    assert_string_equal(m->imports[1].field.text, "g");
    assert_int_equal(m->imports[2].module.size_bytes, 0);
    assert_int_equal(m->imports[2].kind, WASM_EXT_MEMORY);
    assert_int_equal(m->funcs_count, 3);
    assert_int_equal(m->imported_funcs_count, 1);
    assert_true(m->funcs[0].imported && m->funcs[0].referenced);
    assert_true(m->funcs[1].referenced && m->funcs[2].referenced);
    assert_int_equal(m->funcs[2].locals_count, 3);
    assert_int_equal(m->funcs[2].runs_count, 2);
    assert_int_equal(m->funcs[2].runs[1].type.kind, WASM_F32);
    assert_int_equal(m->bytes[m->funcs[2].body_offset], WASM_OP_NOP);
    assert_int_equal(m->bytes[m->funcs[2].body_end - 1], WASM_OP_END);
    assert_int_equal(m->tables[0].limits.max, 5);
    assert_int_equal(m->memories_count, 2);
    assert_true(m->memories[1].limits.is64 && !m->memories[1].limits.has_max);
    assert_int_equal(m->memories[1].limits.min, 3);
    assert_int_equal(m->tags[0].type, 2);
    assert_int_equal(m->globals_count, 2);
    assert_int_equal(m->globals[1].init.size_bytes, 3);
    assert_int_equal(m->exports_count, 2);
    assert_string_equal(m->exports[1].name.text, "mem");
    assert_true(m->has_start);
    assert_int_equal(m->start, 2);
    assert_int_equal(m->elements[0].count, 2);
    assert_int_equal(m->elements[0].functions[1], 2);
    assert_memory_equal(m->bytes + m->datas[0].bytes_offset, "xyz", 3);
    assert_string_equal(m->module_name.text, "app");
    assert_string_equal(m->func_names[0].text, "imp");
    assert_null(m->func_names[1].text);
    assert_string_equal(m->func_names[2].text, "run");
    assert_int_equal(m->customs_count, 2);
    const struct wasm_custom *other = wasm_module_custom(m, "other");
    assert_int_equal(other->size_bytes, 3);
    assert_int_equal(m->bytes[other->offset], 1);
    assert_null(wasm_module_custom(m, "oth"));
    uint32_t expected = WASM_FEATURE_EXCEPTIONS | WASM_FEATURE_MEMORY64 |
                        WASM_FEATURE_MULTI_MEMORY | WASM_FEATURE_REFERENCE_TYPES;
    assert_int_equal(m->features, expected);
    wasm_module_free(m);
    builder_done(&b);
}

/* Cut anywhere, the module is refused or, between sections, accepted; nothing else. */
static void every_prefix_is_judged(void **state)
{
    (void)state;
    struct module_builder b;
    builder_init_rich(&b);
    unsigned accepted = 0;
    for (size_t size = 0; size < b.out.size_bytes; size++) {
        uint8_t *bytes = malloc(size ? size : 1);
        assert_non_null(bytes);
        memcpy(bytes, b.out.data, size);
        struct wasm_module *m = NULL;
        struct error err = {0};
        enum status st = wasm_module_decode(bytes, size, 1, &m, &err);
        if (!st) accepted++;
        if (st && st != ST_INVALID) fail_msg("%zu bytes: %s", size, err.text);
        wasm_module_free(m);
        free(bytes);
    }
    /* Behind the preamble, types, imports; then data and the first custom section. */
    assert_int_equal(accepted, 5);
    builder_done(&b);
}

static void malformed_name_sections_give_no_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "01 05 01 00 02 61",          /* cut short */
        "01 04 01 00 01 ff",          /* no UTF-8 */
        "01 04 01 07 01 61",          /* unknown function */
        "01 07 02 00 01 61 00 01 62", /* twice the same */
        "01 05 01 00 01 61 00",       /* bytes left in the subsection */
        "01 01 00 00 02 01 61",       /* subsections out of order */
        "01 01 00 01 01 00",          /* the same subsection twice */
        "01 ff ff ff ff 0f",          /* length beyond the section */
    };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct module_builder b;
        builder_init(&b);
        builder_section_hex(&b, 1, "01 60 00 00");
        builder_section_hex(&b, 2, "01 00 00 00 00");
        builder_section(&b, 0);
        builder_name(&b, "name");
        builder_hex(&b, names[i]);
        builder_section_end(&b);
        struct wasm_module *m = builder_decode_keep(&b);
        if (m->func_names || m->module_name.text) fail_msg("names taken from %s", names[i]);
        wasm_module_free(m);
        builder_done(&b);
    }
}

static void unknown_name_subsections_are_skipped(void **state)
{
    (void)state;
    struct module_builder b;
    builder_init(&b);
    builder_section_hex(&b, 1, "01 60 00 00");
    builder_section_hex(&b, 2, "01 00 00 00 00");
    builder_section(&b, 0);
    builder_name(&b, "name");
    builder_hex(&b, "01 04 01 00 01 61  02 03 ff ff ff  0b 01 00");
    builder_section_end(&b);
    struct wasm_module *m = builder_decode_keep(&b);
    assert_string_equal(m->func_names[0].text, "a");
    wasm_module_free(m);
    builder_done(&b);
}

/* A newline in a name must not make two lines of an error. */
static void errors_stay_on_one_line(void **state)
{
    (void)state;
    struct module_builder b;
    struct error err = {0};
    builder_init(&b);
    builder_section_hex(&b, 5, "01 00 00");
    builder_section_hex(&b, 7, "02 03 61 0a 62 02 00 03 61 0a 62 02 00");
    assert_int_equal(builder_decode(&b, &err), ST_INVALID);
    assert_null(strchr(err.text, '\n'));
    builder_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_are_judged_with_rule_and_offset),
        cmocka_unit_test(preambles_are_checked),
        cmocka_unit_test(what_was_decoded_can_be_looked_up),
        cmocka_unit_test(every_prefix_is_judged),
        cmocka_unit_test(malformed_name_sections_give_no_names),
        cmocka_unit_test(unknown_name_subsections_are_skipped),
        cmocka_unit_test(errors_stay_on_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
