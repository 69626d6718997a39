/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int8_t relation(const void *params, int8_t first, int8_t second)
{
    const tinyml_compare_params *p = params;
    const int32_t a = tinyml_rescale(first, &p->first, p->left_shift);
    const int32_t b = tinyml_rescale(second, &p->second, p->left_shift);

    if (a == b) {
        return p->if_equal;
    }
    return a < b ? p->if_less : p->if_greater;
}

void tinyml_compare_s8(const tinyml_compare_params *params, const int8_t *first,
                       const int8_t *second, uint8_t *output)
{
    tinyml_for_each_pair(&params->walk, relation, params, first, second, (int8_t *)output);
}
