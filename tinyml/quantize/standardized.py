"""Inputs whose channels a model brings to one range itself, and that int8 could not hold before.

One scale for a pressure of 1013 hPa and a slope of 0.01 leaves nothing of the latter. Such an input
stays float32, and what follows it is quantized when it is standardized.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Op, Tensor
from tinyml.ops.add import Add
from tinyml.ops.contract.activation import Activation
from tinyml.ops.div import Div
from tinyml.ops.mul import Mul
from tinyml.ops.quantize import Quantize
from tinyml.ops.sub import Sub
from tinyml.quantize.calibrate import CalibrationTable

# How much coarser than the output's the steps of an int8 input may be in the output.
COARSEST = 2.0


@dataclass(frozen=True, slots=True)
class Standardized:
    """What ``ops`` make of ``source``: ``(source - offset) * factor``, float64, of each channel."""

    source: Tensor
    ops: tuple[str, ...]
    result: str
    offset: Array
    factor: Array


def without_standardization(
    graph: Graph, table: CalibrationTable
) -> tuple[Graph, tuple[Standardized, ...]]:
    """Let what is standardized be the input where int8 would lose it; say what was left out."""
    found = (_standardized(graph, name) for name in graph.inputs)
    lost = tuple(each for each in found if each is not None and _is_lost(table, each))
    dropped = {name for each in lost for name in each.ops}
    results = {each.source.name: each.result for each in lost}
    ops = tuple(op for op in graph.ops if op.name not in dropped)
    inputs = tuple(results.get(name, name) for name in graph.inputs)
    return replace(graph, ops=ops, inputs=inputs).pruned(), lost


def with_standardization(graph: Graph, lost: tuple[Standardized, ...]) -> Graph:
    """Put SUB, MUL and QUANTIZE between each float32 input and what was the int8 one."""
    ops, names = list[Op](), {each.result: each.source.name for each in lost}
    for each in lost:
        offset, factor, centred, scaled = (
            f"{each.result}/{part}" for part in ("offset", "factor", "centred", "scaled")
        )
        constants = ((offset, each.offset), (factor, each.factor))
        graph = graph.with_tensors(
            *(Tensor(n, v.shape, DType.FLOAT32, data=v.astype(np.float32)) for n, v in constants),
            *(replace(each.source, name=name) for name in (each.source.name, centred, scaled)),
        )
        source, none = each.source.name, Activation.NONE
        ops += [
            Sub(name=centred, inputs=(source, offset), outputs=(centred,), activation=none),
            Mul(name=scaled, inputs=(centred, factor), outputs=(scaled,), activation=none),
            Quantize(name=each.result, inputs=(scaled,), outputs=(each.result,)),
        ]
    inputs = tuple(names.get(name, name) for name in graph.inputs)
    return replace(graph, ops=(*ops, *graph.ops), inputs=inputs)


def standardize(each: Standardized, values: Any) -> Any:
    """What the device makes of an input's values (N, *shape) of any library, in float32 steps."""
    offset, factor = each.offset.astype(np.float32), each.factor.astype(np.float32)
    return (values - offset) * factor


def _standardized(graph: Graph, name: str) -> Standardized | None:
    """Follow operators with constants of each channel for as long as nothing else reads there."""
    source = graph.tensor(name)
    if source.dtype is not DType.FLOAT32 or not source.shape or name in graph.outputs:
        return None
    factor, shift = np.ones(source.shape[-1]), np.zeros(source.shape[-1])
    ops: list[str] = []
    while name not in graph.outputs and len(graph.consumers[name]) == 1:
        op = graph.consumers[name][0]
        value = _constant(graph, op, name)
        if value is None:
            break
        if isinstance(op, Add | Sub):
            shift = shift + (value if isinstance(op, Add) else -value)
        else:
            value = value if isinstance(op, Mul) else 1 / value
            factor, shift = factor * value, shift * value
        ops.append(op.name)
        name = op.outputs[0]
    if not ops or name in graph.outputs or not factor.all():
        return None
    return Standardized(source, tuple(ops), name, -shift / factor, factor)


def _constant(graph: Graph, op: Op, source: str) -> Array | None:
    """The number of each channel that the operator applies to ``source``, float64."""
    if not isinstance(op, Add | Sub | Mul | Div) or op.activation is not Activation.NONE:
        return None
    names = op.inputs if op.inputs[0] == source else op.inputs[::-1]
    value = graph.tensor(names[1])
    channels = graph.tensor(source).shape[-1]
    is_first = op.inputs[0] == source or isinstance(op, Add | Mul)
    is_same = graph.tensor(op.outputs[0]).shape == graph.tensor(source).shape
    if not is_first or not is_same or value.data is None or not _is_of_channels(value, channels):
        return None
    if isinstance(op, Div) and not value.data.all():
        return None
    return np.broadcast_to(value.data.reshape(-1).astype(np.float64), (channels,))


def _is_of_channels(value: Tensor, channels: int) -> bool:
    return value.size == 1 or (value.size == channels and value.shape[-1] == channels)


def _is_lost(table: CalibrationTable, each: Standardized) -> bool:
    """Whether a step of an int8 input would be many steps of what is made of it."""
    spans = [high - low for low, high in (table.ranges[n] for n in (each.source.name, each.result))]
    return bool(spans[0] * np.abs(each.factor).max() > COARSEST * spans[1])
