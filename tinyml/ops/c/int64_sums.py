"""16x8: int16 activations times int8 weights, summed in 64 bits.

TFLite's reference rescales such sums by the upper 16 bits of the multiplier
(``MultiplyByQuantizedMultiplier`` of an int64), and so does CMSIS-NN; they agree as long as
nothing overflows, which the weights at hand prove. A bias of 32 bits makes the reference sum in as
many, wrap around, and rescale as in int8. So does no bias at all, where that is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml.ir.graph import Array, DType, Graph
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.contract.c import ConstantArray, TensorPointer
from tinyml.ops.contract.checks import require_constant_parameters
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.tflite import TFLITE_TYPES

LARGEST_INPUT = 32768
# The reference's limits on a sum and on a shift, and CMSIS-NN's on a rescaled sum.
SUM_LIMIT = 2**47
LARGEST_SHIFT = 7
RESULT_LIMIT = 2**30


def wide_multipliers(
    op: Operator, graph: Graph, channel_axis: int, multipliers: Sequence[float]
) -> list[float]:
    """Check the real multiplier of each channel, and give 0 where its sums are always 0.

    ModelError where a sum or a result may leave what the kernels take for granted.
    """
    sums = _largest_sums(op, graph, channel_axis)
    exact = [real if total else 0.0 for real, total in zip(multipliers, sums, strict=True)]
    for real, total in zip(exact, sums, strict=True):
        require_room(op, graph, real, total)
    return exact


def require_room(op: Operator, graph: Graph, real: float, total: int) -> None:
    """Refuse sums of up to ``total`` that leave what the kernels take for granted."""
    fits = total < SUM_LIMIT and real * total < RESULT_LIMIT
    if fits and quantize_multiplier(real)[1] <= LARGEST_SHIFT:
        return
    raise op.error(
        f"output '{op.outputs[0]}' has scale {graph.tensor(op.outputs[0]).scale:.9g}, too "
        f"small for sums of up to {total} times {real:.9g}"
    )


def wide_bias(op: Operator, channels: int) -> TensorPointer | ConstantArray:
    """Zeros where there is none: without a bias some of CMSIS-NN's kernels round differently."""
    if len(op.inputs) > 2:
        return TensorPointer(op.inputs[2])
    return ConstantArray("zero_bias", np.zeros(channels, np.int64))


def has_narrow_bias(op: Operator, graph: Graph) -> bool:
    """Whether the bias beside int16 is int32 in place of int64."""
    bias = graph.optional(op.inputs[2]) if len(op.inputs) > 2 else None
    is_wide = graph.tensor(op.inputs[0]).dtype is DType.INT16
    return is_wide and bias is not None and bias.dtype is DType.INT32


def sums_in_32_bits(op: Operator, graph: Graph) -> bool:
    """Whether the reference does, for want of a bias of 64; CONV_2D always has one."""
    return len(op.present_inputs) < 3 or has_narrow_bias(op, graph)


def bias_type_option(op: Operator, graph: Graph) -> dict[str, int]:
    """The option by which LiteRT and TFLite Micro tell sums of 32 bits, with a bias and without.

    tflite-runtime 2.14 looks at the tensor.
    """
    is_wide = graph.tensor(op.inputs[0]).dtype is DType.INT16
    if not is_wide or not sums_in_32_bits(op, graph):
        return {}
    return {"quantizedBiasType": TFLITE_TYPES[DType.INT32]}


def _largest_sums(op: Operator, graph: Graph, channel_axis: int) -> list[int]:
    """The largest absolute value of each channel's sum, over all inputs there are."""
    require_constant_parameters(op, graph)
    magnitudes: Array = np.abs(graph.tensor(op.inputs[1]).constant.astype(np.int64))
    others = tuple(axis for axis in range(magnitudes.ndim) if axis != channel_axis)
    sums = magnitudes.sum(axis=others) * LARGEST_INPUT
    if len(op.inputs) > 2:
        sums = sums + np.abs(graph.tensor(op.inputs[2]).constant)
    return [int(total) for total in sums.reshape(-1)]
