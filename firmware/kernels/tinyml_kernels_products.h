/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels for products of tensors, most of them int8. Included by tinyml_kernels.h.
 */
#ifndef TINYML_KERNELS_PRODUCTS_H
#define TINYML_KERNELS_PRODUCTS_H

#include <stdint.h>

#include "arm_nn_types.h"

/* Any filter, padding and dilation; the bias may be NULL, the context is not used. */
arm_cmsis_nn_status tinyml_convolve_s8(
    const cmsis_nn_context *context, const cmsis_nn_conv_params *params,
    const cmsis_nn_per_channel_quant_params *quant, const cmsis_nn_dims *input_dims,
    const int8_t *input, const cmsis_nn_dims *filter_dims, const int8_t *filter,
    const cmsis_nn_dims *bias_dims, const int32_t *bias, const cmsis_nn_dims *output_dims,
    int8_t *output);

/*
 * Any filter, padding and dilation, 1x1 without padding; the weights are stored as
 * tinyml_products_s4.h says, and so is the size of bias and multipliers. The bias holds minus the input's zero point times the sum of each channel's weights besides.
 * `quant_step` is 1, or 0 where all channels share the first multiplier. The context's buffer is
 * for two windows of a multiple of 8 taps: with MVE two int8 where the filter is not 1x1, else two
 * int16, and one int8 where the filter is not 1x1.
 */
arm_cmsis_nn_status tinyml_convolve_s4(
    const cmsis_nn_context *context, const cmsis_nn_conv_params *params,
    const cmsis_nn_per_channel_quant_params *quant, int32_t quant_step,
    const cmsis_nn_dims *input_dims, const int8_t *input, const cmsis_nn_dims *filter_dims,
    const int32_t *weights, const int32_t *bias, const cmsis_nn_dims *output_dims, int8_t *output);

/* The same for a filter of 1x1 and every pixel; the buffer is for one int16 window, none with MVE. */
arm_cmsis_nn_status tinyml_fully_connected_s4(
    const cmsis_nn_context *context, const cmsis_nn_conv_params *params,
    const cmsis_nn_per_channel_quant_params *quant, int32_t quant_step,
    const cmsis_nn_dims *input_dims, const int8_t *input, const cmsis_nn_dims *filter_dims,
    const int32_t *weights, const int32_t *bias, const cmsis_nn_dims *output_dims, int8_t *output);

/*
 * Eight weights of each word, stored plus 8: the first four in the lower halves of its bytes, the
 * others in the upper ones.
 */
void tinyml_widen_s4(const int32_t *words, int32_t count, int8_t *weights);

/* Filters are (output channels, height, width, input channels); the bias may be NULL. */
void tinyml_transpose_conv_s8(const cmsis_nn_conv_params *params,
                              const cmsis_nn_per_channel_quant_params *quant,
                              const cmsis_nn_dims *input_dims, const int8_t *input,
                              const cmsis_nn_dims *filter_dims, const int8_t *filter,
                              const int32_t *bias, const cmsis_nn_dims *output_dims,
                              int8_t *output);

/* Matrices of (rows, depth) and (depth, columns), either of them stored transposed. */
typedef struct {
    tinyml_walk batches; /* in matrices, not elements */
    int32_t rows;
    int32_t depth;
    int32_t columns;
    int32_t left_row_step;
    int32_t left_depth_step;
    int32_t right_depth_step;
    int32_t right_column_step;
    int32_t left_offset; /* minus the zero point */
    int32_t right_offset;
    tinyml_output output;
} tinyml_batch_matmul_params;

void tinyml_batch_matmul_s8(const tinyml_batch_matmul_params *params, const int8_t *left,
                            const int8_t *right, int8_t *output);

/* 64-bit sums; there are no offsets. */
void tinyml_batch_matmul_s16(const tinyml_batch_matmul_params *params, const int16_t *left,
                             const int16_t *right, int16_t *output);

#endif
