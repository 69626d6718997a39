"""Takes away float ADDs of zeros, which an unrolled layer's first step leaves.

Zeros have no range to quantize: the scale they would get leaves 16x8 no room for the other operand.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import DType, Graph, Op, Tensor
from tinyml.ops.add import Add
from tinyml.ops.contract.activation import Activation


def drop_zero_sums(graph: Graph) -> Graph:
    """Let the readers of such a sum read the operand that is not zero."""
    names: dict[str, str] = {}
    ops: list[Op] = []
    for op in graph.ops:
        op = replace(op, inputs=tuple(names.get(name, name) for name in op.inputs))
        kept = _kept_operand(graph, op) if isinstance(op, Add) else None
        if kept is None:
            ops.append(op)
        else:
            names[op.outputs[0]] = kept
    return replace(graph, ops=tuple(ops)).pruned() if names else graph


def _kept_operand(graph: Graph, op: Add) -> str | None:
    """The operand that is the sum, in its shape; None where both matter or the sum is an output."""
    output = graph.tensor(op.outputs[0])
    if op.activation is not Activation.NONE or output.name in graph.outputs:
        return None
    for name, other in (op.inputs, op.inputs[::-1]):
        if _is_zero(graph.tensor(other)) and graph.tensor(name).shape == output.shape:
            return name
    return None


def _is_zero(tensor: Tensor) -> bool:
    is_float = tensor.dtype is DType.FLOAT32
    return is_float and tensor.data is not None and not tensor.data.any()
