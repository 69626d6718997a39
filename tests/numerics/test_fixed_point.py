"""The two rounding steps against exact rational arithmetic and against gemmlowp's own text."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinyml.numerics.fixed_point import (
    doubling_high_multiply,
    quantize_multiplier,
    requantize,
    rounding_divide_by_power_of_two,
)

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

# What a network can ask for: ratios of float32 scales.
multipliers = st.floats(min_value=2.0**-31, max_value=2.0**30)
int32s = st.integers(INT32_MIN, INT32_MAX)
q31s = st.integers(2**30, INT32_MAX)


def saturating_rounding_doubling_high_mul(a: int, b: int) -> int:
    """gemmlowp's function of that name, line by line, in Python's integers."""
    overflow = a == b and a == INT32_MIN
    ab = a * b
    nudge = 1 << 30 if ab >= 0 else 1 - (1 << 30)
    # C's division truncates towards zero.
    ab_x2_high32 = abs(ab + nudge) >> 31
    if ab + nudge < 0:
        ab_x2_high32 = -ab_x2_high32
    return INT32_MAX if overflow else ab_x2_high32


def rounding_divide_by_pot(x: int, exponent: int) -> int:
    """gemmlowp's function of that name, line by line, in Python's integers."""
    mask = (1 << exponent) - 1
    remainder = x & mask
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if remainder > threshold else 0)


@given(multipliers)
@example(1.0)
@example(0.5)
@example(1 - 2.0**-33)  # rounds up to 2**31, which does not fit
@example(float(np.nextafter(1.0, 0.0)))
def test_multiplier_and_shift_give_the_real_within_one_part_in_two_to_the_31(real):
    multiplier, shift = quantize_multiplier(real)

    value = Fraction(multiplier) * Fraction(2) ** (shift - 31)
    assert abs(value - Fraction(real)) <= Fraction(real) / 2**31
    assert 2**30 <= multiplier <= INT32_MAX
    assert -31 <= shift <= 31


@pytest.mark.parametrize("real", [0.0, 2.0**-33, 1e-20, 5e-324])
def test_a_multiplier_too_small_for_a_right_shift_of_31_is_zero(real):
    assert quantize_multiplier(real) == (0, 0)


@pytest.mark.parametrize("real", [-1.0, -1e-9, math.inf, -math.inf, math.nan])
def test_a_multiplier_that_is_negative_or_no_number_is_refused(real):
    with pytest.raises(ValueError, match="finite and >= 0"):
        quantize_multiplier(real)


@given(int32s, q31s)
@example(INT32_MIN, INT32_MAX)
@example(-1, 2**30)  # exactly minus one half
@example(-3, 2**30)
@example(1, 2**30)
def test_doubling_high_multiply_is_gemmlowps(x, multiplier):
    ours = int(doubling_high_multiply(np.int64(x), multiplier))

    assert ours == saturating_rounding_doubling_high_mul(x, multiplier)


@given(int32s, st.integers(0, 31))
@example(-1, 1)
@example(-3, 1)
@example(3, 1)
@example(INT32_MIN, 31)
def test_rounding_divide_is_gemmlowps_and_rounds_halves_away_from_zero(x, exponent):
    ours = int(rounding_divide_by_power_of_two(np.int64(x), exponent))

    assert ours == rounding_divide_by_pot(x, exponent)
    nearest = math.floor(abs(Fraction(x, 2**exponent)) + Fraction(1, 2))
    assert ours == (nearest if x >= 0 else -nearest)


@st.composite
def requantizations(draw) -> tuple[int, int, int]:
    """A value that fits int32 after the left shift, a multiplier, a shift."""
    shift = draw(st.integers(-31, 16))
    limit = INT32_MAX >> max(shift, 0)
    return draw(st.integers(-limit, limit)), draw(q31s), shift


@given(requantizations())
def test_requantize_takes_gemmlowps_two_steps(case):
    x, multiplier, shift = case
    product = saturating_rounding_doubling_high_mul(x << max(shift, 0), multiplier)

    assert int(requantize(x, multiplier, shift)) == rounding_divide_by_pot(product, max(-shift, 0))


@given(requantizations())
def test_requantize_is_within_its_two_roundings_of_the_exact_product(case):
    x, multiplier, shift = case
    exact = Fraction(x * multiplier) * Fraction(2) ** (shift - 31)

    # Half a unit in each step, the first one divided by the second.
    bound = Fraction(1, 2) + Fraction(1, 2) / 2 ** max(-shift, 0)
    assert abs(int(requantize(x, multiplier, shift)) - exact) <= bound


@given(st.lists(st.integers(-(2**24), 2**24), min_size=1, max_size=8), q31s, st.integers(-31, 6))
def test_requantizing_an_array_requantizes_every_element(values, multiplier, shift):
    together = requantize(np.array(values, np.int64), multiplier, shift)

    assert together.tolist() == [int(requantize(v, multiplier, shift)) for v in values]


@given(q31s, st.integers(-31, 0), st.lists(int32s, min_size=2, max_size=8))
def test_requantize_never_reverses_an_order(multiplier, shift, values):
    results = requantize(np.array(sorted(values), np.int64), multiplier, shift)

    assert (np.diff(results) >= 0).all()
