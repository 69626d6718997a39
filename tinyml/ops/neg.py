"""NEG, whose int8 kernel in LiteRT takes no notice of zero points and is not used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Neg(UnaryOperator):
    """``-x``."""

    opcodes: ClassVar[tuple[str, ...]] = ("NEG",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Neg": Operands.ANY}
    onnx_type: ClassVar[str] = "Neg"
    int8_version: ClassVar[int | None] = None

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """Change the sign."""
        return xp.negative(x)
