#include "base/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

void sha256(const void *bytes, size_t size_bytes, uint8_t digest[SHA256_BYTES])
{
    unsigned length = SHA256_BYTES;
    if (!EVP_Digest(bytes, size_bytes, digest, &length, EVP_sha256(), NULL)) abort();
}

void sha256_hex(const uint8_t digest[SHA256_BYTES], char hex[SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * SHA256_BYTES] = '\0';
}
