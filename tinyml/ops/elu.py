"""ELU, the exponential linear unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import Array
from tinyml.numerics.tables import in_double
from tinyml.ops.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Elu(UnaryOperator):
    """``x`` above 0, ``exp(x) - 1`` below."""

    opcodes: ClassVar[tuple[str, ...]] = ("ELU",)
    onnx_type: ClassVar[str] = "Elu"
    int8_version: ClassVar[int | None] = 1

    def function(self, x: Array) -> Array:
        """Subtract after rounding the exponential to float32, as the reference does."""
        exponential = in_double(np.exp)(np.minimum(x, 0))
        return np.where(x < 0, exponential - np.float32(1), x)
