/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int8_t prelu(const void *params, int8_t input, int8_t alpha)
{
    const tinyml_prelu_params *p = params;
    const int32_t value = input + p->input_offset;

    if (value >= 0) {
        return tinyml_finish(value, &p->above);
    }
    return tinyml_finish(value * (alpha + p->alpha_offset), &p->below);
}

void tinyml_prelu_s8(const tinyml_prelu_params *params, const int8_t *input, const int8_t *alpha,
                     int8_t *output)
{
    tinyml_for_each_pair(&params->walk, prelu, params, input, alpha, output);
}
