"""Folds a TRANSPOSE before a flattened FULLY_CONNECTED into the order of its weights.

A network in NCHW flattens its last image to channels first; the weights can take the values in the
order in which they are stored just as well.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op, Tensor
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.reshape import Reshape
from tinyml.ops.transpose import Transpose


def fold_transpose(graph: Graph) -> Graph:
    """Fold where TRANSPOSE and RESHAPE serve one FULLY_CONNECTED with weights of its own."""
    for op in graph.ops:
        if isinstance(op, FullyConnected):
            graph = _fold(graph, op)
    return graph.pruned()


def _fold(graph: Graph, connected: FullyConnected) -> Graph:
    reshape = graph.producers.get(connected.inputs[0])
    weights = graph.tensor(connected.inputs[1])
    if not isinstance(reshape, Reshape):
        return graph
    transpose = graph.producers.get(reshape.inputs[0])
    if not isinstance(transpose, Transpose) or not _is_foldable(graph, transpose, weights):
        return graph
    if any(graph.only_reader(op.outputs[0]) is None for op in (transpose, reshape)):
        return graph
    moved = _reordered(graph, transpose, weights)
    source = transpose.inputs[0]
    changed: dict[int, Op] = {
        id(reshape): replace(reshape, inputs=(source,)),
        id(connected): replace(
            connected, inputs=(connected.inputs[0], moved.name, *connected.inputs[2:])
        ),
    }
    ops = tuple(changed.get(id(op), op) for op in graph.ops if op is not transpose)
    return replace(graph.with_tensors(moved), ops=ops)


def _is_foldable(graph: Graph, transpose: Transpose, weights: Tensor) -> bool:
    """Whether each row of weights takes one whole sample, whose batch stays in front."""
    source = graph.tensor(transpose.inputs[0])
    is_whole = source.shape[0] * weights.shape[-1] == source.size
    return weights.is_constant and is_whole and transpose.permutation[0] == 0


def _reordered(graph: Graph, transpose: Transpose, weights: Tensor) -> Tensor:
    """Weights (features, depth) that take a sample as it was before the transpose."""
    features, depth = weights.shape
    after = graph.tensor(transpose.outputs[0]).shape[1:]
    backwards = [transpose.permutation.index(d) for d in range(len(transpose.permutation))]
    data = weights.constant.reshape(features, *after).transpose(backwards).reshape(features, depth)
    name = weights.name
    while len(graph.consumers.get(name, ())) > 1:
        name = f"{name}/reordered"
    return replace(weights, name=name, data=data)
