"""int8 activations times int8 weights, summed in 32 bits: the weights and the bias prove the room.

Beyond it C's arithmetic is undefined, in TFLite's reference kernels and in CMSIS-NN's alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinyml.ir.graph import Array, Graph, Tensor
from tinyml.numerics.affine import LIMITS
from tinyml.ops.contract.checks import require_constant_parameters
from tinyml.ops.contract.operator import Operator

SUM_LIMIT = 2**31


def require_narrow_sums(op: Operator, graph: Graph, channel_axis: int) -> None:
    """Refuse an operator one of whose channels may sum up to more than an int32 holds."""
    lows, highs = _reach(op, graph, channel_axis)
    beyond = np.flatnonzero((lows < -SUM_LIMIT) | (highs >= SUM_LIMIT))
    if not beyond.size:
        return
    channel = int(beyond[0])
    reached = max(lows[channel], highs[channel], key=abs)
    raise op.error(
        f"channel {channel} of weights '{op.inputs[1]}' may sum up to {reached}, beyond 32 bits; "
        "quantize the model again with coarser weight scales, which make its integers smaller"
    )


def require_narrow_products(op: Operator, factors: Sequence[Tensor], depth: int) -> None:
    """Refuse sums of ``depth`` products of two int8 activations beyond what an int32 holds."""
    largest = math.prod(_largest(tensor) for tensor in factors)
    if depth * largest < SUM_LIMIT:
        return
    raise op.error(
        f"{depth} products of '{factors[0].name}' and '{factors[1].name}' may sum up to "
        f"{depth * largest}, beyond 32 bits; multiply in parts of at most {SUM_LIMIT // largest}"
    )


def _largest(tensor: Tensor) -> int:
    """The largest magnitude of an int8 tensor without its zero point."""
    low, high = LIMITS[tensor.dtype]
    return max(high - tensor.zero_point, tensor.zero_point - low)


def _reach(op: Operator, graph: Graph, channel_axis: int) -> tuple[Array, Array]:
    """The least and the largest sum of each channel, over all inputs there are."""
    source = graph.tensor(op.inputs[0])
    low, high = (limit - source.zero_point for limit in LIMITS[source.dtype])
    require_constant_parameters(op, graph)
    weights = graph.tensor(op.inputs[1]).constant.astype(np.int64)
    others = tuple(axis for axis in range(weights.ndim) if axis != channel_axis)
    positive = np.maximum(weights, 0).sum(axis=others)
    negative = np.minimum(weights, 0).sum(axis=others)
    bias = graph.optional(op.inputs[2]) if len(op.inputs) > 2 else None
    start = np.zeros(1, np.int64) if bias is None else bias.constant.astype(np.int64).reshape(-1)
    return start + positive * low + negative * high, start + positive * high + negative * low
