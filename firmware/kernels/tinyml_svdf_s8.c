/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"

static int32_t clamped(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

static int16_t newest_feature(const tinyml_svdf_params *params, const int8_t *input,
                              const int8_t *weights)
{
    int32_t sum = 0;

    for (int32_t i = 0; i < params->input_size; i++) {
        sum += weights[i] * (input[i] + params->input_offset);
    }
    sum = arm_nn_requantize(sum, params->feature_multiplier, params->feature_shift);
    return (int16_t)clamped(sum, INT16_MIN, INT16_MAX);
}

/* Sums wrap around where they leave 32 bits, as the reference's do. */
static uint32_t over_time(const int16_t *weights, const int16_t *features, int32_t memory)
{
    uint32_t sum = 0;

    for (int32_t step = 0; step < memory; step++) {
        sum += (uint32_t)(weights[step] * features[step]);
    }
    return sum;
}

/* Makes room for the next step. */
static void forget_oldest(int16_t *features, int32_t memory)
{
    memmove(features, features + 1, (size_t)(memory - 1) * sizeof *features);
    features[memory - 1] = 0;
}

void tinyml_svdf_s8(const tinyml_svdf_params *params, const int8_t *input,
                    const int8_t *feature_weights, const int16_t *time_weights,
                    const int32_t *bias, int16_t *state, int8_t *output)
{
    for (int32_t batch = 0; batch < params->batches; batch++) {
        const int8_t *of_features = feature_weights;
        const int16_t *of_time = time_weights;
        for (int32_t unit = 0; unit < params->units; unit++) {
            uint32_t sum = bias ? (uint32_t)bias[unit] : 0;
            for (int32_t filter = 0; filter < params->rank; filter++) {
                state[params->memory - 1] = newest_feature(params, input, of_features);
                sum += over_time(of_time, state, params->memory);
                forget_oldest(state, params->memory);
                of_features += params->input_size;
                of_time += params->memory;
                state += params->memory;
            }
            const int32_t scaled = arm_nn_requantize((int32_t)sum, params->output_multiplier,
                                                     params->output_shift);
            *output++ = (int8_t)clamped(scaled + params->output_offset, INT8_MIN, INT8_MAX);
        }
        input += params->input_size;
    }
}
