/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "tinyml_kernels.h"

static bool is_inside(const tinyml_pad_params *params, int dimension, int32_t index)
{
    int32_t from_start = index - params->before[dimension];
    return from_start >= 0 && from_start < params->input[dimension];
}

void tinyml_pad_s16(const tinyml_pad_params *params, const int16_t *input, int16_t *output,
                    int32_t value)
{
    const int32_t row = params->output[3];

    for (int32_t n = 0; n < params->output[0]; n++) {
        for (int32_t y = 0; y < params->output[1]; y++) {
            for (int32_t x = 0; x < params->output[2]; x++) {
                for (int32_t i = 0; i < row; i++) {
                    output[i] = (int16_t)value;
                }
                if (is_inside(params, 0, n) && is_inside(params, 1, y) && is_inside(params, 2, x)) {
                    memcpy(output + params->before[3], input, 2 * (size_t)params->input[3]);
                    input += params->input[3];
                }
                output += row;
            }
        }
    }
}
