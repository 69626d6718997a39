"""LOGISTIC, the sigmoid function."""

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
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.families.lookup import LookupOperator
from tinyml.ops.families.sigmoid import WIDE_OUTPUT_QUANT, sigmoid_kernel
from tinyml.ops.families.unary import UnaryOperator

OUTPUT_QUANT = QuantParams.per_tensor(1 / 256, -128)


@dataclass(frozen=True, kw_only=True)
class Logistic(UnaryOperator):
    """``1 / (1 + exp(-x))``."""

    opcodes: ClassVar[tuple[str, ...]] = ("LOGISTIC",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    kernels: ClassVar[Kernels] = {
        **LookupOperator.kernels,
        DType.INT16: ("tinyml_logistic_s16",),
    }
    int16_version: ClassVar[int | None] = 3
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Sigmoid": Operands.ANY}
    onnx_type: ClassVar[str] = "Sigmoid"

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """Each step rounded to float32, as the reference takes them."""
        return xp.sigmoid(x)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Results lie in (0, 1), which 1/256 and -128 cover, or 1/32768 in int16.

        Between floats the QUANTIZE after it says.
        """
        del graph
        if self.in_float:
            return QuantizationRule()
        return QuantizationRule(fixed_output=OUTPUT_QUANT, fixed_wide_output=WIDE_OUTPUT_QUANT)

    def to_c(self, graph: Graph) -> Kernel:
        """Look int8 up, and the sigmoid of int16."""
        if graph.tensor(self.inputs[0]).dtype is DType.INT16:
            return sigmoid_kernel(graph, self, largest_power=0)
        return super().to_c(graph)
