/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "tinyml_kernels.h"
#include "tinyml_products_s4.h"
#include "tinyml_taps.h"

static void copy(int8_t *to, const int8_t *from, int32_t count)
{
#if defined(ARM_MATH_MVEI)
    arm_memcpy_s8(to, from, (uint32_t)count);
#else
    int32_t i = 0;

    for (; i + 4 <= count; i += 4) {
        memcpy(to + i, from + i, 4);
    }
    for (; i < count; i++) {
        to[i] = from[i];
    }
#endif
}

/* Input values of the window whose first tap is at (y, x), padding as the zero point. */
static void gather(const cmsis_nn_conv_params *params, const cmsis_nn_dims *dims,
                   const int8_t *input, const cmsis_nn_dims *filter, int32_t y, int32_t x,
                   int8_t *values)
{
    const cmsis_nn_tile *dilation = &params->dilation;
    const taps rows = taps_inside(y, dilation->h, filter->h, dims->h);
    const taps columns = taps_inside(x, dilation->w, filter->w, dims->w);
    const int32_t count = MAX(columns.end - columns.first, 0);
    const int32_t run = dilation->w == 1 ? count : 1;

    if (count < filter->w || rows.end - rows.first < filter->h) {
        arm_memset_s8(values, (int8_t)-params->input_offset,
                      (uint32_t)(filter->h * filter->w * dims->c));
    }
    for (int32_t row = rows.first; row < rows.end; row++) {
        int8_t *to = values + (row * filter->w + columns.first) * dims->c;
        const int32_t line = (y + row * dilation->h) * dims->w;
        const int8_t *from = input + (line + x + columns.first * dilation->w) * dims->c;
        for (int32_t i = 0; i < count; i += run) {
            copy(to + i * dims->c, from + i * dilation->w * dims->c, run * dims->c);
        }
    }
}

APART static void sum_of_two(const int32_t *words, const operand *const values[2], int32_t size,
                             int32_t count, int32_t sums[2][CHUNK])
{
    sum_products((const uint32_t *)words, values[0], values[1], size, count, 2, sums);
}

/* All channels of two pixels, the first `stored` of which are kept. */
static void multiply(const results *to, const int32_t *words, const operand *const values[2],
                     const int32_t totals[2], int32_t size, int32_t stored, int8_t *output)
{
    int32_t sums[2][CHUNK];

    for (int32_t channel = 0; channel < to->channels; channel += CHUNK) {
        const int32_t count = MIN(CHUNK, to->channels - channel);
        sum_of_two(words, values, size, count, sums);
        for (int32_t i = 0; i < stored; i++) {
            requantize(to, sums[i], -8 * totals[i], channel, count,
                       output + i * to->channels + channel);
        }
        words += CHUNK * ((size + 7) / 8);
    }
}

/* What the pixel whose window starts at (y, x) is made of, and its sum. */
APART static const operand *column_at(const cmsis_nn_conv_params *params,
                                      const cmsis_nn_dims *input_dims, const int8_t *input,
                                      const cmsis_nn_dims *filter_dims, int32_t y, int32_t x,
                                      operand *column, int8_t *window, int32_t *total)
{
    const int32_t taps = filter_dims->h * filter_dims->w;

    if (taps == 1) {
        input += (y * input_dims->w + x) * input_dims->c;
        return prepare(input, input_dims->c, column, total);
    }
    gather(params, input_dims, input, filter_dims, y, x, window);
    return prepare(window, taps * input_dims->c, column, total);
}

arm_cmsis_nn_status tinyml_convolve_s4(
    const cmsis_nn_context *context, const cmsis_nn_conv_params *params,
    const cmsis_nn_per_channel_quant_params *quant, int32_t quant_step,
    const cmsis_nn_dims *input_dims, const int8_t *input, const cmsis_nn_dims *filter_dims,
    const int32_t *weights, const int32_t *bias, const cmsis_nn_dims *output_dims, int8_t *output)
{
    const int32_t size = filter_dims->h * filter_dims->w * input_dims->c;
    const int32_t padded = (size + 7) / 8 * 8;
    const int32_t pixels = output_dims->h * output_dims->w;
    const results to = {params, quant, quant_step, bias, output_dims->c};
    operand *const scratch = context->buf;
    const operand *values[2];
    int32_t totals[2] = {0, 0};

    for (int32_t image = 0; image < input_dims->n; image++) {
        for (int32_t pixel = 0; pixel < pixels; pixel++) {
            const int32_t y = pixel / output_dims->w * params->stride.h - params->padding.h;
            const int32_t x = pixel % output_dims->w * params->stride.w - params->padding.w;
            const int32_t i = pixel % 2;
            operand *const column = scratch + i * padded;
#if defined(ARM_MATH_MVEI)
            int8_t *const window = column;
#else
            int8_t *const window = (int8_t *)(scratch + 2 * padded);
#endif

            values[i] = column_at(params, input_dims, input, filter_dims, y, x, column, window,
                                  &totals[i]);
            if (i == 0) {
                values[1] = values[0]; /* to be read where there is no second */
            }
            if (i == 1 || pixel + 1 == pixels) {
                multiply(&to, weights, values, totals, size, 1 + i, output);
                output += (1 + i) * to.channels;
            }
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
