"""EXP, the exponential function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import Array
from tinyml.numerics.tables import in_double
from tinyml.ops.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Exp(UnaryOperator):
    """``exp(x)``."""

    opcodes: ClassVar[tuple[str, ...]] = ("EXP",)
    onnx_type: ClassVar[str] = "Exp"

    def function(self, x: Array) -> Array:
        """The exponential, rounded once."""
        return in_double(np.exp)(x)
