/* Answers with TEXT; the path /sleep takes a while, /work some processor time. HEAVY makes a module
 * that takes long to compile. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HEAVY
#define BODY(n)                                                                                    \
    static uint32_t f##n(uint32_t *p, uint32_t x)                                                  \
    {                                                                                              \
        for (uint32_t i = 0; i < x; i++) {                                                         \
            p[i & 63] = p[(i * n) & 63] * (x + n) + (p[i & 31] >> (n & 15));                       \
            if (p[i & 63] & 8) x ^= p[(i + n) & 63];                                               \
            switch (p[i & 63] % 7) {                                                               \
            case 0: x += n; break;                                                                 \
            case 1: x -= n; break;                                                                 \
            case 2: x ^= n << 3; break;                                                            \
            case 3: p[n & 63] = x; break;                                                          \
            case 4: p[x & 63] = n; break;                                                          \
            default: x = x << 1 | x >> 31;                                                         \
            }                                                                                      \
        }                                                                                          \
        return x;                                                                                  \
    }
#define BODIES(n)                                                                                  \
    BODY(n##0) BODY(n##1) BODY(n##2) BODY(n##3) BODY(n##4) BODY(n##5) BODY(n##6) BODY(n##7)
#define NAMES(n) f##n##0, f##n##1, f##n##2, f##n##3, f##n##4, f##n##5, f##n##6, f##n##7,
#define EACH(M)                                                                                    \
    M(1)                                                                                           \
    M(2)                                                                                           \
    M(3)                                                                                           \
    M(4)                                                                                           \
    M(5) M(6) M(7) M(8) M(9) M(11) M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19) M(21) M(22)     \
        M(23) M(24) M(25) M(26) M(27) M(28) M(29) M(31) M(32) M(33) M(34) M(35) M(36) M(37) M(38)  \
            M(39) M(41) M(42) M(43) M(44) M(45) M(46) M(47) M(48) M(49)
EACH(BODIES)
static uint32_t (*volatile const functions[])(uint32_t *, uint32_t) = {EACH(NAMES)};

static void heavy(void)
{
    uint32_t memory[64] = {1};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) functions[i](memory, 1);
}
#else
static void heavy(void)
{
}
#endif

int main(void)
{
    const char *path = getenv("PATH_INFO");
    if (!strcmp(path, "/sleep")) usleep(500000);
    if (!strcmp(path, "/work"))
        for (volatile uint32_t i = 0; i < 200000; i++) {
        }
    if (!strcmp(path, "/heavy")) heavy();
    puts("Content-Type: text/plain\n\n" TEXT);
    return 0;
}
