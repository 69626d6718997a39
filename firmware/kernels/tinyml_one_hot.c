/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tinyml_kernels.h"

void tinyml_one_hot(const tinyml_one_hot_params *params, const int32_t *indices, const void *on,
                    const void *off, void *output)
{
    const size_t bytes = (size_t)params->bytes;
    uint8_t *to = output;

    for (int32_t outer = 0; outer < params->outer; outer++) {
        for (int32_t place = 0; place < params->depth; place++) {
            for (int32_t inner = 0; inner < params->inner; inner++) {
                memcpy(to, indices[inner] == place ? on : off, bytes);
                to += bytes;
            }
        }
        indices += params->inner;
    }
}
