/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

void tinyml_select_s32(const tinyml_walk *walk, const uint8_t *condition, const int32_t *if_true,
                       const int32_t *if_false, int32_t *output)
{
    tinyml_row row = {0};

    do {
        for (int32_t i = 0; i < walk->sizes[ROW]; i++) {
            const bool holds = condition[row.first + i * walk->first[ROW]];
            *output++ = holds ? if_true[row.second + i * walk->second[ROW]]
                              : if_false[row.third + i * walk->third[ROW]];
        }
    } while (tinyml_next_row(walk, &row));
}
