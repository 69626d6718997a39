/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels that keep something from one inference to the next. Included by tinyml_kernels.h.
 */
#ifndef TINYML_KERNELS_SEQUENCES_H
#define TINYML_KERNELS_SEQUENCES_H

#include <stdint.h>

typedef struct {
    int32_t batches;
    int32_t input_size;
    int32_t units;
    int32_t rank; /* filters that make one unit */
    int32_t memory; /* steps a filter remembers */
    int32_t input_offset; /* minus the zero point */
    int32_t feature_multiplier; /* Q31 */
    int32_t feature_shift;
    int32_t output_multiplier; /* Q31 */
    int32_t output_shift;
    int32_t output_offset; /* the zero point */
} tinyml_svdf_params;

/* Weights are (filters, input_size) and (filters, memory), the state is (batches, filters, memory),
 * oldest step first, and its newest place is free between calls. The bias may be NULL. */
void tinyml_svdf_s8(const tinyml_svdf_params *params, const int8_t *input,
                    const int8_t *feature_weights, const int16_t *time_weights,
                    const int32_t *bias, int16_t *state, int8_t *output);

/* Weights are (cells, input_size) and (cells, cells); biases hold what the zero points come to. */
typedef struct {
    const int8_t *input_weights;
    const int32_t *input_bias;
    int32_t input_multiplier; /* Q31 */
    int32_t input_shift;
    const int8_t *hidden_weights;
    const int32_t *hidden_bias;
    int32_t hidden_multiplier; /* Q31 */
    int32_t hidden_shift;
} tinyml_lstm_gate;

typedef struct {
    int32_t batches;
    int32_t steps;
    int32_t batch_stride; /* in steps: from one batch to the next */
    int32_t step_stride;
    int32_t input_size;
    int32_t cells;
    int32_t cell_integer_bits; /* of the cell state's 16 */
    int32_t cell_clip; /* 0 where there is none */
    int32_t output_multiplier; /* Q31 */
    int32_t output_shift;
    int32_t output_offset;
    tinyml_lstm_gate input;
    tinyml_lstm_gate forget;
    tinyml_lstm_gate update;
    tinyml_lstm_gate output;
} tinyml_lstm_params;

/* Input and output are (batches, steps, values) or (steps, batches, values), states (batches,
 * cells). */
void tinyml_lstm_s8(const tinyml_lstm_params *params, const int8_t *input, int8_t *hidden_state,
                    int16_t *cell_state, int8_t *output);

#endif
