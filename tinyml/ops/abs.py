"""ABS, the absolute value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import Tensor
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.two_slopes import TwoSlopesOperator


@dataclass(frozen=True, kw_only=True)
class Abs(TwoSlopesOperator):
    """``|x|``."""

    opcodes: ClassVar[tuple[str, ...]] = ("ABS",)
    int16_version: ClassVar[int | None] = 3
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Abs": Operands.ANY}
    onnx_type: ClassVar[str] = "Abs"

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """Drop the sign."""
        return xp.absolute(x)

    def slopes(self, source: Tensor, output: Tensor) -> tuple[float, float]:
        """The same in both directions."""
        ratio = float(np.float32(source.scale) / np.float32(output.scale))
        return ratio, -ratio
