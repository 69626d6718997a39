"""SQUARE, for which TFLite has no int8 kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import Graph
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import OnnxNode, any_layout
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Square(UnaryOperator):
    """``x * x``."""

    opcodes: ClassVar[tuple[str, ...]] = ("SQUARE",)
    onnx_type: ClassVar[str] = "Mul"
    int8_version: ClassVar[int | None] = None

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """Multiply by itself."""
        return xp.multiply(x, x)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Mul."""
        del graph
        return (any_layout("Mul", self.inputs * 2, self.outputs),)
