"""Turns a division by a square root into a product with RSQRT.

TFLite has int8 kernels for the latter two and none for a division; normalizations divide so.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op
from tinyml.ops.div import Div
from tinyml.ops.mul import Mul
from tinyml.ops.reshape import Reshape
from tinyml.ops.rsqrt import Rsqrt
from tinyml.ops.sqrt import Sqrt


def multiply_by_rsqrt(graph: Graph) -> Graph:
    """Rewrite every DIV by a SQRT, reshaped or not; a root that nothing else reads leaves."""
    ops, made = list[Op](), set[str]()
    for op in graph.ops:
        path = _path_from_root(graph, op) if isinstance(op, Div) else ()
        if not isinstance(op, Div) or not path:
            ops.append(op)
            continue
        for step in (_reciprocal(step) for step in path):
            if step.name not in made:
                made.add(step.name)
                ops.append(step)
        graph = graph.with_tensors(
            *(replace(graph.tensor(s.outputs[0]), name=_reciprocal(s).outputs[0]) for s in path)
        )
        inputs = (op.inputs[0], _reciprocal(path[-1]).outputs[0])
        ops.append(Mul(name=op.name, inputs=inputs, outputs=op.outputs, activation=op.activation))
    return _without_unread(replace(graph, ops=tuple(ops))) if made else graph


def _path_from_root(graph: Graph, op: Div) -> tuple[Op, ...]:
    """The SQRT that ``op`` divides by and the RESHAPE of it, if that is what the divisor is.

    A root that has a scale already is none: the reciprocal would not fit it.
    """
    last = graph.producers.get(op.inputs[1])
    first = graph.producers.get(last.inputs[0]) if isinstance(last, Reshape) else last
    if last is None or not isinstance(first, Sqrt):
        return ()
    if graph.tensor(first.outputs[0]).quant is not None:
        return ()
    return (first,) if first is last else (first, last)


def _reciprocal(op: Op) -> Op:
    """The operator in whose place it stands."""
    name = f"{op.outputs[0]}/reciprocal"
    if isinstance(op, Reshape):
        return replace(op, name=name, inputs=(f"{op.inputs[0]}/reciprocal",), outputs=(name,))
    return Rsqrt(name=name, inputs=op.inputs, outputs=(name,))


def _without_unread(graph: Graph) -> Graph:
    """Drop the roots, and the RESHAPEs of them, that only divisions read."""
    for kind in (Reshape, Sqrt):
        read = {*graph.outputs, *(name for op in graph.ops for name in op.inputs)}
        kept = (op for op in graph.ops if not isinstance(op, kind) or op.outputs[0] in read)
        graph = replace(graph, ops=tuple(kept))
    return graph.pruned()
