"""LOG, the natural logarithm; tflite-runtime 2.14 has it in float only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import Array, Tensor
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.numerics.tables import function_table
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class Log(UnaryOperator):
    """``log(x)``, for positive x."""

    opcodes: ClassVar[tuple[str, ...]] = ("LOG",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Log": Operands.ANY}
    onnx_type: ClassVar[str] = "Log"
    int8_in_reference: ClassVar[bool] = False

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """The logarithm, rounded once."""
        return xp.log(x)

    def int8_table(self, source: Tensor, output: Tensor) -> Array:
        """Tabulate LiteRT's kernel: where there is no logarithm, the least output."""
        least = np.float32((-128 - output.zero_point) * np.float32(output.scale))

        def or_least(x: Array) -> Array:
            return np.where(x > 0, self.in_numpy(np.where(x > 0, x, np.float32(1))), least)

        return function_table(or_least, source.per_tensor, output.per_tensor)
