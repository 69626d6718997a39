"""PACK: tensors of one shape stacked along a new dimension."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import Move, MovementOperator
from tinyml.ops.families.parts import axis_from_front


@dataclass(frozen=True, kw_only=True)
class Pack(MovementOperator):
    """Input i is slice i of the output along ``axis``."""

    axis: int

    opcodes: ClassVar[tuple[str, ...]] = ("PACK",)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the axis, counted from the front of the output."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            axis=axis_from_front(node, int(node.options.get("axis", 0)), node.outputs[0]),
        )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the inputs' shape with their number at the axis."""
        dtype = require_dtype(self, graph)
        kinds = {(graph.tensor(name).shape, graph.tensor(name).dtype) for name in self.inputs}
        shape = list(graph.tensor(self.inputs[0]).shape)
        if len(kinds) != 1 or not 0 <= self.axis <= len(shape):
            shapes = [graph.tensor(name).shape for name in self.inputs]
            raise self.error(f"inputs of shapes {shapes} do not stack along dimension {self.axis}")
        shape.insert(self.axis, len(self.inputs))
        return (TensorSpec(tuple(shape), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Bytes are copied, so the inputs take the output's parameters."""
        del graph
        return QuantizationRule(inputs_follow_output=True)

    def moves(self, sources: Sequence[Array], outputs: Sequence[Array]) -> Iterator[Move]:
        """Every input to its slice."""
        slices = np.moveaxis(outputs[0], self.axis, 0)
        for number, source in enumerate(sources):
            yield source, slices[number, ...]

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, 2 for int8, 3 for int16."""
        return TfliteOp(
            opcode="PACK",
            version={DType.INT8: 2, DType.INT16: 3}.get(graph.tensor(self.inputs[0]).dtype, 1),
            inputs=self.inputs,
            options_table="PackOptions",
            options={"valuesCount": len(self.inputs), "axis": self.axis},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Unsqueeze each input, then Concat."""
        del graph
        axes = InlineConstant("axes", np.array([self.axis], np.int64))
        slices = [f"{self.name}/slice_{number}" for number in range(len(self.inputs))]
        stacked = OnnxNode(
            op_type="Concat",
            inputs=tuple(slices),
            outputs=self.outputs,
            attributes={"axis": self.axis},
        )
        raised = (
            OnnxNode(op_type="Unsqueeze", inputs=(source, axes), outputs=(name,))
            for source, name in zip(self.inputs, slices, strict=True)
        )
        return (*raised, stacked)
