/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tinyml_kernels.h"

#define INNERMOST (TINYML_COPY_RANK - 1)

static void copy_row(const tinyml_copy_params *params, const uint8_t *input, uint8_t *output)
{
    const int32_t input_step = params->input_steps[INNERMOST];
    const int32_t output_step = params->output_steps[INNERMOST];
    const int32_t size = params->sizes[INNERMOST];

    if (params->run == 1) { /* a call for one byte would cost more than the byte */
        for (int32_t i = 0; i < size; i++) {
            output[i * output_step] = input[i * input_step];
        }
        return;
    }
    for (int32_t i = 0; i < size; i++) {
        memcpy(output + i * output_step, input + i * input_step, (size_t)params->run);
    }
}

void tinyml_copy(const tinyml_copy_params *params, const void *input, void *output)
{
    int32_t index[INNERMOST] = {0};
    int32_t from = params->input_offset;
    int32_t to = params->output_offset;
    int dimension;

    do {
        copy_row(params, (const uint8_t *)input + from, (uint8_t *)output + to);
        for (dimension = INNERMOST - 1; dimension >= 0; dimension--) {
            from += params->input_steps[dimension];
            to += params->output_steps[dimension];
            if (++index[dimension] < params->sizes[dimension]) {
                break;
            }
            from -= params->sizes[dimension] * params->input_steps[dimension];
            to -= params->sizes[dimension] * params->output_steps[dimension];
            index[dimension] = 0;
        }
    } while (dimension >= 0);
}
