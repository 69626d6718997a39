"""SUB of two tensors whose shapes broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.families.elementwise import needs_five_dimensions, walk_kernel
from tinyml.ops.families.sums import SumOperator


@dataclass(frozen=True, kw_only=True)
class Sub(SumOperator):
    """Elementwise difference with broadcasting and fused activation."""

    opcodes: ClassVar[tuple[str, ...]] = ("SUB",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_sub_s8"),
        DType.INT16: ("tinyml_sub_s16",),
        DType.INT32: ("tinyml_sub_s32",),
    }
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Sub": Operands.ANY}
    options_table: ClassVar[str] = "SubOptions"
    onnx_type: ClassVar[str] = "Sub"

    def joint(self, xp: ArrayLibrary, first: Any, second: Any) -> Any:
        """The difference."""
        return xp.subtract(first, second)

    def version(self, graph: Graph) -> int:
        """Version 3 brought broadcasting over five dimensions, 5 brought int16."""
        if graph.tensor(self.inputs[0]).dtype is DType.INT16:
            return 5
        return 3 if needs_five_dimensions(graph, self) else super().version(graph)

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """Not TFLite Micro in int16: 125 of 57,463 values differed by 1."""
        is_wide = graph.tensor(self.inputs[0]).dtype is DType.INT16
        return ALL_BUT_MICRO if is_wide else super().oracles_in(graph)

    def to_c(self, graph: Graph) -> Kernel:
        """Rescale both inputs to twice the larger scale, subtract, rescale to the output's."""
        if graph.tensor(self.inputs[0]).dtype is DType.INT32:
            return walk_kernel(graph, self)
        return self.combine(graph)
