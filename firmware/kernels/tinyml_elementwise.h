/* SPDX-License-Identifier: Apache-2.0
 *
 * What kernels share that walk several tensors element by element, some of them broadcast.
 */
#ifndef TINYML_ELEMENTWISE_H
#define TINYML_ELEMENTWISE_H

#include <stdbool.h>

#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"

/* The innermost dimension: kernels loop over it themselves. */
#define ROW 4

/* Where a row starts in each tensor; all zero for the first. */
typedef struct {
    int32_t index[ROW];
    int32_t first;
    int32_t second;
    int32_t third;
} tinyml_row;

static inline void tinyml_move_row(const tinyml_walk *walk, tinyml_row *row, int d, int32_t count)
{
    row->first += count * walk->first[d];
    row->second += count * walk->second[d];
    row->third += count * walk->third[d];
}

/* Go to the next row; false after the last, when all is zero again. */
static inline bool tinyml_next_row(const tinyml_walk *walk, tinyml_row *row)
{
    for (int d = ROW - 1; d >= 0; d--) {
        tinyml_move_row(walk, row, d, 1);
        row->index[d]++;
        if (row->index[d] < walk->sizes[d]) {
            return true;
        }
        tinyml_move_row(walk, row, d, -walk->sizes[d]);
        row->index[d] = 0;
    }
    return false;
}

/* (value + offset) * 2^left_shift on another scale. */
static inline int32_t tinyml_rescale(int32_t value, const tinyml_rescaling *to, int left_shift)
{
    return arm_nn_requantize((value + to->offset) * (1 << left_shift), to->multiplier, to->shift);
}

/* A result rescaled, moved to the zero point, clamped. */
static inline int32_t tinyml_finished(int32_t result, const tinyml_output *output)
{
    result = arm_nn_requantize(result, output->multiplier, output->shift) + output->offset;
    result = result < output->min ? output->min : result;
    return result > output->max ? output->max : result;
}

static inline int8_t tinyml_finish(int32_t result, const tinyml_output *output)
{
    return (int8_t)tinyml_finished(result, output);
}

/* output = element(params, first, second) all along the walk. */
typedef int8_t tinyml_element(const void *params, int8_t first, int8_t second);

__STATIC_FORCEINLINE void tinyml_for_each_pair(const tinyml_walk *walk, tinyml_element *element,
                                               const void *params, const int8_t *first,
                                               const int8_t *second, int8_t *output)
{
    tinyml_row row = {0};

    do {
        const int8_t *a = first + row.first;
        const int8_t *b = second + row.second;
        for (int32_t i = 0; i < walk->sizes[ROW]; i++) {
            *output++ = element(params, *a, *b);
            a += walk->first[ROW];
            b += walk->second[ROW];
        }
    } while (tinyml_next_row(walk, &row));
}

/* The same of int16. */
typedef int16_t tinyml_element_s16(const void *params, int16_t first, int16_t second);

__STATIC_FORCEINLINE void tinyml_for_each_pair_s16(const tinyml_walk *walk,
                                                   tinyml_element_s16 *element,
                                                   const void *params, const int16_t *first,
                                                   const int16_t *second, int16_t *output)
{
    tinyml_row row = {0};

    do {
        const int16_t *a = first + row.first;
        const int16_t *b = second + row.second;
        for (int32_t i = 0; i < walk->sizes[ROW]; i++) {
            *output++ = element(params, *a, *b);
            a += walk->first[ROW];
            b += walk->second[ROW];
        }
    } while (tinyml_next_row(walk, &row));
}

/* The same of integers, which have no parameters. */
typedef int32_t tinyml_element_s32(int32_t first, int32_t second);

__STATIC_FORCEINLINE void tinyml_for_each_pair_s32(const tinyml_walk *walk,
                                                   tinyml_element_s32 *element,
                                                   const int32_t *first, const int32_t *second,
                                                   int32_t *output)
{
    tinyml_row row = {0};

    do {
        const int32_t *a = first + row.first;
        const int32_t *b = second + row.second;
        for (int32_t i = 0; i < walk->sizes[ROW]; i++) {
            *output++ = element(*a, *b);
            a += walk->first[ROW];
            b += walk->second[ROW];
        }
    } while (tinyml_next_row(walk, &row));
}

/* One output of a reduction, whose first input element is `input`. */
typedef int8_t tinyml_reducer(const void *params, const int8_t *input);

__STATIC_FORCEINLINE void tinyml_for_each_kept(const tinyml_walk *kept, tinyml_reducer *reduce,
                                               const void *params, const int8_t *input,
                                               int8_t *output)
{
    tinyml_row row = {0};

    do {
        for (int32_t i = 0; i < kept->sizes[ROW]; i++) {
            *output++ = reduce(params, input + row.first + i * kept->first[ROW]);
        }
    } while (tinyml_next_row(kept, &row));
}

/* The same of int16. */
typedef int16_t tinyml_reducer_s16(const void *params, const int16_t *input);

__STATIC_FORCEINLINE void tinyml_for_each_kept_s16(const tinyml_walk *kept,
                                                   tinyml_reducer_s16 *reduce, const void *params,
                                                   const int16_t *input, int16_t *output)
{
    tinyml_row row = {0};

    do {
        for (int32_t i = 0; i < kept->sizes[ROW]; i++) {
            *output++ = reduce(params, input + row.first + i * kept->first[ROW]);
        }
    } while (tinyml_next_row(kept, &row));
}

#endif
