"""BROADCAST_TO: one element stands for many along dimensions of size 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Shape
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import ViewOperator


@dataclass(frozen=True, kw_only=True)
class BroadcastTo(ViewOperator):
    """The input repeated to ``shape``, by numpy's rules."""

    shape: Shape

    opcodes: ClassVar[tuple[str, ...]] = ("BROADCAST_TO",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Expand": Operands.AS_ONNX}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the shape, which must be constant."""
        return cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            shape=tuple(int(size) for size in node.constant_input(1).reshape(-1)),
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read the shape, which broadcasts with the input's."""
        wanted, present = tuple(node.integers("shape", 1) or ()), node.operand(0).shape
        try:
            shape = np.broadcast_shapes(wanted, present)
        except ValueError:
            raise node.error(f"{present} does not broadcast to {wanted}") from None
        op = cls(name=node.name, inputs=node.inputs[:1], outputs=node.outputs, shape=shape)
        return OnnxLowering(ops=(op,), order=tuple(range(len(shape))))

    def output_shape(self, shape: Shape) -> Shape:
        """Give the shape."""
        missing = len(self.shape) - len(shape)
        pairs = zip(shape, self.shape[max(missing, 0) :], strict=False)
        if missing < 0 or any(have not in {1, wanted} for have, wanted in pairs):
            raise self.error(f"an input of shape {shape} cannot be broadcast to {self.shape}")
        return self.shape

    def view(self, source: Array) -> Array:
        """Take steps of 0."""
        return np.broadcast_to(source, self.shape)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 2, the first there is, 3 for quantized tensors."""
        quantized = graph.tensor(self.inputs[0]).dtype in {DType.INT8, DType.INT16}
        shape = InlineConstant("shape", np.array(self.shape, np.int32))
        return TfliteOp(
            opcode="BROADCAST_TO",
            version=3 if quantized else 2,
            inputs=(*self.inputs, shape),
            options_table="BroadcastToOptions",
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Expand."""
        del graph
        shape = InlineConstant("shape", np.array(self.shape, np.int64))
        return (OnnxNode(op_type="Expand", inputs=(*self.inputs, shape), outputs=self.outputs),)
