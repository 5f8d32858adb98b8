#include "base/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

void sha256(const void *bytes, size_t size_bytes, uint8_t digest[SHA256_BYTES])
{
    unsigned length = SHA256_BYTES;
    if (!EVP_Digest(bytes, size_bytes, digest, &length, EVP_sha256(), NULL)) abort();
}

void sha256_joined(const void *bytes, size_t size_bytes, const void *more, size_t more_bytes,
                   uint8_t digest[SHA256_BYTES])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL) ||
        !EVP_DigestUpdate(context, bytes, size_bytes) ||
        !EVP_DigestUpdate(context, more, more_bytes) || !EVP_DigestFinal_ex(context, digest, NULL))
        abort();
    EVP_MD_CTX_free(context);
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
