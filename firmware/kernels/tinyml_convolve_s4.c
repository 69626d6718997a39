/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "tinyml_block_s4.h"
#include "tinyml_kernels.h"
#include "tinyml_taps.h"

typedef struct {
    const cmsis_nn_conv_params *params;
    const cmsis_nn_dims *input_dims;
    const cmsis_nn_dims *filter_dims;
    int32_t size; /* of a window, in taps */
    int32_t words;
} windows;

/* The values one pixel is made of, and their sum. */
typedef struct {
    const operand *values;
    int32_t total;
} column;

typedef struct {
    const cmsis_nn_conv_params *params;
    const cmsis_nn_per_channel_quant_params *quant;
    int32_t quant_step; /* 0 where all channels share the first multiplier */
    int32_t channels;
} results;

/* Input values of the window whose first tap is at (y, x), padding as the zero point. */
static void gather(const windows *of, const int8_t *input, int32_t y, int32_t x, int8_t *values)
{
    const cmsis_nn_dims *dims = of->input_dims;
    const cmsis_nn_tile *dilation = &of->params->dilation;
    const taps rows = taps_inside(y, dilation->h, of->filter_dims->h, dims->h);
    const taps columns = taps_inside(x, dilation->w, of->filter_dims->w, dims->w);
    const int32_t count = MAX(columns.end - columns.first, 0);

    memset(values, -of->params->input_offset, (size_t)of->size);
    for (int32_t row = rows.first; row < rows.end; row++) {
        int8_t *to = values + (row * of->filter_dims->w + columns.first) * dims->c;
        const int32_t line = (y + row * dilation->h) * dims->w;
        const int8_t *from = input + (line + x + columns.first * dilation->w) * dims->c;
        if (dilation->w == 1) {
            memcpy(to, from, (size_t)(count * dims->c));
            continue;
        }
        for (int32_t i = 0; i < count; i++) {
            memcpy(to + i * dims->c, from + i * dilation->w * dims->c, (size_t)dims->c);
        }
    }
}

#if defined(ARM_MATH_MVEI)

static column column_of(const windows *of, const int8_t *values, operand *unused)
{
    column made = {values, 0};

    (void)unused;
    for (int32_t i = 0; i < of->size; i += 16) {
        made.total = vaddvaq_s8(made.total, lanes(values + i, MIN(of->size - i, 16)));
    }
    return made;
}

#else

/* Widens the four int8 of a word, and gives their sum added to `total`. */
static int32_t widen(uint32_t word, operand *to, int32_t total)
{
#if defined(ARM_MATH_DSP)
    const uint32_t pairs[2] = {SXTB16(word), SXTB16(ROR(word, 8))};

    memcpy(to, pairs, sizeof pairs);
    total = (int32_t)SMLAD(pairs[0], 0x00010001, (uint32_t)total);
    return (int32_t)SMLAD(pairs[1], 0x00010001, (uint32_t)total);
#else
    to[0] = (int8_t)word;
    to[1] = (int8_t)(word >> 16);
    to[2] = (int8_t)(word >> 8);
    to[3] = (int8_t)(word >> 24);
    return total + to[0] + to[1] + to[2] + to[3];
#endif
}

static column column_of(const windows *of, const int8_t *values, operand *wide)
{
    column made = {wide, 0};

    for (int32_t i = 0; i < of->words * 8; i += 4) {
        uint32_t word = 0;
        if (i + 4 <= of->size) {
            memcpy(&word, values + i, sizeof word);
        } else if (i < of->size) {
            memcpy(&word, values + i, (size_t)(of->size - i));
        }
        made.total = widen(word, wide + i, made.total);
    }
    return made;
}

#endif

/* Stores the sums of a block, `row` bytes apart for its pixels; one channel where not `both`. */
#if defined(ARM_MATH_MVEI)
__STATIC_FORCEINLINE void store(const results *to, const block *sums, int32_t channel, bool both,
                                bool two_pixels, int8_t *output)
{
    const uint32_t step = both ? (uint32_t)to->quant_step : 0;
    const uint32_t row = (uint32_t)to->channels;
    const int32_t quant[4] = {sums->a[0], sums->a[1], sums->b[0], sums->b[1]};
    const uint32x4_t each = {0, step, 0, step};
    const uint32x4_t places = {0, 1, row, row + 1};
    const mve_pred16_t stored = (both ? 0xffff : 0x0f0f) & (two_pixels ? 0xffff : 0x00ff);
    const int32_t first = channel * to->quant_step;
    int32x4_t values = arm_requantize_mve_32x4(
        vldrwq_s32(quant), vldrwq_gather_shifted_offset_s32(to->quant->multiplier + first, each),
        vldrwq_gather_shifted_offset_s32(to->quant->shift + first, each));

    values = vaddq_n_s32(values, to->params->output_offset);
    values = vmaxq_s32(values, vdupq_n_s32(to->params->activation.min));
    values = vminq_s32(values, vdupq_n_s32(to->params->activation.max));
    vstrbq_scatter_offset_p_s32(output + channel, places, values, stored);
}
#else
__STATIC_FORCEINLINE int8_t finished(const results *to, int32_t sum, int32_t channel)
{
    const int32_t place = channel * to->quant_step;
    const int32_t scaled =
        arm_nn_requantize(sum, to->quant->multiplier[place], to->quant->shift[place]);
    const int32_t shifted = MAX(scaled + to->params->output_offset, to->params->activation.min);

    return (int8_t)MIN(shifted, to->params->activation.max);
}

