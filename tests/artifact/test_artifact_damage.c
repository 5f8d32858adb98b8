/* Damaged artifacts: every field that is checked, wrong in turn, with the digest put right so that
 * the check behind it is reached; every truncation; single bits. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "damage.h"
#include "sample.h"

static const struct damage damages[] = {
    {0, WHOLE, 0, 0, 8, 0x0a796c6679616dull, ST_CORRUPT, "magic"},
    HEADER(format, 0, ST_UNSUPPORTED, "format 0"),
    HEADER(format, ARTIFACT_FORMAT + 1, ST_UNSUPPORTED, "compile anew"),
    HEADER(header_bytes, 399, ST_CORRUPT, "header of 399 bytes"),
    HEADER(code_digest, 1, ST_CORRUPT, "wrong digest of the code"),
    HEADER(cpu_level, 1, ST_CORRUPT, "CPU level 1"),
    HEADER(cpu_level, 4, ST_CORRUPT, "CPU level 4"),
    HEADER(level, 3, ST_CORRUPT, "compile level 3"),
    HEADER(flags, 8 | 1, ST_CORRUPT, "unknown flags 0x8"),
    HEADER(flags, 0, ST_CORRUPT, "image without its flag"),
    HEADER(context_bytes, 0, ST_CORRUPT, "context of 0 bytes"),
    HEADER(context_bytes, 4097, ST_CORRUPT, "context of 4097"),
    HEADER(context_bytes, SLOT_CONTEXT_BYTES_MAX + 4096, ST_CORRUPT, "context of"),

    SECTION(ARTIFACT_CODE, offset, 0, "code overlaps"),
    SECTION(ARTIFACT_CODE, offset, 4104, "code has a wrong shape"),
    SECTION(ARTIFACT_CODE, size_bytes, 0, "code is empty"),
    SECTION(ARTIFACT_CODE, size_bytes, 8193, "rodata overlaps"),
    SECTION(ARTIFACT_CODE, size_bytes, 4096, "rodata is not right behind"),
    SECTION(ARTIFACT_CODE, size_bytes, UINT64_MAX, "code is outside"),
    SECTION(ARTIFACT_RODATA, offset, UINT64_MAX - 4095, "rodata is outside"),
    SECTION(ARTIFACT_FUNCS, offset, 1ull << 40, "functions is outside"),
    SECTION(ARTIFACT_FUNCS, size_bytes, 27, "functions has a wrong shape"),
    SECTION(ARTIFACT_FUNCS, size_bytes, 28, "fewer functions than instances"),
    SECTION(ARTIFACT_FUNCS, size_bytes, 0, "fewer functions"),
    SECTION(ARTIFACT_FUNCS, size_bytes, 56, "order of functions is incomplete"),
    SECTION(ARTIFACT_FUNC_ORDER, size_bytes, 12, "order of functions is incomplete"),
    SECTION(ARTIFACT_TYPES, size_bytes, 0, "no types"),
    SECTION(ARTIFACT_TYPES, size_bytes, 32, "bytes behind the signatures"),
    SECTION(ARTIFACT_TYPE_CODES, size_bytes, 8, "type 2 has a cut signature"),
    SECTION(ARTIFACT_TYPE_CODES, size_bytes, 7, "type 2 has a cut signature"),
    SECTION(ARTIFACT_TYPE_CODES, size_bytes, 0, "type 0 has a cut signature"),
    SECTION(ARTIFACT_EXPORTS, size_bytes, 15, "exports has a wrong shape"),
    SECTION(ARTIFACT_GLOBALS, size_bytes, 8, "export 3 names nothing"),
    SECTION(ARTIFACT_TABLES, size_bytes, 0, "export 1 names nothing"),
    SECTION(ARTIFACT_MEMORIES, size_bytes, 0, "export 2 names nothing"),
    SECTION(ARTIFACT_STRINGS, size_bytes, 0, "strings do not begin"),
    SECTION(ARTIFACT_STRINGS, size_bytes, 59, "strings do not begin"),
    SECTION(ARTIFACT_EXTENTS, size_bytes, 48, "image bytes that no extent names"),
    SECTION(ARTIFACT_IMAGE, size_bytes, 3 * 4096, "bytes behind the image"),
    SECTION(ARTIFACT_IMAGE, offset, 8, "image has a wrong shape"),

    BYTE(ARTIFACT_STRINGS, 0, 'x', "strings do not begin"),
    BYTE(ARTIFACT_STRINGS, 59, 'x', "strings do not begin"),
    BYTE(ARTIFACT_TYPE_CODES, 0, 'i', "type 0"),
    BYTE(ARTIFACT_TYPE_CODES, 3, 'x', "type 1 has an unknown letter"),
    BYTE(ARTIFACT_TYPE_CODES, 3, ':', "type 1 has an unknown letter"),
    BYTE(ARTIFACT_TYPE_CODES, 4, 'i', "type 1 has a cut signature"),
    BYTE(ARTIFACT_TYPE_CODES, 8, 'i', "type 2 has a cut signature"),

    ENTRY(ARTIFACT_TYPES, artifact_type, 0, trampoline_offset, 0, "type 0 is not"),
    ENTRY(ARTIFACT_TYPES, artifact_type, 1, trampoline_offset, 5000, "trampoline outside"),
    ENTRY(ARTIFACT_TYPES, artifact_type, 1, trampoline_offset, 0, "export 0 names nothing"),
    ENTRY(ARTIFACT_TYPES, artifact_type, 2, trampoline_offset, 0, "wrong start function"),
    ENTRY(ARTIFACT_TYPES, artifact_type, 1, signature, 1, "signature elsewhere"),
    ENTRY(ARTIFACT_TYPES, artifact_type, 1, params_count, 1, "counts its values"),
    ENTRY(ARTIFACT_TYPES, artifact_type, 1, results_count, 2, "counts its values"),

    ENTRY(ARTIFACT_FUNCS, artifact_func, 0, code_size, 1, "only the null function"),
    ENTRY(ARTIFACT_FUNCS, artifact_func, 1, code_size, 0, "only the null function"),
    ENTRY(ARTIFACT_FUNCS, artifact_func, 1, code_offset, 0, "only the null function"),
    ENTRY(ARTIFACT_FUNCS, artifact_func, 3, code_size, 801, "function 3 is outside"),
    ENTRY(ARTIFACT_FUNCS, artifact_func, 3, code_offset, UINT32_MAX, "function 3 is outside"),
    ENTRY(ARTIFACT_FUNCS, artifact_func, 2, code_size, 49, "functions overlap at 4"),
    ENTRY(ARTIFACT_FUNCS, artifact_func, 2, type, 3, "function 2 has no type"),
    ENTRY(ARTIFACT_FUNCS, artifact_func, 2, instance, 1, "function 2 has no instance"),
    ENTRY(ARTIFACT_FUNCS, artifact_func, 2, name, 60, "function 2 has its name"),
    ENTRY(ARTIFACT_FUNCS, artifact_func, 4, type, 1, "wrong init function"),
    ENTRY(ARTIFACT_FUNCS, artifact_func, 3, type, 1, "start function with parameters"),
    {ARTIFACT_FUNC_ORDER, 0, 4, 0, 4, 0, ST_CORRUPT, "names no function at 0"},
    {ARTIFACT_FUNC_ORDER, 3, 4, 0, 4, 5, ST_CORRUPT, "names no function at 3"},
    {ARTIFACT_FUNC_ORDER, 1, 4, 0, 4, 2, ST_CORRUPT, "functions overlap at 2"},
    {ARTIFACT_FUNC_ORDER, 2, 4, 0, 4, 3, ST_CORRUPT, "functions overlap at 3"},

    ENTRY(ARTIFACT_IMPORTS, artifact_import, 0, module, 60, "import 0 has its name"),
    ENTRY(ARTIFACT_IMPORTS, artifact_import, 0, field, UINT32_MAX, "import 0 has its name"),
    ENTRY(ARTIFACT_IMPORTS, artifact_import, 0, func, 0, "import 0 names no function"),
    ENTRY(ARTIFACT_IMPORTS, artifact_import, 0, func, 4, "import 0 names no function"),
    ENTRY(ARTIFACT_EXPORTS, artifact_export, 0, name, 60, "export 0 has its name"),
    ENTRY(ARTIFACT_EXPORTS, artifact_export, 0, instance, 1, "export 0 has no instance"),
    ENTRY(ARTIFACT_EXPORTS, artifact_export, 0, kind, 5, "export 0 has an unknown kind"),
    ENTRY(ARTIFACT_EXPORTS, artifact_export, 0, index, 0, "export 0 names nothing"),
    ENTRY(ARTIFACT_EXPORTS, artifact_export, 0, index, 4, "export 0 names nothing"),
    ENTRY(ARTIFACT_EXPORTS, artifact_export, 1, index, 1, "export 1 names nothing"),
    ENTRY(ARTIFACT_EXPORTS, artifact_export, 3, index, 2, "export 3 names nothing"),
    ENTRY(ARTIFACT_INSTANCES, artifact_instance, 0, init_func, 3, "wrong init function"),
    ENTRY(ARTIFACT_INSTANCES, artifact_instance, 0, init_func, UINT32_MAX, "wrong init function"),
    ENTRY(ARTIFACT_INSTANCES, artifact_instance, 0, start_func, 4, "wrong start function"),
    ENTRY(ARTIFACT_INSTANCES, artifact_instance, 0, start_func, 2, "with parameters"),
    ENTRY(ARTIFACT_INSTANCES, artifact_instance, 0, name, 60, "instance 0 has its name"),
    ENTRY(ARTIFACT_INSTANCES, artifact_instance, 0, pad, 1, "padding"),

    ENTRY(ARTIFACT_MEMORIES, artifact_memory, 0, pages_min, 65537, "memory 0 has wrong limits"),
    ENTRY(ARTIFACT_MEMORIES, artifact_memory, 0, pages_max, 65537, "memory 0 has wrong limits"),
    ENTRY(ARTIFACT_MEMORIES, artifact_memory, 0, is64, 2, "memory 0 has wrong limits"),
    ENTRY(ARTIFACT_MEMORIES, artifact_memory, 0, size_offset, 0, "memory 0 is outside"),
    ENTRY(ARTIFACT_MEMORIES, artifact_memory, 0, size_offset, 8, "memory 0 is outside"),
    ENTRY(ARTIFACT_MEMORIES, artifact_memory, 0, size_offset, -4, "memory 0 is outside"),
    ENTRY(ARTIFACT_MEMORIES, artifact_memory, 0, size_offset, -12, "memory 0 is outside"),
    ENTRY(ARTIFACT_MEMORIES, artifact_memory, 0, size_offset, -8200, "memory 0 is outside"),
    ENTRY(ARTIFACT_MEMORIES, artifact_memory, 0, size_offset, INT32_MIN, "memory 0 is outside"),
    ENTRY(ARTIFACT_MEMORIES, artifact_memory, 0, pages_max, 2, ""), /* still sound */
    ENTRY(ARTIFACT_TABLES, artifact_table, 0, min, 11, "table 0 has wrong limits"),
    ENTRY(ARTIFACT_TABLES, artifact_table, 0, max, 9, "table 0 has wrong limits"),
    ENTRY(ARTIFACT_TABLES, artifact_table, 0, is64, 2, "table 0 has wrong limits"),
    ENTRY(ARTIFACT_TABLES, artifact_table, 0, size_offset, -10, "table 0 is outside"),
    ENTRY(ARTIFACT_TABLES, artifact_table, 0, elements_offset, -32, "table 0 is outside"),
    ENTRY(ARTIFACT_TABLES, artifact_table, 0, elements_offset, -508, "table 0 is outside"),
    ENTRY(ARTIFACT_TABLES, artifact_table, 0, elements_offset, 512, "table 0 is outside"),
    ENTRY(ARTIFACT_GLOBALS, artifact_global, 0, type, 'x', "global 0 has a wrong type"),
    ENTRY(ARTIFACT_GLOBALS, artifact_global, 0, type, 0, "global 0 has a wrong type"),
    ENTRY(ARTIFACT_GLOBALS, artifact_global, 0, mutable, 2, "global 0 has a wrong type"),
    ENTRY(ARTIFACT_GLOBALS, artifact_global, 0, pad, 1, "global 0 has a wrong type"),
    ENTRY(ARTIFACT_GLOBALS, artifact_global, 0, offset, -2, "global 0 is outside"),
    ENTRY(ARTIFACT_GLOBALS, artifact_global, 1, offset, -8, "global 1 is outside"),
    ENTRY(ARTIFACT_GLOBALS, artifact_global, 1, offset, -8208, "global 1 is outside"),
    ENTRY(ARTIFACT_DATAS, artifact_data, 0, size_bytes, 345, "data segment 0 is outside of rodata"),
    ENTRY(ARTIFACT_DATAS, artifact_data, 0, rodata_offset, 601, "outside of rodata"),
    ENTRY(ARTIFACT_DATAS, artifact_data, 0, dropped_offset, 1, "outside of the context"),
    ENTRY(ARTIFACT_DATAS, artifact_data, 0, dropped_offset, -8193, "outside of the context"),
    ENTRY(ARTIFACT_ELEMENTS, artifact_element, 0, count, 200, "element segment 0 has its elements"),
    ENTRY(ARTIFACT_ELEMENTS, artifact_element, 0, count, UINT32_MAX, "has its elements elsewhere"),
    ENTRY(ARTIFACT_ELEMENTS, artifact_element, 0, elements_offset, -4, "has its elements"),
    ENTRY(ARTIFACT_ELEMENTS, artifact_element, 0, elements_offset, 130, "has its elements"),
    ENTRY(ARTIFACT_ELEMENTS, artifact_element, 0, in_context, 2, "has its elements"),
    ENTRY(ARTIFACT_ELEMENTS, artifact_element, 1, in_context, 0, "has its elements"),
    ENTRY(ARTIFACT_ELEMENTS, artifact_element, 1, elements_offset, -4, "has its elements"),
    ENTRY(ARTIFACT_ELEMENTS, artifact_element, 1, dropped_offset, 5, "outside of the context"),

    ENTRY(ARTIFACT_ADDRESSES, artifact_address, 3, code_offset, 5000, "address 3 is outside"),
    ENTRY(ARTIFACT_ADDRESSES, artifact_address, 2, code_offset, 30, "not sorted at 2"),
    ENTRY(ARTIFACT_LINES, artifact_line, 1, wasm_offset, 88, "lines are not sorted at 1"),
    ENTRY(ARTIFACT_LINES, artifact_line, 0, instance, 1, "line 0 has no instance"),
    ENTRY(ARTIFACT_LINES, artifact_line, 0, file, 60, "line 0 has no instance or file"),

    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 0, slot_offset, -4095, "extent 0 is not of whole"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 0, size_bytes, 0, "extent 0 is not of whole"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 0, size_bytes, 4097, "extent 0 is not of whole"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 0, slot_offset, -12288,
          "extent 0 is outside of the slot"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 0, slot_offset, INT64_MIN, "outside of the slot"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 0, size_bytes, 8192, "outside of the slot"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 2, slot_offset, (4ull << 30) - 4096,
          "outside of the slot"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 2, slot_offset, 4ull << 30, "outside of the slot"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 2, slot_offset, SLOT_LANE_BYTES,
          "outside of the slot"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 2, slot_offset, 1ull << 62, "outside of the slot"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 2, slot_offset, 0, "extents are not sorted at 2"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 0, slot_offset, 0, "extents are not sorted at 1"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 1, image_offset, 0,
          "extent 1 is outside of the image"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 2, size_bytes, 12288,
          "extent 2 is outside of the image"),
    ENTRY(ARTIFACT_EXTENTS, artifact_extent, 2, size_bytes, 4096, "image bytes that no extent"),
};

