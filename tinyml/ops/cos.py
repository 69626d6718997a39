"""COS, the cosine, for which TFLite has no int8 kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import Array
from tinyml.numerics.tables import in_double
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Cos(UnaryOperator):
    """``cos(x)``."""

    opcodes: ClassVar[tuple[str, ...]] = ("COS",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Cos": Operands.ANY}
    onnx_type: ClassVar[str] = "Cos"
    int8_version: ClassVar[int | None] = None

    def function(self, x: Array) -> Array:
        """The cosine, rounded once."""
        return in_double(np.cos)(x)
