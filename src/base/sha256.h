/* SHA-256 (FIPS 180-4) of bytes in memory, by OpenSSL. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_HEX   (2 * SHA256_BYTES + 1)

void sha256(const void *bytes, size_t size_bytes, uint8_t digest[SHA256_BYTES]);

/* Of one piece with another right behind it. */
void sha256_joined(const void *bytes, size_t size_bytes, const void *more, size_t more_bytes,
                   uint8_t digest[SHA256_BYTES]);

/* Lower-case hexadecimal, NUL-terminated. */
void sha256_hex(const uint8_t digest[SHA256_BYTES], char hex[SHA256_HEX]);

#endif
