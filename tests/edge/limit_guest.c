/* Uses as much of something as it is told: PATH_INFO says of what, QUERY_STRING how much. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES 65536u

static void put(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t done = write(fd, bytes, size);
        if (done <= 0) exit(3);
        bytes += done;
        size -= (size_t)done;
    }
}

static void put_text(const char *text)
{
    put(1, text, strlen(text));
}

static void put_many(int fd, size_t count)
{
    char block[1000];
    memset(block, 'x', sizeof block);
    while (count) {
        size_t size = count < sizeof block ? count : sizeof block;
        put(fd, block, size);
        count -= size;
    }
}

static void pause_ms(size_t ms)
{
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

static void read_body(void)
{
    char block[1000];
    size_t sum = 0;
    ssize_t got;
    while ((got = read(0, block, sizeof block)) > 0) sum += (size_t)got;
    printf("Content-Type: text/plain\n\n%zu\n", sum);
}

/* A head of `size` bytes with its blank line. The server leaves the field out. */
static void head(size_t size)
{
    put_text("Connection: ");
    put_many(1, size - strlen("Connection: \n\n"));
    put_text("\n\n");
}

static void fields(size_t count)
{
    for (size_t i = 0; i < count; i++) put_text("X: y\n");
    put_text("\n");
}

static void answer(const char *path, size_t size)
{
    if (!strcmp(path, "/answer-length")) {
        printf("Content-Length: %zu\n\n", size);
        fflush(stdout);
    } else {
        put_text("Content-Type: text/plain\n\n");
    }
    if (!strcmp(path, "/answer-late")) {
        put_text("y");
        pause_ms(50);
        size--;
    }
    put_many(1, size);
}

/* To `pages` in all. */
static void grow(size_t pages)
{
    size_t now = __builtin_wasm_memory_size(0);
    if (pages > now && __builtin_wasm_memory_grow(0, pages - now) != now) __builtin_trap();
    ((volatile char *)(uintptr_t)(pages * PAGE_BYTES))[-1] = 1;
}

static __attribute__((noinline)) uint32_t recurse(uint32_t depth)
{
    if (!depth) return 1;
    uint32_t x = recurse(depth - 1);
    return x ^ x >> 3 ^ depth;
}

static void spin(size_t ms)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (volatile int i = 0; i < 10000; i++) {
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
             (long)ms);
}

int main(void)
{
    const char *path = getenv("PATH_INFO"), *query = getenv("QUERY_STRING");
    if (!path || !query) return 2;
    size_t n = strtoul(query, NULL, 10);
    volatile uint32_t result = 0;
    if (!strcmp(path, "/trap")) __builtin_trap();
    if (!strcmp(path, "/trap-late")) {
        answer("/answer-late", 100);
        __builtin_trap();
    }
    if (!strcmp(path, "/body")) {
        read_body();
        return 0;
    }
    if (!strcmp(path, "/head")) {
        head(n);
        return 0;
    }
    if (!strcmp(path, "/fields")) {
        fields(n);
        return 0;
    }
    if (!strncmp(path, "/answer", 7)) {
        answer(path, n);
        return 0;
    }
    if (!strcmp(path, "/log")) put_many(2, n);
    if (!strcmp(path, "/grow")) grow(n);
    if (!strcmp(path, "/recurse")) result = recurse((uint32_t)n);
    if (!strcmp(path, "/spin")) spin(n);
    if (!strcmp(path, "/sleep")) pause_ms(n);
    put_text("Content-Type: text/plain\n\ndone\n");
    return (int)(result & 0);
}
