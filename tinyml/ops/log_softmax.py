"""LOG_SOFTMAX over the last dimension, which quantization computes in operators of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp


@dataclass(frozen=True, kw_only=True)
class LogSoftmax(Operator):
    """``x - log(sum(exp(x)))`` along the last dimension; float only.

    TFLite's int8 kernel has results down to -16 in steps of 1/16 and nothing below.
    """

    opcodes: ClassVar[tuple[str, ...]] = ("LOG_SOFTMAX",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    kernels: ClassVar[Kernels] = {DType.FLOAT32: ()}
    without_kernel: ClassVar[str] = "becomes REDUCE_MAX, SUB, EXP, SUM, LOG when it is read"

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read nothing but the tensors."""
        return cls(name=node.name, inputs=node.inputs, outputs=node.outputs)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape of the input, float32."""
        source = graph.tensor(self.inputs[0])
        if source.dtype in {DType.INT8, DType.INT16}:
            raise self.error(
                f"input '{source.name}' is {source.dtype.value}, which no kernel here takes; "
                "give the float model to 'tinyml quantize', which needs none"
            )
        if not source.shape:
            raise self.error(f"input '{source.name}' has no dimension, expected at least one")
        return (TensorSpec(source.shape, require_dtype(self, graph)),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Input and output have parameters of their own."""
        del graph
        return QuantizationRule()

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """The definition."""
        del graph
        return (xp.log_softmax(operands[0], -1),)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1."""
        del graph
        return TfliteOp(
            opcode="LOG_SOFTMAX",
            version=1,
            inputs=self.inputs,
            options_table="LogSoftmaxOptions",
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """LogSoftmax."""
        del graph
        attributes = {"axis": -1}
        return (
            OnnxNode(
                op_type="LogSoftmax",
                inputs=self.inputs,
                outputs=self.outputs,
                attributes=attributes,
            ),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Refuse: what is float does not run on the device."""
        del graph
        raise self.error("float tensors are only supported at the model's edges")
