/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_lookup_s16.h"
#include "tinyml_kernels.h"

void tinyml_lookup_s16(const int16_t table[513], const int16_t *input, int16_t *output,
                       int32_t size)
{
    for (int32_t i = 0; i < size; i++) {
        output[i] = tinyml_interpolated(table, input[i]);
    }
}
