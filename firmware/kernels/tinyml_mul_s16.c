/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int16_t product(const void *params, int16_t first, int16_t second)
{
    const tinyml_mul_params *p = params;

    return (int16_t)tinyml_finished(first * second, &p->output);
}

void tinyml_mul_s16(const tinyml_mul_params *params, const int16_t *first, const int16_t *second,
                    int16_t *output)
{
    tinyml_for_each_pair_s16(&params->walk, product, params, first, second, output);
}
