"""SPLIT: as many equal parts as there are outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, Shape
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.parts import PartsOperator, axis_from_front


@dataclass(frozen=True, kw_only=True)
class Split(PartsOperator):
    """Parts of equal size along ``axis``."""

    opcodes: ClassVar[tuple[str, ...]] = ("SPLIT",)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the constant axis, which comes before the input."""
        return cls(
            name=node.name,
            inputs=node.inputs[1:],
            outputs=node.outputs,
            axis=axis_from_front(node, node.constant_input(0), node.inputs[1]),
        )

    def sizes(self, shape: Shape) -> tuple[int, ...]:
        """The same for every part."""
        size, rest = divmod(shape[self.axis], len(self.outputs))
        if rest or size == 0:
            raise self.error(
                f"input '{self.inputs[0]}' {shape} does not split into {len(self.outputs)} equal "
                f"parts along dimension {self.axis}"
            )
        return (size,) * len(self.outputs)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, 2 for int8, 3 for int32, 4 for int16."""
        versions = {DType.INT8: 2, DType.INT32: 3, DType.INT16: 4}
        return TfliteOp(
            opcode="SPLIT",
            version=versions.get(graph.tensor(self.inputs[0]).dtype, 1),
            inputs=(InlineConstant("axis", np.array(self.axis, np.int32)), *self.inputs),
            options_table="SplitOptions",
            options={"numSplits": len(self.outputs)},
        )
