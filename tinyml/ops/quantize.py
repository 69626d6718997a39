"""QUANTIZE: float to integers at the model's edge, integers to another scale or width inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.numerics.affine import LIMITS
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import Layout, OnnxNode
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_TFLITE_RUNTIME, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.lookup import LOOKUPS, LookupOperator, requantized
from tinyml.ops.families.requantize import REQUANTIZATIONS, requantize_kernel


@dataclass(frozen=True, kw_only=True)
class Quantize(LookupOperator):
    """Express the same real numbers in the output's scale and zero point."""

    dtype: DType = DType.INT8  # of the output

    opcodes: ClassVar[tuple[str, ...]] = ("QUANTIZE",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels(*LOOKUPS.values()),
        DType.INT16: tuple(REQUANTIZATIONS.values()),
    }

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the output's dtype; a pass takes uint8 away at the model's edges."""
        dtype = node.tensors[node.outputs[0]].dtype
        operator = cls(name=node.name, inputs=node.inputs, outputs=node.outputs, dtype=dtype)
        if dtype not in {DType.INT8, DType.INT16, DType.INT32, DType.UINT8}:
            raise operator.error(f"output is {dtype.value}, expected int8, int16 or int32")
        return operator

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape of the input."""
        if DType.UINT8 in {self.dtype, graph.tensor(self.inputs[0]).dtype}:
            raise self.error(
                "uint8 is supported only at the model's edge and beside int8 of the same scale "
                "with a zero point 128 below; convert the model with int8 inputs and outputs"
            )
        source = graph.tensor(self.inputs[0])
        if require_dtype(self, graph) is DType.FLOAT32 and self.dtype is DType.INT32:
            raise self.error(f"input '{source.name}' is float32, expected int8 or int16 for int32")
        return (TensorSpec(source.shape, self.dtype),)

    @property
    def asymmetric_int16(self) -> tuple[str, ...]:
        """What int32 is made of."""
        return self.inputs if self.dtype is DType.INT32 else ()

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Input and output have parameters of their own."""
        del graph
        return QuantizationRule()

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """The same real numbers."""
        del graph
        return (xp.convert_to_tensor(operands[0]),)

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """Not tflite-runtime 2.14 from int8 to int16, nor any but TFLite Micro from int8 to int32.

        The others refuse that.
        """
        if graph.tensor(self.inputs[0]).dtype is not DType.INT8:
            return self.oracles
        if self.dtype is DType.INT32:
            return (Oracle.TFLITE_MICRO,)
        return ALL_BUT_TFLITE_RUNTIME if self.dtype is DType.INT16 else self.oracles

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 from float to int8, else 2."""
        is_first = graph.tensor(self.inputs[0]).dtype is DType.FLOAT32 and self.dtype is DType.INT8
        return TfliteOp(
            opcode="QUANTIZE",
            version=1 if is_first else 2,
            inputs=self.inputs,
            options_table="QuantizeOptions",
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Identity: the pair of DequantizeLinear and QuantizeLinear around it does the work."""
        del graph
        if self.dtype is DType.INT32:
            raise self.error("output is int32, which ONNX's QuantizeLinear does not give")
        return (
            OnnxNode(
                op_type="Identity", inputs=self.inputs, outputs=self.outputs, layout=Layout.ANY
            ),
        )

    def table(self, graph: Graph) -> Array:
        """Rescale (TFLite's Requantize), by a ratio in double."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        return requantized(source, output, source.scale / output.scale)

    def to_c(self, graph: Graph) -> Kernel:
        """Look int8 up, rescale int16."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        if source.dtype is DType.FLOAT32:
            raise self.error("float input is only supported at the model's edge")
        if source.dtype is DType.INT8:
            return super().to_c(graph)
        return requantize_kernel(graph, self, source.scale / output.scale, LIMITS[self.dtype])
