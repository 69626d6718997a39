"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes under another shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import Graph, Shape, TensorSpec
from tinyml.ops.base import (
    InlineConstant,
    Isa,
    Kernel,
    OnnxNode,
    Operator,
    QuantizationRule,
    TfliteNode,
    TfliteOp,
)


@dataclass(frozen=True, kw_only=True)
class Reshape(Operator):
    """Another shape for the same elements."""

    shape: Shape

    opcodes: ClassVar[tuple[str, ...]] = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Take the output's static shape; the operand that states it again is dropped."""
        return cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            shape=node.tensors[node.outputs[0]].shape,
        )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The shape asked for, which must hold as many elements as the input."""
        source = graph.tensor(self.inputs[0])
        if int(np.prod(self.shape)) != source.size:
            raise self.error(f"cannot reshape '{source.name}' {source.shape} to {self.shape}")
        return (TensorSpec(self.shape, source.dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Nothing is computed, so the output takes the input's parameters."""
        del graph
        return QuantizationRule(output_follows_input=True)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write RESHAPE, whatever it was read from."""
        del graph
        shape = np.array(self.shape, np.int32)
        return TfliteOp(
            opcode="RESHAPE",
            version=1,
            inputs=(*self.inputs, InlineConstant("shape", shape)),
            options_table="ReshapeOptions",
            options={"newShape": shape},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Reshape."""
        del graph
        shape = InlineConstant("shape", np.array(self.shape, np.int64))
        return (OnnxNode(op_type="Reshape", inputs=(*self.inputs, shape), outputs=self.outputs),)

    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Do nothing: the output lies where the input lies."""
        del isas
        if graph.tensor(self.inputs[0]).is_constant:
            raise self.error(
                f"input '{self.inputs[0]}' is a constant, expected an activation; store it in the "
                "shape it is used in"
            )
        return Kernel(alias=True)
