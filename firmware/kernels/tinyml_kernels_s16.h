/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels for int16 activations, whose zero point is always 0. Included by tinyml_kernels.h.
 */
#ifndef TINYML_KERNELS_S16_H
#define TINYML_KERNELS_S16_H

#include <stdint.h>

#include "arm_nn_types.h"

/* int8 weights. The context is not used. With a bias of 64 bits, or none, sums have as many; with
 * one of 32 bits (`bias32`) they wrap around at those. */
arm_cmsis_nn_status tinyml_convolve_s16(
    const cmsis_nn_context *context, const cmsis_nn_conv_params *params,
    const cmsis_nn_per_channel_quant_params *quant, const cmsis_nn_dims *input_dims,
    const int16_t *input, const cmsis_nn_dims *filter_dims, const int8_t *filter,
    const cmsis_nn_dims *bias_dims, const int64_t *bias, const cmsis_nn_dims *output_dims,
    int16_t *output);
arm_cmsis_nn_status tinyml_convolve_s16_bias32(
    const cmsis_nn_context *context, const cmsis_nn_conv_params *params,
    const cmsis_nn_per_channel_quant_params *quant, const cmsis_nn_dims *input_dims,
    const int16_t *input, const cmsis_nn_dims *filter_dims, const int8_t *filter,
    const cmsis_nn_dims *bias_dims, const int32_t *bias, const cmsis_nn_dims *output_dims,
    int16_t *output);

/* The same of transposed convolutions; filters are (output channels, height, width, input
 * channels). */
void tinyml_transpose_conv_s16(const cmsis_nn_conv_params *params,
                               const cmsis_nn_per_channel_quant_params *quant,
                               const cmsis_nn_dims *input_dims, const int16_t *input,
                               const cmsis_nn_dims *filter_dims, const int8_t *filter,
                               const int64_t *bias, const cmsis_nn_dims *output_dims,
                               int16_t *output);
void tinyml_transpose_conv_s16_bias32(const cmsis_nn_conv_params *params,
                                      const cmsis_nn_per_channel_quant_params *quant,
                                      const cmsis_nn_dims *input_dims, const int16_t *input,
                                      const cmsis_nn_dims *filter_dims, const int8_t *filter,
                                      const int32_t *bias, const cmsis_nn_dims *output_dims,
                                      int16_t *output);

typedef struct {
    int32_t rows;
    int32_t depth;
    int32_t features;
    int32_t multiplier; /* Q31 */
    int32_t shift;
    int32_t min;
    int32_t max;
} tinyml_fully_connected_params;

/* int8 weights (features, depth), 32-bit sums; the bias may be NULL. */
void tinyml_fully_connected_s16(const tinyml_fully_connected_params *params, const int16_t *input,
                                const int8_t *weights, const int32_t *bias, int16_t *output);

/* Outputs of these may be an input of the output's shape. */
void tinyml_add_s16(const tinyml_binary_params *params, const int16_t *first,
                    const int16_t *second, int16_t *output);
void tinyml_sub_s16(const tinyml_binary_params *params, const int16_t *first,
                    const int16_t *second, int16_t *output);
void tinyml_mul_s16(const tinyml_mul_params *params, const int16_t *first, const int16_t *second,
                    int16_t *output);

/* Sizes are in elements. */
void tinyml_pad_s16(const tinyml_pad_params *params, const int16_t *input, int16_t *output,
                    int32_t value);

/* As their namesakes of int8. */
void tinyml_maximum_s16(const tinyml_walk *walk, const int16_t *first, const int16_t *second,
                        int16_t *output);
void tinyml_minimum_s16(const tinyml_walk *walk, const int16_t *first, const int16_t *second,
                        int16_t *output);
void tinyml_select_s16(const tinyml_walk *walk, const uint8_t *condition, const int16_t *if_true,
                       const int16_t *if_false, int16_t *output);
void tinyml_reduce_max_s16(const tinyml_reduction *params, const int16_t *input, int16_t *output);
void tinyml_reduce_min_s16(const tinyml_reduction *params, const int16_t *input, int16_t *output);
void tinyml_resize_bilinear_s16(const tinyml_resize_params *params, const int16_t *input,
                                int16_t *output);

/* To another scale, clamped; the output may be the input. */
void tinyml_requantize_s16(const tinyml_output *to, const int16_t *input, int16_t *output,
                           int32_t size);

void tinyml_requantize_s16_s8(const tinyml_output *to, const int16_t *input, int8_t *output,
                              int32_t size);

/* To real numbers in steps of an int32, which has no zero point. */
void tinyml_requantize_s16_s32(const tinyml_rescaling *from, const int16_t *input, int32_t *output,
                               int32_t size);

/* output[i] = table[input[i] + 128] */
void tinyml_lookup_s8_s32(const int32_t table[256], const int8_t *input, int32_t *output,
                          int32_t size);

void tinyml_lookup_s8_s16(const int16_t table[256], const int8_t *input, int16_t *output,
                          int32_t size);

/* `table` has a point for every 128 values, and lines between; the output may be the input. */
void tinyml_lookup_s16(const int16_t table[513], const int16_t *input, int16_t *output,
                       int32_t size);

/* Integers are compared, whatever their scale. */
void tinyml_compare_s16(const tinyml_order_params *params, const int16_t *first,
                        const int16_t *second, uint8_t *output);

void tinyml_mean_s16(const tinyml_mean_params *params, const int16_t *input, int16_t *output);

/* From an input to fractions of the steps of CMSIS-NN's sigmoid_table_uint16. */
typedef struct {
    int32_t multiplier;
    int32_t shift; /* to the right */
} tinyml_sigmoid_params;

/* The output, of scale 1 / 32768, may be the input. */
void tinyml_logistic_s16(const tinyml_sigmoid_params *params, const int16_t *input,
                         int16_t *output, int32_t size);
void tinyml_tanh_s16(const tinyml_sigmoid_params *params, const int16_t *input, int16_t *output,
                     int32_t size);

typedef struct {
    tinyml_output above; /* from 0 up */
    tinyml_output below;
} tinyml_two_slopes_params;

/* The output may be the input. */
void tinyml_two_slopes_s16(const tinyml_two_slopes_params *params, const int16_t *input,
                           int16_t *output, int32_t size);

typedef struct {
    int32_t rows;
    int32_t row_size;
    int32_t multiplier; /* Q31: from differences to steps of 10 / 65535 */
    int32_t shift;
    const int16_t *exponential; /* exp of -10 to 0, 513 points */
    const int16_t *reciprocal; /* 1 / (1 + x) for 0 to 1, 513 points */
} tinyml_softmax_s16_params;

void tinyml_softmax_s16(const tinyml_softmax_s16_params *params, const int16_t *input,
                        int16_t *output);

#endif
