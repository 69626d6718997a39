"""Functions of one int16 tensor, run as a table of 513 points with lines between, made here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import DType, Graph
from tinyml.numerics.interpolated import interpolated_table
from tinyml.ops.contract.c import ConstantArray, Kernel, KernelCall, TensorPointer
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.families.lookup import LookupOperator
from tinyml.ops.families.unary import UnaryOperator


@dataclass(frozen=True, kw_only=True)
class InterpolatedOperator(UnaryOperator):
    """A function whose int16 kernel in TFLite is such a table, filled in float32."""

    kernels: ClassVar[Kernels] = {
        **LookupOperator.kernels,
        DType.INT16: ("tinyml_lookup_s16",),
    }
    int16_version: ClassVar[int | None] = 2

    def to_c(self, graph: Graph) -> Kernel:
        """Look int8 up; of int16, look the points beside up."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        if source.dtype is not DType.INT16:
            return super().to_c(graph)
        points = interpolated_table(
            self.in_numpy, source.per_tensor, output.per_tensor, real=np.float32
        )
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                ConstantArray("table", points),
                TensorPointer(source.name),
                TensorPointer(output.name),
                output.size,
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,), may_overwrite=(source.name,))
