"""LOGICAL_AND of two bool tensors whose shapes broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.elementwise import LogicalOperator


@dataclass(frozen=True, kw_only=True)
class LogicalAnd(LogicalOperator):
    """Whether both elements hold, with broadcasting."""

    opcodes: ClassVar[tuple[str, ...]] = ("LOGICAL_AND",)
    onnx_type: ClassVar[str] = "And"
    onnx_types: ClassVar[Mapping[str, Operands]] = {"And": Operands.ANY}
    kernels: ClassVar[Kernels] = {DType.BOOL: ("tinyml_logical_and",)}

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """Whether both hold."""
        first, second = operands
        return xp.logical_and(first, second)
