"""SELECT and SELECT_V2: elements of two tensors, by a bool tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, Shape, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, Struct
from tinyml.ops.contract.checks import require_dtype, require_one_of
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands, any_layout
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.elementwise import (
    broadcast,
    broadcast_walk,
    elementwise_kernel,
    require_same_dtype,
)
from tinyml.ops.families.pointwise import PointwiseOperator
from tinyml.ops.onnx.elementwise import plain_lowering


@dataclass(frozen=True, kw_only=True)
class Select(PointwiseOperator):
    """An element of the second input where the first holds, else of the third; broadcasting.

    ``by_row``: SELECT, whose condition either has the shape of the others or one element for each
    of their rows, and which does not broadcast otherwise.
    """

    by_row: bool

    opcodes: ClassVar[tuple[str, ...]] = ("SELECT_V2", "SELECT")
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_select_s8"),
        DType.INT16: ("tinyml_select_s16",),
        DType.INT32: ("tinyml_select_s32",),
    }
    typed_input: ClassVar[int] = 1
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Where": Operands.ANY}

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read nothing but the tensors."""
        return plain_lowering(cls, node, 3, by_row=False)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """The operator's name says which."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            by_row=node.opcode == "SELECT",
        )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The broadcast shape, and the dtype of what is selected."""
        require_one_of(self, graph.tensor(self.inputs[0]), (DType.BOOL,))
        require_same_dtype(self, graph, self.inputs[1:])
        dtype = require_dtype(self, graph)
        return (TensorSpec(broadcast(self, self.inputs, self.operand_shapes(graph)), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Bytes are copied, so both choices take the output's parameters."""
        del graph
        return QuantizationRule(inputs_follow_output=True)

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """Choose."""
        condition, first, second = operands
        return xp.where(condition, first, second)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, which took int8 from the start."""
        del graph
        return TfliteOp(
            opcode="SELECT" if self.by_row else "SELECT_V2", version=1, inputs=self.inputs
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Where, after a Reshape of a condition by row."""
        condition = self.operand_shapes(graph)[0]
        if condition == graph.tensor(self.inputs[0]).shape:
            return (any_layout("Where", self.inputs, self.outputs),)
        shape = InlineConstant("condition_shape", np.array(condition, np.int64))
        reshaped = f"{self.name}/condition"
        return (
            OnnxNode(op_type="Reshape", inputs=(self.inputs[0], shape), outputs=(reshaped,)),
            OnnxNode(op_type="Where", inputs=(reshaped, *self.inputs[1:]), outputs=self.outputs),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Copy byte by byte."""
        output = graph.tensor(self.outputs[0])
        fields = broadcast_walk(self, output.shape, *self.operand_shapes(graph))
        params = Struct("tinyml_walk", "walk", fields)
        return elementwise_kernel(graph, self, params)

    def operand_shapes(self, graph: Graph) -> list[Shape]:
        """Shapes of the inputs; that of a condition by row with ones for the other dimensions."""
        condition, *choices = (graph.tensor(name).shape for name in self.inputs)
        if self.by_row and len(condition) == 1 and condition != choices[0]:
            condition = condition + (1,) * (len(choices[0]) - 1)
        return [condition, *choices]
