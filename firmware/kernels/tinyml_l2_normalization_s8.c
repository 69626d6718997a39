/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"

/* 1.0 where three integer bits and a sign stand before the fraction. */
#define ONE (1 << 28)
#define HALF_SQRT_2 1518500250 /* sqrt(2) / 2 in Q31 */
#define NEWTON_STEPS 5
/* Outputs are in 1/128. */
#define OUTPUT_BITS 7

/* round(a * b / 2^31), halves up */
static int32_t multiply(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* x <- x * 3/2 - value/2 * x^3 from 1, each product brought back to three integer bits. */
static int32_t inverse_sqrt(int32_t value)
{
    const int32_t half = (value + 1) >> 1;
    int32_t x = ONE;

    for (int step = 0; step < NEWTON_STEPS; step++) {
        const int32_t cube = multiply(multiply(x, x), x) * 64;
        x = (multiply(ONE + ONE / 2, x) - multiply(half, cube)) * 8;
    }
    return multiply(x, HALF_SQRT_2);
}

/* Split 1 / sqrt(value) into a Q31 multiplier and a shift to the left; 0 counts as 1. */
static int32_t inverse_sqrt_multiplier(int32_t value, int32_t *shift)
{
    int32_t right_shift = 11;
    int32_t multiplier;

    if (value <= 1) {
        *shift = 0;
        return INT32_MAX;
    }
    for (; value >= 1 << 29; value /= 4) {
        right_shift++;
    }
    for (; value < 1 << 27; value *= 4) {
        right_shift--;
    }
    multiplier = inverse_sqrt(value >> 1);
    *shift = right_shift > 0 ? -right_shift : 0;
    return right_shift < 0 ? multiplier * (1 << -right_shift) : multiplier;
}

void tinyml_l2_normalization_s8(const int8_t *input, int32_t rows, int32_t row_size,
                                int32_t input_offset, int8_t *output)
{
    for (int32_t row = 0; row < rows; row++) {
        int32_t squares = 0;
        int32_t shift;
        for (int32_t i = 0; i < row_size; i++) {
            squares += (input[i] + input_offset) * (input[i] + input_offset);
        }
        const int32_t multiplier = inverse_sqrt_multiplier(squares, &shift);
        for (int32_t i = 0; i < row_size; i++) {
            int32_t value = input[i] + input_offset;
            value = arm_nn_requantize(value, multiplier, shift + OUTPUT_BITS);
            value = value > 127 ? 127 : value;
            output[i] = (int8_t)(value < -128 ? -128 : value);
        }
        input += row_size;
        output += row_size;
    }
}
