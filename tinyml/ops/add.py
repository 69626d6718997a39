"""ADD of two tensors whose shapes broadcast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tinyml.ir.graph import Graph
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.base import Isa, Kernel, KernelCall, TensorPointer
from tinyml.ops.elementwise import (
    ArithmeticOperator,
    combination_kernel,
    common_scale,
    is_flat,
    sum_multiplier,
)

# Bits by which both inputs are scaled up first, so that rescaling them loses little.
LEFT_SHIFT = 20


@dataclass(frozen=True, kw_only=True)
class Add(ArithmeticOperator):
    """Elementwise sum with broadcasting and fused activation."""

    opcodes: ClassVar[tuple[str, ...]] = ("ADD",)
    options_table: ClassVar[str] = "AddOptions"
    onnx_type: ClassVar[str] = "Add"

    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Rescale both inputs to twice the larger scale, add, rescale to the output's.

        CMSIS-NN's kernel does it for inputs of one shape, ours where one is broadcast.
        """
        del isas
        real = sum_multiplier(graph, self, LEFT_SHIFT)
        if is_flat(graph, self):
            return self._cmsis_nn_kernel(graph, real)
        return combination_kernel(
            graph, self, "tinyml_add_s8", LEFT_SHIFT, real, self.limits(graph)
        )

    def _cmsis_nn_kernel(self, graph: Graph, output_multiplier: float) -> Kernel:
        first, second = (graph.tensor(name) for name in self.inputs)
        output = graph.tensor(self.outputs[0])
        common = common_scale(graph, self)
        call = KernelCall(
            function="arm_elementwise_add_s8",
            arguments=(
                TensorPointer(first.name),
                TensorPointer(second.name),
                -first.zero_point,
                *quantize_multiplier(first.scale / common),
                -second.zero_point,
                *quantize_multiplier(second.scale / common),
                LEFT_SHIFT,
                TensorPointer(output.name),
                output.zero_point,
                *quantize_multiplier(output_multiplier),
                *self.limits(graph),
                output.size,
            ),
            returns_status=True,
        )
        return Kernel(calls=(call,), may_overwrite=self.inputs)
