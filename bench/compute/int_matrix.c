/* 32-bit integers multiplied as matrices, and one transposed. */
#include "kernel.h"

#define N 320

static int32_t a[N][N], b[N][N], turned[N][N], c[N][N];

static void kernel_setup(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = (int32_t)(kernel_random() % 1000);
            b[i][j] = (int32_t)(kernel_random() % 1000);
        }
}

static double kernel_run(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) turned[j][i] = b[i][j];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int32_t sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * turned[j][k];
            c[i][j] = sum;
        }
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) sum += (double)c[i][j];
    return sum;
}

KERNEL_MAIN("int-matrix")
