/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_transpose_conv_s16.h"
#include "tinyml_kernels.h"

void tinyml_transpose_conv_s16(const cmsis_nn_conv_params *params,
        const cmsis_nn_per_channel_quant_params *quant,
        const cmsis_nn_dims *input_dims, const int16_t *input,
        const cmsis_nn_dims *filter_dims, const int8_t *filter, const int64_t *bias,
        const cmsis_nn_dims *output_dims, int16_t *output)
{
    tinyml_transpose_conv_windows(params, quant, input_dims, input, filter_dims, filter,
                                  tinyml_finish_64, bias, output_dims, output);
}
