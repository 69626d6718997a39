/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

void tinyml_compare_s16(const tinyml_order_params *params, const int16_t *first,
                        const int16_t *second, uint8_t *output)
{
    const tinyml_walk *walk = &params->walk;
    tinyml_row row = {0};

    do {
        for (int32_t i = 0; i < walk->sizes[ROW]; i++) {
            const int16_t a = first[row.first + i * walk->first[ROW]];
            const int16_t b = second[row.second + i * walk->second[ROW]];
            const int32_t unequal = a < b ? params->if_less : params->if_greater;
            *output++ = (uint8_t)(a == b ? params->if_equal : unequal);
        }
    } while (tinyml_next_row(walk, &row));
}
