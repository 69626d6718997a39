"""TANH, the hyperbolic tangent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import Array, Graph, QuantParams
from tinyml.numerics.tables import in_double
from tinyml.ops.base import QuantizationRule
from tinyml.ops.onnx_node import Operands
from tinyml.ops.unary import UnaryOperator

OUTPUT_QUANT = QuantParams.per_tensor(1 / 128, 0)


@dataclass(frozen=True, kw_only=True)
class Tanh(UnaryOperator):
    """``tanh(x)``."""

    opcodes: ClassVar[tuple[str, ...]] = ("TANH",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Tanh": Operands.ANY}
    onnx_type: ClassVar[str] = "Tanh"

    def function(self, x: Array) -> Array:
        """The hyperbolic tangent, rounded once."""
        return in_double(np.tanh)(x)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Results lie in (-1, 1), which 1/128 and 0 cover."""
        del graph
        return QuantizationRule(fixed_output=OUTPUT_QUANT)

    def check_quantized(self, graph: Graph) -> None:
        """Take any parameters: only the converters prescribe them, the kernels do not."""
        del graph
