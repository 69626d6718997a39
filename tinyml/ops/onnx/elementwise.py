"""ONNX nodes that a class takes operand by operand, without attributes of their own."""

from __future__ import annotations

from typing import Any

from tinyml.ir.graph import Op
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn


def plain_lowering(
    cls: type[Op], node: OnnxNodeIn, operands: int | None = None, **fields: Any
) -> OnnxLowering:
    """One operator of a node's first ``operands``, or of all."""
    op = cls(name=node.name, inputs=node.inputs[:operands], outputs=node.outputs[:1], **fields)
    return OnnxLowering(ops=(op,))


def chained_lowering(cls: type[Op], node: OnnxNodeIn, **fields: Any) -> OnnxLowering:
    """Operators of two tensors one after another, for a node of two or more."""
    if len(node.inputs) < 2:
        raise node.error("has one input, expected at least two")
    total, *others = node.inputs
    ops: list[Op] = []
    for place, other in enumerate(others, start=2):
        output = node.name if place == len(node.inputs) else node.inner(f"first_{place}")
        ops.append(cls(name=output, inputs=(total, other), outputs=(output,), **fields))
        total = output
    return OnnxLowering(ops=tuple(ops))
