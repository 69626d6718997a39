"""DEQUANTIZE: integers to float at the model's edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.numerics import arrays
from tinyml.numerics.affine import dequantize
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import VERSIONS, Kernels
from tinyml.ops.contract.onnx import Layout, OnnxNode
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp


@dataclass(frozen=True, kw_only=True)
class Dequantize(Operator):
    """``scale * (q - zero_point)`` as float32."""

    opcodes: ClassVar[tuple[str, ...]] = ("DEQUANTIZE",)
    kernels: ClassVar[Kernels] = dict.fromkeys((DType.INT8, DType.INT16, DType.FLOAT16), ())
    without_kernel: ClassVar[str] = "taken away at the model's edges"

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read nothing but the tensors."""
        return cls(name=node.name, inputs=node.inputs, outputs=node.outputs)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape of the input, float32; float16 is for constants, which are folded."""
        source = graph.tensor(self.inputs[0])
        if require_dtype(self, graph) is DType.FLOAT16 and not source.is_constant:
            raise self.error(f"input '{source.name}' is float16 and computed at run time")
        return (TensorSpec(source.shape, DType.FLOAT32),)

    @property
    def asymmetric_int16(self) -> tuple[str, ...]:
        """Its input."""
        return self.inputs

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Leave the input's parameters as they are; the output has none."""
        del graph
        return QuantizationRule()

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """The same real numbers."""
        del graph
        return (xp.cast(operands[0], DType.FLOAT32.value),)

    def fold(self, graph: Graph) -> tuple[Array, ...] | None:
        """Give the real numbers of a constant: weights stored as float16 or as integers."""
        source = graph.tensor(self.inputs[0])
        if source.data is None:
            return None
        if source.quant is None:
            return self.compute(arrays, graph, source.data)
        return (dequantize(source.data, source.quant),)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 2, which brought int8, or 3, which brought int16 and float16."""
        return TfliteOp(
            opcode="DEQUANTIZE",
            version=VERSIONS.get(graph.tensor(self.inputs[0]).dtype, 3),
            inputs=self.inputs,
            options_table="DequantizeOptions",
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Identity: the DequantizeLinear before it does the work."""
        del graph
        return (
            OnnxNode(
                op_type="Identity", inputs=self.inputs, outputs=self.outputs, layout=Layout.ANY
            ),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Refuse: at the edges a pass takes it away, elsewhere float would follow."""
        del graph
        raise self.error("float tensors are only supported at the model's edges")
