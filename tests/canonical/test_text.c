/* Texts of all encodings, right and wrong, in pieces of every length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct text {
    const char *bytes;
    size_t size_bytes;
};
#define TEXT(literal) {(literal), sizeof(literal) - 1}

struct row {
    struct text utf8, utf16, latin1; /* latin1: NULL bytes where it does not fit */
};

static const struct row rows[] = {
    {TEXT(""), TEXT(""), TEXT("")},
    {TEXT("a"), TEXT("a\0"), TEXT("a")},
    {TEXT("\xc3\xa9"), TEXT("\xe9\0"), TEXT("\xe9")},
    {TEXT("\xc2\x80\xc3\xbf"), TEXT("\x80\0\xff\0"), TEXT("\x80\xff")},
    {TEXT("\xe2\x98\x83"), TEXT("\x03\x26"), {NULL, 0}},
    {TEXT("\xed\x9f\xbf\xee\x80\x80"), TEXT("\xff\xd7\x00\xe0"), {NULL, 0}},
    {TEXT("\xf0\x9f\x8d\xb0"), TEXT("\x3c\xd8\x70\xdf"), {NULL, 0}},
    {TEXT("\xf4\x8f\xbf\xbf"), TEXT("\xff\xdb\xff\xdf"), {NULL, 0}},
    {TEXT("\0"), TEXT("\0\0"), TEXT("\0")},
    {TEXT("0123456789abcdef0123456789abcdef0123456789abcdef"),
     TEXT("0\0001\0002\0003\0004\0005\0006\0007\0008\0009\000a\000b\000c\000d\000e\000f\000"
          "0\0001\0002\0003\0004\0005\0006\0007\0008\0009\000a\000b\000c\000d\000e\000f\000"
          "0\0001\0002\0003\0004\0005\0006\0007\0008\0009\000a\000b\000c\000d\000e\000f\000"),
     TEXT("0123456789abcdef0123456789abcdef0123456789abcdef")},
};

static struct text of(const struct row *r, enum text_encoding encoding)
{
    return encoding == TEXT_UTF8 ? r->utf8 : encoding == TEXT_UTF16 ? r->utf16 : r->latin1;
}

/* Runs over the whole of `in`, at most `step` bytes a piece; blocks of exactly the right size, for
 * sanitizers. Returns the bytes written, or SIZE_MAX at a fault, which is in *fault. */
static size_t convert(struct text in, enum text_encoding from, enum text_encoding to, size_t step,
                      uint8_t *out, bool *wide, const char **fault)
{
    uint8_t *bytes = malloc(in.size_bytes ? in.size_bytes : 1);
    assert_non_null(bytes);
    if (in.size_bytes) memcpy(bytes, in.bytes, in.size_bytes);
    struct text_piece p = {.from = bytes, .end = bytes + in.size_bytes, .to = out};
    while (p.from < p.end && !p.fault && !p.wide) {
        size_t left = (size_t)(p.end - p.from);
        p.soft_end = p.from + (left < step ? left : step);
        text_convert(&p, from, to);
    }
    *wide = p.wide;
    *fault = p.fault;
    free(bytes);
    return p.fault ? SIZE_MAX : (size_t)(p.to - out);
}

static void check(const struct row *r, enum text_encoding from, enum text_encoding to, size_t step)
{
    struct text in = of(r, from), wanted = of(r, to);
    uint8_t out[512];
    bool wide;
    const char *fault;
    if (!in.bytes) return;
    size_t size = convert(in, from, to, step, out, &wide, &fault);
    assert_null(fault);
    assert_int_equal(wide, wanted.bytes == NULL);
    if (wide) return;
    assert_int_equal(size, wanted.size_bytes);
    if (size) assert_memory_equal(out, wanted.bytes, size);
}

static void test_pairs(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(rows); k++)
        for (unsigned from = TEXT_LATIN1; from <= TEXT_UTF16; from++)
            for (unsigned to = TEXT_LATIN1; to <= TEXT_UTF16; to++)
                for (size_t step = 2; step < 64; step += 2) check(&rows[k], from, to, step);
}

