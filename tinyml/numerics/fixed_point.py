"""Fixed-point requantization: ``x * real_multiplier`` with integers only.

A real multiplier is written ``multiplier * 2**(shift - 31)`` with ``multiplier`` a Q31 integer in
[2**30, 2**31) and ``shift`` positive to the left. The steps are those of gemmlowp's
``SaturatingRoundingDoublingHighMul`` and ``RoundingDivideByPOT``, which TFLite's reference kernels
and CMSIS-NN (built by default) both take; ``docs/numerics.md`` tells them apart from the
single-rounding variant.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Split a non-negative real multiplier into (multiplier, shift).

    Zero gives (0, 0), and so does a multiplier too small for a right shift of 31.
    """
    if real < 0 or not math.isfinite(real):
        raise ValueError(f"a requantization multiplier must be finite and >= 0, got {real}")
    if real == 0:
        return 0, 0
    mantissa, shift = math.frexp(real)
    # C's round: halves go up for positive numbers. mantissa * 2**31 is exact in a double.
    multiplier = math.floor(mantissa * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


Int64Array = npt.NDArray[np.int64]


def doubling_high_multiply(x: Int64Array, multiplier: int) -> Int64Array:
    """``round(x * multiplier / 2**31)``, halves up; ``x`` holds int32 values."""
    return (x * multiplier + (1 << 30)) >> 31


def rounding_divide_by_power_of_two(x: Int64Array, exponent: int) -> Int64Array:
    """``round(x / 2**exponent)``, halves away from zero; 0 <= exponent <= 31."""
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    return np.asarray((x >> exponent) + ((x & mask) > threshold))


def requantize(x: npt.ArrayLike, multiplier: int, shift: int) -> Int64Array:
    """``x * multiplier * 2**(shift - 31)`` rounded as the device does it; int64 in and out.

    ``x`` must fit int32 after the left shift, as it must on the device.
    """
    wide = np.asarray(x, np.int64) << max(shift, 0)
    return rounding_divide_by_power_of_two(doubling_high_multiply(wide, multiplier), max(-shift, 0))
