import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tinyml.ir.graph import DType, QuantParams
from tinyml.numerics.affine import (
    LIMITS,
    affine_params,
    dequantize,
    quantize,
    round_half_away,
    symmetric_scale,
)

reals = st.floats(min_value=-(2.0**40), max_value=2.0**40)
scales = st.floats(min_value=2.0**-20, max_value=2.0**10, width=32)
int8s = st.integers(-128, 127)
integer_types = st.sampled_from([DType.INT8, DType.UINT8])


@given(reals, reals, integer_types)
@example(0.5, 3.0, DType.INT8)  # zero lies below the range
@example(-3.0, -0.5, DType.INT8)  # zero lies above the range
def test_zero_is_exactly_representable(low, high, dtype):
    params = affine_params(min(low, high), max(low, high), dtype)

    zero = np.array([params.zero_point[0]], dtype.numpy)
    assert dequantize(zero, params).tolist() == [0.0]
    assert quantize(np.zeros(1, np.float32), params, dtype).tolist() == zero.tolist()


@given(reals, reals, integer_types)
def test_the_range_is_covered_within_one_step(low, high, dtype):
    low, high = min(low, high), max(low, high)
    params = affine_params(low, high, dtype)

    step, (qmin, qmax) = Fraction(params.scale[0]), LIMITS[dtype]
    lowest, highest = ((q - params.zero_point[0]) * step for q in (qmin, qmax))
    assert lowest <= Fraction(low) + step
    assert highest >= Fraction(high) - step


@given(reals, reals)
def test_a_scale_is_no_larger_than_the_range_needs(low, high):
    low, high = min(low, high, 0), max(low, high, 0)
    assume(high - low > 1e-20)

    scale = affine_params(low, high).scale[0]

    assert scale <= (high - low) / 255 * (1 + 2.0**-23)


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 0.0), (-0.0, 0.0), (0.0, 1e-40), (-1e-35, 1e-35), (5e-324, 5e-324)]
)
def test_a_range_that_is_zero_gives_scale_one(low, high):
    assert affine_params(low, high) == QuantParams.per_tensor(1.0, 0)


def test_a_range_that_is_zero_maps_zero_to_the_least_of_an_unsigned_type():
    assert affine_params(0.0, 0.0, DType.UINT8) == QuantParams.per_tensor(1.0, 0)


def test_the_range_of_one_sigmoid_fills_int8():
    assert affine_params(0.0, 255 / 256) == QuantParams.per_tensor(1 / 256, -128)


@pytest.mark.parametrize(("low", "high"), [(-3.4e38, 3.4e38), (0.0, 3.4e38), (-3.4e38, 0.0)])
def test_the_widest_float32_range_has_a_finite_scale(low, high):
    assert math.isfinite(affine_params(low, high).scale[0])


@given(scales, int8s, st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8))
def test_a_round_trip_is_within_half_a_step(scale, zero_point, fractions):
    params = QuantParams.per_tensor(scale, zero_point)
    low, high = ((q - zero_point) * scale for q in (-128, 127))
    values = np.array([low + (high - low) * (f + 1) / 2 for f in fractions], np.float32)

    back = dequantize(quantize(values, params), params)

    # Half a step, and the rounding of the division and of the product.
    assert (np.abs(back - values) <= scale * (0.5 + 2.0**-13)).all()


@given(scales, int8s, st.lists(int8s, min_size=1, max_size=8))
def test_integers_survive_the_round_trip(scale, zero_point, integers):
    params = QuantParams.per_tensor(scale, zero_point)
    values = np.array(integers, np.int8)

    assert quantize(dequantize(values, params), params).tolist() == integers


@given(scales, int8s, st.integers(-300, 300))
def test_dequantize_is_the_exact_product_rounded_once(scale, zero_point, steps):
    params = QuantParams.per_tensor(scale, zero_point)
    q = int(np.clip(zero_point + steps, -128, 127))
    exact = Fraction(scale) * (q - zero_point)

    # A float32 scale times nine bits is exact in double: one rounding, as in Fraction -> float32.
    assert dequantize(np.array([q], np.int8), params)[0] == np.float32(float(exact))


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(0.5, 1), (-0.5, -1), (1.5, 2), (-1.5, -2), (2.5, 3), (-2.5, -3), (0.49999997, 0), (-0.0, 0)],
)
def test_halves_round_away_from_zero(value, rounded):
    assert round_half_away(np.float32(value)) == rounded


@given(st.integers(-(2**22), 2**22))
def test_rounding_any_half_goes_away_from_zero(numerator):
    half = np.float32(numerator / 2)
    exact = math.floor(abs(Fraction(numerator, 2)) + Fraction(1, 2))

    assert round_half_away(half) == (exact if numerator >= 0 else -exact)


def test_values_beyond_the_range_saturate():
    params = QuantParams.per_tensor(0.5, 10)
    values = np.array([-1e30, -70, 70, 1e30, np.inf, -np.inf], np.float32)

    assert quantize(values, params).tolist() == [-128, -128, 127, 127, 127, -128]


def test_a_quotient_beyond_float32_saturates():
    params = QuantParams.per_tensor(1e-5, 0)

    assert quantize(np.array([3e38, -3e38], np.float32), params).tolist() == [127, -128]


def test_no_number_gives_the_least_integer():
    params = QuantParams.per_tensor(1.0, 100)

    assert quantize(np.array([np.nan], np.float32), params).tolist() == [-128]


def test_each_channel_has_its_own_scale_and_zero_point():
    params = QuantParams((1.0, 0.5), (0, 3), 1)
    values = np.array([[1, 1], [2, 2]], np.float32)

    q = quantize(values, params)

    assert q.tolist() == [[1, 5], [2, 7]]
    assert dequantize(q, params).tolist() == values.tolist()


def test_quantizing_keeps_shape_and_gives_the_type_asked_for():
    q = quantize(np.zeros((2, 3, 1)), QuantParams.per_tensor(1.0, 7), DType.UINT8)

    assert (q.shape, q.dtype) == ((2, 3, 1), np.uint8)


@given(st.lists(st.floats(0, 2.0**30, width=32), min_size=1, max_size=6))
def test_symmetric_scales_map_the_largest_magnitude_to_the_largest_integer(magnitudes):
    scale = symmetric_scale(np.array(magnitudes, np.float32), 127)

    for magnitude, step in zip(magnitudes, scale.tolist(), strict=True):
        params = QuantParams.per_tensor(step, 0)
        q = quantize(np.array([magnitude, -magnitude]), params).tolist()
        assert q == ([127, -127] if magnitude > 1e-27 else q)
        assert step > 0


def test_a_channel_of_zeros_has_scale_one():
    assert symmetric_scale(np.array([0.0, 127.0]), 127).tolist() == [1.0, 1.0]
