/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int8_t both(const void *params, int8_t first, int8_t second)
{
    (void)params;
    return (int8_t)(first & second);
}

void tinyml_logical_and(const tinyml_walk *walk, const uint8_t *first, const uint8_t *second,
                        uint8_t *output)
{
    tinyml_for_each_pair(walk, both, NULL, (const int8_t *)first, (const int8_t *)second,
                         (int8_t *)output);
}
