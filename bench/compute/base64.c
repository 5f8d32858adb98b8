/* Base64 (RFC 4648), there and back. */
#include "kernel.h"

#define SIZE (6u << 20)

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t plain[SIZE], back[SIZE];
static char coded[SIZE / 3 * 4];
static uint8_t values[256];

static void kernel_setup(void)
{
    for (uint32_t i = 0; i < SIZE; i++) plain[i] = (uint8_t)kernel_random();
    for (uint32_t i = 0; i < 64; i++) values[(uint8_t)letters[i]] = (uint8_t)i;
}

static void encode(char *out, const uint8_t *in, uint32_t size)
{
    for (uint32_t i = 0; i < size; i += 3, out += 4) {
        uint32_t word = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];
        out[0] = letters[word >> 18];
        out[1] = letters[word >> 12 & 63];
        out[2] = letters[word >> 6 & 63];
        out[3] = letters[word & 63];
    }
}

static void decode(uint8_t *out, const char *in, uint32_t size)
{
    for (uint32_t i = 0; i < size; i += 4, out += 3) {
        uint32_t word = (uint32_t)values[(uint8_t)in[i]] << 18 |
                        (uint32_t)values[(uint8_t)in[i + 1]] << 12 |
                        (uint32_t)values[(uint8_t)in[i + 2]] << 6 | values[(uint8_t)in[i + 3]];
        out[0] = (uint8_t)(word >> 16);
        out[1] = (uint8_t)(word >> 8);
        out[2] = (uint8_t)word;
    }
}

static double kernel_run(void)
{
    uint32_t whole = SIZE / 3 * 3;
    encode(coded, plain, whole);
    decode(back, coded, whole / 3 * 4);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < whole; i++) sum += (uint64_t)back[i] * (i & 255);
    return (double)sum;
}

KERNEL_MAIN("base64")
