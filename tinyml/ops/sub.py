"""SUB of two tensors whose shapes broadcast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import Graph
from tinyml.ops.base import Isa, Kernel
from tinyml.ops.elementwise import (
    ArithmeticOperator,
    combination_kernel,
    needs_five_dimensions,
    sum_multiplier,
)

# Bits by which both inputs are scaled up first, so that rescaling them loses little.
LEFT_SHIFT = 20


@dataclass(frozen=True, kw_only=True)
class Sub(ArithmeticOperator):
    """Elementwise difference with broadcasting and fused activation."""

    opcodes: ClassVar[tuple[str, ...]] = ("SUB",)
    options_table: ClassVar[str] = "SubOptions"
    onnx_type: ClassVar[str] = "Sub"

    def version(self, graph: Graph) -> int:
        """Version 3 brought broadcasting over five dimensions."""
        return 3 if needs_five_dimensions(graph, self) else super().version(graph)

    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Rescale both inputs to twice the larger scale, subtract, rescale to the output's."""
        del isas
        real = sum_multiplier(graph, self, LEFT_SHIFT)
        return combination_kernel(
            graph, self, "tinyml_sub_s8", LEFT_SHIFT, real, self.limits(graph)
        )
