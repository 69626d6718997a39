/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYML_TRANSPOSE_CONV_S16_H
#define TINYML_TRANSPOSE_CONV_S16_H

#include "tinyml_sums_s16.h"
#include "tinyml_transposed_window.h"

/* Sum of products of one filter with what it meets from the first of the rows and columns on. */
static inline int64_t sum_meetings(const cmsis_nn_conv_params *params,
                                   const cmsis_nn_dims *input_dims, const int16_t *input,
                                   const cmsis_nn_dims *filter_dims, const int8_t *filter,
                                   meeting row, meeting first)
{
    const int32_t channels = input_dims->c;
    int64_t sum = 0;

    for (; row.tap < filter_dims->h && row.input >= 0; row.input--) {
        meeting column = first;
        for (; column.tap < filter_dims->w && column.input >= 0; column.input--) {
            sum += tinyml_dot_s16(input + (row.input * input_dims->w + column.input) * channels,
                                  filter + (row.tap * filter_dims->w + column.tap) * channels,
                                  channels);
            column.tap += params->stride.w;
        }
        row.tap += params->stride.h;
    }
    return sum;
}

__STATIC_FORCEINLINE void tinyml_transpose_conv_windows(
    const cmsis_nn_conv_params *params, const cmsis_nn_per_channel_quant_params *quant,
    const cmsis_nn_dims *input_dims, const int16_t *input, const cmsis_nn_dims *filter_dims,
    const int8_t *filter, tinyml_finisher *finish, const void *bias,
    const cmsis_nn_dims *output_dims, int16_t *output)
{
    const int32_t filter_size = filter_dims->h * filter_dims->w * input_dims->c;
    const int32_t pixels = output_dims->h * output_dims->w;

    for (int32_t image = 0; image < output_dims->n; image++) {
        for (int32_t pixel = 0; pixel < pixels; pixel++) {
            const meeting row = first_meeting(pixel / output_dims->w, params->padding.h,
                                              params->stride.h, input_dims->h);
            const meeting column = first_meeting(pixel % output_dims->w, params->padding.w,
                                                 params->stride.w, input_dims->w);
            for (int32_t channel = 0; channel < output_dims->c; channel++) {
                const int64_t sum = sum_meetings(params, input_dims, input, filter_dims,
                                                 filter + channel * filter_size, row, column);
                *output++ = tinyml_clamp_s16(&params->activation,
                                             finish(quant, channel, sum, bias));
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}

#endif
