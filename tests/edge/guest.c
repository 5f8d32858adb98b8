/* A program of many faults: what it does stands in PATH_INFO. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int count; /* 0 in every fresh instance */

static void head(void)
{
    fputs("Content-Type: text/plain\n\n", stdout);
    fflush(stdout);
}

static int copy(size_t piece_bytes)
{
    static char bytes[65536];
    ssize_t got;
    head();
    while ((got = read(0, bytes, piece_bytes)) > 0) {
        ssize_t done = 0;
        while (done < got) {
            ssize_t put = write(1, bytes + done, (size_t)(got - done));
            if (put < 0) return 4;
            done += put;
        }
    }
    return got < 0 ? 5 : 0;
}

static int environment(void)
{
    head();
    for (char **variable = environ; *variable; variable++) puts(*variable);
    return 0;
}

static int sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
    head();
    puts("slept");
    return 0;
}

/* Waits for input or half a second, whichever is first. */
static int wait_for_input(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    int ready = poll(&input, 1, 500);
    head();
    printf("ready %d\n", ready);
    return 0;
}

/* Writes the first part of an answer; `late`, until it has left. */
static void begin_answer(const char *text, int late)
{
    fputs(text, stdout);
    fflush(stdout);
    if (late) usleep(20000);
}

static __attribute__((noinline)) int trap(void)
{
    __builtin_trap();
}

static int flood(void)
{
    static char block[65536];
    memset(block, 'x', sizeof block);
    head();
    for (int i = 0; i < 256; i++)
        if (fwrite(block, 1, sizeof block, stdout) != sizeof block) return 6;
    return 0;
}

static __attribute__((noinline)) int spin(void)
{
    for (volatile unsigned i = 0;; i++) {
    }
}

/* Computes for some 20 ms, then answers. */
static int compute(void)
{
    volatile double x = 1;
    for (int i = 0; i < 4000000; i++) x = x * 1.0000001 + 0.5;
    head();
    printf("%d\n", x > 0);
    return 0;
}

static int hoard(void)
{
    for (;;) {
        char *volatile block = malloc(1 << 20);
        if (!block) __builtin_trap();
        memset(block, 1, 1 << 20);
    }
}

static int chatter(void)
{
    fputs("one\ntwo \"quoted\" \x1b[31m\nno end", stderr);
    head();
    return 0;
}

static int log_flood(void)
{
    for (int i = 0; i < 20000; i++) fputs("0123456789\n", stderr);
    head();
    return 0;
}

int main(void)
{
    const char *path = getenv("PATH_INFO");
    if (!path) return 2;
    if (!strcmp(path, "/copy")) return copy(1000);
    if (!strcmp(path, "/copy-pieces")) return copy(65536);
    if (!strcmp(path, "/env") || !strncmp(path, "/env/", 5)) return environment();
    if (!strcmp(path, "/sleep")) return sleep_ms(300);
    if (!strcmp(path, "/sleep-second")) return sleep_ms(1000);
    if (!strcmp(path, "/sleep-long")) {
        fputs("begun\n", stderr);
        return sleep_ms(60000);
    }
    if (!strcmp(path, "/wait")) return wait_for_input();
    if (!strncmp(path, "/trap", 5)) {
        if (path[5])
            begin_answer("Content-Type: text/plain\n\nthe first part", !strcmp(path, "/trap-late"));
        return trap();
    }
    if (!strcmp(path, "/flood")) return flood();
    if (!strcmp(path, "/spin")) return spin();
    if (!strcmp(path, "/compute")) return compute();
    if (!strcmp(path, "/hoard")) return hoard();
    if (!strcmp(path, "/log")) return chatter();
    if (!strcmp(path, "/log-flood")) return log_flood();
    if (!strcmp(path, "/silent")) return 0;
    if (!strcmp(path, "/no-head")) return puts("Hello") < 0;
    if (!strcmp(path, "/half-head")) return puts("Content-Type: text/plain") < 0;
    if (!strcmp(path, "/bad-status")) return puts("Status: 99\n") < 0;
    if (!strcmp(path, "/bad-name")) return puts("Bad Name: x\n") < 0;
    if (!strncmp(path, "/short", 6)) {
        begin_answer("Content-Length: 100\n\nshort", !strcmp(path, "/short-late"));
        return 0;
    }
    if (!strncmp(path, "/long", 5)) {
        begin_answer("Content-Length: 4\n\nlong", !strcmp(path, "/long-late"));
        return puts("er") < 0 || fflush(stdout) < 0;
    }
    if (!strcmp(path, "/exit")) {
        head();
        exit(3);
    }
    head();
    printf("count %d\n", count++);
    return 0;
}
