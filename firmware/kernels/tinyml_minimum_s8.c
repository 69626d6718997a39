/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int8_t smaller(const void *params, int8_t first, int8_t second)
{
    (void)params;
    return first < second ? first : second;
}

void tinyml_minimum_s8(const tinyml_walk *walk, const int8_t *first, const int8_t *second,
                       int8_t *output)
{
    tinyml_for_each_pair(walk, smaller, NULL, first, second, output);
}
