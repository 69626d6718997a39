"""EXP, the exponential function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.families.interpolated import InterpolatedOperator


@dataclass(frozen=True, kw_only=True)
class Exp(InterpolatedOperator):
    """``exp(x)``."""

    opcodes: ClassVar[tuple[str, ...]] = ("EXP",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Exp": Operands.ANY}
    onnx_type: ClassVar[str] = "Exp"

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """The exponential, rounded once."""
        return xp.exp(x)
