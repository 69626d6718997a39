/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_kernels.h"

static int32_t load(const void *input, int32_t bytes, int32_t is_signed, int32_t i)
{
    switch (bytes) {
    case 1:
        return is_signed ? ((const int8_t *)input)[i] : ((const uint8_t *)input)[i];
    case 2:
        return ((const int16_t *)input)[i];
    default:
        return ((const int32_t *)input)[i];
    }
}

static void store(void *output, int32_t bytes, int32_t i, int32_t value)
{
    switch (bytes) {
    case 1:
        ((uint8_t *)output)[i] = (uint8_t)value;
        break;
    case 2:
        ((uint16_t *)output)[i] = (uint16_t)value;
        break;
    default:
        ((int32_t *)output)[i] = value;
        break;
    }
}

void tinyml_cast(const tinyml_cast_params *params, const void *input, void *output)
{
    for (int32_t i = 0; i < params->size; i++) {
        const int32_t value = load(input, params->input_bytes, params->is_signed, i);
        store(output, params->output_bytes, i, params->to_bool ? value != 0 : value);
    }
}
