/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "arm_nnfunctions.h"
#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"

/* Sums have 12 integer bits, as in arm_softmax_s8. */
#define SUM_INTEGER_BITS 12
#define SUM_OF_512 (512 << (31 - SUM_INTEGER_BITS))

static int8_t largest(const int8_t *row, int32_t row_size)
{
    int8_t found = row[0];

    for (int32_t i = 1; i < row_size; i++) {
        found = row[i] > found ? row[i] : found;
    }
    return found;
}

/* Whether the exponentials of the differences from the maximum add up to 512 or more. */
static bool reaches_512(const int8_t *row, int32_t row_size, int32_t multiplier, int32_t shift,
                        int32_t diff_min)
{
    const int8_t maximum = largest(row, row_size);
    int32_t sum = 0;

    for (int32_t i = 0; i < row_size && sum < SUM_OF_512; i++) {
        const int32_t diff = row[i] - maximum;
        if (diff >= diff_min) {
            const int32_t scaled = MUL_SAT((int32_t)((uint32_t)diff << shift), multiplier);
            sum += DIV_POW2(EXP_ON_NEG(scaled), SUM_INTEGER_BITS);
        }
    }
    return sum >= SUM_OF_512;
}

/* arm_softmax_s8 shifts right by 23 bits and as many as the sum's integer part has. From 512 on
 * that is 32 or more, which C leaves undefined. No probability exceeds 1/512 then, and all of
 * them round to zero, which is -128. */
void tinyml_softmax_wide_s8(const int8_t *input, int32_t rows, int32_t row_size,
                            int32_t multiplier, int32_t shift, int32_t diff_min, int8_t *output)
{
    for (int32_t row = 0; row < rows; row++) {
        if (reaches_512(input, row_size, multiplier, shift, diff_min)) {
            memset(output, -128, (size_t)row_size);
        } else {
            arm_softmax_s8(input, 1, row_size, multiplier, shift, diff_min, output);
        }
        input += row_size;
        output += row_size;
    }
}
