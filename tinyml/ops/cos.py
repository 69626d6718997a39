"""COS, the cosine, for which TFLite has no int8 kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Cos(UnaryOperator):
    """``cos(x)``."""

    opcodes: ClassVar[tuple[str, ...]] = ("COS",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Cos": Operands.ANY}
    onnx_type: ClassVar[str] = "Cos"
    int8_version: ClassVar[int | None] = None

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """The cosine, rounded once."""
        return xp.cos(x)
