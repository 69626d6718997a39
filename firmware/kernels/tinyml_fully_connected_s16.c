/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"

/* Sums wrap around where they leave 32 bits, as the reference's do. */
static int32_t dot(const int16_t *input, const int8_t *weights, int32_t size, uint32_t sum)
{
    for (int32_t i = 0; i < size; i++) {
        sum += (uint32_t)(input[i] * weights[i]);
    }
    return (int32_t)sum;
}

void tinyml_fully_connected_s16(const tinyml_fully_connected_params *params, const int16_t *input,
                                const int8_t *weights, const int32_t *bias, int16_t *output)
{
    for (int32_t row = 0; row < params->rows; row++) {
        for (int32_t feature = 0; feature < params->features; feature++) {
            int32_t sum = dot(input, weights + feature * params->depth, params->depth,
                              bias ? (uint32_t)bias[feature] : 0);
            sum = arm_nn_requantize(sum, params->multiplier, params->shift);
            sum = sum < params->min ? params->min : sum;
            *output++ = (int16_t)(sum > params->max ? params->max : sum);
        }
        input += params->depth;
    }
}
