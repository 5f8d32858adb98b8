/* The reader of line tables on tables written by hand, byte by byte. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "dwarf_line.h"

#define ROWS_MAX 32

struct seen {
    struct dwarf_line_row rows[ROWS_MAX];
    unsigned count, stop_after;
    uint64_t address;
    size_t operand;
};

static bool see_row(void *context, const struct dwarf_line_row *row)
{
    struct seen *s = context;
    assert_true(s->count < ROWS_MAX);
    s->rows[s->count++] = *row;
    return s->count != s->stop_after;
}

static bool see_address(void *context, size_t operand, uint64_t *address)
{
    struct seen *s = context;
    s->operand = operand;
    *address += 0x1000;
    return true;
}

static void put(struct buffer *b, uint64_t value, size_t size_bytes)
{
    buffer_append(b, &value, size_bytes);
}

/* A version 4 table with the given opcodes; minimum instruction 1, base -5, range 14, opcodes from
 * 13; one directory, one file. */
static void table_v4(struct buffer *b, const void *program, size_t program_bytes)
{
    static const uint8_t header[] = {1, 1, 1, (uint8_t)-5, 14, 13, 0, 1, 1,
                                     1, 1, 0, 0,           0,  1,  0, 0, 1};
    static const char names[] = "dir\0\0file.c\0\1\0\0";
    buffer_init(b, 1 << 20);
    size_t header_bytes = sizeof header + sizeof names;
    put(b, 2 + 4 + header_bytes + program_bytes, 4);
    put(b, 4, 2);
    put(b, header_bytes, 4);
    buffer_append(b, header, sizeof header);
    buffer_append(b, names, sizeof names);
    buffer_append(b, program, program_bytes);
}

static bool run_table(const struct buffer *b, struct seen *s, bool relocate)
{
    const struct dwarf_line_sections sections = {.line = {b->data, b->size_bytes}};
    const struct dwarf_line_visitor visitor = {relocate ? see_address : NULL, see_row, s};
    struct dwarf_line_unit unit;
    size_t at = 0;
    bool sound = dwarf_line_next(&sections, &at, &unit) && dwarf_line_run(&unit, &visitor);
    assert_int_equal(at, b->size_bytes);
    return sound;
}

static const uint8_t program_all[] = {
    0,
    9,
    2,
    0x34,
    0x12,
    0,
    0,
    0,
    0,
    0,
    0, /* set_address 0x1234 */
    3,
    0xe4,
    0,                   /* advance_line 100 */
    1,                   /* copy */
    13 + 14 * 2 + 5 + 3, /* special: address 2, line 3 */
    2,
    0x80,
    1, /* advance_pc 128 */
    4,
    2, /* file 2 */
    5,
    77, /* column, ignored */
    6,
    7,
    10,
    11, /* flags, ignored */
    12,
    3, /* isa */
    8, /* const_add_pc: 17 */
    9,
    0,
    1, /* fixed_advance_pc 256 */
    3,
    0x7f, /* advance_line -1 */
    1,    /* copy */
    0,
    2,
    4,
    9, /* discriminator, ignored */
    0,
    1,
    1, /* end_sequence */
    1, /* a new sequence, registers reset */
};

static void test_program(void **state)
{
    (void)state;
    struct buffer b;
    struct seen s = {0};
    table_v4(&b, program_all, sizeof program_all);
    assert_true(run_table(&b, &s, false));
    static const struct dwarf_line_row expected[] = {
        {0x1234, 1, 101, true, false},
        {0x1236, 1, 104, false, false},
        {0x1236 + 128 + 17 + 256, 2, 103, false, false},
        {0x1236 + 128 + 17 + 256, 2, 103, false, true},
        {0, 1, 1, true, false},
    };
    assert_int_equal(s.count, ARRAY_COUNT(expected));
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        assert_int_equal(s.rows[i].address, expected[i].address);
        assert_int_equal(s.rows[i].file, expected[i].file);
        assert_int_equal(s.rows[i].line, expected[i].line);
        assert_int_equal(s.rows[i].starts_sequence, expected[i].starts_sequence);
        assert_int_equal(s.rows[i].ends_sequence, expected[i].ends_sequence);
    }
    s = (struct seen){.stop_after = 2};
    assert_false(run_table(&b, &s, true));
    assert_int_equal(s.count, 2);
    assert_int_equal(s.rows[0].address, 0x2234);
    assert_int_equal(b.data[s.operand], 0x34);
    buffer_done(&b);
}

struct names {
    char text[256];
};

static bool see_directory(void *context, struct dwarf_bytes text)
{
    struct names *n = context;
    size_t used = strlen(n->text);
    snprintf(n->text + used, sizeof n->text - used, "[%.*s]", (int)text.size_bytes,
             (const char *)text.bytes);
    return true;
}

static bool see_file(void *context, uint64_t directory, struct dwarf_bytes text)
{
    struct names *n = context;
    size_t used = strlen(n->text);
    snprintf(n->text + used, sizeof n->text - used, "(%d %.*s)", (int)directory,
             (int)text.size_bytes, (const char *)text.bytes);
    return true;
}

