"""What functions of one tensor share, element by element."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Tensor, TensorSpec
from tinyml.numerics import arrays
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.numerics.tables import float_results, float_table, function_table
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, any_layout
from tinyml.ops.contract.operator import FloatSteps, QuantizationRule
from tinyml.ops.contract.oracles import Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.lookup import LookupOperator
from tinyml.ops.families.pointwise import PointwiseOperator
from tinyml.ops.onnx.elementwise import plain_lowering

# Far from where a runtime's conversion to int32 is undefined, and far beyond int8.
LARGEST_STEPS = 2.0**30


@dataclass(frozen=True, kw_only=True)
class UnaryOperator(LookupOperator, PointwiseOperator):
    """A function of one tensor; on the device a table of its 256 values.

    TFLite has no int8 kernel for some functions, and its oldest reference none for others. With
    ``in_float`` an int8 operator means what the float one does between a DEQUANTIZE and a
    QUANTIZE, which is how it is written to a file, so that any runtime can run it.
    """

    in_float: bool = False

    # The version that brought int8, None where there is no int8 kernel that is of use.
    int8_version: ClassVar[int | None] = 2
    # The version that brought int16, of whose kernels the operators that have one know.
    int16_version: ClassVar[int | None] = None
    # Whether tflite-runtime 2.14 and TFLite Micro have the int8 kernel.
    int8_in_reference: ClassVar[bool] = True
    options_table: ClassVar[str | None] = None
    onnx_type: ClassVar[str]

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read nothing but the tensors."""
        return cls(name=node.name, inputs=node.inputs, outputs=node.outputs)

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read nothing but the tensor."""
        return plain_lowering(cls, node, 1)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape and dtype of the input."""
        dtype = require_dtype(self, graph)
        source = graph.tensor(self.inputs[0])
        if dtype is DType.INT8 and self.int8_version is None and not self.in_float:
            raise self.error(
                f"input '{source.name}' is int8, for which TFLite has no kernel; "
                "leave the operator float between a DEQUANTIZE and a QUANTIZE"
            )
        if dtype is DType.INT16 and self.in_float:
            raise self.error(
                f"input '{source.name}' is int16, for which a float function would take a table "
                "of 65,536 values; leave the operator int16, or quantize the model to int8"
            )
        return (TensorSpec(source.shape, dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Input and output have parameters of their own."""
        del graph
        return QuantizationRule()

    def as_int8(self) -> Self:
        """Compute in float where the reference could not run an int8 operator."""
        return replace(self, in_float=self.int8_version is None or not self.int8_in_reference)

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """LiteRT alone for an int8 kernel that the others lack."""
        is_int8 = graph.tensor(self.inputs[0]).dtype is DType.INT8 and not self.in_float
        return (Oracle.LITERT,) if is_int8 and not self.int8_in_reference else self.oracles

    def float_steps(self, graph: Graph, source: str, output: str) -> FloatSteps | None:
        """The float operator of the same function."""
        if not self.in_float:
            return None
        step = replace(self, name=output, inputs=(source,), outputs=(output,), in_float=False)
        return FloatSteps((step,), saturate=self.leaves_int32(graph))

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 for float, the one that brought the dtype otherwise."""
        dtype = graph.tensor(self.inputs[0]).dtype
        versions = {DType.INT8: self.int8_version, DType.INT16: self.int16_version}
        return TfliteOp(
            opcode=self.opcodes[0],
            version=versions.get(dtype) or 1,
            inputs=self.inputs,
            options_table=self.options_table,
            options=self.options(),
        )

    def options(self) -> Mapping[str, Any]:
        """The fields of the options table."""
        return {}

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """The node of the same meaning."""
        del graph
        return (any_layout(self.onnx_type, self.inputs, self.outputs),)

    @abc.abstractmethod
    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """The function itself, float32 to float32."""

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """The function of its only operand."""
        (x,) = operands
        return self.function(xp, x)

    def in_numpy(self, x: Array) -> Array:
        """The function as tables are made of it."""
        return np.broadcast_to(self.function(arrays, x), x.shape)

    def int8_table(self, source: Tensor, output: Tensor) -> Array:
        """What TFLite's int8 kernel makes of each of the 256 values: a table of the function."""
        return function_table(self.in_numpy, source.per_tensor, output.per_tensor)

    def leaves_int32(self, graph: Graph) -> bool:
        """Whether the float function has no value, or a huge one, for some int8 input."""
        source, output = (graph.tensor(name).per_tensor for name in (*self.inputs, *self.outputs))
        results = np.abs(float_results(self.in_numpy, source).astype(np.float64))
        return not bool(np.all(results < LARGEST_STEPS * output.scale[0]))

    def table(self, graph: Graph) -> Array:
        """Tabulate the int8 kernel, or the float one between DEQUANTIZE and QUANTIZE."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        if self.in_float:
            return float_table(self.in_numpy, source.per_tensor, output.per_tensor)
        return self.int8_table(source, output)
