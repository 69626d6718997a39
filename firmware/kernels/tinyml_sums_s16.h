/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYML_SUMS_S16_H
#define TINYML_SUMS_S16_H

#include "arm_nnsupportfunctions.h"

/* Products of int16 and int8 that an int32 holds the sum of, whatever they are. */
#define SAFE_RUN 511

/* Sum of products in 64 bits. */
static inline int64_t tinyml_dot_s16(const int16_t *input, const int8_t *weights, int32_t size)
{
    int64_t sum = 0;

    while (size > 0) {
        const int32_t run = size < SAFE_RUN ? size : SAFE_RUN;
        int32_t part = 0;
        for (int32_t i = 0; i < run; i++) {
            part += input[i] * weights[i];
        }
        sum += part;
        input += run;
        weights += run;
        size -= run;
    }
    return sum;
}

/* A channel's sum with its bias, rescaled. */
typedef int32_t tinyml_finisher(const cmsis_nn_per_channel_quant_params *quant, int32_t channel,
                                int64_t sum, const void *bias);

/* A bias of 64 bits, or NULL: the sum stays as wide, and is rounded once. */
static inline int32_t tinyml_finish_64(const cmsis_nn_per_channel_quant_params *quant,
                                       int32_t channel, int64_t sum, const void *bias)
{
    const int32_t multiplier = REDUCE_MULTIPLIER(quant->multiplier[channel]);

    sum += bias ? ((const int64_t *)bias)[channel] : 0;
    return arm_nn_requantize_s64(sum, multiplier, quant->shift[channel]);
}

/* A bias of 32 bits, or NULL: the sum wraps around where it leaves them, as the reference's does. */
static inline int32_t tinyml_finish_32(const cmsis_nn_per_channel_quant_params *quant,
                                       int32_t channel, int64_t sum, const void *bias)
{
    const int32_t *own = bias;
    const uint32_t wrapped = (uint32_t)sum + (own ? (uint32_t)own[channel] : 0);

    return arm_nn_requantize((int32_t)wrapped, quant->multiplier[channel], quant->shift[channel]);
}

static inline int16_t tinyml_clamp_s16(const cmsis_nn_activation *to, int32_t value)
{
    value = value < to->min ? to->min : value;
    return (int16_t)(value > to->max ? to->max : value);
}

#endif
