"""Affine quantization: ranges to parameters, real numbers to integers and back."""

from __future__ import annotations

import numpy as np

from tinyml.ir.graph import Array, DType, QuantParams

LIMITS = {
    DType.INT8: (-128, 127),
    DType.UINT8: (0, 255),
    DType.INT16: (-32768, 32767),
    DType.INT32: (-(2**31), 2**31 - 1),
}

# Below this a float32 scale loses precision or its reciprocal overflows.
SMALLEST_SCALE = 1e-30


def affine_params(minimum: float, maximum: float, dtype: DType = DType.INT8) -> QuantParams:
    """Parameters that map [minimum, maximum] onto the whole range of ``dtype``.

    The range is first widened to contain zero, which then has an exact integer (arXiv 1806.08342,
    section 2.1: zero padding must not bring in error). A range that is zero gives scale 1.
    """
    qmin, qmax = LIMITS[dtype]
    minimum, maximum = min(minimum, 0.0), max(maximum, 0.0)
    scale = float(np.float32((maximum - minimum) / (qmax - qmin)))
    if scale < SMALLEST_SCALE:
        return QuantParams.per_tensor(1.0, 0 if qmin < 0 else qmin)
    zero_point = round(qmin - minimum / scale)
    return QuantParams.per_tensor(scale, int(np.clip(zero_point, qmin, qmax)))


def range_params(minimum: float, maximum: float, dtype: DType) -> QuantParams:
    """Parameters of an activation: affine in int8, symmetric in int16."""
    if dtype is DType.INT8:
        return affine_params(minimum, maximum)
    largest = np.array(max(abs(minimum), abs(maximum)))
    return QuantParams.per_tensor(float(symmetric_scale(largest, LIMITS[dtype][1])), 0)


def symmetric_scale(magnitude: Array, quantized_max: int) -> Array:
    """Scales that map [-magnitude, magnitude] onto [-quantized_max, quantized_max], zero at 0.

    ``magnitude`` holds one largest absolute value per channel (or one in all); where it is zero
    the scale is 1 (arXiv 1806.08342, section 2.2).
    """
    scale: Array = (np.asarray(magnitude, np.float64) / quantized_max).astype(np.float32)
    return np.asarray(np.where(scale < SMALLEST_SCALE, np.float32(1), scale))


def _along_axis(
    values: tuple[float, ...] | tuple[int, ...], params: QuantParams, ndim: int
) -> Array:
    array = np.asarray(values, np.float32)
    if params.quantized_dimension is None:
        return array.reshape(())
    shape = [1] * ndim
    shape[params.quantized_dimension] = -1
    return array.reshape(shape)


def round_half_away(x: Array) -> Array:
    """Round to the nearest integer, halves away from zero, as C's ``round`` does."""
    wide = np.asarray(x, np.float64)
    return np.asarray(np.sign(wide) * np.floor(np.abs(wide) + 0.5))


def quantize(x: Array, params: QuantParams, dtype: DType = DType.INT8) -> Array:
    """``clip(round(x / scale) + zero_point)`` in float32 steps, as TFLite's QUANTIZE does.

    ``x`` is any float array; the result has its shape and ``dtype``. NaN gives the least integer,
    as it does in the generated header.
    """
    scale = _along_axis(params.scale, params, x.ndim)
    zero_point = _along_axis(params.zero_point, params, x.ndim)
    qmin, qmax = LIMITS[dtype]
    with np.errstate(over="ignore"):  # what overflows float32 saturates below
        scaled = round_half_away(np.asarray(x, np.float32) / scale)
    shifted = np.where(np.isnan(scaled), -np.inf, scaled + zero_point)
    return np.asarray(np.clip(shifted, qmin, qmax)).astype(dtype.numpy)


def dequantize(q: Array, params: QuantParams) -> Array:
    """``scale * (q - zero_point)``, float32, in the shape of ``q``."""
    scale = _along_axis(params.scale, params, q.ndim).astype(np.float64)
    zero_point = _along_axis(params.zero_point, params, q.ndim)
    return np.asarray(scale * (q.astype(np.float64) - zero_point)).astype(np.float32)
