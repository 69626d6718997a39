/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int8_t product(const void *params, int8_t first, int8_t second)
{
    const tinyml_mul_params *p = params;

    return tinyml_finish((first + p->first_offset) * (second + p->second_offset), &p->output);
}

void tinyml_mul_s8(const tinyml_mul_params *params, const int8_t *first, const int8_t *second,
                   int8_t *output)
{
    tinyml_for_each_pair(&params->walk, product, params, first, second, output);
}
