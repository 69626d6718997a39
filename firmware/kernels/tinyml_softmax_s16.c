/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"
#include "tinyml_lookup_s16.h"

static int32_t saturated(int32_t value)
{
    value = value < -32768 ? -32768 : value;
    return value > 32767 ? 32767 : value;
}

/* Exponentials of the differences from the maximum, with 15 fraction bits; returns their sum. */
static int32_t exponentials(const tinyml_softmax_s16_params *params, const int16_t *input,
                            int16_t *output)
{
    int32_t maximum = input[0];
    int32_t sum = 0;

    for (int32_t i = 1; i < params->row_size; i++) {
        maximum = input[i] > maximum ? input[i] : maximum;
    }
    for (int32_t i = 0; i < params->row_size; i++) {
        const int32_t diff =
            arm_nn_requantize(input[i] - maximum, params->multiplier, params->shift);
        output[i] = tinyml_interpolated(params->exponential, saturated(diff + 32767));
        sum += output[i];
    }
    return sum;
}

static void softmax_row(const tinyml_softmax_s16_params *params, const int16_t *input,
                        int16_t *output)
{
    const int32_t sum = exponentials(params, input, output);
    const int32_t leading_zeros = CLZ((uint32_t)sum);
    /* The sum's bits after the first, 16 of them: x where the sum is 2^n (1 + x). */
    const int32_t fraction =
        (int32_t)((((int64_t)sum << (leading_zeros - 1)) + (1 << 13)) >> 14) - (1 << 16);
    const int32_t reciprocal = tinyml_interpolated(params->reciprocal, saturated(fraction - (1 << 15)));
    const int32_t shift = 31 - leading_zeros;

    for (int32_t i = 0; i < params->row_size; i++) {
        const int64_t scaled = (int64_t)output[i] * reciprocal + (1 << (shift - 1));
        const int32_t probability = (int32_t)(scaled >> shift);
        output[i] = (int16_t)(probability < 0 ? 0 : saturated(probability));
    }
}

void tinyml_softmax_s16(const tinyml_softmax_s16_params *params, const int16_t *input,
                        int16_t *output)
{
    for (int32_t row = 0; row < params->rows; row++) {
        softmax_row(params, input, output);
        input += params->row_size;
        output += params->row_size;
    }
}
