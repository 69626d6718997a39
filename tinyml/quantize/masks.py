"""Masks of attention, as far below the scores as eight bits need and no further.

Frameworks put -1e9 or -2e38 where a score is to count nothing. SOFTMAX gives 0 for anything far
enough below the least score, and a range that holds such a number holds no two scores apart.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Op, Tensor
from tinyml.ops.add import Add
from tinyml.ops.contract.operator import Operator, operators
from tinyml.ops.select import Select
from tinyml.ops.softmax import Softmax
from tinyml.passes.drop_unread import drop_unread
from tinyml.quantize.calibrate import CalibrationTable
from tinyml.quantize.observers import Range

# No scores of a trained model are as low.
MASKED = -1e3
# e^-10 of the least score: a hundred masked steps take half a percent of it.
MARGIN = 10.0


def bound_masks(graph: Graph, table: CalibrationTable) -> tuple[Graph, CalibrationTable]:
    """Raise what masks the input of a SOFTMAX to just below the least score."""
    masked = {op.inputs[0] for op in operators(graph) if isinstance(op, Softmax)}
    masked = {name for name in masked if len(graph.consumers.get(name, ())) == 1}
    tensors, ranges = dict(graph.tensors), dict(table.ranges)
    ops: list[Op] = []
    for op in operators(graph):
        found = _bounded(graph, table, op) if op.outputs and op.outputs[0] in masked else None
        if found is None:
            ops.append(op)
            continue
        place, mask, bounds = found
        tensors[mask.name] = mask
        ranges[op.outputs[0]] = bounds
        ops.append(replace(op, inputs=(*op.inputs[:place], mask.name, *op.inputs[place + 1 :])))
    if len(tensors) == len(graph.tensors):
        return graph, table
    changed = drop_unread(replace(graph, tensors=tensors, ops=tuple(ops)))
    return changed, replace(table, ranges=ranges)


def _bounded(
    graph: Graph, table: CalibrationTable, op: Operator
) -> tuple[int, Tensor, Range] | None:
    """Place of the mask among the inputs, what replaces it, and the range of the output."""
    places = (1, 2) if isinstance(op, Select) else (0, 1) if isinstance(op, Add) else ()
    for place, other in (places, places[::-1]) if places else ():
        mask, scores = (_range(graph, table, op.inputs[n]) for n in (place, other))
        if mask is None or scores is None or mask[0] > MASKED or scores[0] <= MASKED:
            continue
        if isinstance(op, Add):
            return _added(graph, op, place, scores)
        if mask[1] > MASKED:
            continue
        floor = scores[0] - MARGIN
        shape = graph.tensor(op.outputs[0]).shape
        return place, _constant(op, np.full(shape, floor, np.float32)), (floor, scores[1])
    return None


def _added(
    graph: Graph, op: Operator, place: int, scores: Range
) -> tuple[int, Tensor, Range] | None:
    """Of a sum: constants beside what is masked, such as those of a position, stay."""
    data = graph.tensor(op.inputs[place]).data
    if data is None or (data <= MASKED).all():
        return None
    kept = data[data > MASKED]
    low, high = scores[0] + float(kept.min()), scores[1] + float(kept.max())
    floor = low - MARGIN
    mask = np.where(data <= MASKED, np.float32(floor - scores[1]), data).astype(np.float32)
    return place, _constant(op, mask), (floor, high)


def _constant(op: Operator, data: Array) -> Tensor:
    return Tensor(f"{op.name}/mask", data.shape, DType.FLOAT32, data=data)


def _range(graph: Graph, table: CalibrationTable, name: str) -> Range | None:
    data = graph.tensor(name).data
    if data is not None:
        return (float(data.min()), float(data.max())) if data.size else None
    return table.ranges.get(name)
