"""16x8: int16 activations times int8 weights, summed in 64 bits.

TFLite's reference rescales such sums by the upper 16 bits of the multiplier
(``MultiplyByQuantizedMultiplier`` of an int64), and so does CMSIS-NN; they agree as long as
nothing overflows, which the weights at hand prove.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml.ir.graph import Array, Graph
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.base import ConstantArray, Operator, TensorPointer

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
        fits = total < SUM_LIMIT and real * total < RESULT_LIMIT
        if not fits or quantize_multiplier(real)[1] > LARGEST_SHIFT:
            raise op.error(
                f"output '{op.outputs[0]}' has scale {graph.tensor(op.outputs[0]).scale:.9g}, too "
                f"small for sums of up to {total} times {real:.9g}"
            )
    return exact


def wide_bias(op: Operator, channels: int) -> TensorPointer | ConstantArray:
    """Zeros where there is none: without a bias some of CMSIS-NN's kernels round differently."""
    if len(op.inputs) > 2:
        return TensorPointer(op.inputs[2])
    return ConstantArray("zero_bias", np.zeros(channels, np.int64))


def _largest_sums(op: Operator, graph: Graph, channel_axis: int) -> list[int]:
    """The largest absolute value of each channel's sum, over all inputs there are."""
    magnitudes: Array = np.abs(graph.tensor(op.inputs[1]).constant.astype(np.int64))
    others = tuple(axis for axis in range(magnitudes.ndim) if axis != channel_axis)
    sums = magnitudes.sum(axis=others) * LARGEST_INPUT
    if len(op.inputs) > 2:
        sums = sums + np.abs(graph.tensor(op.inputs[2]).constant)
    return [int(total) for total in sums.reshape(-1)]
