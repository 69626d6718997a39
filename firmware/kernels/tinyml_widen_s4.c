/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tinyml_kernels.h"

/* Four weights plus 8, as bytes, less 8: the upper bits keep bytes from borrowing of each other. */
static uint32_t less_eight(uint32_t bytes)
{
    return ((bytes | 0x80808080) - 0x08080808) ^ 0x80808080;
}

void tinyml_widen_s4(const int32_t *words, int32_t count, int8_t *weights)
{
    for (int32_t i = 0; i < count; i++) {
        const uint32_t word = (uint32_t)words[i];
        const uint32_t first = less_eight(word & 0x0f0f0f0f);
        const uint32_t second = less_eight(word >> 4 & 0x0f0f0f0f);

        memcpy(weights + 8 * i, &first, sizeof first);
        memcpy(weights + 8 * i + 4, &second, sizeof second);
    }
}
