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

/* Elements of any size from places at regular steps to others. Offsets and steps are in bytes, a
 * step of the input may be 0 or negative. Dimensions go from the outermost to the innermost; at
 * each index of theirs `run` bytes lie together. Input and output may be parts of one tensor. */
#define TINYML_COPY_RANK 6

typedef struct {
    int32_t input_offset;
    int32_t output_offset;
    int32_t run;
    int32_t sizes[TINYML_COPY_RANK];
    int32_t input_steps[TINYML_COPY_RANK];
    int32_t output_steps[TINYML_COPY_RANK];
} tinyml_copy_params;

void tinyml_copy(const tinyml_copy_params *params, const void *input, void *output);

/* The same byte everywhere; `size` in bytes. */
void tinyml_fill(void *output, int32_t byte, int32_t size);

/* Sizes from the outermost dimension to the innermost, which is in bytes. */
typedef struct {
    int32_t input[4];
    int32_t before[4]; /* padding in front of each dimension */
    int32_t output[4];
} tinyml_pad_params;

/* Elements of any size whose padding is the same in every byte. */
void tinyml_pad(const tinyml_pad_params *params, const void *source, void *target, int32_t byte);

/* A walk over all elements of an output, with numpy's broadcasting: sizes from the outermost
 * dimension to the innermost, and how far each input moves per step along each of them. */
typedef struct {
    int32_t sizes[5];
    int32_t first[5];
    int32_t second[5];
    int32_t third[5];
} tinyml_walk;

/* (value + offset) * multiplier * 2^(shift - 31) */
typedef struct {
    int32_t offset; /* minus the zero point */
    int32_t multiplier; /* Q31 */
    int32_t shift;
} tinyml_rescaling;

/* value * multiplier * 2^(shift - 31) + offset, clamped */
typedef struct {
    int32_t multiplier; /* Q31 */
    int32_t shift;
    int32_t offset; /* the zero point */
    int32_t min;
    int32_t max;
} tinyml_output;

typedef struct {
    tinyml_walk walk;
    tinyml_rescaling first;
    tinyml_rescaling second;
    int32_t left_shift; /* of both inputs before they are rescaled */
    tinyml_output output;
} tinyml_binary_params;

/* Outputs of these may be an input of the output's shape. */
void tinyml_add_s8(const tinyml_binary_params *params, const int8_t *first, const int8_t *second,
                   int8_t *output);
void tinyml_sub_s8(const tinyml_binary_params *params, const int8_t *first, const int8_t *second,
                   int8_t *output);
void tinyml_squared_difference_s8(const tinyml_binary_params *params, const int8_t *first,
                                  const int8_t *second, int8_t *output);

typedef struct {
    tinyml_walk walk;
    int32_t first_offset; /* minus the zero point */
    int32_t second_offset;
    tinyml_output output;
} tinyml_mul_params;

void tinyml_mul_s8(const tinyml_mul_params *params, const int8_t *first, const int8_t *second,
                   int8_t *output);

/* Outputs of these, too, may be an input of the output's shape and width. */
void tinyml_maximum_s8(const tinyml_walk *walk, const int8_t *first, const int8_t *second,
                       int8_t *output);
void tinyml_minimum_s8(const tinyml_walk *walk, const int8_t *first, const int8_t *second,
                       int8_t *output);
void tinyml_logical_and(const tinyml_walk *walk, const uint8_t *first, const uint8_t *second,
                        uint8_t *output);
void tinyml_logical_or(const tinyml_walk *walk, const uint8_t *first, const uint8_t *second,
                       uint8_t *output);
void tinyml_logical_not(const uint8_t *input, uint8_t *output, int32_t size);
void tinyml_select_s8(const tinyml_walk *walk, const uint8_t *condition, const int8_t *if_true,
                      const int8_t *if_false, int8_t *output);

typedef struct {
    tinyml_walk walk;
    tinyml_rescaling first;
    tinyml_rescaling second;
    int32_t left_shift; /* of both inputs before they are rescaled */
    int8_t if_less; /* whether the relation holds for first < second */
    int8_t if_equal;
    int8_t if_greater;
} tinyml_compare_params;

void tinyml_compare_s8(const tinyml_compare_params *params, const int8_t *first,
                       const int8_t *second, uint8_t *output);