static void test_fields(void **state)
{
    (void)state;
    struct buffer file;
    sample_write(&file, true, 1);
    damage_each(&file, damages, ARRAY_COUNT(damages));
    buffer_done(&file);
}

static void test_engine(void **state)
{
    (void)state;
    struct buffer file;
    struct error err;
    sample_write(&file, true, 1);
    struct artifact_header *h = (void *)file.data;
    snprintf(h->engine, sizeof h->engine, "another");
    sample_fix_digest(file.data, file.size_bytes);
    assert_int_equal(damage_open(file.data, file.size_bytes, &err), ST_UNSUPPORTED);
    assert_non_null(strstr(err.text, "made by engine another"));
    memset(h->engine, 'x', sizeof h->engine);
    sample_fix_digest(file.data, file.size_bytes);
    assert_int_equal(damage_open(file.data, file.size_bytes, &err), ST_CORRUPT);
    buffer_done(&file);
}

/* Every length but the whole; with the digest put right where there is a header to hold it. */
static void test_truncations(void **state)
{
    (void)state;
    struct buffer file;
    struct error err;
    sample_write(&file, false, 1);
    uint8_t *copy = malloc(file.size_bytes);
    for (size_t n = 0; n < file.size_bytes; n++) {
        memcpy(copy, file.data, n);
        if (n >= sizeof(struct artifact_header)) sample_fix_digest(copy, n);
        assert_int_equal(damage_open(copy, n, &err), ST_CORRUPT);
        assert_true(err.text[0]);
    }
    free(copy);
    buffer_done(&file);
}

