/* D = A B C + D by the inner product, which does not vectorise. */
#include "kernel.h"

#define N 224

static double a[N][N], b[N][N], c[N][N], d[N][N], product[N][N];

static void kernel_setup(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = kernel_random_unit();
            b[i][j] = kernel_random_unit();
            c[i][j] = kernel_random_unit();
        }
}

static void multiply(double out[N][N], double left[N][N], double right[N][N])
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = out[i][j];
            for (int k = 0; k < N; k++) sum += left[i][k] * right[k][j];
            out[i][j] = sum;
        }
}

static double kernel_run(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            product[i][j] = 0;
            d[i][j] = (double)(i - j);
        }
    multiply(product, a, b);
    multiply(d, product, c);
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) sum += d[i][j];
    return sum;
}

KERNEL_MAIN("2mm")
