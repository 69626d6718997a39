"""What ADD and SUB share: both inputs are brought to one scale first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from tinyml.ir.graph import DType, Graph
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.elementwise import ArithmeticOperator, combination_kernel, sum_multiplier

# How far from a power of two TFLite takes a scale for one, in its binary logarithm.
POWER_TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class SumOperator(ArithmeticOperator):
    """A sum or a difference."""

    # Bits by which both inputs are scaled up first, so that rescaling them loses little.
    left_shifts: ClassVar[Mapping[DType, int]] = {DType.INT8: 20, DType.INT16: 15}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the activation; ModelError where int16 is added by shifts alone."""
        operator = super().from_tflite(node)
        tensors = [node.tensors[name] for name in (*node.inputs, *node.outputs)]
        if tensors[0].dtype is not DType.INT16 or not node.options.get("potScaleInt16", True):
            return operator
        scales = [tensor.quant.scale[0] for tensor in tensors if tensor.quant is not None]
        if all(_is_power_of_two(scale) for scale in scales):
            raise operator.error(
                f"scales {scales} are powers of two and pot_scale_int16 is set, which asks for an "
                "arithmetic of its own; convert the model again with a current converter"
            )
        return operator

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Ask for the same arithmetic whatever int16's scales are."""
        record = super().to_tflite(graph)
        if graph.tensor(self.inputs[0]).dtype is not DType.INT16:
            return record
        return replace(record, options={**record.options, "potScaleInt16": False})

    def left_shift(self, graph: Graph) -> int:
        """Bits by which both inputs are scaled up."""
        return self.left_shifts[graph.tensor(self.inputs[0]).dtype]

    def output_multiplier(self, graph: Graph) -> float:
        """From the common scale to the output's."""
        return sum_multiplier(graph, self, self.left_shift(graph))

    def combine(self, graph: Graph, function: str | None = None) -> Kernel:
        """Call a kernel of ours; ``function`` says which where there are several."""
        shift, real = self.left_shift(graph), self.output_multiplier(graph)
        return combination_kernel(graph, self, shift, real, self.limits(graph), function)


def _is_power_of_two(scale: float) -> bool:
    power = math.log2(scale)
    return abs(power - round(power)) < POWER_TOLERANCE
