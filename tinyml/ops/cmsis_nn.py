"""CMSIS-NN's argument structs, and the checks its kernels share."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.base import ChangedIn7, ConstantArray, Operator, Struct, TensorPointer
from tinyml.ops.dtypes import PARAMETERS
from tinyml.ops.window import Pair

# From 7.0.0 on convolutions take the sizes of a transposed convolution's upscaling, or NULL.
NO_UPSCALING = ChangedIn7(before=None, since=TensorPointer(""))


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


def require_parameters(
    op: Operator, graph: Graph, channels: int, *, narrow_bias: bool = False
) -> None:
    """Weights (input 1) must fit the input's dtype, a bias (input 2) hold one sum per channel.

    With ``narrow_bias`` that of int16 may be int32.
    """
    source, weights = graph.tensor(op.inputs[0]), graph.tensor(op.inputs[1])
    expected, sums = PARAMETERS[source.dtype]
    if source.dtype is DType.FLOAT32 and weights.dtype is DType.INT8:
        raise op.error(
            f"weights '{weights.name}' are int8 where input '{source.name}' is float32: this is "
            "dynamic-range quantization, which quantizes activations while it runs; give the float "
            "model to 'tinyml quantize', or convert with a representative dataset"
        )
    if weights.dtype is not expected:
        raise op.error(
            f"weights '{weights.name}' are {weights.dtype.value} where input '{source.name}' is "
            f"{source.dtype.value}, expected {expected.value}; convert the model as float32, as "
            "full int8 or as 16x8"
        )
    bias = graph.optional(op.inputs[2]) if len(op.inputs) > 2 else None
    allowed = [sums]
    if narrow_bias and source.dtype is DType.INT16:
        allowed.append(DType.INT32)
    if bias is not None and (bias.dtype not in allowed or bias.size != channels):
        names = " or ".join(dtype.value for dtype in allowed)
        raise op.error(
            f"bias '{bias.name}' is {bias.dtype.value} {bias.shape}, expected {names} "
            f"of {channels} elements{_biases_of_64_bits(bias, sums)}"
        )


def _biases_of_64_bits(bias: Tensor, expected: DType) -> str:
    """What to do about one of 32 bits, as a converter makes them when asked to."""
    is_narrow = (bias.dtype, expected) == (DType.INT32, DType.INT64)
    return ", as every TFLite runtime; convert the model with int64 biases" if is_narrow else ""


def require_sizes(op: Operator, tensors: Sequence[Tensor], limit: int) -> None:
    """Refuse dimensions that a kernel's 16-bit variables would cut off."""
    for tensor in tensors:
        if max(tensor.shape) > limit:
            raise op.error(
                f"tensor '{tensor.name}' has shape {tensor.shape}, "
                f"CMSIS-NN's kernel takes dimensions of at most {limit}"
            )


def require_dtype(op: Operator, graph: Graph) -> DType:
    """Give the operator's dtype, which must be one that it declares."""
    return require_one_of(op, graph.tensor(op.inputs[op.typed_input]), op.kernels)


def require_one_of(op: Operator, tensor: Tensor, allowed: Collection[DType]) -> DType:
    """Give the dtype of an input, which must be one of ``allowed``."""
    if tensor.dtype not in allowed:
        names = " or ".join(dtype.value for dtype in allowed)
        raise op.error(f"input '{tensor.name}' is {tensor.dtype.value}, expected {names}")
    return tensor.dtype
