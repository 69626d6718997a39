"""ELU, the exponential linear unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands
from tinyml.ops.contract.oracles import Oracle
from tinyml.ops.families.unary import UnaryOperator
from tinyml.ops.onnx.elementwise import plain_lowering


@dataclass(frozen=True, kw_only=True)
class Elu(UnaryOperator):
    """``x`` above 0, ``exp(x) - 1`` below."""

    opcodes: ClassVar[tuple[str, ...]] = ("ELU",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Elu": Operands.ANY}
    onnx_type: ClassVar[str] = "Elu"
    int8_version: ClassVar[int | None] = 1
    # The reference resolvers of both larger runtimes lack it.
    oracles: ClassVar[tuple[Oracle, ...]] = (
        Oracle.TFLITE_RUNTIME_OPTIMIZED,
        Oracle.TFLITE_MICRO,
        Oracle.LITERT_OPTIMIZED,
    )
    litert: ClassVar[Oracle] = Oracle.LITERT_OPTIMIZED

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read one that approaches -1."""
        alpha = node.attributes.get("alpha", 1.0)
        if alpha != 1:
            raise node.error(f"alpha is {alpha}, expected 1")
        return plain_lowering(cls, node)

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """Subtract after rounding the exponential to float32, as the reference does."""
        exponential = xp.exp(xp.minimum(x, np.float32(0)))
        return xp.where(x < 0, exponential - np.float32(1), x)
