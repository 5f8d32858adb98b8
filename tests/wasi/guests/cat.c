/* Standard input to standard output, by read and write. With an argument N it takes N bytes and
 * leaves the rest unread; after the argument "poll" it polls before it reads. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[65536];

static int put(const char *bytes, size_t left)
{
    while (left) {
        ssize_t n = write(1, bytes, left);
        if (n < 0) {
            fprintf(stderr, "write: %s\n", strerror(errno));
            return 1;
        }
        bytes += n;
        left -= (size_t)n;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int polls = argc > 1 && strcmp(argv[1], "poll") == 0;
    size_t limit = argc > 1 && !polls ? strtoul(argv[1], NULL, 10) : (size_t)-1;
    while (limit) {
        struct pollfd p = {.fd = 0, .events = POLLIN};
        if (polls && poll(&p, 1, -1) != 1) return 2;
        ssize_t n = read(0, buffer, limit < sizeof buffer ? limit : sizeof buffer);
        if (n < 0) return 3;
        if (n == 0) return 0;
        if (put(buffer, (size_t)n)) return 4;
        limit -= (size_t)n;
    }
    return 0;
}
