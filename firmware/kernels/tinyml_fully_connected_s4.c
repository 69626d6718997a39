/* SPDX-License-Identifier: Apache-2.0 */
#include "tinyml_kernels.h"
#include "tinyml_products_s4.h"

APART static void sum_of_one(const int32_t *words, const operand *values, int32_t size,
                             int32_t count, int32_t sums[2][CHUNK])
{
    sum_products((const uint32_t *)words, values, values, size, count, 1, sums);
}

static void multiply(const results *to, const int32_t *words, const operand *values, int32_t total,
                     int32_t size, int8_t *output)
{
    int32_t sums[2][CHUNK];

    for (int32_t channel = 0; channel < to->channels; channel += CHUNK) {
        const int32_t count = MIN(CHUNK, to->channels - channel);
        sum_of_one(words, values, size, count, sums);
        requantize(to, sums[0], -8 * total, channel, count, output + channel);
        words += CHUNK * ((size + 7) / 8);
    }
}

arm_cmsis_nn_status tinyml_fully_connected_s4(
    const cmsis_nn_context *context, const cmsis_nn_conv_params *params,
    const cmsis_nn_per_channel_quant_params *quant, int32_t quant_step,
    const cmsis_nn_dims *input_dims, const int8_t *input, const cmsis_nn_dims *filter_dims,
    const int32_t *weights, const int32_t *bias, const cmsis_nn_dims *output_dims, int8_t *output)
{
    const int32_t size = input_dims->c;
    const results to = {params, quant, quant_step, bias, output_dims->c};

    (void)filter_dims;
    for (int32_t row = 0; row < input_dims->n * input_dims->h * input_dims->w; row++) {
        int32_t total;
        const operand *values = prepare(input, size, context->buf, &total);
        multiply(&to, weights, values, total, size, output);
        input += size;
        output += to.channels;
    }
    return ARM_CMSIS_NN_SUCCESS;
}
