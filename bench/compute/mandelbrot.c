/* Escape times of a part of the Mandelbrot set. */
#include "kernel.h"

#define WIDTH  480
#define HEIGHT 320
#define STEPS  300

static void kernel_setup(void)
{
}

static double kernel_run(void)
{
    uint64_t sum = 0;
    for (int py = 0; py < HEIGHT; py++)
        for (int px = 0; px < WIDTH; px++) {
            double cx = -2.0 + 2.6 * px / WIDTH, cy = -1.2 + 2.4 * py / HEIGHT;
            double x = 0, y = 0;
            int n = 0;
            for (; n < STEPS && x * x + y * y <= 4.0; n++) {
                double next = x * x - y * y + cx;
                y = 2 * x * y + cy;
                x = next;
            }
            sum += (uint64_t)n;
        }
    return (double)sum;
}

KERNEL_MAIN("mandelbrot")
