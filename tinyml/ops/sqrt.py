"""SQRT, the square root; tflite-runtime 2.14 has it in float only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import Array, Tensor
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.numerics.tables import sqrt_table
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNodeIn, Operands
from tinyml.ops.families.unary import UnaryOperator
from tinyml.ops.onnx.elementwise import plain_lowering


@dataclass(frozen=True, kw_only=True)
class Sqrt(UnaryOperator):
    """``sqrt(x)``, for x of 0 or more."""

    opcodes: ClassVar[tuple[str, ...]] = ("SQRT",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Pow": Operands.ANY, "Sqrt": Operands.ANY}
    onnx_type: ClassVar[str] = "Sqrt"
    int8_in_reference: ClassVar[bool] = False

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Sqrt, or a Pow by one half."""
        if node.op_type == "Pow" and node.scalar(1, 1.0) != 0.5:
            return None
        return plain_lowering(cls, node, 1)

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """The square root."""
        return xp.sqrt(x)

    def int8_table(self, source: Tensor, output: Tensor) -> Array:
        """Tabulate LiteRT's kernel, which rounds toward zero."""
        return sqrt_table(source.per_tensor, output.per_tensor)
