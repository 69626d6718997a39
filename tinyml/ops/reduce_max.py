"""REDUCE_MAX over any dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.reduction import ExtremumReduction


@dataclass(frozen=True, kw_only=True)
class ReduceMax(ExtremumReduction):
    """Largest element along ``axes``, which stay as 1 with ``keep_dims``."""

    opcodes: ClassVar[tuple[str, ...]] = ("REDUCE_MAX",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"ReduceMax": Operands.ANY}
    onnx_type: ClassVar[str] = "ReduceMax"
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_reduce_max_s8"),
        DType.INT16: ("tinyml_reduce_max_s16",),
    }

    def reduced(self, xp: ArrayLibrary, x: Any, axes: tuple[int, ...]) -> Any:
        """The largest."""
        return xp.amax(x, axes)
