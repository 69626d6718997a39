"""Integers of weights and biases, however their scales were found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml.ir.graph import Array, DType, Op, QuantParams, Tensor
from tinyml.numerics.affine import round_half_away

# Largest weight: symmetric, so that a product with -128 never occurs twice (arXiv 1806.08342, 2.2).
WEIGHT_MAX = 127


def symmetric_params(scales: Array, axis: int | None) -> QuantParams:
    """Parameters with zero point 0: of one float32 scale, or one for each slice along ``axis``."""
    dimension = axis if scales.size > 1 else None
    return QuantParams(tuple(scales.tolist()), (0,) * scales.size, dimension)


def bias_scales(weights: Tensor, input_scale: float) -> Array:
    """Scale of each channel's sums, float32: input scale x weight scale (arXiv 1806.08342, 2.1)."""
    if weights.quant is None:
        raise ValueError(f"weights '{weights.name}' are not quantized")
    return np.array([input_scale * scale for scale in weights.quant.scale], np.float32)


def bias_steps(bias: Tensor, scales: Array) -> Array:
    """A float bias in steps of ``scales``, rounded half away from zero; float64, 1 dimension."""
    return round_half_away(bias.constant.reshape(-1).astype(np.float64) / scales)


def quantized_bias(bias: Tensor, scales: Array, dtype: DType) -> Tensor:
    """The bias as integers of ``dtype``, which must hold its ``bias_steps``."""
    data = bias_steps(bias, scales).astype(dtype.numpy).reshape(bias.shape)
    return replace(bias, dtype=dtype, quant=symmetric_params(scales, 0), data=data)


def add_parameter(tensors: dict[str, Tensor], tensor: Tensor, op: Op) -> str:
    """Add under the tensor's own name, or under one of this operator's where that is taken.

    Operators may share float weights or a bias; their integers depend on each input's scale.
    """
    present = tensors.get(tensor.name, tensor)
    if present.dtype is tensor.dtype and present != tensor:
        tensor = replace(tensor, name=f"{tensor.name}@{op.name}")
    tensors[tensor.name] = tensor
    return tensor.name