typedef struct {
    tinyml_walk walk;
    int32_t input_offset; /* minus the zero point */
    int32_t alpha_offset;
    tinyml_output above; /* of inputs from the zero point up */
    tinyml_output below; /* of inputs below it times alpha */
} tinyml_prelu_params;

void tinyml_prelu_s8(const tinyml_prelu_params *params, const int8_t *input, const int8_t *alpha,
                     int8_t *output);

/* Walks over an input alone: from output to output, and over what makes one of them. */
typedef struct {
    tinyml_walk kept;
    tinyml_walk reduced;
} tinyml_reduction;

void tinyml_reduce_max_s8(const tinyml_reduction *params, const int8_t *input, int8_t *output);
void tinyml_reduce_min_s8(const tinyml_reduction *params, const int8_t *input, int8_t *output);

typedef struct {
    tinyml_reduction reduction;
    float scale; /* input scale / output scale */
    float bias; /* what the zero points of all elements come to */
    int32_t output_offset;
} tinyml_sum_params;

void tinyml_sum_s8(const tinyml_sum_params *params, const int8_t *input, int8_t *output);

typedef struct {
    int32_t size;
    int32_t channels;
    float scale; /* of the output */
    int32_t output_offset;
} tinyml_standardize_params;

/* (input - offset) * factor, of each channel, the last dimension; then quantized. */
void tinyml_standardize_s8(const tinyml_standardize_params *params, const float *input,
                           const float *offsets, const float *factors, int8_t *output);

/* Index of the first largest (sign 1) or smallest (sign -1) value along the middle of three
 * dimensions; indices of 4 or 8 bytes. */
void tinyml_arg_extremum_s8(const int8_t *input, int32_t outer, int32_t size, int32_t inner,
                            int32_t sign, void *output, int32_t index_bytes);

/* Each row divided by its length, in 1/128; output may be input. */
void tinyml_l2_normalization_s8(const int8_t *input, int32_t rows, int32_t row_size,
                                int32_t input_offset, int8_t *output);

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

/* `rows` and `columns` say where each row and column of the output comes from. */
typedef struct {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t output_height;
    int32_t output_width;
    int32_t channels;
    const uint16_t *rows;
    const uint16_t *columns;
} tinyml_resize_params;

/* The row and the column itself. */
void tinyml_resize_nearest(const tinyml_resize_params *params, const int8_t *input,
                           int8_t *output);

/* Pairs: the lower of two neighbours, and the distance from it in 1/1024. */
void tinyml_resize_bilinear_s8(const tinyml_resize_params *params, const int8_t *input,
                               int8_t *output);

/* Slices of a tensor [batches][outer][size][slice], picked by indices [batches][count]. */
typedef struct {
    int32_t batches;
    int32_t outer;
    int32_t size;
    int32_t slice; /* bytes */
    int32_t count;
} tinyml_gather_params;

/* ARM_CMSIS_NN_ARG_ERROR where an index lies outside. */
int tinyml_gather(const tinyml_gather_params *params, const void *input, const int32_t *indices,
                  void *output);

typedef struct {
    int32_t outer; /* indices before the new dimension */
    int32_t depth;
    int32_t inner; /* indices after it */
    int32_t bytes; /* of one element */
} tinyml_one_hot_params;

/* `on` at each index, `off` elsewhere, and everywhere for an index outside of the depth. */
void tinyml_one_hot(const tinyml_one_hot_params *params, const int32_t *indices, const void *on,
                    const void *off, void *output);

typedef struct {
    int32_t input_bytes; /* of one element: 1, 2 or 4 */
    int32_t is_signed;   /* the input, where it has 1 */
    int32_t output_bytes;
    int32_t to_bool; /* 1 for everything but 0 */
    int32_t size;
} tinyml_cast_params;

/* Integers of one size to another; what does not fit is cut off. */
void tinyml_cast(const tinyml_cast_params *params, const void *input, void *output);

/* Integers are compared as they are. */
typedef struct {
    tinyml_walk walk;
    int32_t if_less;
    int32_t if_equal;
    int32_t if_greater;
} tinyml_order_params;

#include "tinyml_kernels_products.h"
#include "tinyml_kernels_s16.h"
#include "tinyml_kernels_s32.h"
#include "tinyml_kernels_sequences.h"

#endif
