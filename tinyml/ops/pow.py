"""POW, which quantization turns into a table where the exponent is constant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands, any_layout
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteOp
from tinyml.ops.families.elementwise import ElementwiseOperator

# Powers that other operators are read as.
OTHERS = (0.5, 2.0, 3.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class Pow(ElementwiseOperator):
    """Elementwise power with broadcasting; float only."""

    opcodes: ClassVar[tuple[str, ...]] = ("POW",)
    five_in_tflite_runtime: ClassVar[bool] = False
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    kernels: ClassVar[Kernels] = {DType.FLOAT32: ()}
    without_kernel: ClassVar[str] = "becomes a table when the model is quantized"
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Pow": Operands.ANY}

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Pow by a constant that no other operator takes."""
        return None if node.scalar(1, 1.0) in OTHERS else super().from_onnx(node)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The broadcast shape, float32."""
        if graph.tensor(self.inputs[0]).dtype in {DType.INT8, DType.INT16}:
            raise self.error(
                "TFLite has no kernel for powers of integers; raise to a constant power, which "
                "becomes a table when the float model is quantized to int8"
            )
        return super().infer(graph)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Input and output have parameters of their own."""
        if not graph.tensor(self.inputs[1]).is_constant:
            raise self.error(
                f"the exponent '{self.inputs[1]}' is computed at run time, expected one constant "
                "number"
            )
        return super().quantization_rule(graph)

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """The power, rounded once."""
        base, exponent = operands
        return xp.power(base, exponent)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1."""
        del graph
        return TfliteOp(opcode="POW", version=1, inputs=self.inputs, options_table="PowOptions")

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Pow."""
        del graph
        return (any_layout("Pow", self.inputs, self.outputs),)

    def to_c(self, graph: Graph) -> Kernel:
        """Refuse: what is float does not run on the device."""
        del graph
        raise self.error("float tensors are only supported at the model's edges")
