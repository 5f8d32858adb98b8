/* What code generation does not take is refused by name, and limits by theirs. */
#include "../base/cmocka_all.h"

#include <string.h>

#include "link_fixture.h"

#define PREAMBLE "\0asm\1\0\0\0"

struct refusal {
    const char *bytes;
    size_t size_bytes;
    enum status status;
    const char *text;
};

#define MODULE(bytes) PREAMBLE bytes, sizeof(PREAMBLE bytes) - 1

static const struct refusal refusals[] = {
    {MODULE("\x01\x06\x02\x5f\x00\x60\x00\x00" /* struct type, function type */
            "\x03\x02\x01\x01"
            "\x0a\x08\x01\x06\x00\xfb\x01\x00\x1a\x0b"), /* struct.new_default; drop */
     ST_UNSUPPORTED, "garbage collection"},
    {MODULE("\x01\x04\x01\x60\x00\x00"
            "\x03\x02\x01\x00"
            "\x07\x05\x01\x01"
            "f\x00\x00"
            "\x0a\x08\x01\x06\x00\xd2\x00\x14\x00\x0b"), /* ref.func; call_ref */
     ST_UNSUPPORTED, "typed function references"},
    {MODULE("\x01\x04\x01\x60\x00\x00"
            "\x03\x02\x01\x00"
            "\x0d\x03\x01\x00\x00"
            "\x0a\x06\x01\x04\x00\x08\x00\x0b"), /* throw */
     ST_UNSUPPORTED, "exception handling"},
    {MODULE("\x05\x07\x01\x04\x81\x80\x80\x80\x10"), /* 64-bit memory of 2^32 + 1 pages */
     ST_LIMIT, "memory 0"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        struct link_program p;
        struct buffer wasm, file;
        struct error err = {0};
        buffer_init(&wasm, 1024);
        buffer_init(&file, 1 << 20);
        assert_int_equal(buffer_append(&wasm, r->bytes, r->size_bytes), ST_OK);
        link_program_from_bytes(&p, &wasm);
        for (int level = CODEGEN_FAST; level <= CODEGEN_AGGRESSIVE; level++) {
            const struct codegen_options options = {
                .level = (enum codegen_level)level, .cpu_level = 2, .threads = 1};
            enum status st = codegen_compile(p.program, &options, &file, NULL, &err);
            if (st != r->status || !strstr(err.text, r->text))
                fail_msg("expected %s, found status %d: %s", r->text, (int)st, err.text);
            assert_int_equal(file.size_bytes, 0);
        }
        buffer_done(&file);
        link_program_done(&p);
    }
}

static void test_engine(void **state)
{
    (void)state;
    assert_non_null(strstr(codegen_engine(), "llvm-"));
    assert_true(strlen(codegen_engine()) < sizeof((struct artifact_header *)0)->engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
