/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of vectors of 16. Included by tinyml_products_s4.h.
 */
#ifndef TINYML_PRODUCTS_S4_MVE_H
#define TINYML_PRODUCTS_S4_MVE_H

/* A value of a pixel as the products take it. */
typedef int8_t operand;

/* The last group: its halves are `step` values apart, and have these lanes. */
typedef struct {
    int32_t step;
    mve_pred16_t words;
    mve_pred16_t low;
    mve_pred16_t high;
} tail;

static inline tail tail_of(int32_t size)
{
    const int32_t step = (size + 7) / 8 * 4;
    const int32_t low = MIN(step, size);

    return (tail){step, vctp8q((uint32_t)step), vctp8q((uint32_t)low), vctp8q((uint32_t)(size - low))};
}

/* Products with the lower or the upper halves of two channels' bytes. */
__STATIC_FORCEINLINE void add_half(block *sums, uint8x16_t u0, uint8x16_t u1, int8x16_t a,
                                   int8x16_t b, int32_t pixels)
{
    const int8x16_t w0 = vreinterpretq_s8_u8(u0), w1 = vreinterpretq_s8_u8(u1);

    sums->a[0] = vmladavaq_s8(sums->a[0], a, w0);
    sums->a[1] = vmladavaq_s8(sums->a[1], a, w1);
    if (pixels == 2) {
        sums->b[0] = vmladavaq_s8(sums->b[0], b, w0);
        sums->b[1] = vmladavaq_s8(sums->b[1], b, w1);
    }
}

__STATIC_FORCEINLINE void add_products(block *sums, const operand *a, const operand *b,
                                       int32_t groups, const tail *rest, int32_t pixels)
{
    const uint8_t *first = (const uint8_t *)sums->words[0];
    const uint8_t *second = (const uint8_t *)sums->words[1];
    const uint8x16_t mask = vdupq_n_u8(15);

    for (; groups > 0; groups--) {
        const uint8x16_t w0 = vldrbq_u8(first), w1 = vldrbq_u8(second);
        add_half(sums, vandq_u8(w0, mask), vandq_u8(w1, mask), vldrbq_s8(a), vldrbq_s8(b), pixels);
        add_half(sums, vshrq_n_u8(w0, 4), vshrq_n_u8(w1, 4), vldrbq_s8(a + 16), vldrbq_s8(b + 16),
                 pixels);
        first += 16;
        second += 16;
        a += GROUP;
        b += GROUP;
    }
    if (rest->step) {
        const uint8x16_t w0 = vldrbq_z_u8(first, rest->words);
        const uint8x16_t w1 = vldrbq_z_u8(second, rest->words);
        add_half(sums, vandq_u8(w0, mask), vandq_u8(w1, mask), vldrbq_z_s8(a, rest->low),
                 vldrbq_z_s8(b, rest->low), pixels);
        add_half(sums, vshrq_n_u8(w0, 4), vshrq_n_u8(w1, 4), vldrbq_z_s8(a + rest->step, rest->high),
                 vldrbq_z_s8(b + rest->step, rest->high), pixels);
    }
}

/* Stores `count` channels of a pixel from `channel` on, `offset` added to each sum. */
APART static void requantize(const results *to, const int32_t *sums, int32_t offset,
                             int32_t channel, int32_t count, int8_t *output)
{
    const int32_t step = to->quant_step;
    const int32_t *bias = to->bias + channel;
    const int32_t *multipliers = to->quant->multiplier + channel * step;
    const int32_t *shifts = to->quant->shift + channel * step;
    const int32_t zero_point = to->params->output_offset;
    const int32x4_t low = vdupq_n_s32(to->params->activation.min);
    const int32x4_t high = vdupq_n_s32(to->params->activation.max);
    const uint32x4_t steps = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)step);

    for (; count > 0; count -= 4) {
        int32x4_t values = vaddq_n_s32(vaddq_s32(vldrwq_s32(sums), vldrwq_s32(bias)), offset);

        values = arm_requantize_mve_32x4(values, vldrwq_gather_shifted_offset_s32(multipliers, steps),
                                         vldrwq_gather_shifted_offset_s32(shifts, steps));
        values = vminq_s32(vmaxq_s32(vaddq_n_s32(values, zero_point), low), high);
        vstrbq_p_s32(output, values, vctp32q((uint32_t)count));
        sums += 4;
        bias += 4;
        multipliers += 4 * step;
        shifts += 4 * step;
        output += 4;
    }
}

/* The products take a pixel's values as they are, and their sum. */
static const operand *prepare(const int8_t *pixel, int32_t size, operand *unused, int32_t *total)
{
    const int8_t *values = pixel;

    (void)unused;
    *total = 0;
    for (; size > 0; size -= 16) {
        *total = vaddvaq_s8(*total, vldrbq_z_s8(values, vctp8q((uint32_t)size)));
        values += 16;
    }
    return pixel;
}

#endif
