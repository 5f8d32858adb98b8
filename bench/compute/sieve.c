/* The sieve of Eratosthenes, a byte a number. */
#include "kernel.h"

#include <string.h>

#define LIMIT 8000000u

static uint8_t composite[LIMIT];

static void kernel_setup(void)
{
}

static double kernel_run(void)
{
    memset(composite, 0, sizeof composite);
    uint32_t count = 0;
    for (uint32_t i = 2; i < LIMIT; i++) {
        if (composite[i]) continue;
        count++;
        if (i < 65536)
            for (uint32_t k = i * i; k < LIMIT && k >= i; k += i) composite[k] = 1;
    }
    return (double)count;
}

KERNEL_MAIN("sieve")
