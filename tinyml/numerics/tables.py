"""Functions of one int8 value as tables of 256, in the very steps TFLite's kernels take.

A table holds the int8 outputs for the inputs -128 to 127 in that order. TFLite fills such a table
itself for most functions (``LUTPopulate``, and ``PopulateLookupTable`` before it); HARD_SWISH and
RSQRT compute in fixed point, and give the same bytes for the same byte, so a table holds them too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyml.ir.graph import Array, QuantParams
from tinyml.numerics.affine import dequantize, quantize, round_half_away
from tinyml.numerics.fixed_point import (
    quantize_multiplier,
    requantize,
    rounding_divide_by_power_of_two,
)
from tinyml.numerics.inverse_sqrt import inverse_sqrt_multiplier

INT8 = np.arange(-128, 128, dtype=np.int8)

# float32 array to float32 array
Function = Callable[[Array], Array]


def saturated(values: Array) -> Array:
    """Clip to int8."""
    return np.clip(values, -128, 127).astype(np.int8)


def centred(source: QuantParams) -> Array:
    """All 256 values without their zero point, int64."""
    return INT8.astype(np.int64) - source.zero_point[0]


def function_table(function: Function, source: QuantParams, output: QuantParams) -> Array:
    """``function`` in float32, its results multiplied by the float32 reciprocal of the scale.

    The multiplication is where TFLite's tables part from DEQUANTIZE, the function, QUANTIZE, which
    divides. Results beyond int32, undefined in the reference, saturate.
    """
    reals = np.float32(source.scale[0]) * centred(source).astype(np.float32)
    inverse_scale = np.float32(1) / np.float32(output.scale[0])
    with np.errstate(over="ignore"):
        steps = function(reals).astype(np.float32) * inverse_scale
    return saturated(round_half_away(steps) + output.zero_point[0])


def float_table(function: Function, source: QuantParams, output: QuantParams) -> Array:
    """DEQUANTIZE, ``function`` in float32, QUANTIZE; no value is the least, as NaN is always."""
    return quantize(float_results(function, source), output)


def float_results(function: Function, source: QuantParams) -> Array:
    """``function`` of the 256 real numbers, infinite or NaN where it has no value."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return function(dequantize(INT8, source))


def sqrt_table(source: QuantParams, output: QuantParams) -> Array:
    """``sqrt(x)`` in float32, divided by the scale and rounded toward zero (LiteRT's SQRT).

    LiteRT refuses negative inputs at run time; here they are taken for 0.
    """
    reals = np.float32(source.scale[0]) * centred(source).astype(np.float32)
    steps = np.sqrt(np.maximum(reals, np.float32(0))) / np.float32(output.scale[0])
    return saturated(np.trunc(steps) + output.zero_point[0])


def two_slopes_table(
    source: QuantParams, output: QuantParams, positive: float, negative: float
) -> Array:
    """Requantize values from the zero point up by one real multiplier, those below by another.

    LEAKY_RELU and, with both multipliers positive, ABS. A negative multiplier is one of the
    magnitude whose mantissa is negated.
    """
    values = centred(source)
    above = requantize(values, *signed_multiplier(positive))
    below = requantize(values, *signed_multiplier(negative))
    return saturated(np.where(values >= 0, above, below) + output.zero_point[0])


def signed_multiplier(real: float) -> tuple[int, int]:
    """Multiplier and shift; those of a negative real are its magnitude's, the mantissa negated."""
    multiplier, shift = quantize_multiplier(abs(real))
    return (-multiplier if real < 0 else multiplier), shift


# --------------------------------------------------------------------------- HARD_SWISH


# Inputs get 7 more bits before they are multiplied.
HARD_SWISH_BITS = 7
INT16_MAX = 32767


def hard_swish_table(source: QuantParams, output: QuantParams) -> Array:
    """``x * relu6(x + 3) / 6`` in 16-bit fixed point (TFLite's reference HardSwish).

    One factor is x on the output's scale, still to be shifted; the other relu6(x + 3) / 6 as a
    16-bit fraction. ValueError where the output's scale is finer than 1/128 of the input's.
    """
    fine = np.float32(1 / (1 << HARD_SWISH_BITS)) * np.float32(source.scale[0])
    output_multiplier, output_shift = _int16_multiplier(fine / np.float32(output.scale[0]))
    ramp_multiplier, ramp_shift = _int16_multiplier(fine / np.float32(3 / 32768))
    if output_shift > 0:
        raise ValueError("the output's scale is too fine for 16-bit fixed point")
    values = centred(source) << HARD_SWISH_BITS
    on_output_scale = _int16_multiply(values, output_multiplier)
    products = _toward_zero(_ramp(values, ramp_multiplier, ramp_shift) * on_output_scale, 15)
    results = rounding_divide_by_power_of_two(products, -output_shift)
    return saturated(results + output.zero_point[0])


def _ramp(values: Array, multiplier: int, shift: int) -> Array:
    """``relu6(x + 3) / 6``: x times a multiplier where 3.0 is 2**15, saturated, moved to [0, 1].

    All but one bit of a left shift come before the multiplication, so that what saturates there is
    overwritten by what saturates after it.
    """
    if shift > 0:
        values = _int16(values << (shift - 1))
    values = _int16_multiply(values, multiplier)
    if shift > 0:
        values = _int16(values << 1)
    if shift < 0:
        values = rounding_divide_by_power_of_two(values, -shift)
    return (values + (1 << 15)) >> 1


def _int16_multiplier(real: np.float32) -> tuple[int, int]:
    """A multiplier in Q15 and its shift."""
    multiplier, shift = quantize_multiplier(float(real))
    return min((multiplier + (1 << 15)) >> 16, INT16_MAX), shift


def _int16_multiply(values: Array, multiplier: int) -> Array:
    """``round(values * multiplier / 2**15)``, halves up."""
    return (values * multiplier + (1 << 14)) >> 15


def _int16(values: Array) -> Array:
    return np.clip(values, -INT16_MAX - 1, INT16_MAX)


def _toward_zero(values: Array, exponent: int) -> Array:
    return np.asarray(np.sign(values) * (np.abs(values) >> exponent))


# --------------------------------------------------------------------------- RSQRT


# Bits to the left that keep 1 / sqrt(q) an integer.
RSQRT_BITS = 20


def rsqrt_table(source: QuantParams, output: QuantParams) -> Array:
    """``1 / sqrt(x)`` in fixed point (TFLite's RSQRT); 127 where x is 0.

    The reference refuses negative inputs at run time; here they give 127 as well.
    """
    root = np.sqrt(np.float32(source.scale[0]))
    multiplier, shift = quantize_multiplier(float(1 / float(root * np.float32(output.scale[0]))))
    table = np.full(256, 127, np.int64)
    for place, value in enumerate(centred(source).tolist()):
        if value > 0:
            root_multiplier, root_shift = inverse_sqrt_multiplier(value)
            inverse = requantize(1, root_multiplier, root_shift + RSQRT_BITS)
            table[place] = requantize(inverse, multiplier, shift - RSQRT_BITS)
            table[place] += output.zero_point[0]
    return saturated(table)