__STATIC_FORCEINLINE void store(const results *to, const block *sums, int32_t channel, bool both,
                                bool two_pixels, int8_t *output)
{
    for (int32_t i = channel; i < channel + 1 + both; i++) {
        output[i] = finished(to, sums->a[i - channel], i);
        if (two_pixels) {
            output[to->channels + i] = finished(to, sums->b[i - channel], i);
        }
    }
}
#endif

/* All channels of `pixels`, one or two. */
__STATIC_FORCEINLINE void multiply(const results *to, const windows *of, const uint32_t *weights,
                                   const int32_t *bias, const column *columns, int32_t pixels,
                                   int8_t *output)
{
    const operand *const a = columns[0].values, *const b = columns[pixels - 1].values;
    const int32_t a_offset = -8 * columns[0].total, b_offset = -8 * columns[pixels - 1].total;

    for (int32_t channel = 0; channel < to->channels; channel += 2) {
        const bool both = channel + 1 < to->channels;
        const int32_t b0 = bias ? bias[channel] : 0;
        const int32_t b1 = bias && both ? bias[channel + 1] : 0;
        const uint32_t *second = both ? weights + of->words : weights;
        block sums = {{weights, second}, {b0 + a_offset, b1 + a_offset}, {b0 + b_offset, b1 + b_offset}};

        add_products(&sums, a, b, of->size, pixels);
        store(to, &sums, channel, both, pixels == 2, output);
        weights = second + of->words;
    }
}

static column column_at(const windows *of, const int8_t *input, int32_t y, int32_t x,
                        operand *wide, int8_t *narrow)
{
    if (of->filter_dims->h * of->filter_dims->w == 1) {
        return column_of(of, input + (y * of->input_dims->w + x) * of->input_dims->c, wide);
    }
    gather(of, input, y, x, narrow);
    return column_of(of, narrow, wide);
}

arm_cmsis_nn_status tinyml_convolve_s4(
    const cmsis_nn_context *context, const cmsis_nn_conv_params *params,
    const cmsis_nn_per_channel_quant_params *quant, int32_t quant_step,
    const cmsis_nn_dims *input_dims, const int8_t *input, const cmsis_nn_dims *filter_dims,
    const int32_t *weights, const int32_t *bias, const cmsis_nn_dims *output_dims, int8_t *output)
{
    const int32_t size = filter_dims->h * filter_dims->w * input_dims->c;
    const windows of = {params, input_dims, filter_dims, size, (size + 7) / 8};
    const results to = {params, quant, quant_step, output_dims->c};
    const int32_t pixels = output_dims->h * output_dims->w;
    operand *const wide = context->buf;
    const int32_t padded = of.words * 8;
#if defined(ARM_MATH_MVEI)
    int8_t *const narrow[2] = {wide, wide + padded};
#else
    int8_t *const narrow[2] = {(int8_t *)(wide + 2 * padded), (int8_t *)(wide + 2 * padded)};
#endif

    for (int32_t image = 0; image < input_dims->n; image++) {
        for (int32_t pixel = 0; pixel < pixels; pixel += 2) {
            column columns[2];
            for (int32_t i = 0; i < MIN(2, pixels - pixel); i++) {
                const int32_t y = (pixel + i) / output_dims->w * params->stride.h;
                const int32_t x = (pixel + i) % output_dims->w * params->stride.w;
                columns[i] = column_at(&of, input, y - params->padding.h, x - params->padding.w,
                                       wide + i * padded, narrow[i]);
            }
            if (pixel + 1 < pixels) {
                multiply(&to, &of, (const uint32_t *)weights, bias, columns, 2, output);
                output += to.channels;
            } else {
                multiply(&to, &of, (const uint32_t *)weights, bias, columns, 1, output);
            }
            output += to.channels;
        }
        input += input_dims->h * input_dims->w * input_dims->c;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
