/* SPDX-License-Identifier: Apache-2.0 */
#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"

void tinyml_requantize_s16_s32(const tinyml_rescaling *from, const int16_t *input, int32_t *output,
                               int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        output[i] = arm_nn_requantize(input[i] + from->offset, from->multiplier, from->shift);
    }
}
