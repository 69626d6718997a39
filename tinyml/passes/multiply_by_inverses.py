"""Turns a division by a computed tensor into a product with its inverse.

TFLite has no int8 kernel for a division of two tensors. The inverse is a function of one tensor,
often together with the root and the sum before it, and so a table.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyml.ir.graph import DType, Graph, Op, Tensor
from tinyml.ops.contract.activation import Activation
from tinyml.ops.div import Div
from tinyml.ops.mul import Mul

ONE = np.array(1, np.float32)


def multiply_by_inverses(graph: Graph) -> Graph:
    """Rewrite every DIV by a float tensor without a scale, unless it divides a number."""
    ops, tensors = list[Op](), dict(graph.tensors)
    for op in graph.ops:
        if not isinstance(op, Div) or not _divides_tensors(graph, op):
            ops.append(op)
            continue
        divisor = graph.tensor(op.inputs[1])
        one, inverse = f"{op.name}/one", f"{op.name}/inverse"
        tensors[one] = Tensor(one, (), DType.FLOAT32, data=ONE)
        tensors[inverse] = replace(divisor, name=inverse)
        none = Activation.NONE
        ops += [
            Div(name=inverse, inputs=(one, divisor.name), outputs=(inverse,), activation=none),
            Mul(
                name=op.name,
                inputs=(op.inputs[0], inverse),
                outputs=op.outputs,
                activation=op.activation,
            ),
        ]
    return replace(graph, tensors=tensors, ops=tuple(ops)).pruned()


def _divides_tensors(graph: Graph, op: Div) -> bool:
    dividend, divisor = (graph.tensor(name) for name in op.inputs)
    is_number = dividend.is_constant and dividend.size == 1
    return not divisor.is_constant and divisor.quant is None and not is_number
