/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_convolve_s16.h"
#include "tinyml_kernels.h"

arm_cmsis_nn_status tinyml_convolve_s16(
    const cmsis_nn_context *context, const cmsis_nn_conv_params *params,
    const cmsis_nn_per_channel_quant_params *quant, const cmsis_nn_dims *input_dims,
    const int16_t *input, const cmsis_nn_dims *filter_dims, const int8_t *filter,
    const cmsis_nn_dims *bias_dims, const int64_t *bias, const cmsis_nn_dims *output_dims,
    int16_t *output)
{
    (void)context;
    (void)bias_dims;
    tinyml_convolve_windows(params, quant, input_dims, input, filter_dims, filter,
                            tinyml_finish_64, bias, output_dims, output);
    return ARM_CMSIS_NN_SUCCESS;
}
