/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"

/* Sum over the two reduced runs; `input` points at the first element. */
static int32_t sum_runs(const int32_t sizes[5], const int8_t *input)
{
    const int32_t inner_step = sizes[4];
    const int32_t outer_step = sizes[2] * sizes[3] * sizes[4];
    int32_t sum = 0;

    for (int32_t outer = 0; outer < sizes[1]; outer++) {
        for (int32_t inner = 0; inner < sizes[3]; inner++) {
            sum += input[outer * outer_step + inner * inner_step];
        }
    }
    return sum;
}

void tinyml_mean_s8(const tinyml_mean_params *params, const int8_t *input, int8_t *output)
{
    const int32_t *sizes = params->sizes;
    const int32_t block = sizes[1] * sizes[2] * sizes[3] * sizes[4];

    for (int32_t outer = 0; outer < sizes[0]; outer++) {
        for (int32_t middle = 0; middle < sizes[2]; middle++) {
            for (int32_t inner = 0; inner < sizes[4]; inner++) {
                const int8_t *first = input + middle * sizes[3] * sizes[4] + inner;
                int32_t mean = arm_nn_requantize(sum_runs(sizes, first) + params->sum_offset,
                                                 params->multiplier, params->shift);
                mean += params->output_offset;
                mean = mean > 127 ? 127 : mean;
                *output++ = (int8_t)(mean < -128 ? -128 : mean);
            }
        }
        input += block;
    }
}
