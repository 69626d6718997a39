/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYML_LOOKUP_S16_H
#define TINYML_LOOKUP_S16_H

#include <stdint.h>

/* A table has a point for every 128 values from -32768 on; between them lie straight lines. */
static inline int16_t tinyml_interpolated(const int16_t table[513], int32_t value)
{
    const int32_t index = 256 + (value >> 7);
    const int32_t slope = table[index + 1] - table[index];

    return (int16_t)(table[index] + ((slope * (value & 127) + 64) >> 7));
}

#endif
