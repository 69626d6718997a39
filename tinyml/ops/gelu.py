"""GELU, the Gaussian error linear unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Graph
from tinyml.numerics.arrays import ROOT_OF_HALF, TANH_CUBE, TANH_FACTOR, ArrayLibrary
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands, any_layout
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode
from tinyml.ops.families.unary import UnaryOperator
from tinyml.ops.onnx.elementwise import plain_lowering


@dataclass(frozen=True, kw_only=True)
class Gelu(UnaryOperator):
    """``x * P(X <= x)`` of the normal distribution, exact or by its tanh approximation."""

    approximate: bool

    opcodes: ClassVar[tuple[str, ...]] = ("GELU",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Gelu": Operands.ANY}
    options_table: ClassVar[str | None] = "GeluOptions"

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read which of the two it is."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            approximate=bool(node.options.get("approximate", False)),
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read which of the two it is."""
        approximate = node.attributes.get("approximate", "none") == "tanh"
        return plain_lowering(cls, node, approximate=approximate)

    def options(self) -> Mapping[str, Any]:
        """Whether it is the approximation."""
        return {"approximate": self.approximate}

    def function(self, xp: ArrayLibrary, x: Any) -> Any:
        """Exact with one rounding per step, the approximation with one in all."""
        return xp.gelu(x, approximate=self.approximate)

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """``x/2 * (1 + f)`` with f from Erf or Tanh: the node Gelu came with opset 20."""
        del graph
        source, inner = self.inputs[0], self._onnx_inner()
        shifted, half = f"{self.name}/shifted", f"{self.name}/half"
        return (
            *inner,
            any_layout("Add", (inner[-1].outputs[0], _constant("one", 1)), (shifted,)),
            any_layout("Mul", (source, _constant("half", 0.5)), (half,)),
            any_layout("Mul", (half, shifted), self.outputs),
        )

    def _onnx_inner(self) -> tuple[OnnxNode, ...]:
        source = self.inputs[0]
        value, argument = f"{self.name}/value", f"{self.name}/argument"
        if not self.approximate:
            scale = _constant("root_of_half", ROOT_OF_HALF)
            return (
                any_layout("Mul", (source, scale), (argument,)),
                any_layout("Erf", (argument,), (value,)),
            )
        square, cubic, factor = (f"{self.name}/{part}" for part in ("square", "cubic", "factor"))
        outer, product = _constant("outer", TANH_FACTOR), _constant("cube", TANH_CUBE)
        return (
            any_layout("Mul", (source, source), (square,)),
            any_layout("Mul", (square, product), (cubic,)),
            any_layout("Add", (cubic, outer), (factor,)),
            any_layout("Mul", (source, factor), (argument,)),
            any_layout("Tanh", (argument,), (value,)),
        )


def _constant(suffix: str, value: float) -> InlineConstant:
    return InlineConstant(suffix, np.array(value, np.float32))
