"""L2_NORMALIZATION along the last dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, QuantParams, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import Kernel, KernelCall, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.onnx.elementwise import plain_lowering

OUTPUT_QUANT = QuantParams.per_tensor(1 / 128, 0)
# Squares of so many differences from the zero point, each at most 255, add up to 31 bits.
LONGEST_ROW = (2**31 - 1) // 255**2


# The length below which the float kernel takes a row for zeros (TFLite's epsilon).
SHORTEST = 1e-6


@dataclass(frozen=True, kw_only=True)
class L2Normalization(Operator):
    """``x / sqrt(sum(x * x))`` along the last dimension."""

    opcodes: ClassVar[tuple[str, ...]] = ("L2_NORMALIZATION",)
    kernels: ClassVar[Kernels] = int8_kernels("tinyml_l2_normalization_s8")
    onnx_types: ClassVar[Mapping[str, Operands]] = {"LpNormalization": Operands.AXIS_LAST}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read nothing but the tensors."""
        operator = cls(name=node.name, inputs=node.inputs, outputs=node.outputs)
        if Activation.from_tflite(node) is not Activation.NONE:
            raise operator.error("a fused activation is not supported")
        return operator

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read one by the square root of squares."""
        if node.attributes.get("p", 2) != 2:
            raise node.error(f"p is {node.attributes['p']}, expected 2")
        return plain_lowering(cls, node)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape and dtype of the input."""
        dtype = require_dtype(self, graph)
        source = graph.tensor(self.inputs[0])
        if not source.shape or source.size == 0:
            raise self.error(f"input '{source.name}' has shape {source.shape}, expected elements")
        return (TensorSpec(source.shape, dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Results lie in [-1, 1], which 1/128 and 0 cover but for 1 itself."""
        del graph
        return QuantizationRule(fixed_output=OUTPUT_QUANT)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Divide each row by its length, which is never taken for less than a millionth."""
        del graph
        (x,) = operands
        squares = xp.sum(xp.multiply(x, x), -1, keepdims=True)
        return (x * xp.rsqrt(xp.maximum(squares, np.float32(SHORTEST**2))),)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 for float, 2 for int8."""
        return TfliteOp(
            opcode="L2_NORMALIZATION",
            version=1 if graph.tensor(self.inputs[0]).dtype is DType.FLOAT32 else 2,
            inputs=self.inputs,
            options_table="L2NormOptions",
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """LpNormalization."""
        del graph
        return (
            OnnxNode(
                op_type="LpNormalization",
                inputs=self.inputs,
                outputs=self.outputs,
                attributes={"axis": -1, "p": 2},
            ),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Multiply each row by the reciprocal of its length, in fixed point."""
        source = graph.tensor(self.inputs[0])
        row = source.shape[-1]
        if row > LONGEST_ROW:
            raise self.error(
                f"input '{source.name}' has rows of {row} elements, expected at most "
                f"{LONGEST_ROW}, whose squares add up to 32 bits"
            )
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                TensorPointer(source.name),
                source.size // row,
                row,
                -source.zero_point,
                TensorPointer(self.outputs[0]),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,), may_overwrite=(source.name,))
