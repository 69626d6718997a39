/* SPDX-License-Identifier: Apache-2.0
 *
 * What REDUCE_MAX and REDUCE_MIN share, of either width. Whoever includes this has said before what
 * an element is, `tinyml_value`, and which of two is the one to keep, `tinyml_beats`.
 */
#ifndef TINYML_EXTREMUM_H
#define TINYML_EXTREMUM_H

#include "tinyml_elementwise.h"

/* The element along the reduced dimensions that no other beats. */
static tinyml_value tinyml_extremum(const void *params, const tinyml_value *input)
{
    const tinyml_walk *reduced = &((const tinyml_reduction *)params)->reduced;
    tinyml_row row = {0};
    tinyml_value found = input[0];

    do {
        for (int32_t i = 0; i < reduced->sizes[ROW]; i++) {
            const tinyml_value value = input[row.first + i * reduced->first[ROW]];
            found = tinyml_beats(value, found) ? value : found;
        }
    } while (tinyml_next_row(reduced, &row));
    return found;
}

#endif
