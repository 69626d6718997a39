/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

void tinyml_requantize_s16(const tinyml_output *to, const int16_t *input, int16_t *output,
                           int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        output[i] = (int16_t)tinyml_finished(input[i], to);
    }
}
