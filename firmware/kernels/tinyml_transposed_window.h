/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYML_TRANSPOSED_WINDOW_H
#define TINYML_TRANSPOSED_WINDOW_H

#include <stdint.h>

/* One dimension of the window: which taps add to an output, and which input the first one meets.
 * A tap meets input (output + padding - tap) / stride where that is whole; the next tap that does
 * is a stride further, one input back. */
typedef struct {
    int32_t tap;
    int32_t input;
} meeting;

static inline meeting first_meeting(int32_t output, int32_t padding, int32_t stride, int32_t size)
{
    meeting first = {(output + padding) % stride, (output + padding) / stride};

    if (first.input >= size) { /* the first taps lie beyond the input */
        first.tap += (first.input - size + 1) * stride;
        first.input = size - 1;
    }
    return first;
}

#endif
