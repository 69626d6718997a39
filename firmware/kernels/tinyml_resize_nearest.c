/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tinyml_kernels.h"

void tinyml_resize_nearest(const tinyml_resize_params *params, const int8_t *input,
                           int8_t *output)
{
    const int32_t pixel = params->channels;
    const int32_t row = params->input_width * pixel;

    for (int32_t batch = 0; batch < params->batches; batch++) {
        for (int32_t y = 0; y < params->output_height; y++) {
            const int8_t *from = input + params->rows[y] * row;
            for (int32_t x = 0; x < params->output_width; x++) {
                memcpy(output, from + params->columns[x] * pixel, (size_t)pixel);
                output += pixel;
            }
        }
        input += params->input_height * row;
    }
}
