"""UNPACK: the slices along a dimension, as tensors without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import Move, MovementOperator
from tinyml.ops.families.parts import axis_from_front


@dataclass(frozen=True, kw_only=True)
class Unpack(MovementOperator):
    """Output i is slice i of the input along ``axis``."""

    axis: int

    opcodes: ClassVar[tuple[str, ...]] = ("UNPACK",)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the axis, counted from the front."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            axis=axis_from_front(node, int(node.options.get("axis", 0)), node.inputs[0]),
        )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the input's shape without the axis, once per output."""
        dtype = require_dtype(self, graph)
        shape = graph.tensor(self.inputs[0]).shape
        if shape[self.axis] != len(self.outputs) or 0 in shape:
            raise self.error(
                f"input '{self.inputs[0]}' {shape} does not unpack into {len(self.outputs)} "
                f"outputs along dimension {self.axis}"
            )
        spec = TensorSpec((*shape[: self.axis], *shape[self.axis + 1 :]), dtype)
        return (spec,) * len(self.outputs)

    def moves(self, sources: Sequence[Array], outputs: Sequence[Array]) -> Iterator[Move]:
        """Every slice to its output."""
        slices = np.moveaxis(sources[0], self.axis, 0)
        for number, output in enumerate(outputs):
            yield slices[number, ...], output

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, 2 for int8, 4 for int16."""
        versions = {DType.INT8: 2, DType.UINT8: 2, DType.BOOL: 3, DType.INT16: 4}
        return TfliteOp(
            opcode="UNPACK",
            version=versions.get(graph.tensor(self.inputs[0]).dtype, 1),
            inputs=self.inputs,
            options_table="UnpackOptions",
            options={"num": len(self.outputs), "axis": self.axis},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Split, then Squeeze each part."""
        del graph
        axes = InlineConstant("axes", np.array([self.axis], np.int64))
        parts = [f"{self.name}/part_{number}" for number in range(len(self.outputs))]
        split = OnnxNode(
            op_type="Split",
            inputs=self.inputs,
            outputs=tuple(parts),
            attributes={"axis": self.axis},
            quantized_like=self.inputs[0],
        )
        lowered = (
            OnnxNode(op_type="Squeeze", inputs=(part, axes), outputs=(output,))
            for part, output in zip(parts, self.outputs, strict=True)
        )
        return (split, *lowered)
