"""RSQRT, the reciprocal of the square root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import Array, Graph, Tensor
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.numerics.tables import rsqrt_table
from tinyml.ops.contract.onnx import OnnxNode, any_layout
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Rsqrt(UnaryOperator):
    """``1 / sqrt(x)``, for positive x."""

    opcodes: ClassVar[tuple[str, ...]] = ("RSQRT",)

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """The definition, in float32."""
        return xp.rsqrt(x)

    def int8_table(self, source: Tensor, output: Tensor) -> Array:
        """Tabulate fixed point."""
        return rsqrt_table(source.per_tensor, output.per_tensor)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Sqrt, then Reciprocal."""
        del graph
        root = f"{self.name}/root"
        return (
            any_layout("Sqrt", self.inputs, (root,)),
            any_layout("Reciprocal", (root,), self.outputs),
        )
