"""DIV, which quantization turns into MUL where the divisor is constant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands, float_constant
from tinyml.ops.families.elementwise import ArithmeticOperator, needs_five_dimensions
from tinyml.ops.onnx.elementwise import chained_lowering


@dataclass(frozen=True, kw_only=True)
class Div(ArithmeticOperator):
    """Elementwise quotient with broadcasting and fused activation; float only."""

    opcodes: ClassVar[tuple[str, ...]] = ("DIV",)
    kernels: ClassVar[Kernels] = {DType.FLOAT32: ()}
    without_kernel: ClassVar[str] = "becomes MUL when the model is quantized"
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Div": Operands.ANY, "Reciprocal": Operands.ANY}
    options_table: ClassVar[str] = "DivOptions"
    onnx_type: ClassVar[str] = "Div"

    def joint(self, xp: ArrayLibrary, first: Any, second: Any) -> Any:
        """The quotient."""
        return xp.divide(first, second)

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Div; a Reciprocal divides 1."""
        if node.op_type == "Div":
            return chained_lowering(cls, node, activation=Activation.NONE)
        one = float_constant(node.inner("one"), 1.0)
        op = cls(
            name=node.name,
            inputs=(one.name, node.inputs[0]),
            outputs=node.outputs,
            activation=Activation.NONE,
        )
        return OnnxLowering(ops=(op,), constants=(one,))

    def version(self, graph: Graph) -> int:
        """Version 2 brought broadcasting over five dimensions."""
        return 2 if needs_five_dimensions(graph, self) else 1

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The broadcast shape, float32."""
        if graph.tensor(self.inputs[0]).dtype is DType.INT8:
            raise self.error(
                "TFLite has no int8 kernel for a division; divide by a constant, which becomes a "
                "multiplication when the float model is quantized"
            )
        return super().infer(graph)

    def to_c(self, graph: Graph) -> Kernel:
        """Refuse: what is float does not run on the device."""
        del graph
        raise self.error("float tensors are only supported at the model's edges")
