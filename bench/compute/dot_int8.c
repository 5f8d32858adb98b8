/* Dot products of vectors of 8-bit integers, the inner loop of quantised neural networks. With
 * intrinsics where there is wasm SIMD; natively plain C, which the compiler vectorises. */
#include "kernel.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

#define LENGTH 1024
#define ROWS   1024
#define ROUNDS 40

static int8_t weights[ROWS][LENGTH], input[LENGTH];

static void kernel_setup(void)
{
    for (int i = 0; i < LENGTH; i++) input[i] = (int8_t)kernel_random();
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < LENGTH; i++) weights[r][i] = (int8_t)kernel_random();
}

#ifdef __wasm_simd128__
static int32_t dot(const int8_t *a, const int8_t *b)
{
    v128_t sum = wasm_i32x4_const(0, 0, 0, 0);
    for (int i = 0; i < LENGTH; i += 16) {
        v128_t x = wasm_v128_load(a + i), y = wasm_v128_load(b + i);
        v128_t low =
            wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(x), wasm_i16x8_extend_low_i8x16(y));
        v128_t high =
            wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(x), wasm_i16x8_extend_high_i8x16(y));
        sum = wasm_i32x4_add(sum, wasm_i32x4_add(low, high));
    }
    return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) +
           wasm_i32x4_extract_lane(sum, 2) + wasm_i32x4_extract_lane(sum, 3);
}
#else
static int32_t dot(const int8_t *a, const int8_t *b)
{
    int32_t sum = 0;
    for (int i = 0; i < LENGTH; i++) sum += a[i] * b[i];
    return sum;
}
#endif

static double kernel_run(void)
{
    double total = 0;
    for (int round = 0; round < ROUNDS; round++) {
        input[round] = (int8_t)(round + 1);
        for (int r = 0; r < ROWS; r++) total += (double)dot(weights[r], input);
    }
    return total;
}

KERNEL_MAIN("dot-int8")
