/* The tenants of bench/neighbour whom nobody wants: -DKIND_… says which. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef KIND_RECURSE
static __attribute__((noinline)) int recurse(volatile int *above)
{
    volatile int here = *above + 1;
    return recurse(&here) + here;
}
#endif

int main(void)
{
#if defined KIND_SPIN
    volatile unsigned turns = 0;
    for (;;) turns++;
#elif defined KIND_RECURSE
    volatile int start = 0;
    return recurse(&start);
#elif defined KIND_GROW
    for (;;) {
        char *more = malloc(1 << 20);
        if (!more) abort();
        memset(more, 1, 1 << 20);
        __asm__ volatile("" : : "r"(more) : "memory"); /* no dead store */
    }
#elif defined KIND_TRAP
    __builtin_trap();
#elif defined KIND_FLOOD
    for (int line = 0; line < 2000; line++) fprintf(stderr, "line %d of far too many\n", line);
    puts("content-type: text/plain\n\nflooded");
    return 0;
#endif
}
