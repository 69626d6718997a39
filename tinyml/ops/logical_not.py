"""LOGICAL_NOT of a bool tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, KernelCall, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands, any_layout
from tinyml.ops.contract.tflite import TfliteOp
from tinyml.ops.families.elementwise import ElementwiseOperator
from tinyml.ops.onnx.elementwise import plain_lowering


@dataclass(frozen=True, kw_only=True)
class LogicalNot(ElementwiseOperator):
    """Whether an element does not hold."""

    opcodes: ClassVar[tuple[str, ...]] = ("LOGICAL_NOT",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Not": Operands.ANY}
    differentiable: ClassVar[bool] = False
    kernels: ClassVar[Kernels] = {DType.BOOL: ("tinyml_logical_not",)}

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read nothing but the tensor."""
        return plain_lowering(cls, node, 1)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape of the input, bool."""
        require_dtype(self, graph)
        return (TensorSpec(graph.tensor(self.inputs[0]).shape, DType.BOOL),)

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """Negate the only operand."""
        (x,) = operands
        return xp.logical_not(x)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1."""
        del graph
        return TfliteOp(opcode="LOGICAL_NOT", version=1, inputs=self.inputs)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Not."""
        del graph
        return (any_layout("Not", self.inputs, self.outputs),)

    def to_c(self, graph: Graph) -> Kernel:
        """One byte after the other."""
        source, output = self.inputs[0], self.outputs[0]
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(TensorPointer(source), TensorPointer(output), graph.tensor(output).size),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,), may_overwrite=(source,))
