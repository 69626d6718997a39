/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int16_t sum(const void *params, int16_t first, int16_t second)
{
    const tinyml_binary_params *p = params;
    const int32_t a = tinyml_rescale(first, &p->first, p->left_shift);
    const int32_t b = tinyml_rescale(second, &p->second, p->left_shift);

    return (int16_t)tinyml_finished(a + b, &p->output);
}

void tinyml_add_s16(const tinyml_binary_params *params, const int16_t *first,
                    const int16_t *second, int16_t *output)
{
    tinyml_for_each_pair_s16(&params->walk, sum, params, first, second, output);
}
