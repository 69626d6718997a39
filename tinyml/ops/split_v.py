"""SPLIT_V: parts of sizes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, Shape
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.parts import PartsOperator, axis_from_front

# At most one part may be whatever the others leave.
REST = -1


@dataclass(frozen=True, kw_only=True)
class SplitV(PartsOperator):
    """Parts of ``part_sizes`` along ``axis``."""

    part_sizes: tuple[int, ...]

    opcodes: ClassVar[tuple[str, ...]] = ("SPLIT_V",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Split": Operands.ANY}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the constant sizes and axis; a size of -1 is what the others leave."""
        axis = axis_from_front(node, node.constant_input(2), node.inputs[0])
        sizes = [int(size) for size in node.constant_input(1).reshape(-1)]
        if sizes.count(REST) == 1:
            whole = node.tensors[node.inputs[0]].shape[axis]
            sizes[sizes.index(REST)] = whole - sum(size for size in sizes if size != REST)
        return cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            axis=axis,
            part_sizes=tuple(sizes),
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read sizes and axis; without sizes all parts but the last are of one size."""
        axis = node.axis(node.attributes.get("axis", 0))
        whole, parts = node.operand(0).shape[axis], len(node.outputs)
        sizes = node.integers("split", 1)
        if sizes is None:
            size = -(-whole // parts)
            sizes = [size] * (parts - 1) + [whole - size * (parts - 1)]
        op = cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            axis=axis,
            part_sizes=tuple(sizes),
        )
        return OnnxLowering(ops=(op,))

    def sizes(self, shape: Shape) -> tuple[int, ...]:
        """Give the sizes, which must add up to the input's."""
        fits = sum(self.part_sizes) == shape[self.axis] and min(self.part_sizes, default=0) > 0
        if not fits or len(self.part_sizes) != len(self.outputs):
            raise self.error(
                f"input '{self.inputs[0]}' {shape} does not split into {len(self.outputs)} parts "
                f"of {self.part_sizes} along dimension {self.axis}"
            )
        return self.part_sizes

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, 2 for int8."""
        return TfliteOp(
            opcode="SPLIT_V",
            version=2 if graph.tensor(self.inputs[0]).dtype is DType.INT8 else 1,
            inputs=(
                *self.inputs,
                InlineConstant("sizes", np.array(self.part_sizes, np.int32)),
                InlineConstant("axis", np.array(self.axis, np.int32)),
            ),
            options_table="SplitVOptions",
            options={"numSplits": len(self.outputs)},
        )
