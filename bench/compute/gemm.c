/* C = alpha A B + beta C, doubles, in the order that PolyBench has. */
#include "kernel.h"

#define N 320

static double a[N][N], b[N][N], c[N][N];

static void kernel_setup(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = kernel_random_unit();
            b[i][j] = kernel_random_unit();
        }
}

static double kernel_run(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) c[i][j] = (double)(i ^ j);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) c[i][j] *= 1.2;
        for (int k = 0; k < N; k++)
            for (int j = 0; j < N; j++) c[i][j] += 1.5 * a[i][k] * b[k][j];
    }
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) sum += c[i][j];
    return sum;
}

KERNEL_MAIN("gemm")
