"""MAXIMUM of two tensors whose shapes broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.elementwise import ExtremumOperator


@dataclass(frozen=True, kw_only=True)
class Maximum(ExtremumOperator):
    """The larger of two elements, with broadcasting."""

    opcodes: ClassVar[tuple[str, ...]] = ("MAXIMUM",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Max": Operands.ANY}
    onnx_type: ClassVar[str] = "Max"
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_maximum_s8"),
        DType.INT16: ("tinyml_maximum_s16",),
        DType.INT32: ("tinyml_maximum_s32",),
    }

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """The larger."""
        first, second = operands
        return xp.maximum(first, second)
