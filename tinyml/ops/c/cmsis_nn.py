"""CMSIS-NN's argument structs, and the checks its kernels share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml.ir.graph import Tensor
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.contract.c import ConstantArray, Struct
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.window import Pair


def dims(name: str, sizes: Sequence[int]) -> Struct:
    """``cmsis_nn_dims``: n, h, w, c."""
    return Struct("cmsis_nn_dims", name, dict(zip("nhwc", sizes, strict=True)))


def tile(pair: Pair) -> dict[str, int]:
    """``cmsis_nn_tile`` of a (height, width) pair."""
    return {"w": pair[1], "h": pair[0]}


def clamp(limits: tuple[int, int]) -> dict[str, int]:
    """``cmsis_nn_activation``."""
    return {"min": limits[0], "max": limits[1]}


def channel_scales(weights: Tensor, channels: int) -> list[float]:
    """Scale of each output channel's weights, repeated where there is one for all."""
    if weights.quant is None:
        raise ValueError(f"tensor '{weights.name}' is not quantized")
    scales = weights.quant.scale
    return list(scales) * channels if len(scales) == 1 else list(scales)


def per_channel_quant(multipliers: Sequence[float]) -> Struct:
    """``cmsis_nn_per_channel_quant_params`` of one real multiplier per output channel."""
    split = [quantize_multiplier(real) for real in multipliers]
    return Struct(
        "cmsis_nn_per_channel_quant_params",
        "quant_params",
        {
            "multiplier": ConstantArray("multiplier", np.array([m for m, _ in split], np.int32)),
            "shift": ConstantArray("shift", np.array([s for _, s in split], np.int32)),
        },
    )


def require_symmetric_weights(op: Operator, weights: Tensor) -> None:
    """CMSIS-NN's kernels take weights with zero point 0 only."""
    if weights.quant is None or any(weights.quant.zero_point):
        raise op.error(f"weights '{weights.name}' must have zero point 0, as TFLite's int8 asks")


def require_sizes(op: Operator, tensors: Sequence[Tensor], limit: int) -> None:
    """Refuse dimensions that a kernel's 16-bit variables would cut off."""
    for tensor in tensors:
        if max(tensor.shape) > limit:
            raise op.error(
                f"tensor '{tensor.name}' has shape {tensor.shape}, "
                f"CMSIS-NN's kernel takes dimensions of at most {limit}"
            )
