"""Tables against real arithmetic; the conformance suite holds them to the reference's bytes."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tinyml.ir.graph import QuantParams
from tinyml.numerics import arrays
from tinyml.numerics.affine import dequantize, quantize
from tinyml.numerics.tables import (
    INT8,
    float_table,
    function_table,
    hard_swish_table,
    rsqrt_table,
    sqrt_table,
    two_slopes_table,
)

scales = st.floats(0.0078125, 0.25, width=32)
quants = st.builds(QuantParams.per_tensor, scales, st.integers(-128, 127))
pairs = st.tuples(quants, quants)


def real_table(function, source, output):
    """The function of the real values, quantized."""
    return quantize(function(dequantize(INT8, source).astype(np.float64)), output)


def steps_apart(table, expected):
    return np.abs(table.astype(int) - expected.astype(int)).max()


@given(pairs)
def test_a_function_table_is_the_function_to_one_step(pair):
    table = function_table(arrays.tanh, *pair)

    assert steps_apart(table, real_table(np.tanh, *pair)) <= 1


@given(quants)
def test_a_float_table_of_the_identity_changes_nothing(quant):
    table = float_table(lambda x: x, quant, quant)

    np.testing.assert_array_equal(table, INT8)


@given(pairs)
def test_results_beyond_the_output_saturate(pair):
    source, output = pair

    assert set(function_table(lambda x: x + np.float32(1e9), source, output)) == {127}
    assert set(function_table(lambda x: x - np.float32(1e9), source, output)) == {-128}


@given(pairs, st.floats(-2, 2, width=32))
def test_two_slopes_are_two_multiplications_to_one_step(pair, alpha):
    source, output = pair
    ratio = source.scale[0] / output.scale[0]

    table = two_slopes_table(source, output, ratio, alpha * ratio)

    expected = real_table(lambda x: np.where(x > 0, x, alpha * x), source, output)
    assert steps_apart(table, expected) <= 1


@given(pairs)
def test_hard_swish_is_x_times_a_ramp_to_two_steps(pair):
    source, output = pair
    assume(source.scale[0] / 128 < output.scale[0] / 2)

    table = hard_swish_table(source, output)

    expected = real_table(lambda x: x * np.clip(x + 3, 0, 6) / 6, source, output)
    # The ramp is accurate to 2**-15, and so is its product with the largest x.
    largest = 255 * source.scale[0] / output.scale[0]
    assert steps_apart(table, expected) <= 2 + largest / 2**12


def test_hard_swish_refuses_an_output_too_fine_for_16_bits():
    with pytest.raises(ValueError, match="too fine"):
        hard_swish_table(QuantParams.per_tensor(1.0, 0), QuantParams.per_tensor(0.005, 0))


@given(scales, quants)
def test_rsqrt_is_the_reciprocal_of_the_root_to_one_step_and_127_at_zero(scale, output):
    source = QuantParams.per_tensor(scale, -128)

    table = rsqrt_table(source, output)

    assert table[0] == 127
    with np.errstate(divide="ignore"):
        expected = real_table(lambda x: 1 / np.sqrt(x), source, output)
    assert steps_apart(table[1:], expected[1:]) <= 1


@given(scales, quants)
def test_sqrt_is_the_root_rounded_toward_zero(scale, output):
    source = QuantParams.per_tensor(scale, -128)

    table = sqrt_table(source, output)

    steps = table.astype(int) - output.zero_point[0]
    inside = table < 127
    roots = np.sqrt(dequantize(INT8, source).astype(np.float64)) / output.scale[0]
    assert (steps[inside] <= roots[inside] + 1e-3).all()
    assert (steps[inside] > roots[inside] - 1 - 1e-3).all()
