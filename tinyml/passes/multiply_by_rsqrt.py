"""Turns a division by a square root into a product with RSQRT.

TFLite has int8 kernels for the latter two and none for a division; normalizations divide so.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op
from tinyml.ops.div import Div
from tinyml.ops.mul import Mul
from tinyml.ops.rsqrt import Rsqrt
from tinyml.ops.sqrt import Sqrt


def multiply_by_rsqrt(graph: Graph) -> Graph:
    """Rewrite every DIV by a SQRT; a root that nothing else reads leaves."""
    ops, made = list[Op](), set[str]()
    for op in graph.ops:
        root = _plain_root(graph, op)
        if not isinstance(op, Div) or root is None:
            ops.append(op)
            continue
        name = f"{root.outputs[0]}/reciprocal"
        if name not in made:
            made.add(name)
            ops.append(Rsqrt(name=name, inputs=root.inputs, outputs=(name,)))
            graph = graph.with_tensors(replace(graph.tensor(root.outputs[0]), name=name))
        inputs = (op.inputs[0], name)
        ops.append(Mul(name=op.name, inputs=inputs, outputs=op.outputs, activation=op.activation))
    return _without_unread(replace(graph, ops=tuple(ops))) if made else graph


def _plain_root(graph: Graph, op: Op) -> Sqrt | None:
    """Give what ``op`` divides by, a SQRT whose scale the reciprocal need not fit."""
    root = graph.producers.get(op.inputs[1]) if isinstance(op, Div) else None
    if not isinstance(root, Sqrt) or graph.tensor(root.outputs[0]).quant is not None:
        return None
    return root


def _without_unread(graph: Graph) -> Graph:
    read = {*graph.outputs, *(name for op in graph.ops for name in op.inputs)}
    kept = (op for op in graph.ops if not isinstance(op, Sqrt) or op.outputs[0] in read)
    return replace(graph, ops=tuple(kept)).pruned()
