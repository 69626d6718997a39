/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"
#include "tinyml_taps.h"

/* Sum of products of one filter with the window whose first tap is at (y, x); padding counts 0. */
static int32_t sum_window(const cmsis_nn_conv_params *params, const cmsis_nn_dims *input_dims,
                          const int8_t *input, const cmsis_nn_dims *filter_dims,
                          const int8_t *filter, int32_t y, int32_t x)
{
    const taps rows = taps_inside(y, params->dilation.h, filter_dims->h, input_dims->h);
    const taps columns = taps_inside(x, params->dilation.w, filter_dims->w, input_dims->w);
    int32_t sum = 0;

    for (int32_t row = rows.first; row < rows.end; row++) {
        const int32_t line = (y + row * params->dilation.h) * input_dims->w;
        for (int32_t column = columns.first; column < columns.end; column++) {
            const int8_t *values = input + (line + x + column * params->dilation.w) * input_dims->c;
            const int8_t *weights = filter + (row * filter_dims->w + column) * input_dims->c;
            for (int32_t i = 0; i < input_dims->c; i++) {
                sum += (values[i] + params->input_offset) * weights[i];
            }
        }
    }
    return sum;
}

static int8_t finished(const cmsis_nn_conv_params *params,
                       const cmsis_nn_per_channel_quant_params *quant, int32_t channel,
                       int32_t sum)
{
    const int32_t scaled =
        arm_nn_requantize(sum, quant->multiplier[channel], quant->shift[channel]);
    const int32_t shifted = MAX(scaled + params->output_offset, params->activation.min);

    return (int8_t)MIN(shifted, params->activation.max);
}

arm_cmsis_nn_status tinyml_convolve_s8(
    const cmsis_nn_context *context, const cmsis_nn_conv_params *params,
    const cmsis_nn_per_channel_quant_params *quant, const cmsis_nn_dims *input_dims,
    const int8_t *input, const cmsis_nn_dims *filter_dims, const int8_t *filter,
    const cmsis_nn_dims *bias_dims, const int32_t *bias, const cmsis_nn_dims *output_dims,
    int8_t *output)
{
    const int32_t filter_size = filter_dims->h * filter_dims->w * input_dims->c;
    const int32_t pixels = output_dims->h * output_dims->w;

    (void)context;
    (void)bias_dims;
    for (int32_t image = 0; image < input_dims->n; image++) {
        for (int32_t pixel = 0; pixel < pixels; pixel++) {
            const int32_t y = pixel / output_dims->w * params->stride.h - params->padding.h;
            const int32_t x = pixel % output_dims->w * params->stride.w - params->padding.w;
            for (int32_t channel = 0; channel < output_dims->c; channel++) {
                const int32_t sum = sum_window(params, input_dims, input, filter_dims,
                                               filter + channel * filter_size, y, x);
                *output++ = finished(params, quant, channel, sum + (bias ? bias[channel] : 0));
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
