"""SIGN, for which TFLite has no int8 kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Sign(UnaryOperator):
    """-1, 0 or 1."""

    opcodes: ClassVar[tuple[str, ...]] = ("SIGN",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Sign": Operands.ANY}
    onnx_type: ClassVar[str] = "Sign"
    int8_version: ClassVar[int | None] = None
    differentiable: ClassVar[bool] = False

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """Which side of 0."""
        return xp.sign(x)
