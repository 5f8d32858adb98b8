#include "../base/cmocka_all.h"

#include <string.h>

#include "reader.h"

enum form { U32, S32, S33, S64, U64 };

struct integer {
    enum form form;
    const char *bytes;
    size_t size;
    int64_t value;
    const char *text; /* of the error, or NULL */
};

#define BYTES(text) text, sizeof(text) - 1

static const struct integer integers[] = {
    {U32, BYTES("\x00"), 0, NULL},
    {U32, BYTES("\x7f"), 127, NULL},
    {U32, BYTES("\x80\x01"), 128, NULL},
    {U32, BYTES("\x80\x80\x80\x80\x00"), 0, NULL},
    {U32, BYTES("\xff\xff\xff\xff\x0f"), 4294967295, NULL},
    {U32, BYTES("\xff\xff\xff\xff\x1f"), 0, "offset 0x0: integer too large"},
    {U32, BYTES("\xff\xff\xff\xff\x4f"), 0, "offset 0x0: integer too large"},
    {U32, BYTES("\x80\x80\x80\x80\x80\x00"), 0, "offset 0x0: integer representation too long"},
    {U32, BYTES(""), 0, "offset 0x0: unexpected end"},
    {U32, BYTES("\x80"), 0, "offset 0x1: unexpected end"},
    {U32, BYTES("\xff\xff\xff\xff"), 0, "offset 0x4: unexpected end"},
    {S32, BYTES("\x00"), 0, NULL},
    {S32, BYTES("\x7f"), -1, NULL},
    {S32, BYTES("\x40"), -64, NULL},
    {S32, BYTES("\x3f"), 63, NULL},
    {S32, BYTES("\xff\x00"), 127, NULL},
    {S32, BYTES("\xff\xff\xff\xff\x7f"), -1, NULL},
    {S32, BYTES("\x80\x80\x80\x80\x78"), INT32_MIN, NULL},
    {S32, BYTES("\xff\xff\xff\xff\x07"), INT32_MAX, NULL},
    {S32, BYTES("\xff\xff\xff\xff\x0f"), 0, "offset 0x0: integer too large"},
    {S32, BYTES("\x80\x80\x80\x80\x70"), 0, "offset 0x0: integer too large"},
    {S32, BYTES("\xff\xff\xff\xff\x3f"), 0, "offset 0x0: integer too large"},
    {S32, BYTES("\x80\x80\x80\x80\x80\x00"), 0, "offset 0x0: integer representation too long"},
    {S33, BYTES("\xff\xff\xff\xff\x0f"), 4294967295, NULL},
    {S33, BYTES("\x80\x80\x80\x80\x70"), -4294967296, NULL},
    {S33, BYTES("\xff\xff\xff\xff\x1f"), 0, "offset 0x0: integer too large"},
    {S33, BYTES("\xff\xff\xff\xff\xff\x7f"), 0, "offset 0x0: integer representation too long"},
    {S64, BYTES("\x7f"), -1, NULL},
    {S64, BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"), INT64_MIN, NULL},
    {S64, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00"), INT64_MAX, NULL},
    {S64, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0, "integer too large"},
    {S64, BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7e"), 0, "integer too large"},
    {S64, BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 0, "too long"},
    {U64, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -1, NULL},
    {U64, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), 0, "integer too large"},
    {U64, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), 0, "integer too large"},
    {U64, BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 0, "too long"},
};

static enum status read_integer(const struct integer *c, struct wasm_reader *r, int64_t *ret,
                                struct error *err)
{
    uint32_t u32 = 0;
    int32_t s32 = 0;
    uint64_t u64 = 0;
    enum status st = ST_OK;
    switch (c->form) {
    case U32:
        st = reader_u32(r, &u32, err);
        *ret = u32;
        return st;
    case S32:
        st = reader_s32(r, &s32, err);
        *ret = s32;
        return st;
    case S33: return reader_s33(r, ret, err);
    case S64: return reader_s64(r, ret, err);
    case U64:
        st = reader_u64(r, &u64, err);
        *ret = (int64_t)u64;
        return st;
    }
    return ST_INTERNAL;
}

static void integers_are_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(integers); i++) {
        const struct integer *c = &integers[i];
        struct wasm_reader r = {(const uint8_t *)c->bytes, 0, c->size};
        struct error err = {0};
        int64_t value = 0;
        enum status st = read_integer(c, &r, &value, &err);
        if (!c->text) {
            if (st || value != c->value || r.offset != c->size)
                fail_msg("integer %zu: got %lld, %s", i, (long long)value, err.text);
        } else if (st != ST_INVALID || !strstr(err.text, c->text)) {
            fail_msg("integer %zu: expected \"%s\", got \"%s\"", i, c->text, err.text);
        }
    }
}

