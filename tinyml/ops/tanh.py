"""TANH, the hyperbolic tangent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph, QuantParams
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.families.lookup import LookupOperator
from tinyml.ops.families.sigmoid import WIDE_OUTPUT_QUANT, sigmoid_kernel
from tinyml.ops.families.unary import UnaryOperator

OUTPUT_QUANT = QuantParams.per_tensor(1 / 128, 0)


@dataclass(frozen=True, kw_only=True)
class Tanh(UnaryOperator):
    """``tanh(x)``."""

    opcodes: ClassVar[tuple[str, ...]] = ("TANH",)
    kernels: ClassVar[Kernels] = {
        **LookupOperator.kernels,
        DType.INT16: ("tinyml_tanh_s16",),
    }
    int16_version: ClassVar[int | None] = 3
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Tanh": Operands.ANY}
    onnx_type: ClassVar[str] = "Tanh"

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """The hyperbolic tangent, rounded once."""
        return xp.tanh(x)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Results lie in (-1, 1), which 1/128 and 0 cover, or 1/32768 in int16."""
        del graph
        return QuantizationRule(fixed_output=OUTPUT_QUANT, fixed_wide_output=WIDE_OUTPUT_QUANT)

    def check_quantized(self, graph: Graph) -> None:
        """Take any parameters of int8: only the converters prescribe them, not the kernels."""
        if graph.tensor(self.inputs[0]).dtype is DType.INT16:
            super().check_quantized(graph)

    def to_c(self, graph: Graph) -> Kernel:
        """Look int8 up, and the sigmoid of int16."""
        if graph.tensor(self.inputs[0]).dtype is DType.INT16:
            return sigmoid_kernel(graph, self, largest_power=1)
        return super().to_c(graph)
