/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_sigmoid_s16.h"

/* tanh(x) = 2 sigmoid(2x) - 1: half the steps, and a table that counts from a half. */
#define FRACTION_BITS 8
#define HIGHEST (0xffff << 8)
#define ZERO (1 << 23)
#define HALF_UNIT (1 << 7)

void tinyml_tanh_s16(const tinyml_sigmoid_params *params, const int16_t *input, int16_t *output,
                     int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        const int32_t steps = tinyml_table_steps(params, input[i]);
        const int32_t value =
            tinyml_sigmoid(steps < 0 ? -steps : steps, FRACTION_BITS, HIGHEST) - ZERO;
        output[i] = (int16_t)((steps < 0 ? HALF_UNIT - value - 1 : value + HALF_UNIT) >> 8);
    }
}
