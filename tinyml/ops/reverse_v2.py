"""REVERSE_V2: the elements of some dimensions in opposite order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Shape
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.oracles import ALL_BUT_TFLITE_RUNTIME, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import ViewOperator

# Slice's end for "down to the first element and it too".
BEFORE_THE_FIRST = np.iinfo(np.int64).min


@dataclass(frozen=True, kw_only=True)
class ReverseV2(ViewOperator):
    """Dimensions ``axes`` run backwards."""

    axes: tuple[int, ...]

    opcodes: ClassVar[tuple[str, ...]] = ("REVERSE_V2",)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the axes, which must be constant, counted from the front."""
        rank = len(node.tensors[node.inputs[0]].shape)
        axes = [int(axis) for axis in node.constant_input(1).reshape(-1)]
        return cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            axes=tuple(axis + rank if axis < 0 else axis for axis in axes),
        )

    def output_shape(self, shape: Shape) -> Shape:
        """The input's."""
        fit = all(0 <= axis < len(shape) for axis in self.axes)
        if not fit or len({*self.axes}) < len(self.axes):
            raise self.error(f"axes {self.axes} do not fit an input of shape {shape}")
        return shape

    def view(self, source: Array) -> Array:
        """Step backwards."""
        return np.flip(source, self.axes)

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """Not tflite-runtime 2.14 for several axes, of which it reverses the first only."""
        del graph
        return ALL_BUT_TFLITE_RUNTIME if len(self.axes) > 1 else self.oracles

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, 2 for bool, 3 for several axes.

        Version 3 brought int8, which kernels before it take as well. Of several axes, though, they
        reverse the first only.
        """
        version = 2 if graph.tensor(self.inputs[0]).dtype is DType.BOOL else 1
        axes = InlineConstant("axes", np.array(self.axes, np.int32))
        return TfliteOp(
            opcode="REVERSE_V2",
            version=3 if len(self.axes) > 1 else version,
            inputs=(*self.inputs, axes),
            options_table="ReverseV2Options",
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Slice with negative steps."""
        del graph
        count = len(self.axes)
        constants = {
            "starts": [-1] * count,
            "ends": [BEFORE_THE_FIRST] * count,
            "axes": list(self.axes),
            "steps": [-1] * count,
        }
        inputs = (InlineConstant(n, np.array(v, np.int64)) for n, v in constants.items())
        node = OnnxNode(op_type="Slice", inputs=(*self.inputs, *inputs), outputs=self.outputs)
        return (node,)
