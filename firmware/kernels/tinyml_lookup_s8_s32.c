/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_kernels.h"

void tinyml_lookup_s8_s32(const int32_t table[256], const int8_t *input, int32_t *output,
                          int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        output[i] = table[input[i] + 128];
    }
}
