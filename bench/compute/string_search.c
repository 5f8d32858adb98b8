/* Words looked for in a text: Horspool's algorithm, and a plain scan for the first byte. */
#include "kernel.h"

#include <stdbool.h>
#include <string.h>

#define SIZE (6u << 20)

static char text[SIZE];
static const char *const words[] = {"mayfly", "ephemera", "edge of the water", "xyzzyxyzzy", "dun"};

static void kernel_setup(void)
{
    for (uint32_t i = 0; i < SIZE; i++) text[i] = " etaoinshrdlucmfwypg"[kernel_random() % 20];
    for (uint32_t i = 1000; i + 100 < SIZE; i += 50000) {
        const char *word = words[i / 50000 % 3];
        memcpy(text + i, word, strlen(word));
    }
}

static bool equal(const char *a, const char *b, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        if (a[i] != b[i]) return false;
    return true;
}

static uint64_t horspool(const char *word)
{
    uint32_t size = (uint32_t)strlen(word), skip[256];
    for (int i = 0; i < 256; i++) skip[i] = size;
    for (uint32_t i = 0; i + 1 < size; i++) skip[(uint8_t)word[i]] = size - 1 - i;
    uint64_t found = 0;
    for (uint32_t at = 0; at + size <= SIZE; at += skip[(uint8_t)text[at + size - 1]])
        if (equal(text + at, word, size)) found += at;
    return found;
}

static uint64_t scan(const char *word)
{
    uint32_t size = (uint32_t)strlen(word);
    uint64_t found = 0;
    for (uint32_t at = 0; at + size <= SIZE; at++)
        if (text[at] == word[0] && equal(text + at, word, size)) found += at;
    return found;
}

static double kernel_run(void)
{
    uint64_t found = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        found += horspool(words[i]) + scan(words[i]);
    return (double)found;
}

KERNEL_MAIN("string-search")
