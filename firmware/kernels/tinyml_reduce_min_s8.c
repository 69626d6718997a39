/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>

typedef int8_t tinyml_value;

static inline bool tinyml_beats(tinyml_value value, tinyml_value found)
{
    return value < found;
}

#include "tinyml_extremum.h"

void tinyml_reduce_min_s8(const tinyml_reduction *params, const int8_t *input, int8_t *output)
{
    tinyml_for_each_kept(&params->kept, tinyml_extremum, params, input, output);
}
