/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"

static int16_t mean_of(const tinyml_mean_params *params, const int16_t *first)
{
    const int32_t *sizes = params->sizes;
    int32_t sum = params->sum_offset;
    int32_t mean;

    for (int32_t outer = 0; outer < sizes[1]; outer++) {
        for (int32_t inner = 0; inner < sizes[3]; inner++) {
            sum += first[(outer * sizes[2] * sizes[3] + inner) * sizes[4]];
        }
    }
    mean = arm_nn_requantize(sum, params->multiplier, params->shift) + params->output_offset;
    mean = mean > 32767 ? 32767 : mean;
    return (int16_t)(mean < -32768 ? -32768 : mean);
}

void tinyml_mean_s16(const tinyml_mean_params *params, const int16_t *input, int16_t *output)
{
    const int32_t *sizes = params->sizes;
    const int32_t kept = sizes[0] * sizes[2] * sizes[4];

    for (int32_t i = 0; i < kept; i++) {
        const int32_t inner = i % sizes[4];
        const int32_t middle = i / sizes[4] % sizes[2];
        const int32_t outer = i / sizes[4] / sizes[2];
        const int32_t block = outer * sizes[1] * sizes[2] + middle;
        *output++ = mean_of(params, input + block * sizes[3] * sizes[4] + inner);
    }
}
