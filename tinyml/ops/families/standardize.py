"""Real numbers moved and scaled channel by channel, then quantized: sensors of different ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tinyml.ir.graph import DType, Graph, Tensor, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.operator import FloatSteps, Operator, QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.mul import Mul
from tinyml.ops.sub import Sub


@dataclass(frozen=True, kw_only=True)
class Standardize(Operator):
    """``(x - offset) * factor`` of a float32 input, as int8.

    Offset and factor are constants of one element for each index of the last dimension. In a file
    these are a SUB, a MUL and a QUANTIZE.
    """

    opcodes: ClassVar[tuple[str, ...]] = ("STANDARDIZE",)
    kernels: ClassVar[Kernels] = {DType.FLOAT32: ("tinyml_standardize_s8",)}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Refuse: a pass makes it of three operators."""
        raise NotImplementedError(node.opcode)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape of the input, int8."""
        return (TensorSpec(graph.tensor(self.inputs[0]).shape, DType.INT8),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """The output has parameters of its own."""
        del graph
        return QuantizationRule()

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """The difference, then the product."""
        del graph
        x, offset, factor = operands
        return (xp.multiply(xp.subtract(x, offset), factor),)

    def float_steps(self, graph: Graph, source: str, output: str) -> FloatSteps:
        """The difference and the product."""
        centred = f"{self.name}/centred"
        tensor = Tensor(centred, graph.tensor(self.inputs[0]).shape, DType.FLOAT32)
        _, offset, factor = self.inputs
        none = Activation.NONE
        return FloatSteps(
            (
                Sub(name=centred, inputs=(source, offset), outputs=(centred,), activation=none),
                Mul(name=output, inputs=(centred, factor), outputs=(output,), activation=none),
            ),
            (tensor,),
        )

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Refuse: ``float_steps`` are written."""
        del graph
        raise NotImplementedError(self.name)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Sub and Mul."""
        del graph
        centred = f"{self.name}/centred"
        return (
            OnnxNode(op_type="Sub", inputs=self.inputs[:2], outputs=(centred,)),
            OnnxNode(op_type="Mul", inputs=(centred, self.inputs[2]), outputs=self.outputs),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Take TFLite's steps in float32."""
        source, offset, factor = self.inputs
        output = graph.tensor(self.outputs[0])
        fields = {
            "size": output.size,
            "channels": output.shape[-1],
            "scale": output.scale,
            "output_offset": output.zero_point,
        }
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_standardize_params", "params", fields),
                *map(TensorPointer, (source, offset, factor, output.name)),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))
