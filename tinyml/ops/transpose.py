"""TRANSPOSE: the dimensions in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Shape
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import ViewOperator


@dataclass(frozen=True, kw_only=True)
class Transpose(ViewOperator):
    """Dimension d of the output is dimension ``permutation[d]`` of the input."""

    permutation: tuple[int, ...]

    opcodes: ClassVar[tuple[str, ...]] = ("TRANSPOSE",)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the permutation, which must be constant, counted from the front."""
        rank = len(node.tensors[node.inputs[0]].shape)
        order = [int(axis) for axis in node.constant_input(1).reshape(-1)]
        return cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            permutation=tuple(axis + rank if axis < 0 else axis for axis in order),
        )

    def output_shape(self, shape: Shape) -> Shape:
        """The sizes in the new order."""
        if sorted(self.permutation) != list(range(len(shape))):
            raise self.error(
                f"permutation {self.permutation} does not order the dimensions of shape {shape}"
            )
        return super().output_shape(shape)

    def view(self, source: Array) -> Array:
        """Exchange the steps."""
        return source.transpose(self.permutation)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Transpose as such where samples stay apart: the gradient takes a third of the time."""
        if self.permutation[:1] == (0,):
            return (xp.transpose(operands[0], self.permutation),)
        return super().compute(xp, graph, *operands)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version the dtype or the number of dimensions came with."""
        source = graph.tensor(self.inputs[0])
        rank = len(source.shape)
        version = {DType.INT8: 2, DType.BOOL: 3, DType.INT16: 5}.get(source.dtype, 1)
        permutation = InlineConstant("permutation", np.array(self.permutation, np.int32))
        return TfliteOp(
            opcode="TRANSPOSE",
            version=max(version, 6 if rank > 5 else 4 if rank > 4 else 1),
            inputs=(*self.inputs, permutation),
            options_table="TransposeOptions",
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Transpose."""
        del graph
        return (
            OnnxNode(
                op_type="Transpose",
                inputs=self.inputs,
                outputs=self.outputs,
                attributes={"perm": list(self.permutation)},
            ),
        )
