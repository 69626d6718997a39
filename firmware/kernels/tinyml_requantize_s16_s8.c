/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

void tinyml_requantize_s16_s8(const tinyml_output *to, const int16_t *input, int8_t *output,
                              int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        output[i] = tinyml_finish(input[i], to);
    }
}
