/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int16_t largest(const void *params, const int16_t *input)
{
    const tinyml_walk *reduced = &((const tinyml_reduction *)params)->reduced;
    tinyml_row row = {0};
    int16_t found = input[0];

    do {
        for (int32_t i = 0; i < reduced->sizes[ROW]; i++) {
            const int16_t value = input[row.first + i * reduced->first[ROW]];
            found = value > found ? value : found;
        }
    } while (tinyml_next_row(reduced, &row));
    return found;
}

void tinyml_reduce_max_s16(const tinyml_reduction *params, const int16_t *input, int16_t *output)
{
    tinyml_for_each_kept_s16(&params->kept, largest, params, input, output);
}
