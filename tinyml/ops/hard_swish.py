"""HARD_SWISH."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import Array, Graph, Tensor
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.numerics.tables import hard_swish_table
from tinyml.ops.contract.onnx import OnnxNode, Operands, any_layout
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class HardSwish(UnaryOperator):
    """``x * relu6(x + 3) / 6``."""

    opcodes: ClassVar[tuple[str, ...]] = ("HARD_SWISH",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"HardSwish": Operands.ANY}
    int8_version: ClassVar[int | None] = 1

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """The definition, in float32."""
        ramp = xp.clip(x + np.float32(3), np.float32(0), np.float32(6))
        return x * ramp / np.float32(6)

    def int8_table(self, source: Tensor, output: Tensor) -> Array:
        """Tabulate 16-bit fixed point; ModelError where the output's scale is too fine for it."""
        try:
            return hard_swish_table(source.per_tensor, output.per_tensor)
        except ValueError as error:
            raise self.error(
                f"output '{output.name}' has scale {output.scale:.9g} beside the input's "
                f"{source.scale:.9g}: {error}"
            ) from None

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """X times HardSigmoid: the node HardSwish came with opset 14."""
        del graph
        source, ramp = self.inputs[0], f"{self.name}/ramp"
        return (
            any_layout("HardSigmoid", (source,), (ramp,), alpha=1 / 6, beta=0.5),
            any_layout("Mul", (source, ramp), self.outputs),
        )
