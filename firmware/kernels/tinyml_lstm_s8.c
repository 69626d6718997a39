/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>

#include "arm_nnsupportfunctions.h"
#include "tinyml_kernels.h"

/* ------------------------------------------------------------ 16-bit fixed point, as gemmlowp's.
 * Q(n) has n integer bits and 15 - n fraction bits. */

#define ONE_Q0 INT16_MAX
#define ONE_Q2 (1 << 13)

static int16_t saturated(int32_t value)
{
    return (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

/* Q(a) x Q(b) is Q(a + b); halves go up. */
static int16_t product(int16_t a, int16_t b)
{
    return saturated((a * b + (1 << 14)) >> 15);
}

/* Halves go away from zero. */
static int32_t divided(int32_t value, int32_t exponent)
{
    const int32_t mask = (int32_t)((1U << exponent) - 1);
    const int32_t threshold = (mask >> 1) + (value < 0);
    return (value >> exponent) + ((value & mask) > threshold);
}

static int16_t shifted_left(int16_t value, int32_t bits)
{
    return saturated(value * (1 << bits));
}

/* exp(a) for a in [-1/4, 0), Q0: the Taylor series around -1/8. */
static int16_t exp_of_quarter(int16_t a)
{
    const int16_t exp_of_minus_eighth = 28918;
    const int16_t third = 10923;
    const int16_t x = (int16_t)(a + (1 << 12));
    const int16_t x2 = product(x, x);
    const int16_t x3 = product(x2, x);
    const int16_t x4 = product(x2, x2);
    const int16_t x4_over_4 = (int16_t)divided(x4, 2);
    const int16_t rest = (int16_t)divided(product((int16_t)(x4_over_4 + x3), third) + x2, 1);
    return saturated(exp_of_minus_eighth + product(exp_of_minus_eighth, (int16_t)(x + rest)));
}

/* exp(a) for a <= 0 of that many integer bits, Q0: quarters of a, then its bits one by one. */
static int16_t exp_of_negative(int16_t a, int32_t integer_bits)
{
    /* exp(-2^n), n from -2 on */
    static const int16_t powers[] = {25520, 19875, 12055, 4435, 600, 11, 0};
    const int32_t fraction_bits = 15 - integer_bits;
    const int32_t quarter = 1 << (fraction_bits - 2);
    const int32_t rest = (a & (quarter - 1)) - quarter;
    const int32_t whole = rest - a;
    int16_t result = exp_of_quarter(shifted_left((int16_t)rest, integer_bits));

    if (a == 0) {
        return ONE_Q0;
    }
    if (integer_bits > 5 && a < -(32 << fraction_bits)) {
        return 0;
    }
    for (int32_t n = -2; n <= 4 && n < integer_bits; n++) {
        if (whole & (1 << (fraction_bits + n))) {
            result = product(result, powers[n + 2]);
        }
    }
    return result;
}

/* 2 / (1 + a) for a in [0, 1], Q0 to Q2: three steps of Newton's. */
static int16_t two_over_one_plus(int16_t a)
{
    const int16_t forty_eight_17ths = 23130;
    const int16_t minus_thirty_two_17ths = -15420;
    const int16_t half = (int16_t)((a + ONE_Q0 + 1) / 2);
    int16_t x = (int16_t)(forty_eight_17ths + product(half, minus_thirty_two_17ths));

    for (int32_t step = 0; step < 3; step++) {
        const int16_t error = (int16_t)(ONE_Q2 - product(half, x));
        x = (int16_t)(x + shifted_left(product(x, error), 2));
    }
    return x;
}

/* Q3 to Q0 */
static int16_t logistic(int16_t a)
{
    if (a == 0) {
        return 1 << 14;
    }
    const int16_t negative = a > 0 ? (int16_t)-a : a;
    const int16_t result = shifted_left(two_over_one_plus(exp_of_negative(negative, 3)), 1);
    return a > 0 ? result : (int16_t)(ONE_Q0 - result);
}

/* Q(integer_bits) to Q0 */
static int16_t hyperbolic_tangent(int16_t a, int32_t integer_bits)
{
    if (a == 0) {
        return 0;
    }
    const int16_t negative = a > 0 ? (int16_t)-a : a;
    const int16_t ratio = two_over_one_plus(exp_of_negative(negative, integer_bits + 1));
    const int16_t result = shifted_left((int16_t)(ratio - ONE_Q2), 2);
    return a > 0 ? result : (int16_t)-result;
}

/* ----------------------------------------------------------------------------------- the layer */

/* Added without sign, since a bias at the end of int32_t may make the sum wrap around. */
static int32_t biased_dot(int32_t bias, const int8_t *input, const int8_t *weights, int32_t size)
{
    uint32_t sum = (uint32_t)bias;

    for (int32_t i = 0; i < size; i++) {
        sum += (uint32_t)(input[i] * weights[i]);
    }
    return (int32_t)sum;
}

/* What a gate's function gets, Q3: both sums are rescaled on their own. */
static int16_t gate_input(const tinyml_lstm_params *params, const tinyml_lstm_gate *gate,
                          const int8_t *input, const int8_t *hidden, int32_t cell)
{
    const int32_t from_input =
        biased_dot(gate->input_bias[cell], input,
                   gate->input_weights + cell * params->input_size, params->input_size);
    const int32_t from_hidden =
        biased_dot(gate->hidden_bias[cell], hidden,
                   gate->hidden_weights + cell * params->cells, params->cells);
    const int16_t first =
        saturated(arm_nn_requantize(from_input, gate->input_multiplier, gate->input_shift));
    return saturated(
        first + arm_nn_requantize(from_hidden, gate->hidden_multiplier, gate->hidden_shift));
}

static void update_cell(const tinyml_lstm_params *params, const int8_t *input,
                        const int8_t *hidden, int32_t cell, int16_t *value)
{
    const int16_t forget = logistic(gate_input(params, &params->forget, input, hidden, cell));
    const int16_t update =
        hyperbolic_tangent(gate_input(params, &params->update, input, hidden, cell), 3);
    const int16_t take = logistic(gate_input(params, &params->input, input, hidden, cell));
    const int16_t kept = (int16_t)divided(forget * *value, 15);
    const int16_t taken = (int16_t)divided(take * update, 15 + params->cell_integer_bits);

    *value = saturated(kept + taken);
    if (params->cell_clip > 0) {
        *value = *value > params->cell_clip ? params->cell_clip : *value;
        *value = *value < -params->cell_clip ? (int16_t)-params->cell_clip : *value;
    }
}

static int8_t make_output(const tinyml_lstm_params *params, const int8_t *input,
                          const int8_t *hidden, int32_t cell, int16_t value)
{
    const int16_t gate = logistic(gate_input(params, &params->output, input, hidden, cell));
    const int16_t activated = hyperbolic_tangent(value, params->cell_integer_bits);
    const int32_t scaled =
        arm_nn_requantize(gate * activated, params->output_multiplier, params->output_shift) +
        params->output_offset;
    return (int8_t)(scaled < INT8_MIN ? INT8_MIN : scaled > INT8_MAX ? INT8_MAX : scaled);
}

static void run_step(const tinyml_lstm_params *params, const int8_t *input, int8_t *hidden,
                     int16_t *cells, int8_t *output)
{
    for (int32_t cell = 0; cell < params->cells; cell++) {
        update_cell(params, input, hidden, cell, &cells[cell]);
        output[cell] = make_output(params, input, hidden, cell, cells[cell]);
    }
    for (int32_t cell = 0; cell < params->cells; cell++) {
        hidden[cell] = output[cell];
    }
}

void tinyml_lstm_s8(const tinyml_lstm_params *params, const int8_t *input, int8_t *hidden_state,
                    int16_t *cell_state, int8_t *output)
{
    for (int32_t batch = 0; batch < params->batches; batch++) {
        for (int32_t step = 0; step < params->steps; step++) {
            const int32_t place = batch * params->batch_stride + step * params->step_stride;
            run_step(params, input + place * params->input_size, hidden_state, cell_state,
                     output + place * params->cells);
        }
        hidden_state += params->cells;
        cell_state += params->cells;
    }
}
