"""Operators of one int8 tensor, run as a table of 256 values made at build time."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.numerics.affine import LIMITS
from tinyml.numerics.fixed_point import quantize_multiplier, requantize
from tinyml.ops.contract.c import ConstantArray, Kernel, KernelCall, TensorPointer
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.operator import Operator

# Table lookups, by the dtype of the output.
LOOKUPS = {
    DType.INT8: "tinyml_lookup_s8",
    DType.INT16: "tinyml_lookup_s8_s16",
    DType.INT32: "tinyml_lookup_s8_s32",
}

ALL_INT8 = np.arange(-128, 128, dtype=np.int8)


@dataclass(frozen=True, kw_only=True)
class LookupOperator(Operator):
    """An elementwise function; subclasses say what it does to each of the 256 values."""

    kernels: ClassVar[Kernels] = int8_kernels(LOOKUPS[DType.INT8])

    @abc.abstractmethod
    def table(self, graph: Graph) -> Array:
        """Outputs, (256,) of their dtype, for the inputs -128 to 127 in that order."""

    def to_c(self, graph: Graph) -> Kernel:
        """Look every element up."""
        source, output = self.inputs[0], self.outputs[0]
        dtype = graph.tensor(output).dtype
        function = LOOKUPS[dtype]
        call = KernelCall(
            function=function,
            arguments=(
                ConstantArray("table", self.table(graph)),
                TensorPointer(source),
                TensorPointer(output),
                graph.tensor(output).size,
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,), may_overwrite=(source,) if dtype is DType.INT8 else ())


def requantized(
    source: Tensor, output: Tensor, real: float, limits: tuple[int, int] | None = None
) -> Array:
    """Table that moves values from one scale to another, clamped to ``limits``.

    ``real`` is input scale over output scale, in the precision the operator's reference has.
    """
    multiplier, shift = quantize_multiplier(real)
    values = requantize(ALL_INT8.astype(np.int64) - source.zero_point, multiplier, shift)
    low, high = limits or LIMITS[output.dtype]
    return np.clip(values + output.zero_point, low, high).astype(output.dtype.numpy)
