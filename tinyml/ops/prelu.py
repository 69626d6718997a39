"""PRELU: LEAKY_RELU with slopes from a tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import Graph, TensorSpec
from tinyml.numerics.affine import LIMITS
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, Struct
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import OnnxNode, Operands
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.tflite import TfliteOp
from tinyml.ops.families.elementwise import (
    ElementwiseOperator,
    elementwise_kernel,
    finishing,
    input_walk,
)


@dataclass(frozen=True, kw_only=True)
class Prelu(ElementwiseOperator):
    """``x`` above 0, ``alpha * x`` below; alpha, the second input, broadcasts to x."""

    opcodes: ClassVar[tuple[str, ...]] = ("PRELU",)
    five_in_tflite_runtime: ClassVar[bool] = False
    kernels: ClassVar[Kernels] = int8_kernels("tinyml_prelu_s8")
    onnx_types: ClassVar[Mapping[str, Operands]] = {"PRelu": Operands.ANY}

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape and dtype of the first input."""
        (spec,) = super().infer(graph)
        source, alpha = (graph.tensor(name) for name in self.inputs)
        if spec.shape != source.shape:
            raise self.error(
                f"alpha '{alpha.name}' {alpha.shape} does not broadcast to the input's "
                f"shape {source.shape}"
            )
        return (spec,)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Alpha is a weight with one scale in all."""
        del graph
        return QuantizationRule(weights={1: None})

    def macs(self, graph: Graph) -> int:
        """One product per element at most."""
        return graph.tensor(self.outputs[0]).size

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """The definition."""
        x, alpha = operands
        return xp.where(x >= 0, x, xp.multiply(x, alpha))

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, which took int8 from the start."""
        del graph
        return TfliteOp(opcode="PRELU", version=1, inputs=self.inputs)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """PRelu."""
        del graph
        return (OnnxNode(op_type="PRelu", inputs=self.inputs, outputs=self.outputs),)

    def to_c(self, graph: Graph) -> Kernel:
        """Rescale by two real multipliers, float32 as TFLite makes them."""
        source, alpha, output = (graph.tensor(name) for name in (*self.inputs, *self.outputs))
        source_scale, output_scale = np.float32(source.scale), np.float32(output.scale)
        above = float(source_scale / output_scale)
        below = float(source_scale * np.float32(alpha.scale) / output_scale)
        fields = {
            "walk": input_walk(graph, self),
            "input_offset": -source.zero_point,
            "alpha_offset": -alpha.zero_point,
            "above": finishing(output, above, LIMITS[output.dtype]),
            "below": finishing(output, below, LIMITS[output.dtype]),
        }
        params = Struct("tinyml_prelu_params", "params", fields)
        return elementwise_kernel(graph, self, params)
