/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int32_t smaller(int32_t first, int32_t second)
{
    return first < second ? first : second;
}

void tinyml_minimum_s32(const tinyml_walk *walk, const int32_t *first, const int32_t *second,
                        int32_t *output)
{
    tinyml_for_each_pair_s32(walk, smaller, first, second, output);
}
