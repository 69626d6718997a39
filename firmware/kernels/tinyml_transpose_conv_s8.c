/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"
#include "tinyml_transposed_window.h"

static int32_t dot(const int8_t *input, const int8_t *weights, int32_t input_offset, int32_t size)
{
    int32_t sum = 0;

    for (int32_t i = 0; i < size; i++) {
        sum += (input[i] + input_offset) * weights[i];
    }
    return sum;
}

static int32_t sum_window(const cmsis_nn_conv_params *params, const cmsis_nn_dims *input_dims,
                          const int8_t *input, const cmsis_nn_dims *filter_dims,
                          const int8_t *filter, meeting row, meeting first)
{
    const int32_t channels = input_dims->c;
    int32_t sum = 0;

    for (; row.tap < filter_dims->h && row.input >= 0; row.input--) {
        meeting column = first;
        for (; column.tap < filter_dims->w && column.input >= 0; column.input--) {
            sum += dot(input + (row.input * input_dims->w + column.input) * channels,
                       filter + (row.tap * filter_dims->w + column.tap) * channels,
                       params->input_offset, channels);
            column.tap += params->stride.w;
        }
        row.tap += params->stride.h;
    }
    return sum;
}

static int8_t finish(const cmsis_nn_conv_params *params,
                     const cmsis_nn_per_channel_quant_params *quant, int32_t channel, int32_t sum)
{
    int32_t value = arm_nn_requantize(sum, quant->multiplier[channel], quant->shift[channel]);

    value += params->output_offset;
    value = value < params->activation.min ? params->activation.min : value;
    return (int8_t)(value > params->activation.max ? params->activation.max : value);
}

void tinyml_transpose_conv_s8(const cmsis_nn_conv_params *params,
                              const cmsis_nn_per_channel_quant_params *quant,
                              const cmsis_nn_dims *input_dims, const int8_t *input,
                              const cmsis_nn_dims *filter_dims, const int8_t *filter,
                              const int32_t *bias, const cmsis_nn_dims *output_dims,
                              int8_t *output)
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
                const int32_t sum = sum_window(params, input_dims, input, filter_dims,
                                               filter + channel * filter_size, row, column);
                *output++ = finish(params, quant, channel, sum + (bias ? bias[channel] : 0));
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
}
