/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int8_t squared_difference(const void *params, int8_t first, int8_t second)
{
    const tinyml_binary_params *p = params;
    const int32_t a = tinyml_rescale(first, &p->first, p->left_shift);
    const int32_t b = tinyml_rescale(second, &p->second, p->left_shift);

    return tinyml_finish((a - b) * (a - b), &p->output);
}

void tinyml_squared_difference_s8(const tinyml_binary_params *params, const int8_t *first,
                                  const int8_t *second, int8_t *output)
{
    tinyml_for_each_pair(&params->walk, squared_difference, params, first, second, output);
}
