"""CEIL, for which TFLite has no int8 kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import Array
from tinyml.ops.base import Oracle
from tinyml.ops.onnx_node import Operands
from tinyml.ops.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Ceil(UnaryOperator):
    """Rounding up to a whole number."""

    opcodes: ClassVar[tuple[str, ...]] = ("CEIL",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Ceil": Operands.ANY}
    onnx_type: ClassVar[str] = "Ceil"
    int8_version: ClassVar[int | None] = None
    # The reference resolvers of tflite-runtime 2.14 lack it, in float too.
    oracle: ClassVar[Oracle] = Oracle.OPTIMIZED

    def function(self, x: Array) -> Array:
        """Round up."""
        return np.asarray(np.ceil(x))
