/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_elementwise.h"

static int8_t sum(const void *params, const int8_t *input)
{
    const tinyml_sum_params *p = params;
    const tinyml_walk *reduced = &p->reduction.reduced;
    tinyml_row row = {0};
    int32_t total = 0;

    do {
        for (int32_t i = 0; i < reduced->sizes[ROW]; i++) {
            total += input[row.first + i * reduced->first[ROW]];
        }
    } while (tinyml_next_row(reduced, &row));

    /* Kept from the compiler, which could add in the same step and round once instead of twice. */
    volatile float product = (float)total * p->scale;
    const float shifted = product + p->bias;
    const float bounded = shifted < -512.0f ? -512.0f : shifted > 512.0f ? 512.0f : shifted;
    const int32_t whole = (int32_t)bounded;
    const float rest = bounded - (float)whole;
    const int32_t rounded = whole + (rest >= 0.5f) - (rest <= -0.5f) + p->output_offset;

    return (int8_t)(rounded < -128 ? -128 : rounded > 127 ? 127 : rounded);
}

void tinyml_sum_s8(const tinyml_sum_params *params, const int8_t *input, int8_t *output)
{
    tinyml_for_each_kept(&params->reduction.kept, sum, params, input, output);
}
