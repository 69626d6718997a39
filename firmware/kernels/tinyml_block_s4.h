/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of a block of up to two pixels and two channels, whose weights are stored in four bits:
 * each is widened once for the block.
 *
 * A channel's weights are words, one for eight of them, in groups of 32 and a last one of fewer. A
 * group of n words holds its first 4 n weights in the lower halves of its bytes, the other 4 n in
 * the upper ones. A weight w is stored as w + 8: sum(x w) = sum(x (w + 8)) - 8 sum(x).
 */
#ifndef TINYML_BLOCK_S4_H
#define TINYML_BLOCK_S4_H

#include <string.h>

#include "arm_nnsupportfunctions.h"

#define GROUP 32
#define GROUP_WORDS 4

/* Sums of two channels, whose weights are `words`, for one pixel or two. */
typedef struct {
    const uint32_t *words[2];
    int32_t a[2];
    int32_t b[2];
} block;

#if defined(ARM_MATH_MVEI)

typedef int8_t operand;

__STATIC_FORCEINLINE int8x16_t lanes(const void *values, int32_t count)
{
    return count == 16 ? vldrbq_s8(values) : vldrbq_z_s8(values, vctp8q((uint32_t)count));
}

/* One group: the first `low` and `high` lanes of its halves, `step` apart, are weights. */
__STATIC_FORCEINLINE void add_group(block *sums, const operand *a, const operand *b, int32_t step,
                                    int32_t low, int32_t high, int32_t pixels)
{
    const uint8x16_t mask = vdupq_n_u8(15);
    const uint8x16_t w0 = vreinterpretq_u8_s8(lanes(sums->words[0], step));
    const uint8x16_t w1 = vreinterpretq_u8_s8(lanes(sums->words[1], step));
    const int8x16_t low0 = vreinterpretq_s8_u8(vandq_u8(w0, mask));
    const int8x16_t low1 = vreinterpretq_s8_u8(vandq_u8(w1, mask));
    const int8x16_t high0 = vreinterpretq_s8_u8(vshrq_n_u8(w0, 4));
    const int8x16_t high1 = vreinterpretq_s8_u8(vshrq_n_u8(w1, 4));
    int8x16_t x = lanes(a, low);

    sums->a[0] = vmladavaq_s8(sums->a[0], x, low0);
    sums->a[1] = vmladavaq_s8(sums->a[1], x, low1);
    x = lanes(a + step, high);
    sums->a[0] = vmladavaq_s8(sums->a[0], x, high0);
    sums->a[1] = vmladavaq_s8(sums->a[1], x, high1);
    if (pixels == 2) {
        x = lanes(b, low);
        sums->b[0] = vmladavaq_s8(sums->b[0], x, low0);
        sums->b[1] = vmladavaq_s8(sums->b[1], x, low1);
        x = lanes(b + step, high);
        sums->b[0] = vmladavaq_s8(sums->b[0], x, high0);
        sums->b[1] = vmladavaq_s8(sums->b[1], x, high1);
    }
}

/* Adds all products of `size` values of the pixels `a` and, where there are two, `b`. */
__STATIC_FORCEINLINE void add_products(block *sums, const operand *a, const operand *b,
                                       int32_t size, int32_t pixels)
{
    for (; size >= GROUP; size -= GROUP) {
        add_group(sums, a, b, 16, 16, 16, pixels);
        sums->words[0] += GROUP_WORDS;
        sums->words[1] += GROUP_WORDS;
        a += GROUP;
        b += GROUP;
    }
    if (size) {
        const int32_t step = (size + 7) / 8 * 4;
        add_group(sums, a, b, step, MIN(step, size), MAX(size - step, 0), pixels);
    }
}

#else

/* Four values of a column of int16 are those at 0, 2, 1 and 3, as a word of int8 widens. */
typedef int16_t operand;

/* Adds products of two values of each pixel with the weights at bits `at` and `at` + 16. */
#if defined(ARM_MATH_DSP)
/* One instruction shifts and masks, where the compiler does not know the mask. */
static const volatile uint32_t HALVES = 0x000f000f;

__STATIC_FORCEINLINE void add_two(block *sums, uint32_t w0, uint32_t w1, int32_t at, uint32_t mask,
                                  const operand *a, const operand *b, int32_t pixels)
{
    const uint32_t u0 = w0 >> at & mask;
    const uint32_t u1 = w1 >> at & mask;
    uint32_t x;

    memcpy(&x, a, sizeof x);
    sums->a[0] = (int32_t)SMLAD(x, u0, (uint32_t)sums->a[0]);
    sums->a[1] = (int32_t)SMLAD(x, u1, (uint32_t)sums->a[1]);
    if (pixels == 2) {
        memcpy(&x, b, sizeof x);
        sums->b[0] = (int32_t)SMLAD(x, u0, (uint32_t)sums->b[0]);
        sums->b[1] = (int32_t)SMLAD(x, u1, (uint32_t)sums->b[1]);
    }
}
#else
static const uint32_t HALVES = 15;

__STATIC_FORCEINLINE void add_two(block *sums, uint32_t w0, uint32_t w1, int32_t at, uint32_t mask,
                                  const operand *a, const operand *b, int32_t pixels)
{
    for (int32_t i = 0; i < 2; i++) {
        const int32_t u0 = (int32_t)(w0 >> (at + 16 * i) & mask);
        const int32_t u1 = (int32_t)(w1 >> (at + 16 * i) & mask);

        sums->a[0] += a[i] * u0;
        sums->a[1] += a[i] * u1;
        if (pixels == 2) {
            sums->b[0] += b[i] * u0;
            sums->b[1] += b[i] * u1;
        }
    }
}
#endif

/* One group of `count` words, its halves `step` values apart. */
__STATIC_FORCEINLINE void add_group(block *sums, const operand *a, const operand *b, int32_t count,
                                    int32_t step, uint32_t mask, int32_t pixels)
{
    for (int32_t i = 0; i < count; i++) {
        const uint32_t w0 = *sums->words[0]++;
        const uint32_t w1 = *sums->words[1]++;

        add_two(sums, w0, w1, 0, mask, a, b, pixels);
        add_two(sums, w0, w1, 8, mask, a + 2, b + 2, pixels);
        add_two(sums, w0, w1, 4, mask, a + step, b + step, pixels);
        add_two(sums, w0, w1, 12, mask, a + step + 2, b + step + 2, pixels);
        a += 4;
        b += 4;
    }
}

/* Adds all products of `size` values of the pixels `a` and, where there are two, `b`. */
__STATIC_FORCEINLINE void add_products(block *sums, const operand *a, const operand *b,
                                       int32_t size, int32_t pixels)
{
    const int32_t rest = (size % GROUP + 7) / 8;
    const uint32_t mask = HALVES;

    for (; size >= GROUP; size -= GROUP) {
        add_group(sums, a, b, GROUP_WORDS, GROUP / 2, mask, pixels);
        a += GROUP;
        b += GROUP;
    }
    add_group(sums, a, b, rest, 4 * rest, mask, pixels);
}

#endif

#endif
