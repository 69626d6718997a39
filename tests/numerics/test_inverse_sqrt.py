import math

from hypothesis import given
from hypothesis import strategies as st

from tinyml.numerics.inverse_sqrt import INT32_MAX, inverse_sqrt_multiplier


@given(st.integers(2, INT32_MAX))
def test_the_multiplier_is_the_reciprocal_of_the_square_root(value):
    multiplier, shift = inverse_sqrt_multiplier(value)

    assert 0 < multiplier <= INT32_MAX
    assert math.isclose(math.ldexp(multiplier, shift - 31), 1 / math.sqrt(value), rel_tol=1e-4)


@given(st.sampled_from([0, 1]))
def test_zero_is_taken_for_one(value):
    assert inverse_sqrt_multiplier(value) == (INT32_MAX, 0)
