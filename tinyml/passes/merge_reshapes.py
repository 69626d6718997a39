"""Makes one RESHAPE of two, and none of one that changes nothing."""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op
from tinyml.ops.reshape import Reshape


def merge_reshapes(graph: Graph) -> Graph:
    """Merge where the tensors carry the same scales, or none; the boundary keeps its names."""
    for op in graph.ops:
        if isinstance(op, Reshape):
            graph = _read_the_first(graph, op.outputs[0])
    graph = _without_unread(graph)
    for op in graph.ops:
        if isinstance(op, Reshape):
            graph = _without_copy(graph, op)
    return graph.pruned()


def _read_the_first(graph: Graph, name: str) -> Graph:
    """Let a RESHAPE of a RESHAPE read what that reads."""
    op = graph.producers[name]
    before = graph.producers.get(op.inputs[0])
    if not isinstance(before, Reshape) or not _is_free(graph, before, op.inputs[0]):
        return graph
    changed = replace(op, inputs=before.inputs)
    return replace(graph, ops=tuple(changed if other is op else other for other in graph.ops))


def _is_free(graph: Graph, op: Op, name: str) -> bool:
    """Whether ``op`` gives tensor ``name`` no scales of its own."""
    return graph.tensor(name).quant in {None, graph.tensor(op.inputs[0]).quant}


def _without_unread(graph: Graph) -> Graph:
    read = {*graph.outputs, *(name for op in graph.ops for name in op.inputs)}
    ops = (op for op in graph.ops if not isinstance(op, Reshape) or op.outputs[0] in read)
    return replace(graph, ops=tuple(ops))


def _without_copy(graph: Graph, op: Reshape) -> Graph:
    """Let the readers of a RESHAPE to the same shape read its input."""
    source, output = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    if source.shape != output.shape or output.quant not in {None, source.quant}:
        return graph
    if output.name in graph.outputs:
        return graph
    ops = [
        replace(other, inputs=tuple(source.name if n == output.name else n for n in other.inputs))
        for other in graph.ops
        if other is not op
    ]
    return replace(graph, ops=tuple(ops))
