"""FLOOR, for which TFLite has no int8 kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Floor(UnaryOperator):
    """Rounding down to a whole number."""

    opcodes: ClassVar[tuple[str, ...]] = ("FLOOR",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Floor": Operands.ANY}
    onnx_type: ClassVar[str] = "Floor"
    int8_version: ClassVar[int | None] = None
    differentiable: ClassVar[bool] = False

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """Round down."""
        return xp.floor(x)
