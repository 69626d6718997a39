/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYML_TAPS_H
#define TINYML_TAPS_H

#include <stdint.h>

/* First and last (excluded) tap that lies inside an input of `size`, the first tap at `start`. */
typedef struct {
    int32_t first;
    int32_t end;
} taps;

static inline taps taps_inside(int32_t start, int32_t dilation, int32_t count, int32_t size)
{
    const int32_t end = (size - start + dilation - 1) / dilation;
    taps inside = {start < 0 ? (dilation - 1 - start) / dilation : 0, end < count ? end : count};

    return inside;
}

#endif
