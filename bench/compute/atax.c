/* y = transposed A times (A x). */
#include "kernel.h"

#define N      1200
#define ROUNDS 12

static double a[N][N], x[N], y[N], ax[N];

static void kernel_setup(void)
{
    for (int i = 0; i < N; i++) {
        x[i] = 1.0 + kernel_random_unit();
        for (int j = 0; j < N; j++) a[i][j] = kernel_random_unit() / N;
    }
}

static double kernel_run(void)
{
    double sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int j = 0; j < N; j++) y[j] = 0;
        for (int i = 0; i < N; i++) {
            double dot = 0;
            for (int j = 0; j < N; j++) dot += a[i][j] * x[j];
            ax[i] = dot;
            for (int j = 0; j < N; j++) y[j] += a[i][j] * dot;
        }
        sum += y[round] + ax[N - 1 - round];
    }
    return sum;
}

KERNEL_MAIN("atax")
