"""``1 / sqrt(n)`` of an integer, with integers only."""

from __future__ import annotations

import numpy as np

from tinyml.numerics.fixed_point import doubling_high_multiply

INT32_MAX = (1 << 31) - 1
# Fractional bits where three integer bits and a sign stand before them.
FRACTION = 28
HALF_SQRT_2 = 1518500250  # sqrt(2) / 2 in Q31
STEPS = 5


def inverse_sqrt_multiplier(value: int) -> tuple[int, int]:
    """Split ``1 / sqrt(value)`` into (multiplier, shift), as quantize_multiplier does.

    Five steps of Newton's method in Q3.28 on ``value`` shifted by pairs of bits into [1/4, 1)
    (TFLite's GetInvSqrtQuantizedMultiplierExp); 0 is taken for 1. ``value`` fits int32.
    """
    if value <= 1:
        return INT32_MAX, 0
    right_shift = 11
    while value >= 1 << 29:
        value //= 4
        right_shift += 1
    pairs = (31 - value.bit_length()) // 2 - 1
    right_shift -= pairs
    value = (value << 2 * pairs) >> 1
    root = _multiply(_newton(value), HALF_SQRT_2)
    return (root << max(-right_shift, 0)), -max(right_shift, 0)


def _newton(value: int) -> int:
    """``x <- x * 3/2 - value/2 * x**3`` from 1, each product rescaled from its integer bits."""
    half = (value + 1) >> 1
    x = 1 << FRACTION
    for _ in range(STEPS):
        cube = _multiply(_multiply(x, x), x) << 6
        three_halves = (1 << FRACTION) + (1 << FRACTION - 1)
        x = (_multiply(three_halves, x) - _multiply(half, cube)) << 3
    return x


def _multiply(a: int, b: int) -> int:
    return int(doubling_high_multiply(np.asarray(a, np.int64), b))
