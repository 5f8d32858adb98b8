/* Computes for as many rounds as QUERY_STRING says, and does nothing else. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    uint64_t rounds = strtoull(getenv("QUERY_STRING"), NULL, 10), sum = 1;
    for (uint64_t i = 0; i < rounds; i++) sum = sum * 6364136223846793005u + i;
    printf("Content-Type: text/plain\n\n%llu\n", (unsigned long long)sum);
    return 0;
}
