/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int32_t product(int32_t first, int32_t second)
{
    return (int32_t)((uint32_t)first * (uint32_t)second);
}

void tinyml_mul_s32(const tinyml_walk *walk, const int32_t *first, const int32_t *second,
                    int32_t *output)
{
    tinyml_for_each_pair_s32(walk, product, first, second, output);
}