static const struct {
    const char *bytes;
    size_t size;
    bool valid;
} texts[] = {
    {BYTES(""), true},
    {BYTES("plain"), true},
    {BYTES("nul \0 within"), true},
    {BYTES("\x7f"), true},
    {BYTES("\xc2\x80"), true},
    {BYTES("\xdf\xbf"), true},
    {BYTES("\xe0\xa0\x80"), true},
    {BYTES("\xed\x9f\xbf"), true},
    {BYTES("\xee\x80\x80"), true},
    {BYTES("\xef\xbf\xbf"), true},
    {BYTES("\xf0\x90\x80\x80"), true},
    {BYTES("\xf4\x8f\xbf\xbf"), true},
    {BYTES("\x80"), false},
    {BYTES("\xbf"), false},
    {BYTES("\xc0\x80"), false},
    {BYTES("\xc1\xbf"), false},
    {BYTES("\xc2"), false},
    {BYTES("\xc2\x7f"), false},
    {BYTES("\xc2\xc0"), false},
    {BYTES("\xe0\x9f\xbf"), false},
    {BYTES("\xe0\xa0"), false},
    {BYTES("\xe1\x80\x7f"), false},
    {BYTES("\xed\xa0\x80"), false},
    {BYTES("\xed\xbf\xbf"), false},
    {BYTES("\xef\xbf"), false},
    {BYTES("\xf0\x8f\xbf\xbf"), false},
    {BYTES("\xf0\x90\x80"), false},
    {BYTES("\xf1\x80\x80\xc0"), false},
    {BYTES("\xf4\x90\x80\x80"), false},
    {BYTES("\xf5\x80\x80\x80"), false},
    {BYTES("\xfe"), false},
    {BYTES("\xff"), false},
    {BYTES("behind \xe2\x82"), false},
};

static void utf8_is_judged_by_table_3_7(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (utf8_valid((const uint8_t *)texts[i].bytes, texts[i].size) != texts[i].valid)
            fail_msg("text %zu", i);
}

static const struct {
    const char *bytes;
    size_t size;
    const char *printed; /* NULL: malformed */
} types[] = {
    {BYTES("\x7f"), "i32"},
    {BYTES("\x7e"), "i64"},
    {BYTES("\x7d"), "f32"},
    {BYTES("\x7c"), "f64"},
    {BYTES("\x7b"), "v128"},
    {BYTES("\x70"), "(ref null func)"},
    {BYTES("\x6f"), "(ref null extern)"},
    {BYTES("\x69"), "(ref null exn)"},
    {BYTES("\x74"), "(ref null noexn)"},
    {BYTES("\x64\x70"), "(ref func)"},
    {BYTES("\x63\x6c"), "(ref null i31)"},
    {BYTES("\x64\x05"), "(ref 5)"},
    {BYTES("\x63\x80\x01"), "(ref null 128)"},
    {BYTES("\x64\xff\xff\xff\xff\x0f"), "(ref 4294967295)"},
    {BYTES("\x78"), NULL}, /* i8 is a storage type */
    {BYTES("\x77"), NULL},
    {BYTES("\x75"), NULL},
    {BYTES("\x68"), NULL},
    {BYTES("\x40"), NULL},
    {BYTES("\x00"), NULL},
    {BYTES("\xff"), NULL},
    {BYTES(""), NULL},
    {BYTES("\x64"), NULL},
    {BYTES("\x64\x7f"), NULL},
    {BYTES("\x63\x40"), NULL},
    {BYTES("\x64\xf0\x7f"), NULL}, /* func as a long negative number */
    {BYTES("\x64\xff\xff\xff\xff\x1f"), NULL},
};

static void value_types_are_read_and_printed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        struct wasm_reader r = {(const uint8_t *)types[i].bytes, 0, types[i].size};
        struct wasm_valtype type = {0};
        struct error err = {0};
        char text[40] = "malformed";
        enum status st = reader_valtype(&r, &type, &err);
        if (!st) wasm_valtype_print(type, text, sizeof text);
        const char *expected = types[i].printed ? types[i].printed : "malformed";
        if (strcmp(text, expected) != 0) fail_msg("type %zu: %s, not %s", i, text, expected);
        if (st) assert_int_equal(st, ST_INVALID);
    }
}

static void printed_types_are_cut(void **state)
{
    (void)state;
    char text[6];
    wasm_valtype_print((struct wasm_valtype){.kind = WASM_REF, .heap = WASM_HEAP_ANY}, text,
                       sizeof text);
    assert_string_equal(text, "(ref ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(utf8_is_judged_by_table_3_7),
        cmocka_unit_test(value_types_are_read_and_printed),
        cmocka_unit_test(printed_types_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
