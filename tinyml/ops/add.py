"""ADD of two tensors of the same shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.activation import Activation, quantized_bounds, with_onnx_activation
from tinyml.ops.base import (
    Isa,
    Kernel,
    KernelCall,
    Layout,
    OnnxNode,
    Operator,
    QuantizationRule,
    TensorPointer,
    TfliteNode,
    TfliteOp,
)
from tinyml.ops.cmsis_nn import require_dtype

# Bits by which both inputs are scaled up first, so that rescaling them loses little.
LEFT_SHIFT = 20


@dataclass(frozen=True, kw_only=True)
class Add(Operator):
    """Elementwise sum with fused activation."""

    activation: Activation

    opcodes: ClassVar[tuple[str, ...]] = ("ADD",)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the activation."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            activation=Activation.from_tflite(node),
        )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape and dtype of the inputs, which must be the same."""
        dtype = require_dtype(self, graph, DType.FLOAT32, DType.INT8)
        first, second = (graph.tensor(name) for name in self.inputs)
        if first.shape != second.shape:
            raise self.error(
                f"inputs '{first.name}' {first.shape} and '{second.name}' {second.shape} have "
                "different shapes; broadcasting is not supported"
            )
        return (TensorSpec(first.shape, dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """All three tensors have parameters of their own."""
        del graph
        return QuantizationRule()

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 for float, 2 for int8."""
        return TfliteOp(
            opcode="ADD",
            version=1 if graph.tensor(self.inputs[0]).dtype is DType.FLOAT32 else 2,
            inputs=self.inputs,
            options_table="AddOptions",
            options={"fusedActivationFunction": self.activation.value},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Add."""
        del graph
        node = OnnxNode(op_type="Add", inputs=self.inputs, outputs=self.outputs, layout=Layout.ANY)
        return with_onnx_activation(node, self.activation)

    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Rescale both inputs to twice the larger scale, add, rescale to the output's."""
        del isas
        first, second = (graph.tensor(name) for name in self.inputs)
        output = graph.tensor(self.outputs[0])
        twice_largest = 2 * max(first.scale, second.scale)
        rescalings = (
            first.scale / twice_largest,
            second.scale / twice_largest,
            twice_largest / ((1 << LEFT_SHIFT) * output.scale),
        )
        if rescalings[2] >= 1:
            raise self.error(
                f"output '{output.name}' has scale {output.scale:.9g}, too small beside the "
                f"inputs' {first.scale:.9g} and {second.scale:.9g} for 32-bit sums"
            )
        for_first, for_second, for_output = (quantize_multiplier(real) for real in rescalings)
        call = KernelCall(
            function="arm_elementwise_add_s8",
            arguments=(
                TensorPointer(first.name),
                TensorPointer(second.name),
                -first.zero_point,
                *for_first,
                -second.zero_point,
                *for_second,
                LEFT_SHIFT,
                TensorPointer(output.name),
                output.zero_point,
                *for_output,
                *quantized_bounds(self.activation.bounds, output),
                output.size,
            ),
            returns_status=True,
        )
        return Kernel(calls=(call,), may_overwrite=self.inputs)
