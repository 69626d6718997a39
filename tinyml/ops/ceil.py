"""CEIL, for which TFLite has no int8 kernel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import Graph
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.contract.oracles import Oracle
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Ceil(UnaryOperator):
    """Rounding up to a whole number."""

    opcodes: ClassVar[tuple[str, ...]] = ("CEIL",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Ceil": Operands.ANY}
    onnx_type: ClassVar[str] = "Ceil"
    int8_version: ClassVar[int | None] = None
    differentiable: ClassVar[bool] = False
    # The reference resolvers of both larger runtimes lack it, in float too, and LiteRT's optimized
    # DEQUANTIZE gives another last bit beside a whole number.
    oracles: ClassVar[tuple[Oracle, ...]] = (Oracle.TFLITE_RUNTIME_OPTIMIZED, Oracle.TFLITE_MICRO)
    litert: ClassVar[Oracle] = Oracle.LITERT_OPTIMIZED

    def litert_error(self, graph: Graph) -> int:
        """One whole number."""
        return math.ceil(1 / graph.tensor(self.outputs[0]).scale)

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """Round up."""
        return xp.ceil(x)
