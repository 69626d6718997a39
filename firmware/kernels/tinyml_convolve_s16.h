/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYML_CONVOLVE_S16_H
#define TINYML_CONVOLVE_S16_H

#include "tinyml_sums_s16.h"
#include "tinyml_taps.h"

/* One row of taps; without dilation they lie side by side. */
static inline int64_t sum_row(const int16_t *input, const int8_t *weights, int32_t count,
                              int32_t dilation, int32_t channels)
{
    int64_t sum = 0;

    if (dilation == 1) {
        return tinyml_dot_s16(input, weights, count * channels);
    }
    for (int32_t tap = 0; tap < count; tap++) {
        sum += tinyml_dot_s16(input + tap * dilation * channels, weights + tap * channels,
                              channels);
    }
    return sum;
}

/* Sum of products of one filter with the window whose first tap is at (y, x). */
static inline int64_t sum_window(const cmsis_nn_conv_params *params,
                                 const cmsis_nn_dims *input_dims, const int16_t *input,
                                 const cmsis_nn_dims *filter_dims, const int8_t *filter,
                                 int32_t y, int32_t x)
{
    const int32_t channels = input_dims->c;
    const taps rows = taps_inside(y, params->dilation.h, filter_dims->h, input_dims->h);
    const taps columns = taps_inside(x, params->dilation.w, filter_dims->w, input_dims->w);
    const int32_t left = x + columns.first * params->dilation.w;
    int64_t sum = 0;

    for (int32_t row = rows.first; row < rows.end; row++) {
        const int32_t line = y + row * params->dilation.h;
        sum += sum_row(input + (line * input_dims->w + left) * channels,
                       filter + (row * filter_dims->w + columns.first) * channels,
                       columns.end - columns.first, params->dilation.w, channels);
    }
    return sum;
}

__STATIC_FORCEINLINE void tinyml_convolve_windows(
    const cmsis_nn_conv_params *params, const cmsis_nn_per_channel_quant_params *quant,
    const cmsis_nn_dims *input_dims, const int16_t *input, const cmsis_nn_dims *filter_dims,
    const int8_t *filter, tinyml_finisher *finish, const void *bias,
    const cmsis_nn_dims *output_dims, int16_t *output)
{
    const int32_t filter_size = filter_dims->h * filter_dims->w * input_dims->c;
    const int32_t pixels = output_dims->h * output_dims->w;

    for (int32_t image = 0; image < input_dims->n; image++) {
        for (int32_t pixel = 0; pixel < pixels; pixel++) {
            const int32_t y = pixel / output_dims->w * params->stride.h - params->padding.h;
            const int32_t x = pixel % output_dims->w * params->stride.w - params->padding.w;
            for (int32_t channel = 0; channel < output_dims->c; channel++) {
                const int64_t sum = sum_window(params, input_dims, input, filter_dims,
                                               filter + channel * filter_size, y, x);
                *output++ = tinyml_clamp_s16(&params->activation,
                                             finish(quant, channel, sum, bias));
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}

#endif
