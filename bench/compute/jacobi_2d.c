/* A five-point stencil, back and forth between two grids. */
#include "kernel.h"

#define N     400
#define STEPS 120

static double a[N][N], b[N][N];

static void kernel_setup(void)
{
}

static void step(double to[N][N], double from[N][N])
{
    for (int i = 1; i < N - 1; i++)
        for (int j = 1; j < N - 1; j++)
            to[i][j] = 0.2 * (from[i][j] + from[i][j - 1] + from[i][j + 1] + from[i + 1][j] +
                              from[i - 1][j]);
}

static double kernel_run(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = ((double)i * (j + 2) + 2) / N;
            b[i][j] = ((double)i * (j + 3) + 3) / N;
        }
    for (int t = 0; t < STEPS; t++) {
        step(b, a);
        step(a, b);
    }
    double sum = 0;
    for (int i = 0; i < N; i++) sum += a[i][i] + a[i][N / 2];
    return sum;
}

KERNEL_MAIN("jacobi-2d")
