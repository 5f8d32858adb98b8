/* Cholesky decomposition of a positive-definite matrix. */
#include "kernel.h"

#include <math.h>

#define N 400

static double original[N][N], a[N][N];

static void kernel_setup(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++)
            original[i][j] = original[j][i] = kernel_random_unit() + (i == j ? N : 0);
}

static double kernel_run(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = original[i][j];
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++) a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
        for (int k = 0; k < i; k++) a[i][i] -= a[i][k] * a[i][k];
        a[i][i] = sqrt(a[i][i]);
    }
    double sum = 0;
    for (int i = 0; i < N; i++) sum += a[i][i] + a[N - 1][i];
    return sum;
}

KERNEL_MAIN("cholesky")
