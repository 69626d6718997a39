"""LEAKY_RELU."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Graph, Tensor
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands, any_layout
from tinyml.ops.contract.tflite import TfliteNode
from tinyml.ops.families.two_slopes import TwoSlopesOperator
from tinyml.ops.onnx.elementwise import plain_lowering


@dataclass(frozen=True, kw_only=True)
class LeakyRelu(TwoSlopesOperator):
    """``x`` above 0, ``alpha * x`` below."""

    alpha: float

    opcodes: ClassVar[tuple[str, ...]] = ("LEAKY_RELU",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"LeakyRelu": Operands.ANY}
    int8_version: ClassVar[int | None] = 1
    int16_version: ClassVar[int | None] = 2
    options_table: ClassVar[str | None] = "LeakyReluOptions"

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read alpha."""
        alpha = float(node.options.get("alpha", 0.0))
        operator = cls(name=node.name, inputs=node.inputs, outputs=node.outputs, alpha=alpha)
        if not math.isfinite(alpha):
            raise operator.error(f"alpha is {alpha}, expected a finite number")
        return operator

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read alpha."""
        return plain_lowering(cls, node, alpha=float(node.attributes.get("alpha", 0.01)))

    def options(self) -> Mapping[str, Any]:
        """Alpha."""
        return {"alpha": self.alpha}

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """The definition, in float32."""
        return xp.where(x > 0, x, x * np.float32(self.alpha))

    def slopes(self, source: Tensor, output: Tensor) -> tuple[float, float]:
        """Alpha times as much below 0 as above."""
        scale, inverse = np.float32(source.scale), np.float32(output.scale)
        return float(scale / inverse), float(scale * np.float32(self.alpha) / inverse)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """LeakyRelu."""
        del graph
        return (any_layout("LeakyRelu", self.inputs, self.outputs, alpha=self.alpha),)
