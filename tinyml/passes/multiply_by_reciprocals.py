"""Turns divisions by constants into multiplications: TFLite has no int8 kernel for DIV."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml.ir.graph import Graph, Op, Tensor
from tinyml.ops.div import Div
from tinyml.ops.mul import Mul


def multiply_by_reciprocals(graph: Graph) -> Graph:
    """Replace each DIV of a float graph whose divisor is constant and nowhere zero by MUL."""
    tensors = dict(graph.tensors)
    ops: list[Op] = []
    for op in graph.ops:
        if isinstance(op, Div) and _is_invertible(graph.tensor(op.inputs[1])):
            divisor = graph.tensor(op.inputs[1])
            reciprocal = replace(
                divisor,
                name=f"{divisor.name}/reciprocal",
                data=np.float32(1) / divisor.constant,
            )
            tensors[reciprocal.name] = reciprocal
            op = Mul(
                name=op.name,
                inputs=(op.inputs[0], reciprocal.name),
                outputs=op.outputs,
                activation=op.activation,
            )
        ops.append(op)
    return replace(graph, tensors=tensors, ops=tuple(ops)).pruned()


def _is_invertible(tensor: Tensor) -> bool:
    return tensor.data is not None and bool(np.all(tensor.data != 0))
