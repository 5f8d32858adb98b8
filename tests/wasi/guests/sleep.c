/* Sleeps 100 s, then says so. */
#include <stdio.h>
#include <time.h>

int main(void)
{
    struct timespec pause = {100, 0};
    printf("nanosleep: %d\n", nanosleep(&pause, NULL));
    return 0;
}
