/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "tinyml_kernels.h"

static bool is_inside(const tinyml_pad_params *params, int dimension, int32_t index)
{
    int32_t from_start = index - params->before[dimension];
    return from_start >= 0 && from_start < params->input[dimension];
}

void tinyml_pad(const tinyml_pad_params *params, const void *source, void *target, int32_t byte)
{
    const int32_t row = params->output[3];
    const uint8_t *input = source;
    uint8_t *output = target;

    for (int32_t n = 0; n < params->output[0]; n++) {
        for (int32_t y = 0; y < params->output[1]; y++) {
            for (int32_t x = 0; x < params->output[2]; x++) {
                memset(output, (int)byte, (size_t)row);
                if (is_inside(params, 0, n) && is_inside(params, 1, y) && is_inside(params, 2, x)) {
                    memcpy(output + params->before[3], input, (size_t)params->input[3]);
                    input += params->input[3];
                }
                output += row;
            }
        }
    }
}
