/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels for operators CMSIS-NN has none for, or none that gives the reference's bits.
 * Tensors are int8, dimensions int32, outputs do not overlap inputs unless a kernel says so.
 */
#ifndef TINYML_KERNELS_H
#define TINYML_KERNELS_H

#include <stdint.h>

/* output[i] = table[input[i] + 128]; output may be input. */
void tinyml_lookup_s8(const int8_t table[256], const int8_t *input, int8_t *output, int32_t size);

/* Sizes from the outermost dimension to the innermost. */
typedef struct {
    int32_t input[4];
    int32_t before[4]; /* padding in front of each dimension */
    int32_t output[4];
} tinyml_pad_params;

void tinyml_pad_s8(const tinyml_pad_params *params, const int8_t *input, int8_t *output,
                   int8_t value);

typedef struct {
    int32_t sizes[5]; /* kept, reduced, kept, reduced, kept */
    int32_t sum_offset;
    int32_t multiplier; /* Q31, divided by the count already */
    int32_t shift;
    int32_t output_offset;
} tinyml_mean_params;

void tinyml_mean_s8(const tinyml_mean_params *params, const int8_t *input, int8_t *output);

/* arm_softmax_s8 for rows of 512 elements or more. */
void tinyml_softmax_wide_s8(const int8_t *input, int32_t rows, int32_t row_size,
                            int32_t multiplier, int32_t shift, int32_t diff_min, int8_t *output);

#endif
