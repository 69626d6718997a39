/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int16_t smaller(const void *params, int16_t first, int16_t second)
{
    (void)params;
    return first < second ? first : second;
}

void tinyml_minimum_s16(const tinyml_walk *walk, const int16_t *first, const int16_t *second,
                        int16_t *output)
{
    tinyml_for_each_pair_s16(walk, smaller, NULL, first, second, output);
}
