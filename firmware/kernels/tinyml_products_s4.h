/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of int8 with weights stored in four bits, a block of one or two pixels and two channels
 * at a time: each weight is widened once for the block, in a register.
 *
 * The weights are those of an even number of channels, bias and multipliers of a multiple of 4. A
 * channel's weights are words, one for eight of them,
 * in groups of 32 and a last one of fewer. A group of n words holds its first 4 n weights in the
 * lower halves of its bytes, the other 4 n in the upper ones. A weight w is stored as w + 8:
 * sum(x w) = sum(x (w + 8)) - 8 sum(x).
 */
#ifndef TINYML_PRODUCTS_S4_H
#define TINYML_PRODUCTS_S4_H

#include <string.h>

#include "arm_nnsupportfunctions.h"

#define GROUP 32
#define GROUP_WORDS 4
/* Channels whose sums wait on the stack to be requantized together. */
#define CHUNK 32

/* A function by itself has all registers for its loop. */
#define APART __attribute__((noinline))

/* What sums become, those of pixels `channels` apart. */
typedef struct {
    const cmsis_nn_conv_params *params;
    const cmsis_nn_per_channel_quant_params *quant;
    int32_t quant_step; /* 0 where all channels share the first multiplier */
    const int32_t *bias;
    int32_t channels;
} results;

/* Sums of two channels, whose weights are `words`, for the pixels `a` and `b`. */
typedef struct {
    const uint32_t *words[2];
    int32_t a[2];
    int32_t b[2];
} block;

#if defined(ARM_MATH_MVEI)
#include "tinyml_products_s4_mve.h"
#else
#include "tinyml_products_s4_pairs.h"
#endif

/* Sums of `count` channels for the `pixels` a and b, one or two, of `size` values each. */
__STATIC_FORCEINLINE void sum_products(const uint32_t *words, const operand *a, const operand *b,
                                       int32_t size, int32_t count, int32_t pixels,
                                       int32_t sums[2][CHUNK])
{
    const int32_t step = (size + 7) / 8;
    const tail rest = tail_of(size % GROUP);

    for (int32_t i = 0; i < count; i += 2) {
        block both = {{words, words + step}, {0, 0}, {0, 0}};

        add_products(&both, a, b, size / GROUP, &rest, pixels);
        sums[0][i] = both.a[0];
        sums[0][i + 1] = both.a[1];
        if (pixels == 2) {
            sums[1][i] = both.b[0];
            sums[1][i + 1] = both.b[1];
        }
        words += 2 * step;
    }
}

#endif
