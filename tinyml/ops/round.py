"""ROUND, for which TFLite has no int8 kernel."""

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
class Round(UnaryOperator):
    """Rounding to nearest, halves to even to a whole number."""

    opcodes: ClassVar[tuple[str, ...]] = ("ROUND",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Round": Operands.ANY}
    onnx_type: ClassVar[str] = "Round"
    int8_version: ClassVar[int | None] = None
    # The reference resolvers of tflite-runtime 2.14 lack it, in float too.
    oracle: ClassVar[Oracle] = Oracle.OPTIMIZED

    def function(self, x: Array) -> Array:
        """Round to nearest, halves to even."""
        return np.asarray(np.rint(x))
