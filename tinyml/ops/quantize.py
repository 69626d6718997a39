"""QUANTIZE: float to int8 at the model's edge, int8 to int8 of another scale inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.ops.base import Layout, OnnxNode, QuantizationRule, TfliteNode, TfliteOp
from tinyml.ops.cmsis_nn import require_dtype
from tinyml.ops.lookup import LookupOperator, requantized


@dataclass(frozen=True, kw_only=True)
class Quantize(LookupOperator):
    """Express the same real numbers in the output's scale and zero point."""

    opcodes: ClassVar[tuple[str, ...]] = ("QUANTIZE",)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read nothing but the tensors."""
        return cls(name=node.name, inputs=node.inputs, outputs=node.outputs)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape of the input, int8."""
        require_dtype(self, graph, DType.FLOAT32, DType.INT8)
        return (TensorSpec(graph.tensor(self.inputs[0]).shape, DType.INT8),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Input and output have parameters of their own."""
        del graph
        return QuantizationRule()

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 from float, 2 from int8."""
        return TfliteOp(
            opcode="QUANTIZE",
            version=1 if graph.tensor(self.inputs[0]).dtype is DType.FLOAT32 else 2,
            inputs=self.inputs,
            options_table="QuantizeOptions",
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Identity: the pair of DequantizeLinear and QuantizeLinear around it does the work."""
        del graph
        return (
            OnnxNode(
                op_type="Identity", inputs=self.inputs, outputs=self.outputs, layout=Layout.ANY
            ),
        )

    def table(self, graph: Graph) -> Array:
        """Rescale (TFLite's Requantize), by a ratio in double."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        if source.dtype is not DType.INT8:
            raise self.error("float input is only supported at the model's edge")
        return requantized(source, output, source.scale / output.scale)
