/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYML_SIGMOID_S16_H
#define TINYML_SIGMOID_S16_H

#include "arm_nn_tables.h"
#include "tinyml_kernels.h"

/* The point of CMSIS-NN's table from which on the sigmoid counts as 1. */
#define LAST_POINT 255

/* The input in fractions of the table's steps. */
static inline int32_t tinyml_table_steps(const tinyml_sigmoid_params *params, int16_t input)
{
    const int32_t half = params->shift > 0 ? 1 << (params->shift - 1) : 0;

    return (input * params->multiplier + half) >> params->shift;
}

/* Between two points of the table, with `fraction_bits` more than its 16; `highest` after it. */
static inline int32_t tinyml_sigmoid(int32_t steps, int fraction_bits, int32_t highest)
{
    const int32_t point = steps >> fraction_bits;
    const int32_t fraction = steps & ((1 << fraction_bits) - 1);

    if (point >= LAST_POINT) {
        return highest;
    }
    const int32_t below = sigmoid_table_uint16[point];
    const int32_t above = sigmoid_table_uint16[point + 1];
    return (below << fraction_bits) + fraction * (above - below);
}

#endif
