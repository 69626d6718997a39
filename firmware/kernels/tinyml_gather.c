/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "arm_nn_types.h"
#include "tinyml_kernels.h"

int tinyml_gather(const tinyml_gather_params *params, const void *input, const int32_t *indices,
                  void *output)
{
    const int8_t *from = input;
    int8_t *to = output;

    for (int32_t batch = 0; batch < params->batches; batch++) {
        for (int32_t outer = 0; outer < params->outer; outer++) {
            for (int32_t i = 0; i < params->count; i++) {
                if (indices[i] < 0 || indices[i] >= params->size) {
                    return ARM_CMSIS_NN_ARG_ERROR;
                }
                memcpy(to, from + indices[i] * params->slice, (size_t)params->slice);
                to += params->slice;
            }
            from += params->size * params->slice;
        }
        indices += params->count;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
