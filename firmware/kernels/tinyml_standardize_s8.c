/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_kernels.h"

void tinyml_standardize_s8(const tinyml_standardize_params *params, const float *input,
                           const float *offsets, const float *factors, int8_t *output)
{
    int32_t channel = 0;

    for (int32_t i = 0; i < params->size; i++) {
        const float product = (input[i] - offsets[channel]) * factors[channel];
        const float steps = product / params->scale;
        /* Not a number compares to nothing, and becomes the least. */
        const float raised = steps > -512.0f ? steps : -512.0f;
        const float bounded = raised < 512.0f ? raised : 512.0f;
        const int32_t whole = (int32_t)bounded;
        const float rest = bounded - (float)whole;
        const int32_t rounded =
            whole + (rest >= 0.5f) - (rest <= -0.5f) + params->output_offset;

        output[i] = (int8_t)(rounded < -128 ? -128 : rounded > 127 ? 127 : rounded);
        channel = channel + 1 < params->channels ? channel + 1 : 0;
    }
}
