/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of two values at a time. Included by tinyml_products_s4.h.
 */
#ifndef TINYML_PRODUCTS_S4_PAIRS_H
#define TINYML_PRODUCTS_S4_PAIRS_H

/* A value of a pixel as the products take it, four of them in the order 0, 2, 1, 3. */
typedef int16_t operand;

/* The last group: its words, and how many values its halves are apart. */
typedef struct {
    int32_t words;
    int32_t step;
} tail;

static inline tail tail_of(int32_t size)
{
    const int32_t words = (size + 7) / 8;

    return (tail){words, 4 * words};
}

/* Adds products of two values of each pixel with the weights at bits `at` and `at` + 16. */
#if defined(ARM_MATH_DSP)
/* One instruction shifts and masks, where the compiler does not know the mask. */
static const volatile uint32_t MASK = 0x000f000f;

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

/* Widens the four int8 of a word, and gives their sum added to `total`. */
__STATIC_FORCEINLINE int32_t widen(uint32_t word, operand *to, int32_t total)
{
    const uint32_t even = SXTB16(word), odd = SXTB16(ROR(word, 8));

    memcpy(to, &even, sizeof even);
    memcpy(to + 2, &odd, sizeof odd);
    total = (int32_t)SMLAD(even, 0x00010001, (uint32_t)total);
    return (int32_t)SMLAD(odd, 0x00010001, (uint32_t)total);
}
#else
static const uint32_t MASK = 15;

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

__STATIC_FORCEINLINE int32_t widen(uint32_t word, operand *to, int32_t total)
{
    to[0] = (int8_t)word;
    to[1] = (int8_t)(word >> 16);
    to[2] = (int8_t)(word >> 8);
    to[3] = (int8_t)(word >> 24);
    return total + to[0] + to[1] + to[2] + to[3];
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

__STATIC_FORCEINLINE void add_products(block *sums, const operand *a, const operand *b,
                                       int32_t groups, const tail *rest, int32_t pixels)
{
    const uint32_t mask = MASK;

    for (; groups > 0; groups--) {
        add_group(sums, a, b, GROUP_WORDS, GROUP / 2, mask, pixels);
        a += GROUP;
        b += GROUP;
    }
    add_group(sums, a, b, rest->words, rest->step, mask, pixels);
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
    const int32_t low = to->params->activation.min, high = to->params->activation.max;

    for (int32_t i = 0; i < count; i++) {
        int32_t value = sums[i] + offset + bias[i];

        value = arm_nn_requantize(value, *multipliers, *shifts) + zero_point;
        value = MAX(value, low);
        value = MIN(value, high);
        output[i] = (int8_t)value;
        multipliers += step;
        shifts += step;
    }
}

/* Widens a pixel's values, zeros up to a multiple of 8 behind them, and takes their sum. */
static const operand *prepare(const int8_t *pixel, int32_t size, operand *wide, int32_t *total)
{
    const int32_t whole = size / 4 * 4, padded = (size + 7) / 8 * 8;
    int32_t sum = 0;
    uint32_t word;

    for (int32_t i = 0; i < whole; i += 4) {
        memcpy(&word, pixel + i, sizeof word);
        sum = widen(word, wide + i, sum);
    }
    for (int32_t i = whole; i < padded; i += 4) {
        word = 0;
        for (int32_t j = i; j < MIN(size, i + 4); j++) {
            word |= (uint32_t)(uint8_t)pixel[j] << 8 * (j - i);
        }
        sum = widen(word, wide + i, sum);
    }
    *total = sum;
    return wide;
}

#endif
