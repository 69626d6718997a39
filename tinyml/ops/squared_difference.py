"""SQUARED_DIFFERENCE of two tensors whose shapes broadcast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import Graph
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import OnnxNode, any_layout
from tinyml.ops.families.elementwise import (
    ElementwiseOperator,
    combination_kernel,
    common_scale,
    require_below_one,
)

# Bits by which both inputs are scaled up first: twice as many for the square still fit 32.
LEFT_SHIFT = 7


@dataclass(frozen=True, kw_only=True)
class SquaredDifference(ElementwiseOperator):
    """Elementwise ``(a - b)**2`` with broadcasting."""

    opcodes: ClassVar[tuple[str, ...]] = ("SQUARED_DIFFERENCE",)
    five_in_tflite_runtime: ClassVar[bool] = False
    kernels: ClassVar[Kernels] = int8_kernels("tinyml_squared_difference_s8")

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """Subtract, then multiply by itself."""
        first, second = operands
        difference = xp.subtract(first, second)
        return difference * difference

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Sub, then Mul with itself."""
        del graph
        difference = f"{self.name}/difference"
        return (
            any_layout("Sub", self.inputs, (difference,)),
            any_layout("Mul", (difference, difference), self.outputs),
        )

    def to_c(self, graph: Graph) -> Kernel:
        """Rescale both inputs to twice the larger scale, subtract, square, rescale."""
        output = graph.tensor(self.outputs[0])
        real = common_scale(graph, self) ** 2 / ((1 << 2 * LEFT_SHIFT) * output.scale)
        require_below_one(graph, self, real)
        return combination_kernel(graph, self, LEFT_SHIFT, real)
