/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_kernels.h"

/* Index of the first largest (sign 1) or smallest (sign -1) of `size` values, `step` apart. */
static int32_t first_extremum(const int8_t *input, int32_t size, int32_t step, int32_t sign)
{
    int32_t found = 0;

    for (int32_t i = 1; i < size; i++) {
        if (sign * input[i * step] > sign * input[found * step]) {
            found = i;
        }
    }
    return found;
}

void tinyml_arg_extremum_s8(const int8_t *input, int32_t outer, int32_t size, int32_t inner,
                            int32_t sign, void *output, int32_t index_bytes)
{
    for (int32_t i = 0; i < outer * inner; i++) {
        const int8_t *first = input + i / inner * size * inner + i % inner;
        const int32_t index = first_extremum(first, size, inner, sign);
        if (index_bytes == 8) {
            ((int64_t *)output)[i] = index;
        } else {
            ((int32_t *)output)[i] = index;
        }
    }
}
