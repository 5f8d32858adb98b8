#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"

/* FIPS 180-4 examples; the last is a million times "a". */
static void known_answers(void **state)
{
    (void)state;
    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    const struct {
        const char *bytes;
        size_t size_bytes;
        const char *hex;
    } rows[] = {
        {"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t digest[SHA256_BYTES];
        char hex[SHA256_HEX];
        sha256(rows[i].bytes, rows[i].size_bytes, digest);
        sha256_hex(digest, hex);
        assert_string_equal(hex, rows[i].hex);
        size_t half = rows[i].size_bytes / 2;
        sha256_joined(rows[i].bytes, half, rows[i].bytes + half, rows[i].size_bytes - half, digest);
        sha256_hex(digest, hex);
        assert_string_equal(hex, rows[i].hex);
    }
    free(million);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers)};
    return cmocka_run_group_tests_name("base/sha256", tests, NULL, NULL);
}
