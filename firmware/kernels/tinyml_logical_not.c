/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_kernels.h"

void tinyml_logical_not(const uint8_t *input, uint8_t *output, int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        output[i] = !input[i];
    }
}
