/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_kernels.h"

#define ONE 1024 /* of a coordinate's fraction */

/* Divides by ONE * ONE; halves go away from zero. */
static int16_t rounded(int64_t sum)
{
    const int32_t half = ONE * ONE / 2;
    return (int16_t)((sum + (sum > 0 ? half : -half)) / (ONE * ONE));
}

/* One pixel between those at `top` and `bottom` and their right neighbours, which lie `right`
 * elements further. */
static void blend(const int16_t *top, const int16_t *bottom, int32_t right, int32_t channels,
                  int32_t down, int32_t across, int16_t *output)
{
    for (int32_t c = 0; c < channels; c++) {
        const int32_t above = top[c] * (ONE - across) + top[c + right] * across;
        const int32_t below = bottom[c] * (ONE - across) + bottom[c + right] * across;
        output[c] = rounded((int64_t)above * (ONE - down) + (int64_t)below * down);
    }
}

void tinyml_resize_bilinear_s16(const tinyml_resize_params *params, const int16_t *input,
                                int16_t *output)
{
    const int32_t pixel = params->channels;
    const int32_t row = params->input_width * pixel;

    for (int32_t batch = 0; batch < params->batches; batch++) {
        for (int32_t y = 0; y < params->output_height; y++) {
            const int32_t down = params->rows[2 * y + 1];
            const int16_t *top = input + params->rows[2 * y] * row;
            const int16_t *bottom = down ? top + row : top;
            for (int32_t x = 0; x < params->output_width; x++) {
                const int32_t across = params->columns[2 * x + 1];
                const int32_t left = params->columns[2 * x] * pixel;
                blend(top + left, bottom + left, across ? pixel : 0, pixel, down, across, output);
                output += pixel;
            }
        }
        input += params->input_height * row;
    }
}