/* Every character there is, from UTF-16 to UTF-8 and back; and Latin-1. */
static void test_all_characters(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        if (c >= 0xd800 && c < 0xe000) continue;
        char in[4];
        size_t size = 2;
        uint32_t unit = c;
        if (c >= 0x10000) {
            unit = 0xd800 + ((c - 0x10000) >> 10);
            uint32_t low = 0xdc00 + ((c - 0x10000) & 0x3ff);
            in[2] = (char)low;
            in[3] = (char)(low >> 8);
            size = 4;
        }
        in[0] = (char)unit;
        in[1] = (char)(unit >> 8);
        uint8_t utf8[8], back[8];
        bool wide;
        const char *fault;
        size_t length =
            convert((struct text){in, size}, TEXT_UTF16, TEXT_UTF8, 64, utf8, &wide, &fault);
        assert_int_equal(length, c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
        size_t again = convert((struct text){(char *)utf8, length}, TEXT_UTF8, TEXT_UTF16, 64, back,
                               &wide, &fault);
        assert_int_equal(again, size);
        assert_memory_equal(back, in, size);
        (void)convert((struct text){(char *)utf8, length}, TEXT_UTF8, TEXT_LATIN1, 64, back, &wide,
                      &fault);
        assert_int_equal(wide, c > 0xff);
    }
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        struct text text;
        enum text_encoding encoding;
        const char *fault;
    } faults[] = {
        {TEXT("\xff"), TEXT_UTF8, "invalid utf-8"},
        {TEXT("\x80"), TEXT_UTF8, "invalid utf-8"},
        {TEXT("\xc0\x80"), TEXT_UTF8, "invalid utf-8"},
        {TEXT("\xc1\xbf"), TEXT_UTF8, "invalid utf-8"},
        {TEXT("\xe0\x9f\xbf"), TEXT_UTF8, "invalid utf-8"},
        {TEXT("\xed\xa0\x80"), TEXT_UTF8, "invalid utf-8"},
        {TEXT("\xf0\x8f\xbf\xbf"), TEXT_UTF8, "invalid utf-8"},
        {TEXT("\xf4\x90\x80\x80"), TEXT_UTF8, "invalid utf-8"},
        {TEXT("\xf5\x80\x80\x80"), TEXT_UTF8, "invalid utf-8"},
        {TEXT("\xc3("), TEXT_UTF8, "invalid utf-8"},
        {TEXT("ok\xe2\x28\xa1"), TEXT_UTF8, "invalid utf-8"},
        {TEXT("\xc3"), TEXT_UTF8, "incomplete utf-8 byte sequence"},
        {TEXT("\xe2\x98"), TEXT_UTF8, "incomplete utf-8 byte sequence"},
        {TEXT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xf0\x9f\x8d"), TEXT_UTF8,
         "incomplete utf-8 byte sequence"},
        {TEXT("\x00\xd8"), TEXT_UTF16, "invalid utf-16"},
        {TEXT("\x00\xdc"), TEXT_UTF16, "invalid utf-16"},
        {TEXT("\x00\xdc\x00\xd8"), TEXT_UTF16, "invalid utf-16"},
        {TEXT("\x00\xd8\x00\xd8"), TEXT_UTF16, "invalid utf-16"},
        {TEXT("\x00\xd8\x00\x00"), TEXT_UTF16, "invalid utf-16"},
    };
    for (size_t k = 0; k < COUNT(faults); k++)
        for (unsigned to = TEXT_LATIN1; to <= TEXT_UTF16; to++)
            for (size_t step = 2; step < 50; step += 2) {
                uint8_t out[512];
                bool wide;
                const char *fault;
                (void)convert(faults[k].text, faults[k].encoding, to, step, out, &wide, &fault);
                if (!wide) assert_string_equal(fault ? fault : "none", faults[k].fault);
            }
}

static void test_narrow(void **state)
{
    (void)state;
    assert_true(text_is_narrow((const uint8_t *)"a\0\xff\0", 2));
    assert_false(text_is_narrow((const uint8_t *)"a\0\0\1", 2));
    assert_true(text_is_narrow(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_all_characters),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_narrow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
