/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_sigmoid_s16.h"

#define FRACTION_BITS 9
#define HIGHEST (0x7fff << 10)
#define ONE (1 << 25)
#define HALF_UNIT (1 << 9)

void tinyml_logistic_s16(const tinyml_sigmoid_params *params, const int16_t *input,
                         int16_t *output, int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        const int32_t steps = tinyml_table_steps(params, input[i]);
        const int32_t value = tinyml_sigmoid(steps < 0 ? -steps : steps, FRACTION_BITS, HIGHEST);
        output[i] = (int16_t)((steps < 0 ? ONE - value - 1 + HALF_UNIT : value + HALF_UNIT) >> 10);
    }
}
