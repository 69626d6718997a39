"""ABS, the absolute value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import Array, Tensor
from tinyml.numerics.tables import two_slopes_table
from tinyml.ops.onnx_node import Operands
from tinyml.ops.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Abs(UnaryOperator):
    """``|x|``."""

    opcodes: ClassVar[tuple[str, ...]] = ("ABS",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Abs": Operands.ANY}
    onnx_type: ClassVar[str] = "Abs"

    def function(self, x: Array) -> Array:
        """Drop the sign."""
        return np.abs(x)

    def int8_table(self, source: Tensor, output: Tensor) -> Array:
        """Requantize the magnitude; the real multiplier is a float32, as TFLite makes it."""
        ratio = float(np.float32(source.scale) / np.float32(output.scale))
        return two_slopes_table(source.per_tensor, output.per_tensor, ratio, -ratio)
