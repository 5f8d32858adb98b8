/* CRC-32 (IEEE 802.3) by eight tables, four bytes of which at a time are looked up together. */
#include "kernel.h"

#include <string.h>

#define SIZE (32u << 20)

static uint8_t message[SIZE];
static uint32_t tables[8][256];

static void kernel_setup(void)
{
    for (uint32_t i = 0; i < SIZE; i++) message[i] = (uint8_t)(i * 2654435761u >> 24);
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        tables[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++)
            tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 255];
}

static double kernel_run(void)
{
    uint32_t crc = 0xffffffffu;
    for (uint32_t i = 0; i < SIZE; i += 8) {
        uint32_t low, high;
        memcpy(&low, message + i, 4);
        memcpy(&high, message + i + 4, 4);
        low ^= crc;
        crc = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^
              tables[4][low >> 24] ^ tables[3][high & 255] ^ tables[2][high >> 8 & 255] ^
              tables[1][high >> 16 & 255] ^ tables[0][high >> 24];
    }
    return (double)~crc;
}

KERNEL_MAIN("crc32")