static void test_bytes_behind(void **state)
{
    (void)state;
    struct buffer file;
    struct error err;
    sample_write(&file, true, 1);
    buffer_append_zeros(&file, ARTIFACT_PAGE);
    sample_fix_digest(file.data, file.size_bytes);
    assert_int_equal(damage_open(file.data, file.size_bytes, &err), ST_CORRUPT);
    assert_non_null(strstr(err.text, "bytes behind the image"));
    buffer_done(&file);
}

/* One bit anywhere: found by the digest, except before it, where magic and versions are. */
static void test_bits_without_digest(void **state)
{
    (void)state;
    struct buffer file;
    struct error err;
    sample_write(&file, false, 1);
    for (size_t i = 0; i < file.size_bytes; i += i < 512 ? 1 : 97) {
        file.data[i] ^= (uint8_t)(1u << (i % 8));
        enum status st = damage_open(file.data, file.size_bytes, &err);
        assert_true(st == ST_CORRUPT || st == ST_UNSUPPORTED);
        file.data[i] ^= (uint8_t)(1u << (i % 8));
    }
    buffer_done(&file);
}

/* Every bit of header and tables with the digest put right: some change nothing that can be
 * checked, none may crash, and what opens must be safe to look through. */
static void test_bits_with_digest(void **state)
{
    (void)state;
    struct buffer file;
    struct error err;
    sample_write(&file, true, 1);
    const struct artifact_header h = *(const struct artifact_header *)(void *)file.data;
    size_t tables = h.sections[ARTIFACT_FUNCS].offset, refused = 0;
    size_t end = h.sections[ARTIFACT_EXTENTS].offset + h.sections[ARTIFACT_EXTENTS].size_bytes;
    for (size_t i = 0; i < end; i = i + 1 == sizeof h ? tables : i + 1) {
        for (unsigned bit = 0; bit < 8; bit++) {
            file.data[i] ^= (uint8_t)(1u << bit);
            struct artifact *a = NULL;
            sample_fix_digest(file.data, file.size_bytes);
            if (artifact_open_bytes(file.data, file.size_bytes, &a, &err)) refused++;
            for (uint32_t at = 0; a && at < 5000; at += 37) {
                uint32_t offset, line;
                const char *name;
                const struct artifact_func *f = artifact_find_func(a, at);
                if (f) assert_non_null(artifact_string(a, f->name));
                if (artifact_find_wasm_offset(a, at, &offset))
                    (void)artifact_find_line(a, 0, offset, &name, &line);
            }
            artifact_close(a);
            file.data[i] ^= (uint8_t)(1u << bit);
        }
    }
    assert_true(refused > 5000);
    buffer_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_engine),
        cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_bytes_behind),
        cmocka_unit_test(test_bits_without_digest),
        cmocka_unit_test(test_bits_with_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
