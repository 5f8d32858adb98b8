/* A compute kernel: one C file, the same for the native machine and for WASI, that defines the two
 * functions below and ends with KERNEL_MAIN("name").
 *
 * The program prints one line: the name, the median and the least time of a run in nanoseconds, and
 * the checksum, which must be the same wherever it runs. Time is taken inside, around kernel_run()
 * alone, after the runs of a warm-up. */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WARM_UP_NS 400000000u
#define MEASURE_NS 600000000u
#define RUNS_MIN   3u
#define RUNS_MAX   64u

static void kernel_setup(void);

/* One run; the result depends on all that it computes. */
static double kernel_run(void);

static inline uint64_t kernel_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* xorshift64*: the same numbers everywhere. */
static inline uint32_t kernel_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15u;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545f4914f6cdd1du) >> 32);
}

static inline double kernel_random_unit(void)
{
    return (double)kernel_random() / 4294967296.0;
}

static inline void kernel_main(const char *name, double (*volatile run)(void))
{
    static uint64_t times[RUNS_MAX];
    kernel_setup();
    double sum = 0;
    uint64_t begin = kernel_now_ns();
    do sum = run();
    while (kernel_now_ns() - begin < WARM_UP_NS);
    uint32_t runs = 0;
    begin = kernel_now_ns();
    while (runs < RUNS_MIN || (runs < RUNS_MAX && kernel_now_ns() - begin < MEASURE_NS)) {
        uint64_t from = kernel_now_ns();
        double again = run();
        uint64_t time = kernel_now_ns() - from;
        if (again != sum) abort();
        uint32_t at = runs++; /* kept in order */
        for (; at && times[at - 1] > time; at--) times[at] = times[at - 1];
        times[at] = time;
    }
    printf("%s %" PRIu64 " %" PRIu64 " %.9g\n", name, times[runs / 2], times[0], sum);
}

#define KERNEL_MAIN(name)                                                                          \
    int main(void)                                                                                 \
    {                                                                                              \
        kernel_main(name, kernel_run);                                                             \
        return 0;                                                                                  \
    }

#endif
