"""SIN, the sine, for which TFLite has no int8 kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Sin(UnaryOperator):
    """``sin(x)``."""

    opcodes: ClassVar[tuple[str, ...]] = ("SIN",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Sin": Operands.ANY}
    onnx_type: ClassVar[str] = "Sin"
    int8_version: ClassVar[int | None] = None

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """The sine, rounded once."""
        return xp.sin(x)