static void test_names_v4(void **state)
{
    (void)state;
    struct buffer b;
    struct names n = {""};
    const struct dwarf_line_names names = {see_directory, see_file, &n};
    struct dwarf_line_unit unit;
    size_t at = 0;
    table_v4(&b, "", 0);
    const struct dwarf_line_sections sections = {.line = {b.data, b.size_bytes}};
    assert_true(dwarf_line_next(&sections, &at, &unit));
    assert_true(dwarf_line_read_names(&unit, &names));
    assert_string_equal(n.text, "[dir](1 file.c)");
    assert_false(dwarf_line_next(&sections, &at, &unit));
    buffer_done(&b);
}

/* Version 5: one directory by line_strp; files by string, with an MD5, and by strp. */
static bool read_names_v5(const uint8_t *tables, size_t tables_bytes, struct names *n)
{
    static const uint8_t header[] = {1, 1, 1, (uint8_t)-5, 14, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1};
    static const char texts[] = "\0/home/x\0lib";
    const struct dwarf_line_names names = {see_directory, see_file, n};
    struct dwarf_line_unit unit;
    struct buffer b;
    size_t at = 0;
    buffer_init(&b, 1 << 20);
    put(&b, 2 + 2 + 4 + sizeof header + tables_bytes, 4);
    put(&b, 5, 2);
    put(&b, 4, 2); /* addresses of 4 bytes, no segments */
    put(&b, sizeof header + tables_bytes, 4);
    buffer_append(&b, header, sizeof header);
    buffer_append(&b, tables, tables_bytes);
    const struct dwarf_line_sections sections = {
        .line = {b.data, b.size_bytes},
        .line_str = {(const uint8_t *)texts, sizeof texts},
    };
    *n = (struct names){""};
    bool sound = dwarf_line_next(&sections, &at, &unit) && dwarf_line_read_names(&unit, &names);
    buffer_done(&b);
    return sound;
}

static void test_names_v5(void **state)
{
    (void)state;
    struct names n;
    static const uint8_t sound[] = {
        1,   1,   0x1f, 2, 1,    0, 0,    0, 9, 0, 0, 0, /* path line_strp: 2 directories */
        3,   1,   0x08, 2, 0x0b, 5, 0x1e, 1,             /* path string, dir data1, MD5: 1 file */
        'a', '.', 'c',  0, 1,                            /* … */
        0,   0,   0,    0, 0,    0, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0,
    };
    assert_true(read_names_v5(sound, sizeof sound, &n));
    assert_string_equal(n.text, "[/home/x][lib](1 a.c)");
    for (size_t i = 0; i < sizeof sound; i++) assert_false(read_names_v5(sound, i, &n));
    static const uint8_t far_away[] = {1, 1, 0x1f, 1, 99, 0, 0, 0, 0, 0};
    assert_true(read_names_v5(far_away, sizeof far_away, &n));
    assert_string_equal(n.text, "[]");
    static const uint8_t unknown_form[] = {1, 1, 0x77, 1, 0, 0, 0, 0, 0, 0};
    assert_false(read_names_v5(unknown_form, sizeof unknown_form, &n));
    /* Entries without bytes could be counted for ever. */
    static const uint8_t no_formats[] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0};
    assert_false(read_names_v5(no_formats, sizeof no_formats, &n));
    static const uint8_t many_formats[] = {17, 1, 8};
    assert_false(read_names_v5(many_formats, sizeof many_formats, &n));
}

/* Cut anywhere, with a length that says so: no byte behind the end is read (the allocation ends
 * there, for the sanitizer), and an opcode without its operand is malformed. */
static void test_cut(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof program_all; n++) {
        struct buffer b;
        struct seen s = {0};
        table_v4(&b, program_all, n);
        uint8_t *exact = malloc(b.size_bytes);
        memcpy(exact, b.data, b.size_bytes);
        struct buffer end = {.data = exact, .size_bytes = b.size_bytes};
        (void)run_table(&end, &s, false);
        for (size_t cut = 0; cut < end.size_bytes; cut++) {
            struct dwarf_line_unit unit;
            size_t at = 0;
            const struct dwarf_line_sections sections = {.line = {exact, cut}};
            assert_false(dwarf_line_next(&sections, &at, &unit));
            assert_int_equal(at, cut);
        }
        free(exact);
        buffer_done(&b);
    }
}

static void test_bad_headers(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {4, 1},   /* version 1 */
        {4, 6},   /* version 6 */
        {9, 1},   /* a header beyond the unit */
        {6, 2},   /* a header that ends before its tables */
        {14, 0},  /* line_range 0 */
        {15, 0},  /* opcode_base 0 */
        {15, 255} /* opcode lengths beyond the header */
    };
    for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
        struct buffer b;
        struct seen s = {0};
        table_v4(&b, program_all, sizeof program_all);
        b.data[changes[i].at] = changes[i].value;
        assert_false(run_table(&b, &s, false));
        assert_int_equal(s.count, 0);
        buffer_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program),     cmocka_unit_test(test_names_v4),
        cmocka_unit_test(test_names_v5),    cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bad_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
