/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int64_t dot(const tinyml_batch_matmul_params *params, const int16_t *left,
                   const int16_t *right)
{
    int64_t sum = 0;

    for (int32_t i = 0; i < params->depth; i++) {
        sum += *left * *right;
        left += params->left_depth_step;
        right += params->right_depth_step;
    }
    return sum;
}

static int16_t finish(int64_t sum, const tinyml_output *output)
{
    int32_t value = arm_nn_requantize_s64(sum, REDUCE_MULTIPLIER(output->multiplier),
                                          output->shift);

    value = value < output->min ? output->min : value;
    return (int16_t)(value > output->max ? output->max : value);
}

static int16_t *multiply(const tinyml_batch_matmul_params *params, const int16_t *left,
                         const int16_t *right, int16_t *output)
{
    for (int32_t row = 0; row < params->rows; row++) {
        for (int32_t column = 0; column < params->columns; column++) {
            const int64_t sum = dot(params, left, right + column * params->right_column_step);
            *output++ = finish(sum, &params->output);
        }
        left += params->left_row_step;
    }
    return output;
}

void tinyml_batch_matmul_s16(const tinyml_batch_matmul_params *params, const int16_t *left,
                             const int16_t *right, int16_t *output)
{
    const tinyml_walk *walk = &params->batches;
    tinyml_row row = {0};

    do {
        for (int32_t i = 0; i < walk->sizes[ROW]; i++) {
            const int32_t left_matrix = row.first + i * walk->first[ROW];
            const int32_t right_matrix = row.second + i * walk->second[ROW];
            output = multiply(params, left + left_matrix * params->rows * params->depth,
                              right + right_matrix * params->depth * params->columns, output);
        }
    } while (tinyml_next_row(walk, &row));
}
