/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

void tinyml_two_slopes_s16(const tinyml_two_slopes_params *params, const int16_t *input,
                           int16_t *output, int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        const tinyml_output *slope = input[i] >= 0 ? &params->above : &params->below;
        output[i] = (int16_t)tinyml_finished(input[i], slope);
    }
}
