"""RELU, RELU6 and RELU_N1_TO_1 that stand alone, with scales of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.activation import Activation, clip_node, quantized_bounds
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import VERSIONS, Kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.lookup import LookupOperator, requantized
from tinyml.ops.families.pointwise import PointwiseOperator
from tinyml.ops.families.requantize import REQUANTIZATIONS, requantize_kernel


@dataclass(frozen=True, kw_only=True)
class Relu(LookupOperator, PointwiseOperator):
    """Clamp to the bounds of ``activation``."""

    activation: Activation

    opcodes: ClassVar[tuple[str, ...]] = ("RELU", "RELU6", "RELU_N1_TO_1")
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    kernels: ClassVar[Kernels] = {
        **LookupOperator.kernels,
        DType.INT16: (REQUANTIZATIONS[DType.INT16],),
    }
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Relu": Operands.ANY, "Clip": Operands.ANY}

    @property
    def kind(self) -> str:
        """The name of the bounds."""
        return self.activation.name

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """The operator's name says which bounds."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            activation=Activation[node.opcode],
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Relu, or a Clip to the bounds of one."""
        bounds = Activation.RELU.bounds
        if node.op_type == "Clip":
            bounds = node.scalar(1, -math.inf), node.scalar(2, math.inf)
        found = [a for a in Activation if a.bounds == bounds and a is not Activation.NONE]
        if not found:
            return None
        relu = cls(
            name=node.name, inputs=node.inputs[:1], outputs=node.outputs, activation=found[0]
        )
        return OnnxLowering(ops=(relu,))

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape and dtype of the input."""
        dtype = require_dtype(self, graph)
        return (TensorSpec(graph.tensor(self.inputs[0]).shape, dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Input and output have parameters of their own."""
        del graph
        return QuantizationRule()

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """Clamp the only operand."""
        (x,) = operands
        return self.activation.apply(xp, x)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version that brought the dtype; RELU_N1_TO_1 has one only."""
        has_one = self.activation is Activation.RELU_N1_TO_1
        return TfliteOp(
            opcode=self.activation.name,
            version=1 if has_one else VERSIONS[graph.tensor(self.inputs[0]).dtype],
            inputs=self.inputs,
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Relu or Clip."""
        del graph
        return (clip_node(self.inputs[0], self.outputs[0], self.activation.bounds),)

    def table(self, graph: Graph) -> Array:
        """Rescale and clamp (TFLite's QuantizedReluX)."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        return requantized(source, output, self._ratio(graph), self._limits(graph))

    def to_c(self, graph: Graph) -> Kernel:
        """Look int8 up, rescale int16."""
        if graph.tensor(self.inputs[0]).dtype is DType.INT8:
            return super().to_c(graph)
        return requantize_kernel(graph, self, self._ratio(graph), self._limits(graph))

    def _ratio(self, graph: Graph) -> float:
        """Input scale over output scale, in float32 as TFLite has it."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        return float(np.float32(source.scale) / np.float32(output.scale))

    def _limits(self, graph: Graph) -> tuple[int, int]:
        return quantized_bounds(self.activation.bounds, graph.tensor(self.outputs[0]))
